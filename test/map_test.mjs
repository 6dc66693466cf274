// Touchpoints: files and API, what was seen of them, and the marks on what never came. And the map:
// who stands in which stage, beside what plain loops give.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { http } from './lib/api.mjs';
import { dult, dultTry, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const DAY = 86400000;
const STAGES = {
  stages: [
    { name: 'visitor', when: 'everyone' },
    { name: 'customer', when: 'did "Order Completed"' },
  ],
};
const CHECKOUT = {
  title: 'The checkout',
  stage: 'customer',
  source: 'shop',
  events: ['Order Completed', { event: 'Checkout Started', where: 'total > 5' }, 'Order Complete'],
  feeling: 'safe, and quickly done',
};
const files = () => ({
  'stages.json': STAGES,
  'touchpoints/checkout.json': CHECKOUT,
  'touchpoints/poster.json': { title: 'The poster', stage: 'visitor' },
  'touchpoints/blog.json': { stage: 'visitor', events: ['Page Viewed'] },
});
const ago = (days) => new Date(Date.now() - days * DAY).toISOString();

describe('touchpoints', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  const shown = (name, query = '') => house.client.get(`/api/v1/touchpoints/${name}${query}`);
  before(async () => {
    shop = shopFolder(files());
    house = await openHouse({ shop, keepShop: true });
    const batch = [
      { type: 'track', messageId: 'a1', userId: 'ada', event: 'Checkout Started', properties: { total: 9 }, timestamp: ago(50) },
      { type: 'track', messageId: 'a2', userId: 'ada', event: 'Checkout Started', properties: { total: 3 }, timestamp: ago(1) },
      { type: 'track', messageId: 'a3', userId: 'ada', event: 'Order Completed', properties: { total: 9 }, timestamp: ago(40) },
      { type: 'track', messageId: 'b1', userId: 'bob', event: 'Order Completed', properties: { total: 4 }, timestamp: ago(2) },
    ];
    await house.client.send('/v1/batch', { batch });
  });
  after(async () => {
    await house?.close();
    removeFolder(shop);
  });

  test('tell how often and when last they were seen, and what never was', async () => {
    const one = await shown('checkout');
    assert.equal(one.kind, 'touchpoint');
    assert.equal(one.stage, 'customer');
    assert.equal(one.feeling, 'safe, and quickly done');
    assert.deepEqual([one.source, one.source_known], ['shop', true]); // the house's write key
    assert.equal((await shown('blog')).source_known, undefined);
    const { last, ...seen } = one.seen;
    assert.deepEqual(seen, { count: 3, people: 2, never: false, recent: 1, recent_people: 1, days: 30 });
    assert.ok(Math.abs(Date.parse(last) - Date.parse(ago(2))) < DAY / 2);
    assert.deepEqual(one.events.map(({ event, count, recent, never }) => [event, count, recent, never]), [
      ['did "Order Completed"', 2, 1, false],
      ['did "Checkout Started" where total > 5', 1, 0, false],
      ['did "Order Complete"', 0, 0, true],
    ]);
    assert.deepEqual(one.unseen, [{ event: 'Order Complete', near: 'Order Completed' }]);
    assert.equal((await shown('checkout', '?days=45')).seen.recent, 2);
    for (const name of ['poster', 'blog']) {
      const { seen: none } = await shown(name);
      assert.equal(none.never, true);
      assert.equal(none.last, undefined);
      assert.equal(none.count, 0);
    }
  });

  test('are refused with field and remedy, and change nothing', async () => {
    const put = (body, query = '') => http('PUT', `${house.server.origin}/api/v1/touchpoints/checkout${query}`, {
      headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body });
    for (const [body, status, where] of [
      [{ ...CHECKOUT, stage: 'nobody' }, 404, 'stage'],
      [{ ...CHECKOUT, events: ['x', 7] }, 400, 'events[1]'],
      [{ ...CHECKOUT, mood: 'good' }, 400, 'body'],
    ]) {
      const answer = await put(body);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.error.where, where);
      assert.ok(answer.body.error.remedy.length > 5);
    }
    assert.equal((await put({ ...CHECKOUT, source: 'nobody' })).status, 200);
    assert.equal((await shown('checkout')).source_known, false);
    assert.equal((await put(JSON.stringify(CHECKOUT, null, 2))).status, 200);
    assert.equal((await put({ ...CHECKOUT, title: 'Till' }, '?dry=1')).body.changed, true);
    assert.equal((await shown('checkout')).title, 'The checkout');
    assert.equal((await house.client.get('/api/v1/touchpoints/checkout?days=0').catch(String)).includes('400'), true);
  });

  test('are files as every definition: applied, the same again, and a stage may be renamed with them', async () => {
    assert.equal((await dultTry('diff', '--data', house.data, shop)).status, 0);
    assert.deepEqual((await house.client.all('/api/v1/touchpoints')).map(({ name }) => name).sort(), ['blog', 'checkout', 'poster']);
    const renamed = { stages: STAGES.stages.map((stage) => ({ ...stage, name: stage.name.replace('customer', 'buyer') })) };
    const other = shopFolder({ 'stages.json': renamed, 'touchpoints/checkout.json': { ...CHECKOUT, stage: 'buyer' } });
    assert.equal((await dultTry('apply', '--data', house.data, other)).status, 0);
    removeFolder(other);
    assert.equal((await shown('checkout')).stage, 'buyer');
    const fewer = shopFolder({ 'stages.json': { stages: [STAGES.stages[0]] } });
    assert.equal((await dultTry('apply', '--data', house.data, fewer)).status, 0);
    removeFolder(fewer);
    assert.match((await dultTry('map', '--data', house.data)).out, /its stage "buyer" is gone/);
    assert.equal((await dultTry('apply', '--data', house.data, shop)).status, 0);
    assert.doesNotMatch((await dultTry('map', '--data', house.data)).out, /is gone/);
    const empty = shopFolder({ 'stages.json': { stages: [{ name: 'customer' }] } });
    assert.match((await dultTry('check', empty)).err, /The stage "customer" does not say who is in it.*Add "when"/s);
    removeFolder(empty);
    const stray = shopFolder({ ...files(), 'touchpoints/blog.json': { stage: 'nowhere' } });
    const faulty = await dultTry('check', stray);
    removeFolder(stray);
    assert.equal(faulty.status, 3);
    assert.match(faulty.err, /touchpoints\/blog\.json: stage.*no stage "nowhere"/);
  });

  test('are there after a restart', async () => {
    await house.server.stop();
    await house.server.start();
    assert.equal((await shown('checkout')).seen.count, 3);
    const gone = await http('DELETE', `${house.server.origin}/api/v1/touchpoints/poster`, { headers: { authorization: `Bearer ${house.client.apiKey}` } });
    assert.equal(gone.status, 200);
    assert.equal(await shown('poster'), undefined);
  });
});

// Who of each group stands in which stage, by what was told alone.
describe('the map', { skip: skipWithoutProgram }, () => {
  const PEOPLE = 60;
  const people = Array.from({ length: PEOPLE }, (_, n) => ({
    id: `p${n}`,
    visited: n % 5 !== 0,
    orders: n % 3 === 0 ? 1 + (n % 2) * 3 : 0,
    plan: n % 4 === 0 ? 'pro' : 'free',
    subscribed: n % 7 === 0,
  }));
  const stageOf = ({ visited, orders }) => (orders >= 3 ? 'regular' : orders >= 1 ? 'customer' : visited ? 'visitor' : undefined);
  const GROUPS = {
    pro: ({ plan }) => plan === 'pro',
    readers: ({ subscribed }) => subscribed,
    nobody: () => false,
  };
  const stages = ['visitor', 'customer', 'regular'];
  let house;
  before(async () => {
    house = await openHouse({
      shop: shopFolder({
        'stages.json': {
          stages: [
            { name: 'visitor', when: 'did "Visit"' },
            { name: 'customer', when: 'did "Order"' },
            { name: 'regular', when: 'did "Order" at least 3 times' },
          ],
        },
        'segments/pro.segment': 'plan = "pro"\n',
        'segments/readers.segment': 'did "Subscribed"\n',
        'segments/nobody.segment': 'did "Moon Landed"\n',
        'touchpoints/till.json': { title: 'The till', stage: 'customer', events: ['Order'], source: 'shop' },
        'touchpoints/moon.json': { stage: 'regular', events: ['Mars Landed', 'Order'] },
        'touchpoints/poster.json': { stage: 'visitor', feeling: 'curious' },
        'journeys/letters.json': { journey: 'letters', trigger: { segment: 'readers' }, audience: 'plan = "pro" or plan = "free"', exit_when: 'in segment "nobody"', nodes: [{ id: 'rest', wait: '30 days' }] },
        'journeys/loyal.json': { journey: 'loyal', trigger: { stage: 'regular' }, audience: 'in segment "pro"', nodes: [{ id: 'rest', wait: '30 days' }, { id: 'ask', split: 'in segment "pro"', yes: 'done', no: 'done' }, { id: 'done', exit: true }] },
      }),
    });
    const batch = people.flatMap(({ id, visited, orders, plan, subscribed }) => [
      { type: 'identify', messageId: `${id}-i`, userId: id, traits: { plan } },
      ...(visited ? [{ type: 'track', messageId: `${id}-v`, userId: id, event: 'Visit' }] : []),
      ...Array.from({ length: orders }, (_, k) => ({ type: 'track', messageId: `${id}-o${k}`, userId: id, event: 'Order' })),
      ...(subscribed ? [{ type: 'track', messageId: `${id}-s`, userId: id, event: 'Subscribed' }] : []),
    ]);
    await house.client.send('/v1/batch', { batch });
  });
  after(() => house?.close());

  const count = (is) => people.filter(is).length;
  const wanted = (stage) => Object.entries(GROUPS)
    .map(([name, is]) => [name, count((one) => is(one) && stageOf(one) === stage), count(is)])
    .filter(([, here]) => here > 0)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

  test('says who stands where, of each segment and journey', async () => {
    const map = await house.client.get('/api/v1/map');
    assert.equal(map.people, PEOPLE);
    assert.deepEqual(map.stages.map(({ name, people: here }) => [name, here]),
      stages.map((stage) => [stage, count((one) => stageOf(one) === stage)]));
    assert.equal(map.none.people, count((one) => stageOf(one) === undefined));
    assert.equal(map.none.name, undefined);
    for (const place of [...map.stages, map.none])
      assert.deepEqual(place.segments.map(({ name, people: here, of }) => [name, here, of]), wanted(place.name), place.name);
    const inside = (place, journey) => place.journeys.find(({ name }) => name === journey);
    for (const place of [...map.stages, map.none])
      assert.equal(inside(place, 'letters')?.people ?? 0,
        count((one) => one.subscribed && stageOf(one) === place.name), place.name);
    const loyal = count((one) => one.plan === 'pro' && stageOf(one) === 'regular');
    assert.deepEqual(inside(map.stages[2], 'loyal'), { name: 'loyal', people: loyal, of: loyal, begins: true });
    assert.equal(inside(map.stages[1], 'loyal'), undefined);
    assert.deepEqual(map.journeys, [
      { name: 'letters', state: 'running', people: count(GROUPS.readers) },
      { name: 'loyal', state: 'running', people: loyal },
    ]);
  });

  test('names the journeys of each segment, and what each is to them', async () => {
    const { segments } = await house.client.get('/api/v1/map');
    assert.deepEqual(segments, [
      { name: 'nobody', people: 0, journeys: [{ name: 'letters', as: ['exit'] }] },
      { name: 'pro', people: count(GROUPS.pro), journeys: [{ name: 'loyal', as: ['audience', 'nodes'] }] },
      { name: 'readers', people: count(GROUPS.readers), journeys: [{ name: 'letters', as: ['trigger'] }] },
    ]);
  });

  test('has the touchpoints of each stage with what was seen, and marks what never was', async () => {
    const { stages: [visitor, customer, regular], unseen } = await house.client.get('/api/v1/map?days=1');
    const orders = people.reduce((all, one) => all + one.orders, 0);
    assert.deepEqual(visitor.touchpoints.map(({ name, seen, feeling }) => [name, seen.never, feeling]), [['poster', true, 'curious']]);
    assert.deepEqual(customer.touchpoints.map(({ name, title, seen }) => [name, title, seen.count, seen.people, seen.recent, seen.days]),
      [['till', 'The till', orders, count((one) => one.orders > 0), orders, 1]]);
    assert.deepEqual(regular.touchpoints[0].events.map(({ never }) => never), [true, false]);
    assert.deepEqual(unseen.map(({ event }) => event), ['Mars Landed']);
  });

  test('is told in words, and as of another instant', async () => {
    const told = await dult('map', '--data', house.data);
    assert.match(told, /^visitor {3}\d+ people\n {2}touchpoints\n {4}poster +never seen\n {8}curious\n/);
    assert.match(told, /The till +\d+ times by \d+ people, last \d{4}-\d\d-\d\d; \d+ in 30 days {3}from shop\n/);
    assert.match(told, / {8}never: did "Mars Landed"\n/);
    assert.match(told, / {4}loyal +\d+ of \d+ {3}begins by this stage\n/);
    assert.match(told, /\(no stage\)/);
    assert.match(told, /Journeys of a segment\nnobody +letters \(exit\)\npro +loyal \(audience, nodes\)\nreaders +letters \(trigger\)\n/);
    const before = JSON.parse(await dult('map', '--data', house.data, '--json', '--at', '2020-01-01'));
    assert.equal(before.people, 0);
    assert.ok(before.stages.every((stage) => stage.people === 0 && stage.segments.length === 0));
  });
});
