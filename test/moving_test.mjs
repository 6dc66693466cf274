// A journey published anew: what those inside do is chosen, said with its counts first, and holds
// over a kill.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const journey = (...nodes) => ({ journey: 'stay', trigger: { event: 'Came' }, reentry: 'always', nodes });

describe('a journey published anew', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  const publish = (...nodes) => writeFileSync(join(shop, 'journeys/stay.json'), JSON.stringify(journey(...nodes)));
  const stays = async (who) => (await house.client.profile(who)).journeys.find((one) => one.journey === 'stay');
  before(async () => {
    shop = shopFolder({ 'journeys/stay.json': journey({ id: 'rest', wait: '30 days' }, { id: 'more', wait: '30 days' }) });
    house = await openHouse({ shop });
    for (const userId of ['ada', 'bob']) await house.client.send('/v1/track', { messageId: `c-${userId}`, userId, event: 'Came' });
    await eventually('both are inside', async () => (await stays('ada')) && (await stays('bob')));
  });
  after(() => house?.close());

  test('lets those inside finish the old, and says how many', async () => {
    publish({ id: 'rest', wait: '40 days' }, { id: 'end', exit: true });
    const differs = await dultTry('diff', '--data', house.data, shop);
    assert.match(differs.out, /# journeys\/stay\.json: 2 inside: 2 at rest; all finish the old version \(--inside move: 2 would/);
    const before = await stays('ada');
    const { out } = await dultTry('apply', '--data', house.data, shop);
    assert.match(out, /2 inside: 2 at rest; all finish the old version/);
    assert.deepEqual(await stays('ada'), before);
  });

  test('moves nobody before that was confirmed, and refuses a word that it does not know', async () => {
    publish({ id: 'rest', wait: '50 days' }, { id: 'end', exit: true });
    const unsaid = await dultTry('apply', '--data', house.data, '--inside', 'move', shop);
    assert.notEqual(unsaid.status, 0);
    assert.match(unsaid.err, /2 inside: 2 at rest; 2 go on by the new version, 0 finish the old/);
    const odd = await dultTry('apply', '--data', house.data, '--inside', 'jump', shop);
    assert.match(odd.err, /--inside finish .*, --inside move or --inside backfill/);
  });

  test('moves them where that is confirmed, also over a kill, and tells why', async () => {
    publish({ id: 'hello', wait: '1 day' }, { id: 'rest', wait: '1 second' }, { id: 'end', exit: true });
    await dult('apply', '--data', house.data, '--inside', 'move', '--yes', shop);
    await house.server.kill();
    await house.server.start();
    await eventually('both came to the end of the new version', async () => !(await stays('ada')) && !(await stays('bob')));
    assert.match(await dult('explain', '--data', house.data, 'ada', 'journey', 'stay'), /moved/);
  });

  test('is listed with all its versions, compared, and taken back as a new one', async () => {
    const list = await dult('journey', 'history', '--data', house.data, 'stay');
    assert.deepEqual(list.trim().split('\n').map((line) => Number(line.trim().split(' ')[0])), [1, 2, 3]);
    const differs = await dult('journey', 'diff', '--data', house.data, 'stay', '1', '3');
    assert.match(differs, /added +node hello/);
    assert.match(differs, /changed +node rest\n {2}- .*30 days.*\n {2}\+ .*1 second/);
    assert.match(differs, /removed +node more/);
    const absent = await dultTry('journey', 'rollback', '--data', house.data, 'stay', '9');
    assert.match(absent.err, /no version 9/);
    await dult('journey', 'rollback', '--data', house.data, 'stay', '1');
    const again = await dult('journey', 'diff', '--data', house.data, 'stay', '1', '4');
    assert.match(again, /Nothing differs/);
    await house.client.send('/v1/track', { messageId: 'c-cat', userId: 'cat', event: 'Came' });
    await eventually('cat is inside the new one', async () => /^ +4 .* 1 inside$/m.test(await dult('journey', 'history', '--data', house.data, 'stay')));
  });

  test('gives what is new before where they stand once, as counted, also over a kill in the middle', async () => {
    const people = Array.from({ length: 1200 }, (_, i) => `many${i}`);
    publish({ id: 'rest', wait: '30 days' }, { id: 'more', wait: '30 days' });
    await dult('apply', '--data', house.data, shop);
    for (let i = 0; i < people.length; i += 300)
      await house.client.send('/v1/batch', { batch: people.slice(i, i + 300).map((userId) => ({ type: 'track', userId, event: 'Came', messageId: `m-${userId}` })) });
    publish({ id: 'tell', record: { event: 'Told' } }, { id: 'rest', wait: '30 days' }, { id: 'more', wait: '30 days' });
    const told = async (times = '') => (await house.client.get(`/api/v1/segments/count?condition=${encodeURIComponent(`did "Told"${times}`)}`)).count;
    const unsaid = await dultTry('apply', '--data', house.data, '--inside', 'backfill', shop);
    assert.match(unsaid.err, /1201/);
    assert.equal(await told().catch(() => 0), 0);
    await dult('apply', '--data', house.data, '--inside', 'backfill', '--yes', shop);
    await house.server.kill();
    await house.server.start();
    await eventually('all were given it', async () => (await told()) === people.length + 1);
    assert.equal(await told(' at least 2 times'), 0);
  });
});
