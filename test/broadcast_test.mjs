// A broadcast as a marketer meets it: a file applied, looked at, launched, watched, and over.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const broadcast = (name, more = {}) => ({ broadcast: name, audience: 'plan = "pro"', template: 'offer', ...more });
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString(); // all tests are over by then

const files = {
  'templates/offer.email': template({ subject: 'Spring', html: '<p>Hello {{ person.first_name }}, <a href="https://tents.example/x">look</a></p>' }),
  'templates/name.email': template({ subject: 'Hello', html: '<p>{{ person.nickname }}</p>' }),
  'broadcasts/spring.json': broadcast('spring'),
  'broadcasts/slow.json': broadcast('slow', { audience: 'plan = "slow"', throttle: 3600 }),
  'broadcasts/later.json': broadcast('later', { when: { at: inAnHour() } }),
  'broadcasts/gaps.json': broadcast('gaps', { template: 'name' }),
  'templates/autumn.email': template({ subject: 'Autumn', html: '<p>Hello {{ person.first_name }}</p>' }),
  'broadcasts/either.json': {
    broadcast: 'either',
    audience: 'plan = "either"',
    experiment: {
      variants: [{ name: 'a', template: 'offer' }, { name: 'b', template: 'autumn' }],
      winner: { share: 1, decide_after: '10 days', otherwise: 'wait' },
    },
  },
};

const SLOW_PEOPLE = 60;
const PEOPLE = [
  ['ada', { email: 'ada@x.example', first_name: 'Ada', nickname: 'A' }],
  ['bob', { email: 'bob@x.example', first_name: 'Bob' }],
  ['cat', { email: 'Ada@x.example', first_name: 'Cat' }], // Ada's address
  ['dan', { first_name: 'Dan' }],
  ['eve', { email: 'eve@x.example', first_name: 'Eve' }],
  ['fay', { email: 'fay@x.example', first_name: 'Fay' }],
];

describe('broadcasts', { skip: skipWithoutProgram }, () => {
  let house;
  let isRefusing = true;
  const run = (...words) => spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
  const call = (method, path, body) => http(method, `${house.server.origin}/api/v1/broadcasts/${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` }, body,
  });
  const show = async (name) => (await call('GET', name)).body;
  const state = (name, wanted) => eventually(`${name} is ${wanted}`, async () => (await show(name)).state === wanted, 20_000);
  const listed = async (name, which) => (await house.client.all(`/api/v1/broadcasts/${name}/people?state=${which}`)).map(({ userId }) => userId).sort();
  const mailsTo = (address) => house.recorder.mails.filter((mail) => mail.to.includes(address) && mail.raw.includes('Subject: Spring')).length;

  before(async () => {
    const script = ({ phase, address }) => (isRefusing && phase === 'rcpt' && address === 'fay@x.example' ? { code: 554, text: '5.7.1 not today' } : undefined);
    house = await openHouse({ shop: shopFolder(files), recorder: { script } });
    for (const [userId, traits] of PEOPLE) await house.client.send('/v1/identify', { userId, traits: { ...traits, plan: 'pro' } });
    await house.client.send('/v1/identify', { userId: 'out', traits: { email: 'out@x.example', plan: 'free' } });
    await http('POST', `${house.server.origin}/api/v1/profiles/eve/consent`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` }, body: { state: 'unsubscribed', topic: 'newsletter' },
    });
  });
  after(() => house?.close());

  test('saved it is a draft, and a look at its launch counts without sending', async () => {
    assert.equal((await show('spring')).state, 'draft');
    const { status, body } = await call('POST', 'spring/launch?dry=1');
    assert.equal(status, 200);
    assert.equal(body.audience, 6);
    assert.equal(body.would_get_it, 3);
    assert.deepEqual(body.reasons, { no_consent: 1, no_address: 1, twice: 1 });
    assert.equal((await show('spring')).state, 'draft');
  });

  test('the command tells who would get it, and launches nothing while nobody says yes', async () => {
    const { stdout, stderr, status } = run('broadcast', 'launch', 'spring');
    assert.match(stdout, /3 people would get "spring"; 3 more would be held back: 1 no_consent, 1 no_address, 1 twice/);
    assert.match(stderr, /Add --yes/);
    assert.notEqual(status, 0);
    assert.equal((await show('spring')).state, 'draft');
    assert.equal(house.recorder.mails.length, 0);
  });

  test('launched each of its audience has an outcome, and the people stand behind the counts', async () => {
    const { stdout, status } = run('broadcast', 'launch', '--yes', 'spring');
    assert.equal(status, 0);
    assert.match(stdout, /^spring /);
    await state('spring', 'finished');
    const { counts, expected, recipients, final, percent, held_back: held } = await show('spring');
    assert.deepEqual([counts.sent, counts.failed, counts.no_consent, counts.no_address, counts.twice], [2, 1, 1, 1, 1]);
    assert.deepEqual([expected, recipients, final, percent, held], [6, 6, 6, 100, 3]);
    assert.deepEqual(await listed('spring', 'failed'), ['fay']);
    assert.deepEqual(await listed('spring', 'sent'), ['ada', 'bob']);
    assert.deepEqual(await listed('spring', 'held_back'), ['cat', 'dan', 'eve']);
    assert.equal(mailsTo('ada@x.example'), 1);
    assert.equal(mailsTo('out@x.example'), 0);
    assert.match(run('broadcast', 'people', '--state', 'failed', 'spring').stdout, /failed +fay/);
  });

  test('what came of it names the broadcast', async () => {
    const sent = (await house.client.timeline('ada')).find((one) => one.name === 'Message Sent');
    assert.equal(sent.body?.properties?.broadcast ?? sent.properties?.broadcast, 'spring');
    const [message] = await house.client.messages('ada');
    assert.equal(message.broadcast, 'spring');
    assert.equal(message.enrollment, undefined);
  });

  test('what was refused at once was tried, and came back', async () => {
    const { tried, sent, delivered, bounced } = (await call('GET', 'spring/numbers')).body;
    assert.deepEqual([tried, sent, delivered, bounced.hard + bounced.soft], [3, 2, 2, 1]);
  });

  test('those alone for whom it failed get it again', async () => {
    isRefusing = false;
    assert.equal(run('broadcast', 'retry-failed', 'spring').status, 0);
    await state('spring', 'finished');
    const { counts, retries } = await show('spring');
    assert.equal(retries, 1);
    assert.equal(counts.failed, 0);
    assert.equal(counts.sent, 3);
    for (const address of ['ada@x.example', 'bob@x.example', 'fay@x.example']) assert.equal(mailsTo(address), 1, address);
    assert.equal((await call('POST', 'spring/retry-failed')).status, 409);
    const { tried, delivered, bounced } = (await call('GET', 'spring/numbers')).body;
    assert.deepEqual([tried, delivered, bounced.hard + bounced.soft], [3, 3, 0]);
  });

  test('what was launched is not launched, changed or deleted again, and applying the same changes nothing', async () => {
    assert.equal((await call('POST', 'spring/launch')).status, 409);
    assert.equal((await call('PUT', 'spring', JSON.stringify(broadcast('spring', { throttle: 5 })))).status, 409);
    assert.equal((await call('PUT', 'spring?dry=1', JSON.stringify(broadcast('spring', { throttle: 5 })))).status, 409);
    assert.equal((await call('DELETE', 'spring')).status, 409);
    const text = (await show('spring')).text;
    assert.equal((await call('PUT', 'spring', text)).body.changed, false);
  });

  test('paused it stands still, resumed it goes on, cancelled it ends', async () => {
    for (let i = 0; i < SLOW_PEOPLE; i += 1) { // one a second: many more than go before it is paused
      await house.client.send('/v1/identify', { userId: `slow${i}`, traits: { email: `slow${i}@x.example`, first_name: 'S', plan: 'slow' } });
    }
    assert.equal((await call('POST', 'slow/launch')).status, 200);
    await eventually('the first has gone', async () => (await show('slow')).counts.sent >= 1);
    assert.equal((await call('POST', 'slow/pause')).body.state, 'paused');
    const { counts } = await eventually('nothing is on its way', async () => {
      const now = await show('slow');
      return now.counts.sending === 0 && now;
    });
    await house.server.stop();
    await house.server.start();
    await new Promise((resolve) => { setTimeout(resolve, 2500); });
    assert.deepEqual((await show('slow')).counts, counts);
    assert.equal((await call('POST', 'slow/pause')).status, 409);
    assert.equal((await call('POST', 'slow/resume')).body.state, 'running');
    await eventually('another has gone', async () => (await show('slow')).counts.sent > counts.sent);
    assert.equal((await call('POST', 'slow/cancel')).status, 200);
    await state('slow', 'cancelled');
    assert.equal((await call('POST', 'slow/retry-failed')).status, 409);
  });

  test('one for later waits for its time, also over a restart, and is cancelled without a word sent', async () => {
    const before = house.recorder.mails.length;
    assert.equal((await call('POST', 'later/launch')).body.state, 'scheduled');
    await house.server.stop();
    await house.server.start();
    const { state: now, next } = await show('later');
    assert.equal(now, 'scheduled');
    assert.ok(Date.parse(next) > Date.now());
    await call('POST', 'later/cancel');
    await state('later', 'cancelled');
    assert.equal((await show('later')).recipients, 0);
    assert.equal(house.recorder.mails.length, before);
  });

  test('who cannot be written to for want of a variable is held, and the others get it', async () => {
    assert.equal((await call('POST', 'gaps/launch')).status, 200);
    await state('gaps', 'finished');
    const { counts } = await show('gaps');
    assert.deepEqual(await listed('gaps', 'sent'), ['ada']);
    assert.equal(counts.held, 2);
  });

  test('the rest of an experiment waits for its winner, and gets the one that is chosen', async () => {
    for (const userId of ['gil', 'hal', 'ida']) {
      await house.client.send('/v1/identify', { userId, traits: { email: `${userId}@x.example`, first_name: userId, plan: 'either' } });
    }
    run('broadcast', 'launch', '--yes', 'either');
    await eventually('its share was come by', async () => (await show('either')).experiment.phase === 'tested', 20_000);
    assert.equal((await show('either')).state, 'running');
    const { status, stderr } = run('broadcast', 'choose', 'either', 'c');
    assert.notEqual(status, 0);
    assert.match(stderr, /There is no variant "c"/);
    const chosen = run('broadcast', 'choose', 'either', 'b');
    assert.equal(chosen.status, 0, chosen.stderr);
    assert.match(chosen.stdout, /experiment chosen: "b", by hand/);
    await state('either', 'finished');
    const { experiment, counts } = await show('either');
    assert.equal(experiment.winner, 'b');
    assert.equal(counts.sent, 3);
    assert.ok(house.recorder.mails.filter((mail) => mail.raw.includes('Subject: Autumn')).length >= 2);
  });
});
