// Messages that programs ask for: once for each key, with their files, before others, and found again
// after kill -9.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { header, links } from './lib/recorder.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const shop = () => shopFolder({
  'templates/receipt.email': template({
    subject: 'Your order {{ event.order.id }}',
    html: '<html><body><p>{{ person.first_name | default: "Hello" }}, {{ event.order.total | money: "EUR" }}'
      + ' <a href="https://tents.example/orders">your orders</a></p></body></html>',
    transactional: 'yes',
    topic: 'orders',
  }),
  'templates/news.email': template({ subject: 'News', html: '<html><body><p>News</p></body></html>' }),
  'templates/broken.email': template({
    subject: 'Hello', html: '<html><body>{{ event.nothing }}</body></html>', transactional: 'yes' }),
  'journeys/news.json': { journey: 'news', trigger: { event: 'News' }, reentry: 'always',
    nodes: [{ id: 'send', email: 'news' }, { id: 'end', exit: true }] },
});

// What Python's own parser finds in a mail.
const READ = `
import sys, json, email, hashlib
from email import policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
print(json.dumps({
  'type': m.get_content_type(),
  'defects': [str(d) for part in m.walk() for d in part.defects],
  'bodies': [m.get_body((kind,)).get_content() for kind in ('plain', 'html') if m.get_body((kind,))],
  'files': [{'name': a.get_filename(), 'type': a.get_content_type(), 'disposition': a.get_content_disposition(),
             'sha': hashlib.sha256(a.get_payload(decode=True)).hexdigest()} for a in m.iter_attachments()]}))
`;
const python = (raw) => {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READ], { input: raw, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
};

const sha = async (bytes) => Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');

describe('a message that a program asks for', { skip: skipWithoutProgram }, () => {
  let house;
  let gate; // while it is set, the mail server lets nobody's mail end
  const call = (method, path, body, headers = {}) => http(method, house.server.origin + path,
    { headers: { authorization: `Bearer ${house.client.apiKey}`, ...headers }, body });
  const ask = (body, headers) => call('POST', '/api/v1/messages', body, headers);
  const show = async (id) => (await call('GET', `/api/v1/messages/${id}`)).body;
  const settled = (id, state = 'sent') => eventually(`message ${id} is ${state}`, async () => {
    const one = await show(id);
    return one?.state === state ? one : undefined;
  });
  const order = (id) => ({ order: { id, total: 12.5 } });

  before(async () => {
    house = await openHouse({ shop: shop(), recorder: { script: ({ phase }) => (phase === 'mail' ? gate : undefined) } });
    for (const id of ['ada', 'bob'])
      await house.client.send('/v1/identify',
        { userId: id, traits: { email: `${id}@x.example`, first_name: id }, messageId: `i-${id}` });
  });
  after(() => house?.close());

  test('reaches a person at their own address, with the data as `event`', async () => {
    const { status, body } = await ask({ template: 'receipt', person: 'ada', data: order('A1') });
    assert.equal(status, 202);
    const [mail] = await house.recorder.wait('ada@x.example');
    assert.equal(mail.subject, 'Your order A1');
    assert.match(mail.html, /ada, .*12[.,]50/);
    assert.equal(header(mail, 'List-Unsubscribe'), undefined);
    const one = await settled(body.id);
    assert.equal(one.template, 'receipt');
    assert.equal(one.journey, undefined);
    assert.deepEqual(one.steps.map(({ step }) => step), ['queued', 'sending', 'sent']);
  });

  test('shows what came of it: an open by a machine and a click by a person', async () => {
    const { body } = await ask({ template: 'receipt', person: 'bob', data: order('B1') });
    const [mail] = await house.recorder.wait('bob@x.example');
    await settled(body.id);
    const [pixel] = links(mail.html).filter((url) => url.includes('/o/'));
    const [link] = links(mail.html).filter((url) => url.includes('/c/'));
    await http('GET', house.local(pixel), { headers: { 'user-agent': 'Barracuda Sentinel (bot)' } });
    await http('GET', house.local(link), { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/128' } });
    const one = await eventually('the click is shown', async () => {
      const seen = await show(body.id);
      return seen.steps.some(({ step }) => step === 'clicked') ? seen : undefined;
    });
    assert.deepEqual(one.steps.map(({ step, machine }) => [step, machine ?? false]).slice(3),
      [['opened', true], ['clicked', false]]);
    assert.equal(one.steps.at(-1).url, 'https://tents.example/orders');
  });

  test('reaches an address whose person is not known, and merges nobody', async () => {
    const { status, body } = await ask({ template: 'receipt', to: 'Ada@X.example', data: order('A2') });
    assert.equal(status, 202);
    const one = await settled(body.id);
    const ada = await house.client.get('/api/v1/profiles/ada');
    assert.notEqual(one.profile, ada.id);
    const again = await ask({ template: 'receipt', to: 'ada@x.example', data: order('A3') });
    assert.equal((await settled(again.body.id)).profile, one.profile);
    assert.equal((await house.recorder.wait('Ada@X.example')).length, 1);
    // Nobody can claim that name from outside.
    await house.client.send('/v1/identify', { userId: 'eve', messageId: 'eve',
      context: { externalIds: [{ type: 'email', id: 'ada@x.example' }] } });
    assert.notEqual((await house.client.get('/api/v1/profiles/eve')).id, one.profile);
  });

  test('goes where it was asked to, for the person it is about', async () => {
    const { body } = await ask({ template: 'receipt', person: 'ada', to: 'new@x.example', data: order('A4'),
      reply_to: 'orders@tents.example' });
    const [mail] = await house.recorder.wait('new@x.example');
    assert.match(mail.html, /ada,/);
    assert.equal(mail.replyTo.text, 'orders@tents.example');
    assert.equal((await settled(body.id)).to, 'new@x.example');
  });

  test('is sent once for a key, whichever of many at the same time came first', async () => {
    const answers = await Promise.all(Array.from({ length: 24 }, () =>
      ask({ template: 'receipt', to: 'race@x.example', data: order('R1') }, { 'Idempotency-Key': 'race-1' })));
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1, JSON.stringify(answers.map(({ body }) => body)));
    assert.equal(answers.filter(({ status }) => status === 202).length, 1);
    assert.ok(answers.every(({ status }) => status === 202 || status === 200));
    await settled(answers[0].body.id);
    assert.equal(house.recorder.to('race@x.example').length, 1);
  });

  test('is refused for a used key with another body, and a field says the same as the header', async () => {
    const first = await ask({ template: 'receipt', to: 'key@x.example', data: order('K1'), key: 'k-1' });
    const same = await ask({ data: order('K1'), to: 'key@x.example', template: 'receipt' }, { 'Idempotency-Key': 'k-1' });
    assert.equal(same.status, 200);
    assert.equal(same.body.id, first.body.id);
    assert.equal(same.body.repeated, true);
    const other = await ask({ template: 'receipt', to: 'key@x.example', data: order('K2'), key: 'k-1' });
    assert.equal(other.status, 409);
    assert.match(other.text, /another message/);
    const both = await ask({ template: 'receipt', to: 'key@x.example', key: 'k-1' }, { 'Idempotency-Key': 'k-2' });
    assert.equal(both.status, 400);
    await settled(first.body.id);
    assert.equal(house.recorder.to('key@x.example').length, 1);
  });

  test('is refused with a word where it cannot be meant, and the key stays free', async () => {
    for (const [body, status, word] of [
      [{ template: 'none', person: 'ada' }, 404, /no template/],
      [{ template: 'receipt' }, 400, /for nobody/],
      [{ template: 'receipt', person: 'nobody-known' }, 404, /Nobody is known/],
      [{ template: 'receipt', to: 'not an address' }, 400, /not sent safely|no e-mail address/],
      [{ template: 'news', to: 'ada@x.example' }, 400, /not transactional/],
      [{ template: 'receipt', person: 'ada', pers0n: 'x' }, 400, /did you mean person/],
      [{ template: 'receipt', person: 'ada', data: [1] }, 400, /object/],
      [{ template: 'receipt', person: 'ada', attachments: [{ name: 'a/b', type: 'text/plain', content: 'YQ==' }] }, 400, /name/],
      [{ template: 'receipt', person: 'ada', attachments: [{ name: 'a', type: 'message/rfc822', content: 'YQ==' }] }, 400, /type/],
      [{ template: 'receipt', person: 'ada', attachments: [{ name: 'a', type: 'text/plain', content: '*' }] }, 400, /base64/],
    ]) {
      const answer = await ask(body, { 'Idempotency-Key': 'refused' });
      assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`);
      assert.match(answer.text, word);
    }
    const taken = await ask({ template: 'receipt', to: 'after@x.example', data: order('F1') }, { 'Idempotency-Key': 'refused' });
    assert.equal(taken.status, 202);
  });

  test('is held back with its reason where the template misses something', async () => {
    const { body } = await ask({ template: 'broken', person: 'ada' });
    const one = await settled(body.id, 'held');
    assert.match(one.steps.at(-1).reason, /missing event.nothing/);
  });

  test('of a kind that is not transactional asks consent; a receipt does not', async () => {
    await call('POST', '/api/v1/profiles/bob/consent', { state: 'unsubscribed' });
    const news = await ask({ template: 'news', person: 'bob' });
    assert.match((await settled(news.body.id, 'held')).steps.at(-1).reason, /unsubscribed/);
    const receipt = await ask({ template: 'receipt', person: 'bob', data: order('B2') });
    await settled(receipt.body.id);
    await call('POST', '/api/v1/suppressions', { address: 'gone@x.example' });
    const gone = await ask({ template: 'receipt', to: 'gone@x.example', data: order('G1') });
    assert.equal((await settled(gone.body.id, 'held')).state, 'held');
    assert.equal(house.recorder.to('gone@x.example').length, 0);
  });

  test('carries its files as they were, and they are gone when it was sent', async () => {
    const files = [['invoice.pdf', 'application/pdf', randomBytes(200_000)], ['r\u00e9sum\u00e9 \u2713.txt', 'text/plain', Buffer.from('a\r\nb\n')],
      ['quote".bin', 'application/octet-stream', randomBytes(57)]];
    const attachments = files.map(([name, type, bytes]) => ({ name, type, content: bytes.toString('base64') }));
    const { status, text, body } = await ask({ template: 'receipt', to: 'files@x.example', data: order('F2'), attachments });
    assert.equal(status, 202, text);
    await settled(body.id);
    const read = python(house.recorder.to('files@x.example')[0].raw);
    assert.equal(read.type, 'multipart/mixed');
    assert.deepEqual(read.defects, []);
    assert.equal(read.bodies.length, 2);
    assert.match(read.bodies[1], /your orders/);
    assert.deepEqual(read.files, await Promise.all(files.map(async ([name, type, bytes]) =>
      ({ name, type, disposition: 'attachment', sha: await sha(bytes) }))));
    const left = spawnSync('sqlite3', ['-readonly', join(house.data, 'dult.db'), 'SELECT count(*) FROM file'], { encoding: 'utf8' });
    assert.equal(left.stdout.trim(), '0', left.stderr);
    assert.deepEqual((await show(body.id)).files.map(({ name, bytes }) => [name, bytes]),
      files.map(([name, , bytes]) => [name, bytes.length]));
  });

  test('with more files than may be sent is refused before anything is kept', async () => {
    const half = { name: 'a.bin', type: 'application/octet-stream', content: Buffer.alloc(4 << 20, 1).toString('base64') };
    const answer = await ask({ template: 'receipt', person: 'ada', data: order('L1'), attachments: [half, half] });
    assert.equal(answer.status, 413, answer.text);
    assert.match(answer.text, /7 MiB together/);
    const many = Array.from({ length: 11 }, () => ({ name: 'a', type: 'text/plain', content: 'YQ==' }));
    assert.equal((await ask({ template: 'receipt', person: 'ada', attachments: many })).status, 400);
  });

  test('goes before what was queued earlier and is no receipt', async () => {
    let open;
    gate = new Promise((resolve) => { open = resolve; });
    const events = Array.from({ length: 60 }, (_, i) => ({ type: 'track', userId: `n${i}`, event: 'News', messageId: `n${i}` }));
    const people = Array.from({ length: 60 }, (_, i) => ({ type: 'identify', userId: `n${i}`, messageId: `ni${i}`,
      traits: { email: `n${i}@lane.example` } }));
    await house.client.send('/v1/batch', { batch: people });
    await house.client.send('/v1/batch', { batch: events });
    await eventually('all are queued', async () => (await house.client.get('/api/v1/messages/summary')).queued >= 40);
    const { body } = await ask({ template: 'receipt', to: 'first@lane.example', data: order('L1') });
    gate = undefined;
    open();
    await settled(body.id);
    await eventually('all are sent', () => house.recorder.mails.filter(({ to }) => /^n\d+@lane/.test(to[0])).length === 60);
    const lane = house.recorder.mails.map(({ to }) => to[0]).filter((to) => to.endsWith('@lane.example'));
    // What was claimed when it came, two a connection, may be before it; the other forty are not.
    assert.ok(lane.indexOf('first@lane.example') <= 20, `it came as number ${lane.indexOf('first@lane.example') + 1}`);
  });
});

describe('kill -9', { skip: skipWithoutProgram }, () => {
  test('between the answer and the mail loses neither message, key nor files', async () => {
    let open;
    let gate = new Promise((resolve) => { open = resolve; });
    const house = await openHouse({ shop: shop(), recorder: { script: ({ phase }) => (phase === 'connect' ? gate : undefined) } });
    try {
      const ask = (body, key) => http('POST', `${house.server.origin}/api/v1/messages`,
        { headers: { authorization: `Bearer ${house.client.apiKey}`, 'Idempotency-Key': key }, body });
      const show = async (id) => (await http('GET', `${house.server.origin}/api/v1/messages/${id}`,
        { headers: { authorization: `Bearer ${house.client.apiKey}` } })).body;
      const bytes = randomBytes(100_000);
      const body = (i) => ({ template: 'receipt', to: `k${i}@x.example`, data: { order: { id: `K${i}`, total: 1 } },
        attachments: [{ name: 'i.pdf', type: 'application/pdf', content: bytes.toString('base64') }] });
      const ids = [];
      for (let i = 0; i < 30; i++) {
        const { status, body: answer } = await ask(body(i), `kill-${i}`);
        assert.equal(status, 202);
        ids.push(answer.id);
      }
      await house.server.kill();
      open();
      gate = undefined;
      await house.server.start();
      // Every key is known, and answers with its message.
      for (let i = 0; i < 30; i++) {
        const again = await ask(body(i), `kill-${i}`);
        assert.equal(again.status, 200, again.text);
        assert.equal(again.body.id, ids[i]);
      }
      assert.equal((await ask({ ...body(0), to: 'other@x.example' }, 'kill-0')).status, 409);
      let sent = 0;
      for (const [i, id] of ids.entries()) {
        const one = await eventually(`message ${id} is final`, async () => {
          const seen = await show(id);
          return ['sent', 'unknown'].includes(seen.state) ? seen : undefined;
        });
        // In doubt are at most those that were claimed: two a connection, of four.
        sent += one.state === 'sent';
        const mails = house.recorder.to(`k${i}@x.example`);
        assert.equal(mails.length, one.state === 'sent' ? 1 : 0);
        if (mails.length === 1) assert.equal(python(mails[0].raw).files[0].sha, await sha(bytes));
      }
      assert.ok(sent >= 22, `${sent} were sent`);
    } finally {
      open();
      await house.close();
    }
  });
});
