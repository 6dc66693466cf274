// How long events are kept: what a preview tells is what then happens, plain SQL over the rows left
// names the same people, and a kill while rows are removed loses and keeps nothing it should not.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, eventually, skipWithoutProgram, withinOneDay } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, WORKSPACE } from './lib/shop.mjs';
import { Sqlite } from './lib/sqlite.mjs';

const DAY_MS = 86_400_000;
const PEOPLE = 60;
const EVENTS = 6000;
const DAYS = 400;
const seed = Number(process.env.DULT_SEED ?? Date.now() % 1_000_000_007);

const SEGMENTS = {
  ever: ['did "Order"', "sum(name = 'Order') >= 1"],
  often: ['did "Visit" at least 60 times', "sum(name = 'Visit') >= 60"],
  never: ['never did "Order" where amount > 95', "coalesce(sum(name = 'Order' and amount > 95), 0) = 0"],
  spent: ['sum of amount of "Order" > 1500', "sum(CASE WHEN name = 'Order' THEN amount ELSE 0 END) > 1500"],
};

describe(`retention, seed ${seed}`, { skip: skipWithoutProgram }, () => {
  const random = new Random(seed);
  let house;
  const ask = async (verb, path, body) => {
    const answer = await http(verb, house.server.origin + path, {
      headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body,
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  };
  const counts = async () => Object.fromEntries(await Promise.all(Object.keys(SEGMENTS).map(async (name) =>
    [name, (await ask('GET', `/api/v1/segments/count?segment=${name}`)).count])));
  const done = () => eventually('all is removed', async () =>
    (await ask('GET', '/api/v1/retention')).state === 'done', 60_000);

  // The same questions of the rows that are left, for everyone who is there.
  async function bySql() {
    const sqlite = new Sqlite();
    await sqlite.ask(`ATTACH 'file:${join(house.data, 'dult.db')}?mode=ro' AS d`);
    const rows = `SELECT e.profile, n.text AS name, json_extract(e.body, '$.properties.amount') AS amount
      FROM d.event e LEFT JOIN d.name n ON n.key = (1 << 32 | e.name) AND e.kind = 1`;
    const found = {};
    for (const [name, [, having]] of Object.entries(SEGMENTS)) {
      const [[count]] = await sqlite.ask(`SELECT count(*) FROM (SELECT p.profile FROM
        (SELECT DISTINCT profile FROM d.decision WHERE kind = 1) p LEFT JOIN (${rows}) e ON e.profile = p.profile
        GROUP BY p.profile HAVING ${having})`.replaceAll('\n', ' '));
      found[name] = Number(count);
    }
    const [[old]] = await sqlite.ask(`SELECT count(*) FROM d.event WHERE kind = 1 AND at < ${Date.now() - 92 * DAY_MS}`);
    await sqlite.close();
    return { found, old: Number(old) };
  }

  before(async () => {
    await withinOneDay(60_000); /* what a preview counts is what goes, where no day passes in between */
    house = await openHouse({ shop: shopFolder({ 'workspace.json': WORKSPACE }) });
    for (let left = EVENTS; left > 0; left -= 100) {
      const batch = Array.from({ length: 100 }, (_, i) => {
        const user = random.below(PEOPLE);
        const days = user < 5 ? 100 + random.below(DAYS) : 1 + random.below(DAYS);
        return {
          type: 'track', messageId: `m${left - i}`, userId: `u${user}`,
          event: random.below(4) === 0 ? 'Order' : 'Visit', properties: { amount: random.below(100) },
          timestamp: new Date(Date.now() - days * DAY_MS).toISOString(),
        };
      });
      await house.client.send('/v1/batch', { batch });
    }
    for (const [name, [text]] of Object.entries(SEGMENTS)) await ask('PUT', `/api/v1/segments/${name}`, text);
  });
  after(() => house?.close());

  test('what the preview tells is what happens, for SQL over the rows, too', async () => {
    const was = await counts();
    assert.deepEqual((await bySql()).found, was);
    const rules = { events: '90 days' };
    const { goes, dry } = await ask('PUT', '/api/v1/retention?dry=1', rules);
    assert.equal(dry, true);
    assert.ok(goes.events > EVENTS / 3 && goes.people > PEOPLE / 2, JSON.stringify(goes));
    assert.ok(goes.leaving > 0 && goes.entering > 0, JSON.stringify(goes));
    assert.deepEqual(await counts(), was, 'a preview changes nothing');
    await ask('PUT', '/api/v1/retention', rules);
    await done();
    const is = await counts();
    const changes = Object.fromEntries(goes.segments.map((one) => [one.segment, one.entering - one.leaving]));
    for (const name of Object.keys(SEGMENTS)) assert.equal(is[name] - was[name], changes[name] ?? 0, name);
    const { found, old } = await bySql();
    assert.equal(old, 0);
    assert.deepEqual(found, is);
    assert.equal((await ask('GET', '/api/v1/retention')).stored.removed, goes.events);
    assert.match(await dult('retention', '--data', house.data), /stored events removed/);
  });

  test('an older event is accepted and not kept', async () => {
    const is = await counts();
    await house.client.send('/v1/track', {
      messageId: 'late', userId: 'u1', event: 'Order', properties: { amount: 99 },
      timestamp: new Date(Date.now() - 200 * DAY_MS).toISOString(),
    });
    assert.deepEqual(await counts(), is);
    assert.equal((await ask('GET', '/api/v1/retention')).older_events, 1);
  });

  test('killed while it removes, it goes on after the start', async () => {
    await ask('PUT', '/api/v1/retention', { events: '60 days', by_event: { Visit: '30 days' } });
    await house.server.kill();
    await house.server.start();
    await done();
    const { found } = await bySql();
    assert.deepEqual(await counts(), found);
    await house.server.restart();
    assert.deepEqual(await counts(), found);
  });
});
