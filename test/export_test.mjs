// All that is kept about a person, in one document: whatever was told of them is found in it, and
// nothing that was told of anybody else.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, folder, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { links } from './lib/recorder.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const seed = Number(process.env.DULT_SEED ?? Date.now() % 1e9);
const KINDS = ['user', 'device', 'page', 'trait', 'nested', 'plan', 'bad', 'consent', 'file', 'data'];

const shop = () => shopFolder({
  'topics.json': { topics: [{ id: 'newsletter', channels: ['email'], texts: { en: { name: 'Newsletter' } } }] },
  'templates/welcome.email': template({ subject: 'Welcome', html: '<p>Hello {{ person.first_name | default: "you" }}'
    + ' <a href="https://tents.example/start">start</a> <a href="{{ links.unsubscribe }}">leave</a></p>' }),
  'templates/receipt.email': template({ subject: 'Receipt', html: '<p>{{ event.note }}</p>', transactional: 'yes', topic: 'orders' }),
  'journeys/welcome.json': { journey: 'welcome', trigger: { event: 'Signed Up' }, reentry: 'once',
    nodes: [{ id: 'hello', email: 'welcome' }, { id: 'pause', wait: '1 day' }, { id: 'done', exit: true }] },
  'segments/planners.segment': 'did "Signed Up"\n',
});

describe('the export of a person', { skip: skipWithoutProgram }, () => {
  let house;
  const api = (method, path, body) => http(method, `${house.server.origin}${path}`,
    { headers: { authorization: `Bearer ${house.client.apiKey}` }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const done = async (method, path, body) => {
    const answer = await api(method, path, body);
    assert.ok(answer.status < 300, `${path}: ${answer.text}`);
  };
  const exported = (who) => api('GET', `/api/v1/profiles/${encodeURIComponent(who)}/export`);
  const whole = async (who) => {
    const answer = await exported(who);
    assert.equal(answer.status, 200, answer.text);
    return answer;
  };

  before(async () => {
    house = await openHouse({ shop: shop() });
  });
  after(() => house?.close());

  // Somebody whose every word is marked, told in an order that chance chooses; gives the marks.
  async function tell(name, random) {
    const mark = (kind) => `M${name}${kind}`;
    const user = mark('user');
    const send = (path, body) => house.client.send(path, { messageId: `${name}-${random.below(1e12)}`, ...body });
    const words = [
      () => send('/v1/track', { anonymousId: mark('device'), event: 'Visit', properties: { page: mark('page') } }),
      () => send('/v1/identify', { userId: user, traits: { note: mark('trait'), address: { street: mark('nested') } } }),
      () => send('/v1/track', { userId: user, event: 'Signed Up', properties: { plan: mark('plan') } }),
      () => house.client.post('/v1/track', { messageId: `${name}-bad`, userId: user, properties: { bad: mark('bad') } }),
      () => done('POST', `/api/v1/profiles/${user}/consent`, { topic: 'newsletter', state: 'subscribed', how: mark('consent') }),
      () => done('POST', '/api/v1/messages', { template: 'receipt', person: user, data: { note: mark('data') },
        attachments: [{ name: `${mark('file')}.txt`, type: 'text/plain', content: Buffer.from('x').toString('base64') }] }),
    ];
    await send('/v1/identify', { userId: user, anonymousId: mark('device'), traits: { email: `${name}@x.example`, first_name: name } });
    for (let left = words.length; left > 0; left--)
      await words.splice(random.below(left), 1)[0]();
    return { user, marks: KINDS.map(mark), address: `${name}@x.example` };
  }

  test(`has every mark of the person and none of anybody else (seed ${seed})`, async () => {
    const random = new Random(seed);
    const people = [];
    for (const name of ['ADA', 'BOB', 'EVE']) people.push(await tell(name, random));
    await eventually('all mails are out', () => people.every(({ address }) => house.recorder.to(address).length === 2), 60_000);
    await eventually('nothing waits', async () => (await house.client.get('/api/v1/messages/summary')).sending === 0);
    for (const { user, marks } of people) {
      const { text, body } = await whole(user);
      for (const mark of marks) assert.ok(text.includes(mark), `${mark} is in ${text}`);
      for (const other of people)
        if (other.user !== user)
          for (const mark of other.marks) assert.ok(!text.includes(mark), `${mark} is not in the export of ${user}`);
      assert.equal(body.format, 'dult-person-1');
      for (const section of Object.keys(body.sections)) assert.ok(section in body, section);
    }
  });

  test('says what each thing is: where a trait is from, the proof of a yes, a journey step by step, a mail and its clicks', async () => {
    const { body } = await whole('MADAuser');
    const trait = body.traits.find(({ name }) => name === 'note');
    assert.deepEqual([trait.value, trait.source, typeof trait.record], ['MADAtrait', 'shop', 'number']);
    assert.equal(body.traits.find(({ name }) => name === 'address.street').source, 'shop');
    assert.ok(body.events.every(({ type, name }) => type !== 'consent' || name === undefined), 'a word of consent is no event of a name');
    assert.match(trait.told, /^20\d\d-.*Z$/);
    const [yes] = body.consent.said.filter(({ how }) => how === 'MADAconsent');
    assert.deepEqual([yes.topic, yes.state, /^key /.test(yes.proof.by)], ['newsletter', 'subscribed', true]);
    const [way] = body.enrollments;
    assert.deepEqual([way.journey, way.path[0].type], ['welcome', 'enrolled']);
    assert.ok(way.path.some(({ node, due }) => node === 'pause' && /Z$/.test(due)), JSON.stringify(way));
    assert.ok(body.history.some(({ type, segment }) => type === 'entered' && segment === 'planners'));
    assert.ok(body.events.some(({ name, properties }) => name === 'Visit' && properties.page === 'MADApage'));
    assert.deepEqual(body.rejected.map(({ told }) => told.properties), [{ bad: 'MADAbad' }]);

    const mail = (await house.recorder.wait('ADA@x.example', 2)).find(({ subject }) => subject === 'Welcome');
    const click = links(mail.html).find((url) => url.includes('/c/'));
    await http('GET', house.local(click), { headers: { 'user-agent': 'Barracuda Sentinel (bot)' } });
    await http('GET', house.local(click), { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0' } });
    const message = await eventually('both clicks are told', async () => {
      const { body: now } = await whole('MADAuser');
      const one = now.messages.find(({ template: name }) => name === 'welcome');
      return one.clicked.byPeople + one.clicked.byMachines === 2 ? one : undefined;
    });
    assert.deepEqual([message.clicked, message.state, message.journey], [{ byPeople: 1, byMachines: 1 }, 'sent', 'welcome']);
    assert.equal(message.steps.find(({ type }) => type === 'sending').to, 'ADA@x.example');
    assert.match((await http('GET', house.local(message.view))).text, /Hello ADA/);
    const receipt = body.messages.find(({ template: name }) => name === 'receipt');
    assert.deepEqual(receipt.files.map(({ name }) => name), ['MADAfile.txt']);
  });

  test('after a merge has both, parted again each their own, and erased nobody', async () => {
    await house.client.send('/v1/track', { anonymousId: 'laptop', event: 'Visit', properties: { page: 'LAPTOPpage' } });
    await house.client.send('/v1/identify', { userId: 'kim', traits: { note: 'KIMtrait' } });
    await house.client.send('/v1/identify', { userId: 'kim', anonymousId: 'laptop', traits: {} });
    const both = (await whole('kim')).text;
    assert.ok(both.includes('LAPTOPpage') && both.includes('KIMtrait'));
    const [{ merge }] = (await house.client.profile('kim')).merges;
    await api('POST', '/api/v1/profiles/kim/unmerge', { merge });
    const kim = (await whole('kim')).text;
    const laptop = (await whole('anonymous:laptop')).text;
    assert.ok(kim.includes('KIMtrait') && !kim.includes('LAPTOPpage'), kim);
    assert.ok(laptop.includes('LAPTOPpage') && !laptop.includes('KIMtrait'), laptop);
    await api('DELETE', '/api/v1/profiles/kim');
    assert.equal((await exported('kim')).status, 404);
    assert.equal((await exported('nobody')).status, 404);
  });

  test('of many events leaves no file behind, is whole, and is given by the command line, too', async () => {
    const COUNT = 20_000;
    for (let from = 0; from < COUNT; from += 1000) {
      const batch = Array.from({ length: 1000 }, (_, i) => ({ type: 'track', userId: 'busy', messageId: `busy-${from + i}`,
        event: 'Visit', properties: { number: from + i, page: 'x'.repeat(200) } }));
      await house.client.send('/v1/batch', { batch });
    }
    const [first, second] = await Promise.all([exported('busy'), exported('busy')]);
    assert.deepEqual([first.status, second.status].sort(), [200, 503], 'one at a time');
    const { body } = first.status === 200 ? first : second;
    assert.deepEqual(body.events.map(({ properties }) => properties.number), Array.from({ length: COUNT }, (_, i) => i));
    assert.deepEqual(readdirSync(house.data).filter((name) => name.startsWith('spool')), []);

    const out = folder('export');
    try {
      const file = join(out, 'busy.json');
      await dult('export', '--data', house.data, '--out', file, 'busy');
      assert.equal(JSON.parse(readFileSync(file, 'utf8')).events.length, COUNT);
      assert.notEqual((await dultTry('export', '--data', house.data, '--out', file, 'busy')).status, 0, 'no file is overwritten');
      const none = join(out, 'none.json');
      assert.notEqual((await dultTry('export', '--data', house.data, '--out', none, 'nobody')).status, 0);
      assert.ok(!existsSync(none));
    } finally {
      removeFolder(out);
    }
  });
});
