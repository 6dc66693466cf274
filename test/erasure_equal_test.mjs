// After an erasure all is as if the person had never been: two shops hear the same, one of them also of
// somebody who is then erased. Of everyone else both say the same, in memberships, previews and reports;
// while the erasure goes on a report is that of before or that of after, and nothing between.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { Maker, SEGMENTS } from './lib/conditions.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, eventually, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, WORKSPACE } from './lib/shop.mjs';

const seed = Number(process.env.DULT_SEED ?? Date.now() % 1_000_000_007);
const PEOPLE = 12;
const OTHERS = 2 * (PEOPLE - 1); /* known, and devices; their numbers are the first */
const EVENTS = 600;
const CONDITIONS = 60;
const INDEX_MS = 70_000; /* a base is made for an erasure at most once a minute */
const GONE = ['u3', 'd3'];

const REPORTS = [
  ['trends', { event: 'A', interval: 'day' }, { period: 0, group: 'all' }],
  ['trends', { event: 'anything', interval: 'week', by: 'colour' }, { group: 'all' }],
  ['funnel', { steps: ['A', 'B', 'C'], within: '5 days', by: 'trait:plan' }, { step: 1, group: 'all' }],
  ['retention', { event: 'A', back: 'B', interval: 'day', any: true }, undefined],
  ['spread', { event: 'A', then: 'Order Completed' }, { bucket: 16 }],
  ['growth', { condition: 'did "A" in the last 4 days', interval: 'day' }, undefined],
];

const MAPPING = {
  mapping: 'back',
  format: 'ndjson',
  each_row: {
    type: 'track', event: '{event}', userId: '{userId}', messageId: '{messageId}',
    timestamp: { column: 'timestamp' }, properties: { colour: { column: 'colour' } },
  },
};

const ids = ({ userId, previousId, anonymousId }) => [userId, previousId, anonymousId].filter(Boolean);
const concerns = (message) => ids(message).some((id) => GONE.includes(id));

describe(`who was erased was never there, seed ${seed}`, { skip: skipWithoutProgram }, () => {
  const maker = new Maker(new Random(seed), Date.now());
  const to = new Date(Math.ceil(maker.now / 86_400_000) * 86_400_000);
  const from = new Date(to - 24 * 86_400_000);
  const conditions = [];
  let house;
  let innocent;
  let number;
  let gone = 0; /* numbers that were the erased person's */

  const ask = async (where, verb, path, body) => {
    const answer = await http(verb, where.server.origin + path, {
      headers: { authorization: `Bearer ${where.client.apiKey}`, 'content-type': 'application/json' }, body,
    });
    assert.ok([200, 202].includes(answer.status), `${verb} ${path}: ${answer.text} ${JSON.stringify(body)}`);
    return answer.body;
  };

  // The other shop hears only what is not about whom this one erases; nobody else meets them.
  async function tell(messages) {
    const apart = messages.filter((one) => !concerns(one) || ids(one).every((id) => GONE.includes(id)));
    for (const [where, heard] of [[house, apart], [innocent, apart.filter((one) => !concerns(one))]]) {
      for (let i = 0; i < heard.length; i += 100) await where.client.send('/v1/batch', { batch: heard.slice(i, i + 100) });
    }
  }

  // Numbers are given to nobody twice: who came after the erased has another in each shop.
  const plain = (where, id) => {
    const own = Number(id.slice(1));
    return where === house && own > OTHERS ? own - gone : own;
  };
  const plainly = (where, list) => list.map(({ id }) => plain(where, id)).sort((a, b) => a - b);

  const report = async (where, [kind, body]) => {
    const { seq, ...rest } = await ask(where, 'POST', `/api/v1/reports/${kind}`, { from, to, at: to, ...body });
    return rest;
  };

  // All that can be asked of anyone who is left.
  async function everything(where) {
    const said = { reports: [], people: [], previews: [], profiles: {} };
    for (const one of REPORTS) {
      said.reports.push(await report(where, one));
      if (one[2]) {
        const { items } = await ask(where, 'POST', `/api/v1/reports/${one[0]}/people`, { from, to, at: to, ...one[1], pick: one[2] });
        said.people.push(plainly(where, items));
      }
    }
    for (const { condition, at } of conditions) {
      const { count, sample } = await ask(where, 'POST', '/api/v1/segments/count', { condition, at, sample: 100 });
      said.previews.push({ condition, count, people: plainly(where, sample) });
    }
    for (let i = 0; i < PEOPLE; i += 1) {
      const profile = await where.client.profile(`u${i}`);
      said.profiles[`u${i}`] = profile && { id: plain(where, profile.id), traits: profile.traits, segments: profile.segments.map(({ name, segment }) => name ?? segment).sort() };
    }
    return said;
  }

  async function same(when) {
    const [is, ought] = [await everything(house), await everything(innocent)];
    assert.deepEqual(is, ought, `${when}, DULT_SEED=${seed}`);
    return is;
  }

  before(async () => {
    const shop = () => shopFolder({ 'workspace.json': { ...WORKSPACE, lists: [{ id: 'vip', name: 'V' }, { id: 'news', name: 'N' }] } });
    house = await openHouse({ shop: shop() });
    innocent = await openHouse({ shop: shop() });
    /* Everyone else comes first, so that a number means the same person in both. */
    const hello = Array.from({ length: PEOPLE }, (_, i) => [
      { ...maker.message(PEOPLE), type: 'track', event: 'A', userId: `u${i}`, anonymousId: undefined, previousId: undefined },
      { ...maker.message(PEOPLE), type: 'track', event: 'A', anonymousId: `d${i}`, userId: undefined, previousId: undefined },
    ]).flat();
    await tell(hello.filter((one) => !concerns(one)));
    /* And those who go next: a device that changes hands becomes somebody new, who counts from here in both. */
    await tell(hello.filter(concerns));
    await tell(Array.from({ length: EVENTS }, () => maker.message(PEOPLE)));
    await tell(Array.from({ length: 30 }, () => ({ ...maker.message(PEOPLE), type: 'track', event: maker.one(['A', 'B', 'C']), ...maker.one([{ userId: 'u3', anonymousId: undefined }, { userId: undefined, anonymousId: 'd3' }]), previousId: undefined })));
    await tell([{ type: 'identify', messageId: 'one', userId: 'u3', anonymousId: 'd3', traits: { plan: 'pro' } }]);
    for (const name of SEGMENTS) {
      const { condition } = await ask(house, 'POST', '/api/v1/segments/count', { condition: maker.did() });
      for (const where of [house, innocent]) await ask(where, 'PUT', `/api/v1/segments/${name}`, condition);
    }
    for (let i = 0; i < CONDITIONS; i += 1) conditions.push({ condition: maker.condition(), at: new Date(maker.at()).toISOString() });
  });
  after(async () => {
    await house?.close();
    await innocent?.close();
  });

  test('while it goes on a report is that of before or that of after', async () => {
    const was = await everything(house);
    const ought = await everything(innocent);
    assert.notDeepEqual(was.reports, ought.reports, 'the person makes a difference');
    assert.ok(was.profiles.u3);
    gone = (await ask(house, 'DELETE', '/api/v1/profiles/u3?dry=1')).profiles;
    assert.equal(gone, 2);
    number = (await ask(house, 'DELETE', '/api/v1/profiles/u3')).erasure;
    let seen = 0;
    await eventually('the erasure is done', async () => {
      for (const [i, one] of REPORTS.entries()) {
        const said = JSON.stringify(await report(house, one));
        assert.ok([was.reports[i], ought.reports[i]].some((body) => JSON.stringify(body) === said), `${one[0]}: ${said}`);
        seen += 1;
      }
      return (await ask(house, 'GET', `/api/v1/erasures/${number}`)).state === 'done';
    }, INDEX_MS);
    assert.ok(seen >= REPORTS.length);
  });

  test('both shops say the same of everyone, live and after starts of every kind', async () => {
    await same('live');
    await tell(Array.from({ length: 100 }, () => maker.message(PEOPLE)).filter((one) => !concerns(one)));
    await same('after more was told');
    await house.server.restart();
    await same('after a restart');
    await house.server.kill();
    await house.server.start();
    await same('after a kill');
    await house.server.stop();
    rmSync(join(house.data, 'index'), { recursive: true });
    await house.server.start();
    const last = await same('from the stored rows alone');
    assert.equal(last.profiles.u3, undefined);
    assert.ok(last.previews.some(({ count }) => count > 0 && count < PEOPLE));
  });

  test('who comes back by a file is somebody new, with nothing of before', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => JSON.stringify({
      userId: i % 5 === 0 ? `u${i}` : 'u3', event: maker.one(['A', 'B', 'C']), messageId: `back${i}`,
      timestamp: maker.text(maker.instant()), colour: 'red',
    }));
    for (const { data } of [house, innocent]) {
      writeFileSync(join(data, 'back.json'), JSON.stringify(MAPPING));
      writeFileSync(join(data, 'back.ndjson'), `${rows.join('\n')}\n`);
      await dult('import', '--data', data, '--mapping', join(data, 'back.json'), join(data, 'back.ndjson'));
    }
    const unnumbered = ({ profiles: { u3, ...profiles }, reports }) => ({ reports, profiles, u3: { ...u3, id: undefined } });
    const [is, ought] = [await everything(house), await everything(innocent)];
    assert.ok(is.profiles.u3);
    assert.deepEqual(unnumbered(is), unnumbered(ought), `DULT_SEED=${seed}`);
  });
});
