// A journey that is measured: an experiment, people held out, a goal; what its numbers say, and that they stay over a restart.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { links } from './lib/recorder.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const PEOPLE = 60;
const files = {
  'templates/warm.email': template({ subject: 'Warm', html: '<p>Hello</p>' }),
  'templates/plain.email': template({ subject: 'Plain', html: '<p>Hello</p>' }),
  'journeys/measured.json': {
    journey: 'measured',
    trigger: { event: 'Started' },
    holdout: { share: 40 },
    goal: { condition: 'did "Bought" since entry', within: '14 days', target: 15, value: 'revenue' },
    nodes: [
      { id: 'tone', variants: [{ name: 'warm', next: 'warm' }, { name: 'plain', next: 'plain' }] },
      { id: 'warm', email: 'warm', next: 'rest' },
      { id: 'plain', email: 'plain', next: 'rest' },
      { id: 'rest', wait: '3 days' },
    ],
  },
  'broadcasts/dealt.json': {
    broadcast: 'dealt',
    audience: 'everyone',
    holdout: { share: 40, name: 'measured' },
    experiment: { variants: [{ name: 'warm', template: 'warm' }, { name: 'plain', template: 'plain' }] },
  },
};

describe('the numbers of a journey', { skip: skipWithoutProgram }, () => {
  let house;
  const numbers = async () => (await http('GET', `${house.server.origin}/api/v1/journeys/measured/numbers`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` },
  })).body;
  const mailed = (subject) => house.recorder.mails.filter((mail) => mail.raw.includes(`Subject: ${subject}`)).length;

  before(async () => {
    house = await openHouse({ shop: shopFolder(files) });
    for (let i = 0; i < PEOPLE; i++) {
      await house.client.send('/v1/identify', { userId: `u${i}`, traits: { email: `u${i}@x.example` } });
      await house.client.send('/v1/track', { userId: `u${i}`, event: 'Started' });
    }
  });
  after(() => house?.close());

  test('who comes in, who is held out and who got which mail add up', async () => {
    const { entered, held_out: heldOut } = await numbers();
    assert.equal(entered + heldOut, PEOPLE);
    assert.ok(heldOut > 8 && heldOut < 42, `${heldOut} held out of ${PEOPLE}`);
    await eventually('all mails went', async () => (await numbers()).sent === entered, 20_000);
    const { nodes } = await numbers();
    assert.equal(nodes.find(({ id }) => id === 'warm').sent, mailed('Warm'));
    assert.equal(nodes.find(({ id }) => id === 'plain').sent, mailed('Plain'));
    const [warm, plain] = nodes[0].variants;
    assert.equal(warm.entered + plain.entered, entered);
    assert.equal(warm.sent, mailed('Warm'));
  });

  test('a goal counts for those let in and those held out, with its worth, and a lift that is not sure of itself', async () => {
    for (let i = 0; i < PEOPLE; i += 2) {
      await house.client.send('/v1/track', { userId: `u${i}`, event: 'Bought', properties: { revenue: 10 } });
    }
    const { entered, goal, lift, exits, nodes } = await numbers();
    assert.equal(lift.let_in.reached + lift.held_out.reached, PEOPLE / 2);
    assert.equal(goal.reached, lift.let_in.reached);
    assert.equal(goal.value, goal.reached * 10);
    assert.equal(goal.target, 0.15);
    assert.ok(goal.rate.low < goal.reached / entered && goal.reached / entered < goal.rate.high);
    assert.ok(lift.difference.low < 0 && lift.difference.high > 0, 'half of either bought: nothing is shown');
    assert.equal(exits['reached its goal'], goal.reached);
    const [warm, plain] = nodes[0].variants;
    assert.ok(Math.abs(warm.best + plain.best - 1) < 1e-6);
  });

  test('the command tells it in words, and a journey that is not there is refused', async () => {
    const { stdout, status } = spawnSync(program, ['journey', 'numbers', 'measured', '--data', house.data], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /^measured: \d+ came in, \d+ held out/);
    assert.match(stdout, /goal: \d+ of \d+ reached it, .*worth \d+.00; the target is 15%/);
    assert.match(stdout, /lift: /);
    assert.match(stdout, /warm .*the best with/);
    const refused = spawnSync(program, ['journey', 'numbers', 'none', '--data', house.data], { encoding: 'utf8' });
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /There is no journey "none"/);
  });

  test('a broadcast holds out the same people by the same name, deals its variants, and sends to all others', async () => {
    const { entered, held_out: heldOut } = await numbers();
    const [warm, plain] = [mailed('Warm'), mailed('Plain')];
    const call = async (method, path) => (await http(method, `${house.server.origin}/api/v1/broadcasts/dealt${path}`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` },
    })).body;
    const looked = await call('POST', '/launch?dry=1');
    assert.equal(looked.held_out, heldOut);
    assert.equal(looked.would_get_it, entered);
    assert.equal(looked.would_be_held_back, 0);
    await call('POST', '/launch');
    await eventually('it is over', async () => (await call('GET', '')).state === 'finished', 20_000);
    const { counts } = await call('GET', '');
    assert.equal(counts.sent, entered);
    assert.equal(counts.held_out, heldOut);
    assert.equal(mailed('Warm') - warm + mailed('Plain') - plain, entered);
    assert.ok(mailed('Warm') > warm && mailed('Plain') > plain);
    const rows = await house.client.all('/api/v1/broadcasts/dealt/people?state=held_out');
    assert.equal(rows.length, heldOut);
  });

  test('the numbers of a broadcast are of all its messages and of each variant, also in words', async () => {
    const results = async () => (await http('GET', `${house.server.origin}/api/v1/broadcasts/dealt/numbers`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` },
    })).body;
    const before = await results();
    const [warm, plain] = before.variants;
    assert.deepEqual([warm.name, warm.template, plain.name], ['warm', 'warm', 'plain']);
    assert.equal(warm.sent + plain.sent, before.sent);
    assert.equal(before.sent, (await numbers()).entered);
    assert.deepEqual([before.delivered, before.opened, before.bounced.hard], [before.sent, 0, 0]);
    const openers = (await house.client.all('/api/v1/broadcasts/dealt/people?state=sent')).slice(0, 5).map(({ userId }) => userId);
    for (const userId of openers) {
      const mail = (await house.recorder.wait(`${userId}@x.example`, 2)).at(-1);
      await http('GET', house.local(links(mail.html).find((url) => /\/o\/[^/]+\.gif$/.test(url))), { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x64) Firefox/130.0' } });
    }
    await eventually('the opens are counted', async () => {
      const { opened, machine } = await results();
      return opened + machine.opened === openers.length;
    });
    const after = await results();
    assert.equal(after.variants[0].opened + after.variants[1].opened, after.opened);
    assert.ok(after.rates.opened.low < after.rates.opened.high);
    assert.ok(Math.abs(after.variants[0].best.opened + after.variants[1].best.opened - 1) < 1e-6);
    const { stdout, status } = spawnSync(program, ['broadcast', 'numbers', 'dealt', '--data', house.data], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`\nall +${after.sent} +${after.delivered} +0 +0 `));
    assert.match(stdout, /\nwarm .*\n +opened .* of those delivered, the best with/);
    const refused = spawnSync(program, ['broadcast', 'numbers', 'none', '--data', house.data], { encoding: 'utf8' });
    assert.match(refused.stderr, /There is no broadcast "none"/);
    if (process.env.DULT_SHOW) console.log(stdout);
  });
});
