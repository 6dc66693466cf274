// ways.json read again while Dult runs and sends (SIGHUP): a secret is changed, a way is added and
// one is taken away, and no message is lost or comes twice. What is wrong in it changes nothing.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './lib/api.mjs';
import { openHouse, PUBLIC_URL, SCOPES, writeWays } from './lib/house.mjs';
import { createKey, dult, eventually, folder, removeFolder, Server, skipWithoutProgram } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder } from './lib/shop.mjs';

describe('ways.json read again', { skip: skipWithoutProgram }, () => {
  let house, services, key = 'first', told = 0;
  const sms = (name, more = {}) => ({ name, provider: 'gateway', inside: true, from: 'Tents',
    settings: { url: `${services.origin}/${name}`, token: { secret: 'gw' } }, ...more });
  const write = (ways, secret) => writeWays(house.data, { ways, secrets: { gw: secret } });
  const said = (text) => house.server.said.split(text).length - 1;
  const reload = async (text = 'The ways out were read again') => {
    const before = said(text);
    house.server.child.kill('SIGHUP');
    await eventually(text, () => said(text) > before, 40_000);
  };
  const tell = (userId) => house.client.send('/v1/track', { userId, event: 'Text', messageId: `t-${++told}` });
  const know = (userId, phone) => house.client.send('/v1/identify', { userId, traits: { phone }, messageId: `i-${userId}` });
  const messages = async (userId) => house.client.messages(userId);
  const keys = (path) => services.of(path).map((request) => request.headers.authorization);

  before(async () => {
    services = await Services.listen();
    services.answer = (request) => (request.headers.authorization === `Bearer ${key}` ? { body: { id: `m-${services.requests.length}` } } : { status: 401, body: {} });
    const shop = shopFolder({
      'journeys/Text.json': { journey: 'Text', trigger: { event: 'Text' }, reentry: 'always', nodes: [{ id: 'm', message: 'text' }] },
      'templates/text.email': 'channel: sms\ntransactional: yes\n--- text\nHi\n' });
    house = await openHouse({ shop, ways: [sms('one')], secrets: { gw: 'first' } });
    await know('ada', '+4791234567');
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('uses the secret that is there now, at once, where the old one was refused', async () => {
    await tell('ada');
    await eventually('sent', async () => (await messages('ada'))[0]?.state === 'sent');
    key = 'second';
    await tell('ada');
    await eventually('refused', async () => services.requests.length === 2 && (await messages('ada')).some((message) => message.state === 'queued'));
    write([sms('one')], 'second');
    await reload();
    await tell('ada'); // what was refused is asked for again when it would have been
    await eventually('sent by the new one', async () => (await messages('ada')).filter((message) => message.state === 'sent').length === 2);
    assert.deepEqual(keys('/one'), ['Bearer first', 'Bearer first', 'Bearer second']);
  });

  test('leaves the old ways where the new ones are wrong, and says what is', async () => {
    for (const [ways, what] of [[[sms('one', { connections: 'many' })], /one/], [[{ name: 'x', provider: 'nobody' }], /x/]]) {
      write(ways, 'second');
      const before = house.server.said.length;
      house.server.child.kill('SIGHUP');
      await eventually('a problem', () => /ways\.json/.test(house.server.said.slice(before)));
      assert.match(house.server.said.slice(before), what);
      assert.doesNotMatch(house.server.said.slice(before), /ways out were read again/);
      const count = services.requests.length;
      await tell('ada');
      await eventually('still sent', () => services.requests.length === count + 1);
    }
    writeFileSync(join(house.data, 'ways.json'), '{"ways": [');
    house.server.child.kill('SIGHUP');
    await eventually('no JSON', () => /JSON/.test(house.server.said));
  });

  test('stands again as it was where the new ways are right and cannot be opened', async () => {
    const file = join(house.data, 'ways-today');
    writeFileSync(file, 'nobody can read this\n');
    write([sms('four', { per_day: 100 })], 'second');
    const before = house.server.said.length;
    house.server.child.kill('SIGHUP');
    await eventually('a problem', () => /ways-today/.test(house.server.said.slice(before)));
    assert.doesNotMatch(house.server.said.slice(before), /ways out were read again/);
    const count = services.of('/one').length;
    await tell('ada');
    await eventually('sent by the old one', () => services.of('/one').length === count + 1);
    assert.equal(services.of('/four').length, 0);
    rmSync(file);
    await reload();
    await tell('ada');
    await eventually('sent by the new one', () => services.of('/four').length === 1);
    write([sms('one')], 'second');
    await reload();
  });

  test('leaves a way open that is told as it was: its connection, and its pause', async () => {
    const ports = () => services.of('/stays').map((request) => request.port);
    const send = async () => {
      const count = ports().length;
      await tell('ada');
      await eventually('asked', () => ports().length === count + 1);
    };
    write([sms('stays')], 'second');
    await reload();
    await send();
    await reload(); // nothing has changed
    await send();
    write([sms('other'), sms('stays')], 'second'); // and one before it
    const other = services.of('/other').length;
    services.answer = (request) => (request.path.startsWith('/other') ? { status: 429, headers: { 'retry-after': '3600' }, body: {} } : { body: { id: 'm-x' } });
    await reload();
    await send(); // the first asks to wait, so it goes on by the second
    assert.equal(services.of('/other').length, other + 1);
    write([sms('other'), sms('stays'), sms('third')], 'second');
    await reload();
    await send();
    assert.equal(services.of('/other').length, other + 1, 'its pause went on');
    assert.equal(new Set(ports()).size, 1, `one connection: ${ports()}`);
    const ways = (await house.client.get('/api/v1/stats')).ways;
    assert.equal(ways.find((way) => way.name === 'stays').sent, 4);
    services.answer = (request) => (request.headers.authorization === `Bearer ${key}` ? { body: { id: `m-${services.requests.length}` } } : { status: 401, body: {} });
    write([sms('one')], 'second');
    await reload();
  });

  test('loses and doubles nothing while much is on its way, and the new way has its part', async () => {
    const people = 120;
    const from = services.requests.length;
    const known = services.answer;
    services.answer = (request) => new Promise((resolve) => { setTimeout(() => resolve(known(request)), 20 + Math.random() * 60); });
    for (let i = 0; i < people; i++) await know(`p${i}`, `+47400${String(10000 + i)}`);
    for (let i = 0; i < people; i++) {
      await tell(`p${i}`);
      if (i % 30 === 15) {
        write(i % 60 === 15 ? [sms('two')] : [sms('two'), sms('three')], 'second');
        await reload();
      }
    }
    await eventually('all are asked for', () => services.requests.length >= from + people, 60_000);
    for (let i = 0; i < people; i++)
      await eventually(`p${i} is sent`, async () => (await messages(`p${i}`))[0]?.state === 'sent');
    const to = services.requests.slice(from).map((request) => JSON.parse(request.body).to);
    assert.equal(new Set(to).size, people);
    assert.equal(to.length, people);
    assert.ok(services.of('/two').length > 0);
    const names = (await house.client.get('/api/v1/stats')).ways.map((way) => way.name);
    assert.ok(names.includes('two') && names.includes('three') && !names.includes('one'), names.join());
  });

  test('ends when it is told to while a reload waits for an answer, which is heard, and what waited goes by the new way', async () => {
    await know('eve', '+4740099999');
    const count = services.requests.length;
    let answer;
    services.answer = () => new Promise((resolve) => { answer = () => resolve({ body: { id: 'm-slow' } }); });
    await tell('eve');
    await eventually('asked', () => services.requests.length === count + 1);
    write([sms('late')], 'second');
    const changes = said('The ways out change');
    house.server.child.kill('SIGHUP');
    await eventually('it waits for the answer', () => said('The ways out change') > changes);
    await tell('eve'); // the reload holds it back
    const stopped = house.server.stop();
    await sleep(500);
    services.answer = () => ({ body: { id: 'm-late' } }); // the new way may be there before the end
    answer();
    await stopped;
    await house.server.start();
    await eventually('both are sent', async () => (await messages('eve')).filter((message) => message.state === 'sent').length === 2);
    assert.equal(services.requests.length, count + 2);
    assert.equal(services.of('/late').length, 1);
  });
});

describe('a program that began without any way out', { skip: skipWithoutProgram }, () => {
  test('sends from then on that ways.json has one, what waited as well', async () => {
    const data = folder('data');
    const services = await Services.listen();
    services.answer = () => ({ body: { id: 'm-1' } });
    const shop = shopFolder({
      'journeys/Text.json': { journey: 'Text', trigger: { event: 'Text' }, reentry: 'always', nodes: [{ id: 'm', message: 'text' }] },
      'templates/text.email': 'channel: sms\ntransactional: yes\n--- text\nHi\n' });
    const server = new Server({ data, args: ['--public-url', PUBLIC_URL] });
    const hup = async (text) => {
      const before = server.said.length;
      server.child.kill('SIGHUP');
      await eventually(text, () => server.said.slice(before).includes(text));
    };
    const ways = (list) => writeWays(data, { ways: list, secrets: { gw: 'gw' } });
    try {
      await dult('apply', '--data', data, shop);
      await dult('live', '--yes', '--data', data);
      const writeKey = await createKey(data, 'write', 'shop');
      const apiKey = await createKey(data, 'api', 'test', SCOPES);
      await server.start();
      const client = new Client(server, { writeKey, apiKey });
      await client.send('/v1/identify', { userId: 'ada', traits: { phone: '+4791234567' }, messageId: 'i' });
      await client.send('/v1/track', { userId: 'ada', event: 'Text', messageId: 't1' });
      await eventually('it waits', async () => (await client.messages('ada'))[0]?.state === 'queued');
      await hup('The ways out were read again'); // there is none still
      ways([{ name: 'x', provider: 'nobody' }]);
      await hup('ways.json: x');
      /* It is right and cannot be opened: nobody is shown it. */
      writeFileSync(join(data, 'ways-today'), 'nobody can read this\n');
      ways([{ name: 'four', provider: 'gateway', inside: true, from: 'Tents', per_day: 100, settings: { url: services.origin, token: { secret: 'gw' } } }]);
      await hup('ways-today');
      assert.doesNotMatch(JSON.stringify(await client.get('/api/v1/channels')), /"four"/);
      rmSync(join(data, 'ways-today'));
      ways([{ name: 'gw', provider: 'gateway', inside: true, from: 'Tents', settings: { url: services.origin, token: { secret: 'gw' } } }]);
      await hup('The ways out were read again');
      await eventually('sent', async () => (await client.messages('ada'))[0].state === 'sent');
      await client.send('/v1/track', { userId: 'ada', event: 'Text', messageId: 't2' });
      await eventually('the next, too', async () => (await client.messages('ada')).filter((message) => message.state === 'sent').length === 2);
      assert.equal(services.requests.length, 2);
      assert.deepEqual((await client.get('/api/v1/stats')).ways.map((way) => [way.name, way.sent]), [['gw', 2], ['webhooks', 0]]);
    } finally {
      await server.stop().catch(() => {});
      await services.close();
      for (const each of [data, shop]) removeFolder(each);
    }
  });
});
