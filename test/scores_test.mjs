// Scores: a file, applied; asked, explained, shown; and what crosses a line begins a journey.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const LEAD = {
  score: 'lead',
  half_life: '14 days',
  rules: [{ event: 'Price Page Viewed', points: 20, most: 40 }, { condition: 'plan = "pro"', points: 10 }],
  lines: [{ name: 'ready', at: 30 }],
};
const SALES = {
  journey: 'sales',
  trigger: { event: 'Score Crossed', where: 'line = "ready" and way = "up"' },
  nodes: [{ id: 'rest', wait: '30 days' }],
};

describe('a score', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => {
    const shop = shopFolder({
      'scores/lead.json': LEAD, 'journeys/sales.json': SALES, 'segments/hot.segment': 'score "lead" >= 35\n' });
    house = await openHouse({ shop });
    for (const n of [1, 2, 3])
      await house.client.send('/v1/track', { messageId: `v${n}`, userId: 'ada', event: 'Price Page Viewed' });
    await house.client.send('/v1/track', { messageId: 'b1', userId: 'bob', event: 'Price Page Viewed' });
  });
  after(() => house?.close());

  test('puts who crosses its line into a journey, and nobody else', async () => {
    const ada = await eventually('ada is in it', async () => {
      const person = await house.client.profile('ada');
      return person?.journeys.some(({ journey }) => journey === 'sales') && person;
    });
    assert.ok(ada.segments.some(({ segment }) => segment === 'hot'));
    assert.ok(ada.computed.scores.lead > 39.9 && ada.computed.scores.lead <= 40);
    assert.deepEqual((await house.client.profile('bob')).journeys, []);
  });

  test('and what Dult says of that is nothing that she did', async () => {
    assert.match(await dult('segment', 'count', '--data', house.data, 'did anything exactly 3 times'), /^1\b/);
    assert.match(await dult('segment', 'count', '--data', house.data, 'did "Score Crossed"'), /^1\b/);
  });

  test('is explained by rule and event', async () => {
    const said = await dult('explain', '--data', house.data, 'ada', 'score', 'lead');
    assert.match(said, /points: did "Price Page Viewed"\n +3 times:/);
    assert.match(said, /0 points: plan = "pro"/);
  });

  test('and its lines are the same after a restart, and nothing is told twice', async () => {
    await house.server.stop();
    await house.server.start();
    const ada = await house.client.profile('ada');
    const lines = ({ segment }) => ['hot', 'score lead: ready'].includes(segment);
    assert.equal(ada.segments.filter(lines).length, 2);
    const told = await dult('segment', 'count', '--data', house.data, 'did "Score Crossed" exactly 1 time');
    assert.match(told, /\b1\b/);
    await house.client.send('/v1/track', { messageId: 'b2', userId: 'bob', event: 'Price Page Viewed' });
    await eventually('bob crosses it, too', async () => {
      const bob = await house.client.profile('bob');
      return bob?.journeys.some(({ journey }) => journey === 'sales');
    });
  });

  test('that is not there, or is asked for a text, is refused with what to write', async () => {
    const { err } = await dultTry('segment', 'count', '--data', house.data, 'score "led" >= 30');
    assert.match(err, /there is no such score: "led"/);
    const text = await dultTry('segment', 'count', '--data', house.data, 'score "lead" = "x"');
    assert.match(text.err, /Write for example: score "lead" >= 50/);
  });
});
