// The winner of an experiment in a journey: chosen by hand, told by numbers and explain, kept over a restart, taken back; and the rule
// by which it is found by itself, as it is written down.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const journey = (more = {}) => ({
  journey: 'greet',
  trigger: { event: 'Started' },
  reentry: 'always',
  goal: { condition: 'did "Bought" since entry', within: '14 days' },
  nodes: [
    { id: 'tone', variants: [{ name: 'warm', next: 'rest' }, { name: 'plain', next: 'rest' }], ...more },
    { id: 'rest', wait: '1 second' },
  ],
});

describe('the winner of an experiment in a journey', { skip: skipWithoutProgram }, () => {
  let house;
  const ask = async (method, path, body) => (await http(method, `${house.server.origin}/api/v1${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` }, body,
  }));
  const node = async () => (await ask('GET', '/journeys/greet/numbers')).body.nodes[0];
  const taken = async () => Object.fromEntries((await node()).variants.map(({ name, entered }) => [name, entered]));
  const start = async (from, to) => {
    for (let i = from; i < to; i++) {
      await house.client.send('/v1/track', { userId: `u${i}`, event: 'Started' });
    }
  };
  const explain = async (who) => (await ask('GET', `/profiles/${who}/explain?journey=greet`)).body;
  const tookOf = async (who) => (await explain(who)).decisions.filter(({ detail }) => detail.node === 'tone').map(({ detail }) => detail);

  before(async () => {
    house = await openHouse({ shop: shopFolder({ 'journeys/greet.json': journey({ winner: { people: 100, decide_after: '7 days' } }) }) });
    await start(0, 20);
  });
  after(() => house?.close());

  test('that is looked for by itself says when', async () => {
    assert.deepEqual((await node()).winner, { phase: 'open', people: 100, after_ms: 7 * 86400000, by: 'goal' });
    assert.match(await dult('journey', 'numbers', '--data', house.data, 'greet'), /its winner is looked for by goal once each has 100 people after 7.0 days/);
  });

  test('is taken by whoever comes from then on, and told with when, how and by whom', async () => {
    const before = await taken();
    assert.ok(before.warm > 2 && before.plain > 2, 'both are dealt');
    assert.match(await dult('journey', 'choose', '--data', house.data, 'greet', 'tone', 'plain'), /^greet, node tone: the winner is plain since \S+ UTC, by hand\n$/);
    await start(20, 40);
    assert.deepEqual(await taken(), { warm: before.warm, plain: before.plain + 20 });
    const numbers = await node();
    assert.equal(numbers.winner.phase, 'chosen');
    assert.equal(numbers.variants[1].people, before.plain, 'who took it by choice is in no comparison');
    const { choices } = await explain('u30');
    assert.deepEqual(choices.map(({ variant, how, author }) => [variant, how, author]), [['plain', 'by hand', 'command line']]);
    assert.deepEqual((await tookOf('u30')).map(({ took, chosen }) => [took, chosen]), [['plain', choices[0].version]]);
    assert.match(await dult('explain', '--data', house.data, 'u30', 'journey', 'greet'), /Chosen:\n +record \d+, \S+ UTC: at tone plain, by hand, by command line/);
  });

  test('is not taken by who has another, also after a restart', async () => {
    let warm;
    for (let i = 0; warm === undefined; i++) {
      warm = (await tookOf(`u${i}`))[0].took === 'warm' ? `u${i}` : undefined;
    }
    await house.server.restart();
    assert.equal((await node()).winner.variant, 'plain');
    await house.client.send('/v1/track', { userId: warm, event: 'Started' });
    await house.client.send('/v1/track', { userId: 'new', event: 'Started' });
    assert.equal((await tookOf(warm)).at(-1).took, 'warm');
    assert.equal((await tookOf('new'))[0].took, 'plain');
  });

  test('is taken back, and refused where there is none', async () => {
    assert.match(await dult('journey', 'choose', '--data', house.data, '--none', 'greet', 'tone'), /taken back at \S+ UTC: people are dealt/);
    const before = await taken();
    await start(50, 70);
    assert.ok((await taken()).warm > before.warm);
    const { status, err } = await dultTry('journey', 'choose', '--data', house.data, 'greet', 'tone', 'cold');
    assert.notEqual(status, 0);
    assert.match(err, /The experiment has no variant "cold"/);
    assert.equal((await ask('POST', '/journeys/greet/nodes/rest/winner?variant=warm')).status, 404);
    assert.equal((await ask('POST', '/journeys/none/nodes/tone/winner?variant=warm')).status, 404);
    assert.equal((await ask('POST', '/journeys/greet/nodes/tone/winner')).status, 400);
  });
});
