// Erasing a person: marks in every place that a string can reach, then no file of the data folder has
// one; also when the process is killed on the way.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, patience, skipWithoutProgram } from './lib/program.mjs';
import { welcomeShop } from './lib/shop.mjs';

const WAIT_MS = 3000 * patience; /* until the journey's second mail */
const INDEX_MS = 65_000; /* a base is made for an erasure at most once a minute */

// Files with the mark, and what stands there.
function marksIn(folder, mark) {
  const found = [];
  for (const entry of readdirSync(folder, { recursive: true })) {
    const path = join(folder, entry);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    const at = bytes.indexOf(mark);
    if (at >= 0) found.push(`${entry} at ${at}: ${bytes.subarray(at, at + 30)}`);
  }
  return found;
}

const erase = (house, who, query = '') => http('DELETE',
  `${house.server.origin}/api/v1/profiles/${encodeURIComponent(who)}${query}`,
  { headers: { authorization: `Bearer ${house.client.apiKey}` } });

const done = (house, number) => eventually(`erasure ${number} is done`, async () => {
  const { state } = await house.client.get(`/api/v1/erasures/${number}`);
  return state === 'done';
}, INDEX_MS);

// Someone whose every word is marked: known by a device, an id, an external id and an earlier id.
async function markedPerson(house, mark) {
  const user = `${mark}-user`;
  const context = { ip: '203.0.113.7', timezone: `${mark}/Zone`, locale: `${mark}-locale`,
    externalIds: [{ id: `${mark}-external`, type: 'crm' }] };
  const send = (path, body) => house.client.send(path, { messageId: `${mark}-${Math.random()}`, ...body });
  await send('/v1/track', { anonymousId: `${mark}-device`, event: 'Visit', properties: { page: `${mark}-page` }, context });
  await send('/v1/identify', { userId: user, anonymousId: `${mark}-device`, context,
    traits: { email: `${mark}@x.example`, first_name: `${mark}-name`, address: { city: `${mark}-city` } } });
  await send('/v1/alias', { userId: user, previousId: `${mark}-before` });
  await send('/v1/track', { userId: user, event: 'Order', properties: { list: [{ sku: `${mark}-sku` }], note: `${mark}-note` } });
  await send('/v1/group', { userId: user, groupId: `${mark}-group`, traits: { name: `${mark}-group-name` } });
  await send('/v1/track', { userId: user, event: 'Signed Up', properties: { plan: `${mark}-plan` } });
  await house.client.post('/v1/track', { messageId: `${mark}-bad`, userId: user, properties: { bad: `${mark}-bad` } });
  return user;
}

describe('erasing a person', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => {
    house = await openHouse({ shop: welcomeShop({ wait: `${WAIT_MS / 1000} seconds` }) });
  });
  after(() => house?.close());

  test('leaves nothing of them in any file, and sends them nothing more', async () => {
    const mark = 'MARKADA';
    await markedPerson(house, 'KEPTBOB');
    const user = await markedPerson(house, mark);
    const mails = () => house.recorder.to(`${mark}@x.example`).length;
    await eventually('the welcome has come', () => mails() === 1);
    assert.ok(marksIn(house.data, mark).length > 0);

    const dry = await erase(house, user, '?dry=1');
    assert.equal(dry.status, 200);
    assert.ok(dry.body.profiles >= 2 && dry.body.events >= 5 && dry.body.messages === 1, dry.text);
    assert.ok(await house.client.profile(user));

    const answer = await erase(house, user);
    assert.equal(answer.status, 202, answer.text);
    assert.equal(await house.client.profile(user), undefined);
    assert.equal(await house.client.profile(`anonymous:${mark}-device`), undefined);
    assert.equal(await house.client.profile(dry.body.profile), undefined);
    assert.equal((await erase(house, user)).status, 404);
    await done(house, answer.body.erasure);
    assert.deepEqual(marksIn(house.data, mark), []);
    assert.notDeepEqual(marksIn(house.data, 'KEPTBOB'), []);

    const known = await house.client.get(`/api/v1/erasures/${answer.body.erasure}`);
    assert.ok(Date.parse(known.done) >= Date.parse(known.asked), JSON.stringify(known));
    await eventually('the other is reminded', () => house.recorder.to('KEPTBOB@x.example').length === 2, 30_000);
    assert.equal(mails(), 1);
    assert.deepEqual(marksIn(house.data, mark), []);

    await house.client.send('/v1/identify', { messageId: 'again', userId: user, traits: { email: `${mark}@x.example` } });
    const again = await house.client.profile(user);
    assert.notEqual(again.id, dry.body.profile);
    assert.deepEqual(again.traits, { email: `${mark}@x.example` });
  });

  test('goes on after the process was killed, and the command line says so', async () => {
    const mark = 'MARKEVE';
    const user = await markedPerson(house, mark);
    const answer = await erase(house, user);
    assert.equal(answer.status, 202, answer.text);
    await house.server.kill();
    await house.server.start();
    assert.equal(await house.client.profile(user), undefined);
    await done(house, answer.body.erasure);
    assert.deepEqual(marksIn(house.data, mark), []);

    const other = await markedPerson(house, 'MARKLIN');
    const asked = await dultTry('erase', '--data', house.data, other);
    assert.notEqual(asked.status, 0); /* nobody is there to ask */
    assert.ok(await house.client.profile(other));
    const said = await dult('erase', '--data', house.data, '--yes', other);
    assert.match(said, /Nothing of MARKLIN-user is left/);
    assert.deepEqual(marksIn(house.data, 'MARKLIN'), []);
  });
});
