// `dult check --counts`: what drawings hide, with people counted from what really happened.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dultTry, eventually, removeFolder, skipWithoutProgram, withinOneDay } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const PEOPLE = 220;
const ABOUT = ['together', 'same day', 'overlap', 'way', 'exit', 'unused'];
const journey = (name, event) => ({
  journey: name,
  trigger: { event },
  exit_when: 'did "Moon Landed"',
  nodes: [
    { id: 'rich', split: 'did "Cart" where total > 1000', yes: 'pause', no: 'hello' },
    { id: 'hello', email: 'welcome', next: 'pause' },
    { id: 'pause', wait: '30 days' },
  ],
});

describe('checking with people counted', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  before(async () => {
    shop = shopFolder({
      'journeys/cart.json': journey('cart', 'Cart'),
      'journeys/visit.json': journey('visit', 'Visit'),
      'segments/buyers.segment': 'did "Cart"\n',
      'segments/shoppers.segment': 'did "Cart" or did "Never Done"\n',
      'segments/few.segment': 'did "Visit" and in segment "buyers"\n',
      'templates/welcome.email': template({ subject: 'Welcome', html: '<p>Welcome.</p>', text: 'Welcome.' }),
    });
    house = await openHouse({ shop, keepShop: true });
    await withinOneDay(60_000); /* who was written to twice on the same day */
    const batch = [];
    for (let n = 0; n < PEOPLE; n++)
      batch.push({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, traits: { email: `u${n}@x.example` } },
        { type: 'track', messageId: `c${n}`, userId: `u${n}`, event: 'Cart', properties: { total: n === 7 ? 5000 : 10 } });
    for (let n = 10; n < 40; n++) batch.push({ type: 'track', messageId: `v${n}`, userId: `u${n}`, event: 'Visit' });
    await house.client.send('/v1/batch', { batch });
    await eventually('all are inside, and were written to', async () => {
      const numbers = await house.client.get('/api/v1/journeys/cart/numbers');
      const visit = await house.client.get('/api/v1/journeys/visit/numbers');
      return numbers.entered === PEOPLE && numbers.sent === PEOPLE - 1 && visit.sent === 30;
    }, 60_000);
  });
  after(async () => {
    await house?.close();
    removeFolder(shop);
  });

  test('says who was in both, what holds the same, and what nobody takes', async () => {
    const { status, out } = await dultTry('check', '--json', '--data', house.data, '--counts', shop);
    const told = JSON.parse(out).findings.filter(({ about }) =>
      ABOUT.includes(about));
    const of = (about) => told.filter((one) => one.about === about).map(({ path, what }) => [path, what]);
    assert.equal(status, 1);
    assert.deepEqual(of('together'), [['journeys/visit.json',
      '30 people were in this journey and in "cart" in the last 90 days, and both write.']]);
    assert.deepEqual(of('same day'), [['journeys/visit.json',
      '30 people were written to by this journey and by "cart" on the same day, 30 times in the last 90 days.']]);
    assert.deepEqual(of('overlap'), [['segments/shoppers.segment',
      'Nearly the same people are in segment "buyers": 220 of 220 in either are in both.']]);
    assert.deepEqual(of('way'), [['journeys/cart.json', '"rich": almost nobody goes by "yes": 1 of 220 passes.']]);
    assert.deepEqual(of('exit'), [['journeys/cart.json', 'Of 220 entries nobody left by `exit_when`.']]);
    assert.deepEqual(of('unused').map(([path]) => path).sort(),
      ['segments/few.segment', 'segments/shoppers.segment']);
  });

  test('names the other one also where only this one has a file here', async () => {
    const part = shopFolder({ 'journeys/cart.json': journey('cart', 'Cart'), 'segments/buyers.segment': 'did "Cart"\n',
      'templates/welcome.email': template({ subject: 'Welcome', html: '<p>Welcome.</p>', text: 'Welcome.' }) });
    const { out } = await dultTry('check', '--json', '--data', house.data, '--counts', part);
    removeFolder(part);
    const what = (about) => JSON.parse(out).findings.filter((one) => one.about === about).map((one) => [one.path, one.what]);
    assert.deepEqual(what('together'), [['journeys/cart.json',
      '30 people were in this journey and in "visit" in the last 90 days, and both write.']]);
    assert.match(what('same day')[0][1], /by this journey and by "visit" on the same day/);
    assert.match(what('overlap')[0][1], /Nearly the same people are in segment "shoppers"/);
  });

  test('is told over the API, of all that is in force', async () => {
    const check = await house.client.get('/api/v1/check?counts=1');
    const of = (about) => check.findings.filter((one) => one.about === about)
      .map(({ kind, name, other, people }) => [kind, name, other, people]);
    assert.equal(check.counted, true);
    assert.ok(check.seq > 0);
    assert.deepEqual(of('together'), [['journey', 'visit', 'cart', 30]]);
    assert.deepEqual(of('same day'), [['journey', 'visit', 'cart', 30]]);
    assert.deepEqual(of('overlap'), [['segment', 'shoppers', 'buyers', 220]]);
    assert.deepEqual(of('way').map(([, name]) => name), ['cart']);
    assert.deepEqual(of('exit').map(([, name]) => name), ['cart']);
    assert.deepEqual(of('unused').map(([, name]) => name), ['few', 'shoppers']);
    for (const { severity, what, remedy, line } of check.findings) {
      assert.deepEqual([severity, line], ['warning', 1]);
      assert.ok(what.length > 10 && remedy.length > 10);
    }
    const drawn = await house.client.get('/api/v1/check');
    assert.equal(drawn.counted, false);
    assert.ok(drawn.findings.every(({ about }) => about === 'flow'));
    const before = await house.client.get('/api/v1/check?counts=1&at=2020-01-01');
    assert.deepEqual([...new Set(before.findings.map(({ about }) => about))].filter((about) => about !== 'flow'), ['unused']);
  });

  test('and without --counts says nothing of the kind', async () => {
    const { out } = await dultTry('check', '--json', shop);
    assert.ok(!JSON.parse(out).findings.some(({ about }) => about === 'overlap' || about === 'unused'));
  });
});
