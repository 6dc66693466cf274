// The report over the stages, beside what plain loops over the same random history give.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dult, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const DAY = 86400000;
const BEGIN = Date.UTC(2026, 0, 1);
const FROM = BEGIN + 20 * DAY;
const TO = BEGIN + 60 * DAY;
const NAMES = ['visitor', 'customer', 'regular'];
const STAGES = {
  stages: [
    { name: 'visitor', when: 'did anything' },
    { name: 'customer', when: 'did "Order" in the last 15 days' },
    { name: 'regular', when: 'did "Order" at least 3 times in the last 15 days' },
  ],
};

// Mulberry32: the same history from the same seed.
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function history(seed) {
  const roll = dice(seed);
  return Array.from({ length: 30 }, (_, n) => ({
    id: `person${n}`,
    plan: ['free', 'pro'][Math.floor(roll() * 2)],
    events: Array.from({ length: 1 + Math.floor(roll() * 14) }, () => ({
      at: BEGIN + Math.floor(roll() * 80 * DAY),
      name: roll() < 0.6 ? 'Order' : 'Visit',
    })).sort((a, b) => a.at - b.at),
  }));
}

function stageAt(person, at) {
  const known = person.events.filter((event) => event.at <= at);
  const orders = known.filter((event) => event.name === 'Order' && event.at > at - 15 * DAY).length;
  return known.length === 0 ? -1 : orders >= 3 ? 2 : orders >= 1 ? 1 : 0;
}

function naive(people) {
  const rows = NAMES.map(() => ({ people: 0, came: 0, comings: 0, on: 0, left: 0, next: {} }));
  for (const person of people) {
    const instants = person.events.flatMap(({ at }) => [at, at + 15 * DAY]).filter((at) => at < TO).sort((a, b) => a - b);
    let last = -1;
    const came = new Set();
    const on = new Set();
    for (const at of instants) {
      const stage = stageAt(person, at);
      if (stage === last) continue;
      if (at >= FROM) {
        if (last >= 0) {
          rows[last].left++;
          rows[last].next[NAMES[stage]] = (rows[last].next[NAMES[stage]] ?? 0) + 1;
        }
        rows[stage].comings++;
        for (const before of came) if (before < stage) on.add(before);
        came.add(stage);
      }
      last = stage;
    }
    if (last >= 0) rows[last].people++;
    for (const stage of came) rows[stage].came++;
    for (const stage of on) rows[stage].on++;
  }
  return rows;
}

const plain = ({ people, came, comings, on, left, next }) => ({
  people, came, comings, on, left,
  next: Array.isArray(next) ? Object.fromEntries(next.map(({ stage, count }) => [stage, count])) : next,
});

describe('the report over the stages', { skip: skipWithoutProgram }, () => {
  let house;
  const seed = Number(process.env.DULT_SEED ?? Date.now() % 1000000);
  const people = history(seed);
  const ask = ['--from', new Date(FROM).toISOString(), '--to', new Date(TO).toISOString()];
  const report = (...words) => dult('report', 'stages', '--data', house.data, ...ask, ...words);

  before(async () => {
    house = await openHouse({ shop: shopFolder({ 'stages.json': STAGES }) });
    const batch = people.flatMap(({ id, plan, events }) => [
      { type: 'identify', messageId: `${id}-i`, userId: id, traits: { plan }, timestamp: new Date(events[0].at).toISOString() },
      ...events.map(({ at, name }, n) => (
        { type: 'track', messageId: `${id}-${n}`, userId: id, event: name, timestamp: new Date(at).toISOString() })),
    ]);
    await house.client.send('/v1/batch', { batch });
  });
  after(() => house?.close());

  test(`counts as plain loops do (DULT_SEED=${seed})`, async () => {
    const answer = JSON.parse(await report('--json'));
    assert.deepEqual(answer.rows[0].stages.map(plain), naive(people));
  });

  test('by a trait, and its rows add up', async () => {
    const { rows } = JSON.parse(await report('--json', '--by', 'trait:plan'));
    for (const plan of ['free', 'pro']) {
      const row = rows.find(({ value }) => value === plan);
      assert.deepEqual(row.stages.map(plain), naive(people.filter((person) => person.plan === plan)));
    }
    assert.deepEqual(rows.at(-1).stages.map(plain), naive(people));
  });

  test('names the people behind each number, as a table, and as rows for a spreadsheet', async () => {
    const wanted = naive(people);
    for (const [stage, row] of wanted.entries())
      for (const [who, count] of [['in', row.people], ['came', row.came], ['on', row.on]]) {
        const out = await report('--people', `stage=${NAMES[stage]},who=${who}`);
        assert.equal(out.split('\n').filter((line) => line !== '').length, count, `${NAMES[stage]} ${who}`);
      }
    assert.match(await report(), /in it +came +went on/);
    const csv = await report('--csv');
    assert.match(csv, /^group,value,stage,people,came,comings,on,left,p25_ms,median_ms,p75_ms,next,count\n/);
    assert.ok(csv.includes(`\nall,,customer,${wanted[1].people},${wanted[1].came},`));
  });
});
