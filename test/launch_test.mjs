// A journey launched for those already inside what begins it, with the count first; paused, resumed and stopped, also over a kill.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, patience, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const SHORT_S = 3 * patience; // a command is run within it
const journey = (name, trigger, wait) => ({ journey: name, trigger, reentry: 'always', nodes: [{ id: 'rest', wait }, { id: 'end', exit: true }] });

describe('a journey is launched, and stands still', { skip: skipWithoutProgram }, () => {
  let house, shop;
  const call = async (method, path, body) => (await http(method, `${house.server.origin}/api/v1${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, ...(body && { body }),
  }));
  const api = async (path) => (await call('GET', path)).body;
  const inside = async (who) => (await api(`/profiles/${who}`)).journeys.map((one) => one.journey).sort();
  const put = (text) => writeFileSync(join(shop, 'journeys', `${text.journey}.json`), JSON.stringify(text));

  before(async () => {
    shop = shopFolder({
      'segments/pro.segment': 'plan = "pro"',
      'journeys/later.json': journey('later', { segment: 'pro' }, '30 days'),
      'journeys/short.json': journey('short', { event: 'Started' }, `${SHORT_S} seconds`),
    });
    house = await openHouse({ shop });
    for (const userId of ['ada', 'bob']) {
      await house.client.send('/v1/identify', { userId, traits: { plan: 'pro' } });
    }
    await house.client.send('/v1/identify', { userId: 'cy', traits: { plan: 'free' } });
  });
  after(() => house?.close());

  test('the count is told first, and asked for; without it all begins from now on', async () => {
    put(journey('also', { segment: 'pro' }, '30 days'));
    const dry = (await call('PUT', '/journeys/also?dry=1', journey('also', { segment: 'pro' }, '30 days'))).body;
    assert.equal(dry.already_inside, 2);
    const asked = await dultTry('apply', '--also-inside', '--data', house.data, shop);
    assert.equal(asked.status, 2);
    assert.match(asked.err, /journeys\/also\.json: 2 are in what begins it, and come in/);
    await dult('apply', '--data', house.data, shop);
    assert.deepEqual(await inside('ada'), ['later']);
    put({ ...journey('also', { segment: 'pro' }, '30 days'), note: 'launched' });
    await dult('apply', '--also-inside', '--yes', '--data', house.data, shop);
    await eventually('they came in', async () => (await inside('bob')).length === 2, 20_000);
    assert.deepEqual(await inside('ada'), ['also', 'later']);
    assert.deepEqual(await inside('cy'), []);
    const numbers = await api('/journeys/also/numbers');
    assert.deepEqual(numbers.let_in, { 'inside at the launch': 2 });
    const refused = await call('PUT', '/journeys/no?also_inside=1', journey('no', { event: 'A' }, '1 day'));
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.body), /begins by a segment, a stage or a list/);
  });

  test('paused nobody comes in or goes on, also over a kill; resumed what ended meanwhile goes on', async () => {
    await house.client.send('/v1/track', { userId: 'ada', event: 'Started' });
    const ends = Date.now() + SHORT_S * 1000;
    assert.match(await dult('journey', 'pause', '--data', house.data, 'short'), /short is paused/);
    await house.client.send('/v1/track', { userId: 'bob', event: 'Started' });
    const why = await api('/profiles/bob/explain?journey=short');
    assert.equal(why.decisions[0].detail.reason, 'the journey is paused');
    assert.equal(why.state, 'paused');
    assert.equal(why.entering.why_not, 'the journey is paused');
    await house.server.kill();
    await house.server.start();
    await sleep(Math.max(ends - Date.now(), 0) + 1000);
    assert.ok((await inside('ada')).includes('short'), 'its wait is over, and it is paused');
    assert.equal((await api('/journeys/short')).state, 'paused');
    assert.equal((await call('POST', '/journeys/short/resume')).body.state, 'running');
    await eventually('it went on', async () => !(await inside('ada')).includes('short'), 20_000);
    assert.equal((await call('POST', '/journeys/none/pause')).status, 404);
  });

  test('stopped it is left by everybody, with the reason', async () => {
    const asked = await dultTry('journey', 'stop', '--data', house.data, 'later');
    assert.equal(asked.status, 2);
    assert.match(asked.err, /2 inside leave it at once/);
    await dult('journey', 'stop', '--yes', '--data', house.data, 'later');
    await eventually('all have left', async () => (await api('/journeys/later/numbers')).exits['the journey was stopped'] === 2, 20_000);
    assert.match(await dult('journey', 'numbers', '--data', house.data, 'later'), /later is stopped/);
  });
});
