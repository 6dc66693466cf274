// A folder that is not live mails nobody but the allow list; a copy of one that is live mails nobody.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dultTry, eventually, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const shop = () => shopFolder({
  'templates/receipt.email': template({ subject: 'Order {{ event.id }}', html: '<html><body>Thanks</body></html>',
    transactional: 'yes' }),
});

describe('safe trial', { skip: skipWithoutProgram }, () => {
  let house;
  const folders = [];
  const call = (method, path, body) => http(method, house.server.origin + path,
    { headers: { authorization: `Bearer ${house.client.apiKey}` }, body });
  const ask = async (to, id) => {
    const { status, body, text } = await call('POST', '/api/v1/messages', { template: 'receipt', to, data: { id }, key: `${to} ${id}` });
    assert.ok(status === 202 || status === 200, text);
    return body.id;
  };
  const show = async (id) => (await call('GET', `/api/v1/messages/${id}`)).body;
  const sent = (id) => eventually(`${id} is sent`, async () => {
    const one = await show(id);
    return one.state === 'sent' ? one : undefined;
  });
  const outbox = () => {
    const path = join(house.data, 'outbox', 'new');
    return readdirSync(path).map((name) => readFileSync(join(path, name), 'utf8'));
  };
  const live = (...words) => dultTry('live', ...words, '--data', house.data, '--json');
  // The server goes on with another folder.
  const serve = async (data) => {
    await house.server.stop();
    folders.push(house.data);
    house.data = data;
    house.server.data = data;
    await house.server.start();
  };

  before(async () => {
    house = await openHouse({ shop: shop(), live: false, args: ['--trial-allow', 'Ada@x.example, @staff.example'] });
  });
  after(async () => {
    await house?.close();
    folders.forEach(removeFolder);
  });

  test('the doctor says whom mail reaches', async () => {
    const { out } = await dultTry('doctor', '--data', house.data, '--listen', `127.0.0.1:${house.server.port}`);
    assert.match(out, /live\s+On trial: mail reaches the allow list only/);
  });

  test('delivers to the allow list, and keeps the rest with the word trial', async () => {
    const ids = [await ask('ada@X.example', 1), await ask('eve@staff.example', 1), await ask('eve@x.example', 1),
      await ask('eve@evil.staff.example', 1), await ask('bada@x.example', 1)];
    const [ada, staff, ...kept] = await Promise.all(ids.map(sent));
    assert.equal((await house.recorder.wait('ada@X.example')).length, 1);
    assert.equal((await house.recorder.wait('eve@staff.example')).length, 1);
    assert.doesNotMatch(JSON.stringify([ada, staff]), /trial/);
    for (const one of kept) assert.match(one.steps.at(-1).reason, /^trial: kept in the outbox/);
    assert.equal(house.recorder.mails.length, 2);
    assert.deepEqual(outbox().map((mail) => /^Delivered-To: (.*)\r$/m.exec(mail)[1]).sort(),
      ['bada@x.example', 'eve@evil.staff.example', 'eve@x.example']);
    const { items } = await house.client.get('/api/v1/profiles/email:eve@x.example/timeline');
    assert.equal(items.find(({ name }) => name === 'Message Sent').properties.trial, true);
  });

  test('tells the counts before it is switched, and only --yes switches it', async () => {
    await house.client.send('/v1/identify', { userId: 'ada', traits: { email: 'ada@x.example' }, messageId: 'i1' });
    await house.client.send('/v1/identify', { userId: 'bob', traits: { email: 'bob@x.example' }, messageId: 'i2' });
    await house.client.send('/v1/identify', { userId: 'eve', traits: { name: 'Eve' }, messageId: 'i3' });
    await call('POST', '/api/v1/suppressions', { address: 'bob@x.example' });
    const shown = await live();
    assert.equal(shown.status, 1, shown.err);
    const { state, queued, reachable, kept, allow } = JSON.parse(shown.out);
    assert.deepEqual({ state, queued, reachable, kept, allow },
      { state: 'trial', queued: 0, reachable: 1, kept: 3, allow: ['Ada@x.example', '@staff.example'] });
    const { status } = await call('POST', '/api/v1/live', { state: 'live', sure: true });
    assert.equal(status, 403, 'a key that may send may not go live');
    const switched = await live('--yes');
    assert.equal(switched.status, 0, switched.err);
    await sent(await ask('eve@x.example', 2));
    assert.equal((await house.recorder.wait('eve@x.example')).length, 1, 'what was kept is not sent later');
  });

  test('stays live over a restart and where it is moved to', async () => {
    await house.server.restart();
    assert.equal((await live()).status, 0);
    await house.server.stop();
    const moved = `${house.data}-moved`;
    renameSync(house.data, moved);
    house.data = moved;
    house.server.data = moved;
    await house.server.start();
    await sent(await ask('moved@x.example', 1));
    assert.equal((await house.recorder.wait('moved@x.example')).length, 1);
  });

  for (const [how, copy] of [
    ['cp -a', (from, to) => execFileSync('cp', ['-a', from, to])],
    ['a tar of it restored', (from, to) => execFileSync('sh', ['-c', `mkdir "${to}" && tar -C "${from}" -c . | tar -C "${to}" -xp`])],
  ])
    test(`sends nothing from a copy (${how}) until it is said what it is, and loses nothing`, async () => {
      const mails = house.recorder.mails.length;
      const to = `${how.replaceAll(' ', '-')}@x.example`;
      const data = `${house.data}-${how.length}`;
      await house.server.stop();
      copy(house.data, data);
      await serve(data);
      const shown = await live();
      assert.equal(shown.status, 1);
      assert.equal(JSON.parse(shown.out).state, 'copy');
      await eventually('the log says what to do', () => /dult live/.test(house.server.said));
      const id = await ask(to, 1);
      await ask('ada@x.example', how);
      await new Promise((resolve) => { setTimeout(resolve, 500); });
      assert.equal((await show(id)).state, 'queued');
      assert.equal(house.recorder.mails.length, mails);
      await live('--yes');
      await sent(id);
      assert.equal((await house.recorder.wait(to)).length, 1);
    });

  test('a copy that is to be played with becomes a trial', async () => {
    const data = `${house.data}-play`;
    await house.server.stop();
    execFileSync('cp', ['-a', house.data, data]);
    await serve(data);
    const mails = house.recorder.mails.length;
    const id = await ask('play@x.example', 1);
    assert.equal((await live('off')).status, 0);
    assert.match((await sent(id)).steps.at(-1).reason, /^trial:/);
    assert.equal(house.recorder.mails.length, mails);
    await house.server.restart();
    assert.equal(JSON.parse((await live()).out).state, 'trial');
  });
});
