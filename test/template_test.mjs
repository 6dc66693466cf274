// A test of a template: with a person's data, to another address, and nothing of it anywhere else.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dultTry, skipWithoutProgram } from './lib/program.mjs';
import { header, links } from './lib/recorder.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const shop = () => shopFolder({
  'templates/hello.email': template({
    subject: 'Hello {{ person.first_name }}',
    html: '<html><body><p>{{ event.plan | default: "no plan" }} <a href="https://tents.example/start">start</a>'
      + ' <a href="{{ links.unsubscribe }}">stop</a></p></body></html>',
  }),
  'templates/strict.email': template({ subject: 'S', html: '<html><body>{{ event.plan }}</body></html>' }),
});

describe('a test of a template', { skip: skipWithoutProgram }, () => {
  let house;
  const send = (...words) => dultTry('send', '--test', '--data', house.data, ...words);
  const timeline = async () => (await house.client.get('/api/v1/profiles/ada/timeline')).items;

  before(async () => {
    house = await openHouse({ shop: shop(), recorder: {
      script: ({ phase, address }) => (phase === 'rcpt' && address === 'gone@x.example' ? { code: 550, text: 'no' } : undefined) } });
    await house.client.send('/v1/identify', { userId: 'ada', traits: { email: 'ada@x.example', first_name: 'Ada' }, messageId: 'i' });
  });
  after(() => house?.close());

  test('goes to the address alone, with the data of the person and of a file, and is marked', async () => {
    const before = await timeline();
    const file = join(house.data, '..', `event-${process.pid}.json`);
    writeFileSync(file, '{"plan": "Gold"}');
    const { status, out, err } = await send('--template', 'hello', '--person', 'ada', '--to', 'me@tents.example', '--event', file);
    assert.equal(status, 0, err);
    assert.match(out, /^sent: 250/);
    const [mail] = await house.recorder.wait('me@tents.example');
    assert.equal(mail.subject, '[Test] Hello Ada');
    assert.match(mail.html, /Gold/);
    assert.match(header(mail, 'DKIM-Signature') ?? '', /tents\.example/);
    assert.equal(house.recorder.to('ada@x.example').length, 0);
    assert.deepEqual(await timeline(), before);
    assert.equal((await house.client.get('/api/v1/messages/summary')).due, 0);
  });

  test('has links that work and say nothing of the person', async () => {
    const [mail] = await house.recorder.wait('me@tents.example');
    const all = links(mail.html);
    assert.ok(all.includes('https://tents.example/start'), 'not through the tracker');
    assert.ok(!all.some((url) => /\/[oc]\//.test(url)));
    const stop = house.local(all.find((url) => url.includes('/u/')));
    const page = await http('GET', stop);
    assert.equal(page.status, 200);
    assert.match(page.text, /This is a test mail/);
    assert.doesNotMatch(page.text, /<form/);
    await http('POST', stop, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'List-Unsubscribe=One-Click' });
    const { items } = await house.client.get('/api/v1/profiles/ada/timeline');
    assert.ok(!items.some(({ type, name }) => type === 'consent' || name === 'Message Unsubscribed'));
  });

  test('can be sent again at once: it is another mail', async () => {
    await Promise.all(Array.from({ length: 6 }, () => send('--template', 'hello', '--person', 'ada', '--to', 'twice@tents.example')));
    const mails = await house.recorder.wait('twice@tents.example', 6);
    assert.equal(new Set(mails.map(({ messageId }) => messageId)).size, 6);
  });

  test('says why where it cannot be written or sent, and nobody is suppressed for it', async () => {
    const missing = await send('--template', 'strict', '--person', 'ada', '--to', 'me@tents.example');
    assert.equal(missing.status, 3);
    assert.match(missing.err, /missing event.plan/);
    assert.equal((await send('--template', 'hello', '--person', 'nobody', '--to', 'me@tents.example')).status, 4);
    assert.equal((await send('--template', 'none', '--person', 'ada', '--to', 'me@tents.example')).status, 4);
    const gone = await send('--template', 'hello', '--person', 'ada', '--to', 'gone@x.example');
    assert.equal(gone.status, 1);
    assert.match(gone.out, /^failed: 550/);
    assert.deepEqual((await house.client.get('/api/v1/suppressions')).items, []);
  });

  test('of a folder on trial goes to the allow list, else to the outbox', async () => {
    await dultTry('live', 'off', '--data', house.data);
    const { status, out } = await send('--template', 'hello', '--person', 'ada', '--to', 'other@x.example');
    assert.equal(status, 0);
    assert.match(out, /^sent: trial: kept in the outbox/);
    assert.equal(house.recorder.to('other@x.example').length, 0);
  });
});
