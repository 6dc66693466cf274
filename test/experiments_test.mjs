// The log of experiments: what was expected stands in definitions, what was learnt is kept with the numbers of its moment.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const journey = {
  journey: 'greet',
  trigger: { event: 'Started' },
  goal: { condition: 'did "Bought" since entry', within: '7 days' },
  nodes: [
    { id: 'tone', hypothesis: 'A warm tone sells more', variants: [{ name: 'warm', next: 'mail' }, { name: 'plain', next: 'mail' }] },
    { id: 'mail', email: 'offer', next: 'rest' }, { id: 'rest', wait: '3 days' },
  ],
};
const files = {
  'templates/offer.email': template({ subject: 'Offer', html: '<p>Hello</p>' }),
  'templates/deal.email': template({ subject: 'Deal', html: '<p>Hello</p>' }),
  'journeys/greet.json': journey,
  'broadcasts/spring.json': {
    broadcast: 'spring',
    audience: 'everyone',
    experiment: { name: 'subject line', hypothesis: 'Short is better', variants: [{ name: 'a', template: 'offer' }, { name: 'b', template: 'deal' }] },
  },
};

describe('experiments', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  const run = (...words) => spawnSync(program, ['experiment', ...words, '--data', house.data], { encoding: 'utf8' });
  const call = async (method, path, body) => http(method, `${house.server.origin}/api/v1/experiments${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` }, body,
  });
  const names = async (search) => (await call('GET', `?search=${encodeURIComponent(search)}`)).body.items.map(({ name }) => name);

  before(async () => {
    shop = shopFolder(files);
    house = await openHouse({ shop, keepShop: true });
    for (let i = 0; i < 6; i++) {
      await house.client.send('/v1/identify', { userId: `u${i}`, traits: { email: `u${i}@x.example` } });
      await house.client.send('/v1/track', { userId: `u${i}`, event: 'Started' });
    }
    await eventually('all mails went', async () => house.recorder.mails.length === 6);
  });
  after(() => house?.close());

  test('those of journeys and broadcasts are listed with what they are to show, and found by words', async () => {
    const { items } = (await call('GET', '')).body;
    assert.deepEqual(items.map(({ name, hypothesis, places }) => [name, hypothesis, places]), [
      ['greet/tone', 'A warm tone sells more', [{ journey: 'greet', node: 'tone' }]],
      ['subject line', 'Short is better', [{ broadcast: 'spring' }]],
    ]);
    assert.deepEqual(await names('WARM more'), ['greet/tone']);
    assert.deepEqual(await names('warm short'), []);
  });

  test('one shows its variants now, and a lesson keeps them as they were', async () => {
    const { now } = (await call('GET', `/${encodeURIComponent('greet/tone')}`)).body;
    assert.equal(now[0].variants.reduce((sum, { entered }) => sum + entered, 0), 6);
    assert.equal(run('lesson', 'greet/tone', 'No difference with six people').status, 0);
    await house.client.send('/v1/identify', { userId: 'late', traits: { email: 'late@x.example' } });
    await house.client.send('/v1/track', { userId: 'late', event: 'Started' });
    const { body } = await call('GET', `/${encodeURIComponent('greet/tone')}`);
    assert.equal(body.lesson, 'No difference with six people');
    assert.equal(body.kept[0].variants.reduce((sum, { entered }) => sum + entered, 0), 6);
    assert.ok(body.kept[0].variants[0].rate.low < body.kept[0].variants[0].rate.high);
    assert.equal(body.now[0].variants.reduce((sum, { entered }) => sum + entered, 0), 7);
    assert.deepEqual(await names('six difference'), ['greet/tone']);
    const { stdout } = run('show', 'greet/tone');
    assert.match(stdout, /greet\/tone +\(journey greet, node tone\)\n +expected +A warm tone sells more\n +learnt +No difference/);
    assert.match(stdout, /then, .*\n +warm .*the best with/);
    if (process.env.DULT_SHOW) console.log(stdout);
  });

  test('a lesson outlives its experiment and a restart, and an empty one takes it away', async () => {
    const { nodes, ...rest } = journey;
    writeFileSync(join(shop, 'journeys/greet.json'), JSON.stringify({ ...rest, nodes: nodes.slice(1) }));
    const applied = spawnSync(program, ['apply', '--yes', shop, '--data', house.data], { encoding: 'utf8' });
    assert.equal(applied.status, 0, applied.stderr);
    const { body } = await call('GET', `/${encodeURIComponent('greet/tone')}`);
    assert.deepEqual([body.places, body.now, body.hypothesis], [[], [], 'A warm tone sells more']);
    assert.equal(body.kept[0].variants.length, 2);
    await call('PUT', `/${encodeURIComponent('greet/tone')}/lesson`, { lesson: 'It was noise' });
    assert.equal((await call('GET', `/${encodeURIComponent('greet/tone')}`)).body.kept[0].variants.length, 2);
    await call('PUT', `/${encodeURIComponent('greet/tone')}/lesson`, { lesson: '' });
    assert.deepEqual(await names('tone'), []);
  });

  test('what says nothing is refused', async () => {
    assert.equal((await call('GET', '/none')).status, 404);
    assert.equal((await call('PUT', `/${encodeURIComponent('subject line')}/lesson`, {})).status, 400);
    assert.match(run('show', 'none').stderr, /There is no experiment "none"/);
    const wrong = await http('PUT', `${house.server.origin}/api/v1/broadcasts/bad`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` },
      body: { ...files['broadcasts/spring.json'], broadcast: 'bad', experiment: { ...files['broadcasts/spring.json'].experiment, hypothesis: 7 } },
    });
    assert.equal(wrong.status, 400);
    assert.match(JSON.stringify(wrong.body), /experiment\.hypothesis/);
  });
});
