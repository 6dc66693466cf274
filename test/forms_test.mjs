// Signing up by a form of another site: a mail asks to confirm, and a stranger can do nothing else.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, WORKSPACE } from './lib/shop.mjs';

const SHOP = 'https://shop.example';
const shop = () => shopFolder({
  'workspace.json': { ...WORKSPACE, forms: [
    { id: 'footer', topics: ['news'], fields: ['first_name'], text: 'Yes, once a month.',
      origins: [SHOP], redirects: [`${SHOP}/thanks`, `${SHOP}/takk`] },
    { id: 'bare', topics: ['news', 'offers'] },
    { id: 'open', topics: ['loud'], origins: [SHOP] }] },
  'topics.json': { topics: [
    { id: 'news', channels: ['email'], confirm: ['form'], texts: { en: { name: 'News' } } },
    { id: 'offers', channels: ['email'], confirm: ['form'], texts: { en: { name: 'Offers' } } },
    { id: 'loud', channels: ['email'], texts: { en: { name: 'Loud' } } }] },
});

describe('a form of another site', { skip: skipWithoutProgram }, () => {
  let house;
  let address = 0; /* each post comes from elsewhere, but where a test says otherwise */
  const post = (form, fields, headers = {}) => http('POST', `${house.server.origin}/f/${form}`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': `198.51.100.${address += 1}`, ...headers },
    body: new URLSearchParams(fields).toString() });
  const said = async (id) => (await house.client.get(`/api/v1/profiles/${encodeURIComponent(id)}/consent`)).said.map(({ detail }) => detail);

  before(async () => {
    house = await openHouse({ shop: shop(), args: ['--trusted-proxy', '127.0.0.1'] });
  });
  after(() => house?.close());

  test('signs up whoever presses the button of the mail, and keeps what stood in the form and where', async () => {
    const answer = await post('footer', { email: ' Ada@X.example ', first_name: 'Ada', last_name: 'not asked', redirect: `${SHOP}/takk` },
      { referer: `${SHOP}/blog` });
    assert.deepEqual([answer.status, answer.headers.location], [303, `${SHOP}/takk`]);
    const [mail] = await house.recorder.wait('ada@x.example', 1);
    const { traits } = await house.client.profile('ada@x.example');
    assert.deepEqual(traits, { email: 'ada@x.example', first_name: 'Ada' });
    const [word] = await said('ada@x.example');
    assert.deepEqual([word.topic, word.state, word.how, word.proof.by], ['news', 'pending', `form footer at ${SHOP}/blog`, 'person']);
    assert.match(JSON.stringify(word.proof), /Yes, once a month\./);
    const link = house.local(/https:\/\/go\.tents\.example\/s\/[A-Za-z0-9_-]+/.exec(mail.html)[0]);
    await http('POST', link, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'action=confirm' });
    assert.equal((await said('ada@x.example'))[0].state, 'subscribed');
  });

  test('changes nobody who is known: neither a trait nor a yes that stands', async () => {
    await post('footer', { email: 'ada@x.example', first_name: 'Mallory' });
    assert.equal((await house.client.profile('ada@x.example')).traits.first_name, 'Ada');
    assert.equal((await said('ada@x.example')).length, 2);
  });

  test('silences nobody who is written to already', async () => {
    await house.client.send('/v1/identify', { userId: 'kim@x.example', traits: { email: 'kim@x.example' } });
    await eventually('Kim is known', async () => house.client.profile('kim@x.example'));
    assert.equal((await post('footer', { email: 'kim@x.example' })).status, 303);
    assert.deepEqual(await said('kim@x.example'), []);
  });

  test('means the one person who has the address, whatever their userId, and tells nothing of it by its time', async () => {
    await house.client.send('/v1/identify', { userId: 'u-77', traits: { email: 'Lea@X.example', first_name: 'Lea' } });
    await house.client.send('/v1/identify', { userId: 'u-78', traits: { email: 'desk@x.example' } });
    await house.client.send('/v1/identify', { userId: 'u-79', traits: { email: 'desk@x.example' } });
    await house.client.send('/v1/identify', { userId: 'u-80', traits: { email: 'old@x.example' } });
    await house.client.send('/v1/identify', { userId: 'u-80', traits: { email: 'new@x.example' } });
    await eventually('they are known', async () => (await house.client.profile('u-80')).traits.email === 'new@x.example');
    await http('POST', `${house.server.origin}/api/v1/profiles/u-77/consent`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` }, body: { topic: 'news', state: 'unsubscribed' } });
    const times = [];
    for (const email of ['lea@x.example', 'desk@x.example', 'old@x.example', 'u-77']) {
      const begun = performance.now();
      await post('footer', { email, first_name: 'Mallory' });
      times.push(performance.now() - begun);
    }
    assert.ok(Math.min(...times.slice(0, 3)) > 390, `answered too soon: ${times}`);
    assert.equal(await house.client.profile('lea@x.example'), undefined);
    assert.equal((await house.client.profile('u-77')).traits.first_name, 'Lea');
    assert.deepEqual((await said('u-77')).map(({ state }) => state), ['pending', 'unsubscribed']);
    await house.recorder.wait('Lea@X.example', 1);
    assert.deepEqual((await house.client.profile('desk@x.example')).traits, { email: 'desk@x.example', first_name: 'Mallory' });
    assert.deepEqual((await house.client.profile('old@x.example')).traits, { email: 'old@x.example', first_name: 'Mallory' });
  });

  test('keeps what can be read again, wherever the page was cut', async () => {
    for (const before of ['', 'a'])
      await post('footer', { email: `cut${before}@x.example` }, { referer: `${SHOP}/${before}${'ø'.repeat(150)}` });
    await house.server.kill();
    await house.server.start();
    assert.equal((await said('cuta@x.example'))[0].state, 'pending');
    assert.match((await said('cut@x.example'))[0].how, /ø/);
  });

  test('leads only to pages of its list, and lets only its sites read the answer', async () => {
    const elsewhere = await post('footer', { email: 'bob@x.example', redirect: 'https://evil.example/' });
    assert.equal(elsewhere.headers.location, `${SHOP}/thanks`);
    const asked = { accept: 'application/json' };
    const own = await post('footer', { email: 'bob@x.example' }, { ...asked, origin: SHOP });
    assert.deepEqual([own.status, own.body, own.headers['access-control-allow-origin']], [200, { state: 'confirm' }, SHOP]);
    const other = await post('footer', { email: 'bob@x.example' }, { ...asked, origin: 'https://evil.example' });
    assert.equal(other.headers['access-control-allow-origin'], undefined);
    const wrong = await post('footer', { email: 'nobody' }, { ...asked, origin: SHOP });
    assert.deepEqual([wrong.status, wrong.headers['access-control-allow-origin']], [400, SHOP]);
    const closed = await post('open', { email: 'bob@x.example' }, { ...asked, origin: SHOP });
    assert.deepEqual([closed.status, closed.body.error.code, closed.headers['access-control-allow-origin']], [400, 'input', SHOP]);
  });

  test('signs up for the boxes that are ticked, of its own topics; without a page of its own Dult thanks', async () => {
    const answer = await post('bare', [['email', 'cy@x.example'], ['topic', 'offers'], ['topic', 'loud']], { 'accept-language': 'de' });
    assert.equal(answer.status, 200);
    assert.match(answer.text, /<html lang="de">[^]*Postfach/);
    await house.recorder.wait('cy@x.example', 1);
    assert.deepEqual((await said('cy@x.example')).map(({ topic }) => topic), ['offers']);
  });

  test('takes nothing without an address, from a program, for a topic without confirmation, or too often', async () => {
    for (const email of ['', 'nobody', 'a@b@c.example', 'x@y.example\r\nBcc: z@y.example'])
      assert.equal((await post('footer', { email })).status, 400, email);
    assert.equal((await post('footer', { email: 'robot@x.example', website: 'https://spam.example' })).status, 303);
    assert.equal((await post('open', { email: 'loud@x.example' })).status, 400);
    assert.equal((await post('none', { email: 'dan@x.example' })).status, 404);
    for (const id of ['robot@x.example', 'loud@x.example', 'dan@x.example'])
      assert.equal(await house.client.profile(id), undefined, id);
    const posts = Array.from({ length: 11 }, (_, i) => post('footer', { email: `many${i}@x.example` }, { 'x-forwarded-for': '203.0.113.5' }));
    const statuses = (await Promise.all(posts)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array(10).fill(303), 429]);
    await eventually('the others are not held up', async () => (await post('footer', { email: 'eve@x.example' })).status === 303);
  });
});
