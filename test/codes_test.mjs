// Discount codes: one a person and enrollment, none twice, also when the program is killed in the
// middle; an empty pool holds its mail; an order redeems, and ends the journey that sent the code.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const mail = (subject, text) => template({ subject, transactional: 'yes', html: `<p>${text}</p>`, text });
const journey = (name, event, nodes, more = {}) => ({ journey: name, trigger: { event }, reentry: 'always', nodes, ...more });

const files = {
  'codes/spring.json': { kind: 'pool', expires: '14 days', low: 3 },
  'codes/drawn.json': { kind: 'generated', prefix: 'TENT-', length: 12 },
  'codes/hello.json': { kind: 'fixed', code: 'Hello10', expires: '2099-12-31' },
  'codes/twice.json': { kind: 'fixed', code: 'Twice10' },
  'codes/rush.json': { kind: 'pool' },
  'templates/offer.email': mail('offer', 'code={{ codes.spring.code }}; until={{ codes.spring.expires_at | date: "%Y-%m-%d" }}; <a href="{{ links.view }}">see</a>'),
  'templates/again.email': mail('again', 'code={{ codes["spring"].code }};'),
  'templates/drawn.email': mail('drawn', 'code={{ codes.drawn.code }};'),
  'templates/hello.email': mail('hello', 'code={{ codes.hello.code }};'),
  'templates/twice.email': mail('twice', 'code={{ codes.twice.code }};'),
  'templates/rush.email': mail('rush', 'code={{ codes.rush.code }};'),
  'journeys/spring.json': journey('spring', 'Spring', [
    { id: 'offer', email: 'offer' }, { id: 'wait', wait: '1 second' }, { id: 'again', email: 'again' },
    { id: 'long', wait: '30 days' }, { id: 'late', email: 'again' },
  ], { exit_when: 'did "Code Redeemed" where pool = "spring" since entry' }),
  'journeys/drawn.json': journey('drawn', 'Drawn', [{ id: 'm', email: 'drawn' }]),
  'journeys/hello.json': journey('hello', 'Hello', [{ id: 'm', email: 'hello' }]),
  'journeys/twice.json': journey('twice', 'Twice', [{ id: 'm', email: 'twice' }, { id: 'wait', wait: '2 seconds' }, { id: 'n', email: 'twice' }]),
  'journeys/rush.json': journey('rush', 'Rush', [{ id: 'm', email: 'rush' }]),
};

const codeIn = (sent) => /code=([^;]+);/.exec(sent.text)?.[1];

describe('discount codes', { skip: skipWithoutProgram }, () => {
  let house;
  let begun; // the first mail was asked for after this
  const run = (...words) => spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
  const pool = (name) => house.client.get(`/api/v1/codes/${name}`);
  const api = (method, path, body) => http(method, `${house.server.origin}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body,
  });
  const upload = async (name, codes) => (await api('POST', `codes/${name}/codes`, { codes })).body;
  const tell = async (id, event, properties) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example`, timezone: 'Europe/Oslo' } });
    await house.client.send('/v1/track', { userId: id, event, properties });
  };
  const order = (id, properties, more = {}) => house.client.send('/v1/track', { userId: id, event: 'Order Completed', properties, ...more });
  const redeemed = async (id) => (await house.client.timeline(id)).filter((one) => one.name === 'Code Redeemed');

  before(async () => { house = await openHouse({ shop: shopFolder(files) }); });
  after(() => house?.close());

  test('an unknown pool is a fault that the check names, and so is one in a snippet', () => {
    const shop = shopFolder({ 'templates/x.email': mail('x', '{{ codes.nowhere.code }}'), 'snippets/s.liquid': '{{ codes.spring.code }}' });
    const checked = run('check', shop);
    assert.equal(checked.status, 3);
    assert.match(checked.stderr, /There are no codes "nowhere"/);
    assert.match(checked.stderr, /A snippet takes no code of its own \("spring"\)/);
  });

  test('a message waits for an empty pool, says why, and goes when codes come', async () => {
    begun = Date.now();
    await tell('ada', 'Spring');
    const waiting = await eventually('it waits', async () => {
      const [message] = await house.client.messages('ada');
      return message.state === 'waiting' && message;
    });
    assert.match(waiting.reason, /^the codes "spring" are used up$/);
    assert.equal((await pool('spring')).waiting, 1);
    assert.match(run('codes').stdout, /spring\s+pool\s+0 left of 0, .*; 1 messages wait for codes/);

    const file = join(house.data, 'codes.csv');
    writeFileSync(file, 'Coupon,Note\nSPRING-1,first\nspring-1,again\nSPRING 2,spaces\n"SPRING-3"\nSPRING-4\n');
    const imported = run('codes', 'import', 'spring', file);
    assert.equal(imported.status, 0, imported.stderr);
    assert.equal(imported.stdout, '3 codes added, 1 were there already, 1 lines refused\n');
    assert.match(imported.stderr, /^Line 4 was refused \(SPRING 2\): A code has 1 to 64 signs/);

    const [sent] = await house.recorder.wait('ada@x.example', 1);
    assert.equal(codeIn(sent), 'SPRING-1');
    assert.equal(run('codes', 'import', 'spring', file).stdout, '0 codes added, 4 were there already, 1 lines refused\n');
  });

  test('the reminder of the same enrollment has the same code, and so has the mail in a browser', async () => {
    const mails = await house.recorder.wait('ada@x.example', 2); /* over two connections: in either order */
    const [first, again] = ['offer', 'again'].map((subject) => mails.find((mail) => mail.subject === subject));
    assert.equal(codeIn(again), codeIn(first));
    const [link] = first.html.match(/https:\/\/[^"]*\/v\/[^"]*/);
    const page = await http('GET', house.local(link.replaceAll('&amp;', '&')));
    assert.match(page.text ?? page.body, /code=SPRING-1;/);
    const days = [begun, Date.now()].map((at) => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' }).format(new Date(at + 14 * 86400e3)));
    assert.match(first.text, new RegExp(`until=(${days.join('|')});`)); /* two where midnight came in between */
  });

  test('a low pool is told to whoever runs the house', async () => {
    await eventually('the log says so', () => /Of the codes .{1,2}spring.{1,2} 2 are left/.test(house.server.said));
    const now = await pool('spring');
    assert.deepEqual([now.is_low, now.is_empty, now.left, now.given], [true, false, 2, 1]);
    assert.match(run('doctor').stdout, /Of the codes spring 2 are left/);
    assert.match((await http('GET', `${house.server.origin}/metrics`)).text, /dult_codes_left\{pool="spring"\} 2/);
  });

  test('a preview shows an example and spends nothing', async () => {
    const shown = run('preview', '--person', 'ada', 'offer');
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stdout, /EXAMPLE-SPRING/);
    assert.equal((await pool('spring')).left, 2);
  });

  test('an order redeems once, ends the journey, and says whether its owner ordered', async () => {
    await order('ada', { order_id: '881', coupon: 'spring-1', total: 99.5, currency: 'NOK' });
    const [told] = await eventually('it is told', async () => {
      const all = await redeemed('ada');
      return all.length > 0 && all;
    });
    assert.deepEqual({ ...told.properties, message: 0 }, {
      code: 'SPRING-1', pool: 'spring', order_id: '881', by_owner: true, expired: false,
      journey: 'spring', template: 'offer', message: 0, value: 99.5, currency: 'NOK',
    });
    await order('ada', { order_id: 881, discount_codes: [{ code: 'SPRING-1' }] });
    await order('bob', { order_id: '900', discount_codes: ['SPRING-1', 'NOBODYS'] });
    const all = await eventually('the other order is told', async () => {
      const list = await redeemed('ada');
      return list.length > 1 && list;
    });
    assert.deepEqual(all.map((one) => [one.properties.order_id, one.properties.by_owner]).sort(), [['881', true], ['900', false]]);
    assert.equal((await redeemed('bob')).length, 0);
    const left = (await house.client.timeline('ada')).filter((one) => one.kind === 'decision' && /exit/.test(one.detail?.reason ?? ''));
    assert.equal(left.length, 1, JSON.stringify(await house.client.timeline('ada')));
    const found = JSON.parse(run('codes', 'find', 'Spring-1', '--json').stdout).items[0];
    assert.deepEqual([found.state, found.pool, found.journey, found.orders, found.by.map((one) => one.order_id)], ['redeemed', 'spring', 'spring', 2, ['881', '900']]);
  });

  test('a code that was given to nobody yet redeems nothing', async () => {
    await order('cid', { order_id: '901', coupon: 'SPRING-4' });
    assert.equal((await redeemed('cid')).length, 0);
    assert.equal((await pool('spring')).redeemed, 1);
  });

  test('a fixed code is everyone\'s: who ordered has the event', async () => {
    await tell('dag', 'Hello');
    await house.recorder.wait('dag@x.example', 1);
    await order('dag', { order_id: '1', coupon: 'HELLO10' });
    await order('eva', { order_id: '2', coupon: 'hello10' });
    const both = await eventually('both are told', async () => {
      const list = [...await redeemed('dag'), ...await redeemed('eva')];
      return list.length === 2 && list;
    });
    assert.deepEqual(both.map((one) => one.properties.by_owner), [true, false]);
    assert.equal((await pool('hello')).orders, 2);
  });

  test('an order told again is the same order after the fixed code was given once more', async () => {
    await order('dag', { order_id: '1', coupon: 'HELLO10' }, { messageId: 'once more' });
    await tell('dag', 'Hello');
    await house.recorder.wait('dag@x.example', 2);
    await order('dag', { order_id: '1', coupon: 'HELLO10' }, { messageId: 'and again' });
    assert.equal((await redeemed('dag')).length, 1);
    assert.equal((await pool('hello')).orders, 2);
  });

  test('a fixed code that was changed still redeems for who was given it, and for nobody else', async () => {
    await tell('gro', 'Twice');
    await house.recorder.wait('gro@x.example', 1);
    assert.equal((await api('PUT', 'codes/twice', { kind: 'fixed', code: 'Twice15' })).status, 200);
    const [first, reminder] = await house.recorder.wait('gro@x.example', 2);
    assert.deepEqual([codeIn(first), codeIn(reminder)], ['Twice10', 'Twice10'], 'the reminder repeats it');
    await order('gro', { order_id: '31', coupon: 'twice10' });
    await order('eva', { order_id: '32', coupon: 'twice10' });
    const [told] = await eventually('it is told', async () => {
      const list = await redeemed('gro');
      return list.length > 0 && list;
    });
    assert.deepEqual([told.properties.code, told.properties.by_owner], ['Twice10', true]);
    assert.equal((await redeemed('eva')).filter((one) => one.properties.order_id === '32').length, 0);
  });

  test('generated codes are drawn ahead, told to the shop as CSV before they are given, and no two are the same', async () => {
    const csv = run('codes', 'export', 'drawn', '--state', 'left').stdout.trim().split('\n');
    assert.equal(csv[0], 'number,code,state,given,expires_at,redeemed');
    const drawn = csv.slice(1).map((line) => line.split(',')[1]);
    assert.ok(drawn.length >= 1000, `${drawn.length} are drawn`);
    assert.equal(new Set(drawn).size, drawn.length);
    for (const code of drawn) assert.match(code, /^TENT-[2-9A-HJKMNP-Z]{12}$/);
    for (const id of ['fia', 'geir']) await tell(id, 'Drawn');
    const given = [];
    for (const id of ['fia', 'geir']) given.push(codeIn((await house.recorder.wait(`${id}@x.example`, 1))[0]));
    assert.deepEqual(given, drawn.slice(0, 2));
  });

  test('withdrawn codes are given to nobody, and the kind of a pool stays', async () => {
    assert.equal(run('codes', 'withdraw', 'spring').stdout, '2 codes are given to nobody\n');
    assert.match(run('codes', 'export', 'spring', '--state', 'withdrawn').stdout, /SPRING-3[^]*SPRING-4/);
    assert.equal((await api('PUT', 'codes/spring', { kind: 'generated' })).status, 409);
    const again = await upload('spring', ['SPRING-1', 'spring-3', 'SPRING-4']);
    assert.deepEqual([again.added, again.already, again.withdrawn], [0, 1, 2]);
  });

  test('JSON is JSON however it is laid out, and a code that a table would reckon with is refused', async () => {
    const told = await http('POST', `${house.server.origin}/api/v1/codes/rush/codes`, {
      headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' },
      body: `\ufeff\n${JSON.stringify({ codes: ['=1+1', '-5', '@x', '+5'] }, null, 2)}`,
    });
    assert.deepEqual([told.status, told.body.added, told.body.refused], [200, 0, 4]);
  });

  test('a spent code stays spent when its owner is erased, and names nobody', async () => {
    assert.equal(run('erase', 'ada', '--yes').status, 0);
    await eventually('it is carried out', async () => {
      const found = JSON.parse(run('codes', 'find', 'SPRING-1', '--json').stdout).items[0];
      return found.profile === undefined && found.by.every((one) => one.order_id !== '881' || one.profile === undefined)
        && found.by.length === 2 && found.orders === 2 && found.state === 'redeemed';
    });
    await order('bob', { order_id: '881', coupon: 'SPRING-1' });
    assert.equal(JSON.parse(run('codes', 'find', 'SPRING-1', '--json').stdout).items[0].orders, 2, 'it was told before');
    await upload('spring', ['spring-1', 'SPRING-5']);
    await tell('hal', 'Spring');
    assert.equal(codeIn((await house.recorder.wait('hal@x.example', 1))[0]), 'SPRING-5');
  });

  test('no two people share a code when the program is killed in the middle, and all are served', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e6);
    console.log(`# codes: seed ${seed}`);
    const random = new Random(seed);
    const people = 120;
    let told = 0, uploaded = 0;
    while (told < people) {
      const some = Math.min(people - told, 1 + random.below(30));
      const batch = [];
      for (let i = 0; i < some; i += 1) {
        batch.push({ type: 'identify', userId: `r${told + i}`, traits: { email: `r${told + i}@x.example` }, messageId: `i${told + i}` });
        batch.push({ type: 'track', userId: `r${told + i}`, event: 'Rush', messageId: `t${told + i}` });
      }
      await house.client.send('/v1/batch', { batch });
      told += some;
      const more = random.below(31);
      await upload('rush', Array.from({ length: more }, (_, i) => `RUSH${uploaded + i}`));
      uploaded += more;
      await new Promise((resolve) => { setTimeout(resolve, random.below(201)); });
      await house.server.kill();
      await house.server.start();
      // What was answered is there, and sent again it adds nothing.
      if (uploaded > 0) assert.deepEqual([(await upload('rush', Array.from({ length: uploaded }, (_, i) => `RUSH${i}`))).added], [0]);
    }
    await upload('rush', Array.from({ length: people }, (_, i) => `rush${uploaded + i}`));
    const final = new Set(['sent', 'unknown']);
    await eventually('every message is final', async () => {
      for (let i = 0; i < people; i += 1) {
        const [message] = await house.client.messages(`r${i}`);
        if (!final.has(message.state)) return false;
      }
      return true;
    }, 60_000);
    const codes = [];
    for (let i = 0; i < people; i += 1) for (const sent of await house.recorder.wait(`r${i}@x.example`, 0)) codes.push(codeIn(sent));
    assert.equal(new Set(codes).size, codes.length, 'no code reached two people');
    const { given } = await pool('rush');
    assert.equal(given, people, 'each has one');
    let sent = 0;
    for (let i = 0; i < people; i += 1) sent += (await house.client.messages(`r${i}`))[0].state === 'sent';
    assert.ok(codes.length >= sent && sent > 0, `${codes.length} mails came, ${sent} were sent`);
  });
});
