// What became of messages is told to the program that asked for them: signed, in order, and not lost
// while it is away, nor by kill -9.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { links } from './lib/recorder.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const SECRET = 'a secret of more than sixteen bytes';
const shop = () => shopFolder({
  'templates/receipt.email': template({ subject: 'Order', transactional: 'yes',
    html: '<html><body><a href="https://tents.example/orders">orders</a></body></html>' }),
  'templates/news.email': template({ subject: 'News', html: '<html><body>News</body></html>' }),
  'journeys/news.json': { journey: 'news', trigger: { event: 'News' }, reentry: 'always',
    nodes: [{ id: 'send', email: 'news' }, { id: 'end', exit: true }] },
});

describe('a program that asked for messages', { skip: skipWithoutProgram }, () => {
  let house;
  let receiver;
  let answer = 200;
  const tried = []; // every request, with when it came
  const told = [];  // events of those that were taken
  const ask = async (to, key) => {
    const { status, body, text } = await http('POST', `${house.server.origin}/api/v1/messages`, {
      headers: { authorization: `Bearer ${house.client.apiKey}`, 'Idempotency-Key': key }, body: { template: 'receipt', to } });
    assert.equal(status, 202, text);
    return body.id;
  };
  const heard = (id, type) => eventually(`${type} of ${id} is told`,
    () => told.find((event) => event.message === id && event.type === type));

  before(async () => {
    receiver = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const time = request.headers['dult-timestamp'];
      const proof = createHmac('sha256', SECRET).update(`${time}.`).update(body).digest('hex');
      tried.push({ at: Date.now(), good: request.headers['dult-signature'] === `v1=${proof}`
        && Math.abs(Date.now() / 1000 - Number(time)) < 60 });
      if (answer === 200) told.push(...JSON.parse(body).events);
      response.writeHead(answer).end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    house = await openHouse({ shop: shop(), recorder: {
      script: ({ phase, address }) => (phase === 'rcpt' && address === 'gone@x.example' ? { code: 550, text: '5.1.1 no' } : undefined) },
    args: ['--status-url', `http://127.0.0.1:${receiver.address().port}/status`, '--status-secret', SECRET] });
  });
  after(async () => {
    await house?.close();
    receiver.closeAllConnections();
    receiver.close();
  });

  test('is told that it was sent, what people did with it, and nothing of programs', async () => {
    const id = await ask('ada@x.example', 'k-1');
    const [mail] = await house.recorder.wait('ada@x.example');
    const sent = await heard(id, 'sent');
    assert.equal(sent.key, 'k-1');
    assert.equal(sent.template, 'receipt');
    const all = links(mail.html);
    await http('GET', house.local(all.find((url) => url.includes('/o/'))), { headers: { 'user-agent': 'Barracuda Sentinel (bot)' } });
    await http('GET', house.local(all.find((url) => url.includes('/c/'))), { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/128' } });
    assert.equal((await heard(id, 'clicked')).url, 'https://tents.example/orders');
    assert.ok(!told.some(({ type }) => type === 'opened'));
    assert.ok(tried.every(({ good }) => good), 'each is signed, with the time');
  });

  test('is told of a refusal and of an address that is suppressed', async () => {
    const failed = await ask('gone@x.example', 'k-2');
    assert.match((await heard(failed, 'failed')).reason, /550/);
    assert.equal((await heard(failed, 'bounced')).class, 'hard');
    const held = await ask('gone@x.example', 'k-3');
    assert.match((await heard(held, 'held')).reason, /\w/);
  });

  test('is told nothing of messages that it did not ask for', async () => {
    await house.client.send('/v1/identify', { userId: 'n', traits: { email: 'n@x.example' }, messageId: 'i-n' });
    await house.client.send('/v1/track', { userId: 'n', event: 'News', messageId: 't-n' });
    await house.recorder.wait('n@x.example');
    const id = await ask('after@x.example', 'k-4');
    await heard(id, 'sent');
    assert.ok(told.every(({ template: name }) => name === 'receipt'));
  });

  test('that is away is told later, after growing waits and over kill -9, in order and once', async () => {
    answer = 503;
    const from = tried.length;
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(await ask(`away${i}@x.example`, `away-${i}`));
    await eventually('it was tried three times', () => tried.length >= from + 3, 15_000);
    const [a, b, c] = tried.slice(from).map(({ at }) => at);
    /* A second after an answer, then two: on a busy machine longer, and never less. */
    assert.ok(b - a >= 990 && c - b >= 1990, `waits of ${b - a} and ${c - b} ms`);
    await house.server.kill();
    answer = 200;
    await house.server.start();
    await heard(ids[4], 'sent');
    const order = told.filter(({ message, type }) => ids.includes(message) && ['sent', 'unknown'].includes(type)).map(({ message }) => message);
    assert.deepEqual(new Set(order), new Set(ids));
    assert.equal(new Set(told.map(({ id }) => id)).size, told.length, 'nothing was told twice here');
  });
});
