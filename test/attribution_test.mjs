// Orders put to the messages that led to them: by the API, the command line and as rows; with returns, other
// currencies at the rates of a file, and the people behind a number.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { links } from './lib/recorder.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x64) Firefox/130.0' };
const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const files = {
  'templates/hello.email': template({ subject: 'Hello', html: '<p><a href="https://tents.example/x">look</a></p>' }),
  'templates/offer.email': template({ subject: 'Offer', html: '<p><a href="https://tents.example/y">look</a></p>' }),
  'templates/deal.email': template({ subject: 'Deal', html: '<p><a href="https://tents.example/z">look</a></p>' }),
  'journeys/greet.json': {
    journey: 'greet',
    trigger: { event: 'Started' },
    nodes: [
      { id: 'tone', variants: [{ name: 'warm', next: 'mail' }, { name: 'plain', next: 'mail' }] },
      { id: 'mail', email: 'hello', next: 'rest' }, { id: 'rest', wait: '3 days' },
    ],
  },
  'broadcasts/spring.json': {
    broadcast: 'spring',
    audience: 'everyone',
    experiment: { variants: [{ name: 'a', template: 'offer' }, { name: 'b', template: 'deal' }] },
  },
  'rates.json': { base: 'NOK', rates: [{ date: day(-9), currency: 'EUR', rate: 11 }, { date: day(-3), currency: 'EUR', rate: 12 }, { date: day(2), currency: 'EUR', rate: 99 }] },
};

describe('attribution', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  const run = (...words) => spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
  const call = async (method, path, body) => (await http(method, `${house.server.origin}/api/v1${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` }, body,
  }));
  const ask = async (query = '') => (await call('GET', `/reports/attribution?${query}`)).body;
  const order = (userId, id, properties, event = 'Order Completed') => house.client.send('/v1/track', { userId, event, properties: { order_id: id, ...properties } });
  const row = (answer, whole) => answer.rows.find((one) => Object.entries(whole).every(([key, value]) => one[key] === value));
  const click = async (userId, count) => {
    const mail = (await house.recorder.wait(`${userId}@x.example`, count)).at(-1);
    await http('GET', house.local(links(mail.html).find((url) => url.includes('/c/'))), { headers: BROWSER });
    await eventually('the click is known', async () => (await house.client.timeline(userId)).filter(({ name }) => name === 'Message Clicked').length > 0);
  };

  before(async () => {
    shop = shopFolder(files);
    house = await openHouse({ shop, keepShop: true });
    for (const userId of ['ada', 'bob', 'cat', 'dan']) await house.client.send('/v1/identify', { userId, traits: { email: `${userId}@x.example` } });
    for (const userId of ['ada', 'bob']) await house.client.send('/v1/track', { userId, event: 'Started' });
    await click('ada', 1);
    await house.recorder.wait('bob@x.example', 1);
    await eventually('both are sent', async () => (await ask()).all.sent === 2);
    await order('ada', 1, { revenue: 100.1, currency: 'NOK' });
    await order('ada', 1, { revenue: 100.1, currency: 'NOK' }); // told twice
    await order('bob', 'b-1', { total: '10.50', currency: 'eur' });
    await order('cat', 3, { revenue: 7, currency: 'NOK' }); // after no message
    await order('cat', 4, { revenue: 5, currency: 'SEK' }); // no rate
    await order('ada', '1', { revenue: 30, currency: 'NOK' }, 'Order Refunded');
    await order('dan', 9, {}, 'Order Cancelled'); // of no order
  });
  after(() => house?.close());

  test('orders go to messages, each in its currency, less what was given back; what has no rate is named', async () => {
    const answer = await ask('by=message');
    assert.equal(answer.currency, 'NOK');
    const hello = row(answer, { message: 'hello' });
    assert.deepEqual([hello.sent, hello.orders, hello.people, hello.revenue], [2, 2, 2, 70.1 + 126]);
    assert.equal(hello.per_message, (70.1 + 126) / 2);
    assert.deepEqual([answer.total.orders, answer.total.revenue, answer.returned], [4, 70.1 + 126 + 7, 30]);
    assert.deepEqual([answer.without.orders, answer.without.people, answer.without.revenue], [2, 1, 7]);
    assert.deepEqual(answer.missing_rates.map(({ currency, orders, amount }) => [currency, orders, amount]), [['SEK', 1, 5]]);
    assert.equal(answer.unmatched_returns, 1);
  });

  test('by journey, node and variant, in another currency, and by another model', async () => {
    assert.equal(row(await ask('by=journey'), { journey: 'greet' }).orders, 2);
    assert.equal(row(await ask('by=node'), { journey: 'greet', node: 'mail' }).orders, 2);
    const { rows } = await ask('by=variant');
    assert.equal(rows.reduce((sum, one) => sum + one.orders, 0), 2);
    assert.ok(rows.every(({ node, variant }) => node === 'tone' && ['warm', 'plain'].includes(variant)));
    assert.equal(row(await ask('currency=EUR'), { message: 'hello' }).revenue, 10.5 + Math.round(70.1 / 12 * 1e4) / 1e4);
    assert.equal((await ask('model=linear')).model, 'linear');
    assert.equal((await call('GET', '/reports/attribution?model=best')).status, 400);
    assert.equal((await call('GET', '/reports/attribution?by=colour')).status, 400);
    assert.equal((await call('GET', '/reports/attribution?currency=kroner')).status, 400);
  });

  test('the people behind a number, and the command', async () => {
    const people = async (pick) => (await call('POST', '/reports/attribution/people', { by: 'message', pick })).body.items?.map(({ userId }) => userId).sort();
    assert.deepEqual(await people({ message: 'hello' }), ['ada', 'bob']);
    assert.deepEqual(await people({ message: 'hello', what: 'clicked' }), ['ada']);
    assert.deepEqual(await people({ without: true }), ['cat']);
    assert.equal((await call('POST', '/reports/attribution/people', { pick: { what: 'clicked' } })).status, 400);
    const { stdout, status } = run('report', 'attribution', '--by', 'node');
    assert.equal(status, 0, stdout);
    assert.match(stdout, /last touch \(clicked 5 days, opened 1 day, received 1 day before\)/);
    assert.match(stdout, /greet \/ mail +2 +0 +1 +2\.0 +2 +196\.10 +98\.05/);
    assert.match(stdout, /No rate for SEK: 1 orders of 5\.00/);
    assert.match(run('report', 'attribution', '--csv').stdout, /\nhello,,,,,NOK,2,2,2,0,1,0,0,0,0,0,2\.0,2,196\.1,98\.05\n/);
    assert.deepEqual(run('report', 'attribution', '--people', 'message=hello,what=clicked').stdout.trim(), 'ada');
    if (process.env.DULT_SHOW) console.log(stdout);
  });

  test('a broadcast tells its orders and revenue by variant', async () => {
    assert.equal(run('broadcast', 'launch', '--yes', 'spring').status, 0);
    await eventually('it is over', async () => (await call('GET', '/broadcasts/spring')).body.state === 'finished', 20_000);
    await order('dan', 20, { revenue: 40, currency: 'NOK' });
    const numbers = (await call('GET', '/broadcasts/spring/numbers')).body;
    assert.deepEqual([numbers.sent, numbers.orders, numbers.people, numbers.revenue, numbers.currency], [4, 1, 1, 40, 'NOK']);
    assert.equal(numbers.per_message.middle, 10);
    assert.equal(numbers.variants[0].revenue + numbers.variants[1].revenue, 40);
    assert.equal(row(await ask('by=broadcast'), { broadcast: 'spring' }).revenue, 40);
    assert.match(run('broadcast', 'numbers', 'spring').stdout, /orders 1\.0 of 1 people, 40\.00 NOK, 10\.00 a message/);
  });

  test('rates and settings that say nothing are refused with what to write', () => {
    writeFileSync(join(shop, 'rates.json'), JSON.stringify({ base: 'NOK', rates: [{ date: '1 May', currency: 'EUR', rate: 2 }] }));
    const rates = run('apply', shop);
    assert.notEqual(rates.status, 0);
    assert.match(rates.stdout + rates.stderr, /rates\.json.*rates\[0\]\.date/s);
    writeFileSync(join(shop, 'rates.json'), JSON.stringify(files['rates.json']));
    const workspace = { name: 'Tents', attribution: { within: { clicked: 'soon' } } };
    writeFileSync(join(shop, 'workspace.json'), JSON.stringify(workspace));
    const settings = run('apply', shop);
    assert.notEqual(settings.status, 0);
    assert.match(settings.stdout + settings.stderr, /attribution\.within\.clicked/);
  });
});
