// Sending stops by itself when too much comes back, says so everywhere, and goes on when it is told to.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { countEvents, http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { links } from './lib/recorder.mjs';
import { shopFolder, template, WORKSPACE } from './lib/shop.mjs';

const script = ({ phase, address }) => (phase === 'rcpt' && address.startsWith('gone')
  ? { code: 550, text: '5.1.1 User unknown' } : undefined);

const files = {
  'topics.json': { topics: [{ id: 'news' }] },
  'templates/paper.email': template({ subject: 'paper', topic: 'news', html: '<p>paper</p>' }),
  'templates/receipt.email': template({ subject: 'receipt', transactional: 'yes', html: '<p>thanks</p>' }),
  'journeys/paper.json': { journey: 'paper', trigger: { event: 'Paper' }, reentry: 'always', nodes: [{ id: 'm', email: 'paper' }] },
  'journeys/receipt.json': { journey: 'receipt', trigger: { event: 'Bought' }, reentry: 'always', nodes: [{ id: 'm', email: 'receipt' }] },
};

describe('a spike of bounces', { skip: skipWithoutProgram }, () => {
  let house;
  const run = (...words) => spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
  const sending = () => house.client.get('/api/v1/sending');
  const tell = async (id, event) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
    await house.client.send('/v1/track', { userId: id, event });
  };
  const state = async (id) => (await house.client.messages(id))[0].state;
  const settle = (id, wanted) => eventually(`the message to ${id} is ${wanted}`, async () => await state(id) === wanted);

  before(async () => { house = await openHouse({ shop: shopFolder(files), recorder: { script }, args: ['--alert-to', 'ops@tents.example'] }); });
  after(() => house?.close());

  test('stops sending with the twentieth address that does not exist', async () => {
    assert.equal((await sending()).state, 'on');
    for (let i = 0; i < 25; i++) await tell(`gone${i}`, 'Paper');
    const stopped = await eventually('it is stopped', async () => {
      const now = await sending();
      return now.state === 'stopped' && now;
    });
    assert.match(stopped.why, /^20 of \d+ messages of the last 24 hours bounced for good$/);
    assert.equal(stopped.author, 'Dult');
    assert.ok(stopped.since);
    assert.equal((await house.client.stats()).sending.state, 'stopped');
  });

  test('is told by the doctor, the command and the log, with what to do', async () => {
    const doctor = run('doctor');
    assert.equal(doctor.status, 1);
    assert.match(doctor.stdout, /Sending is stopped since .*: 20 of/);
    assert.match(doctor.stdout, /dult sending resume/);
    assert.match(run('sending').stdout, /^Sending is stopped since .* \(Dult\): 20 of/);
    await eventually('it is in the log', () => /Sending has stopped by itself: 20 of/.test(house.server.said));
    const [told] = await house.recorder.wait('ops@tents.example', 1);
    assert.match(told.subject, /^\[Dult\] Sending has stopped by itself: 20 of/, 'while nothing else goes');
  });

  test('keeps newsletters waiting and lets receipts go, also after a restart', async () => {
    await tell('ada', 'Paper');
    await tell('ada', 'Bought');
    const [mail] = await house.recorder.wait('ada@x.example', 1);
    assert.equal(mail.subject, 'receipt');
    await house.server.stop();
    await house.server.start();
    assert.equal((await sending()).state, 'stopped');
    await tell('bob', 'Paper');
    await tell('bob', 'Bought');
    assert.equal((await house.recorder.wait('bob@x.example', 1))[0].subject, 'receipt');
    assert.equal(house.recorder.to('ada@x.example').length, 1);
  });

  test('what waited goes, once each, when somebody resumes', async () => {
    const resumed = run('sending', 'resume', '--why', 'the list is gone');
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.match(resumed.stdout, /^Sending is on since .*\(command line\): the list is gone/);
    assert.deepEqual((await house.recorder.wait('ada@x.example', 2)).map((mail) => mail.subject).sort(), ['paper', 'receipt']);
    await house.recorder.wait('bob@x.example', 2);
    await settle('ada', 'sent');
  });

  test('limits are settings, and a wrong one is refused with what to write', async () => {
    const put = (body) => http('PUT', `${house.server.origin}/api/v1/sending`,
      { headers: { authorization: `Bearer ${house.client.apiKey}` }, body: JSON.stringify(body) });
    const set = await put({ bounces: { percent: 2.5, least: 50 } });
    assert.deepEqual([set.body.state, set.body.bounces], ['on', { percent: 2.5, least: 50 }]);
    const wrong = await put({ hours: 0 });
    assert.equal(wrong.status, 400);
    assert.match(wrong.body.error.remedy, /24/);
    assert.equal((await put({ stat: 'on' })).status, 400);
    assert.deepEqual((await sending()).bounces, { percent: 2.5, least: 50 });
  });
});

const two = {
  'workspace.json': { ...WORKSPACE, senders: [{ id: 'news', name: 'News', email: 'hello@news.example', topics: ['news'] }] },
  'topics.json': { topics: [{ id: 'news' }, { id: 'tips' }] },
  'templates/paper.email': template({ subject: 'paper', topic: 'news', html: '<p>paper</p>' }),
  'templates/tip.email': template({ subject: 'tip', topic: 'tips', html: '<p>tip</p>' }),
  'journeys/paper.json': files['journeys/paper.json'],
  'journeys/tip.json': { journey: 'tip', trigger: { event: 'Tip' }, reentry: 'always', nodes: [{ id: 'm', email: 'tip' }] },
};

describe('a spike of one of two domains', { skip: skipWithoutProgram }, () => {
  let house;
  const run = (...words) => spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
  const sending = () => house.client.get('/api/v1/sending');
  const tell = async (id, event) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
    await house.client.send('/v1/track', { userId: id, event });
  };
  const subjects = async (id) => (await house.recorder.wait(`${id}@x.example`, house.recorder.to(`${id}@x.example`).length)).map(({ subject }) => subject).sort();

  before(async () => { house = await openHouse({ shop: shopFolder(two), recorder: { script } }); });
  after(() => house?.close());

  test('stops that one, and says so', async () => {
    await tell('ada', 'Tip');
    await house.recorder.wait('ada@x.example', 1);
    const sent = await eventually('the sending is on the timeline', async () =>
      (await house.client.timeline('ada')).find(({ name }) => name === 'Message Sent'));
    assert.equal(sent.properties.from, 'tents.example');
    for (let i = 0; i < 25; i++) await tell(`gone${i}`, 'Paper');
    const stopped = await eventually('it is stopped', async () => {
      const now = await sending();
      return now.domains.length > 0 && now;
    });
    assert.equal(stopped.state, 'on');
    assert.deepEqual(stopped.domains.map(({ domain }) => domain), ['news.example']);
    assert.match(stopped.domains[0].why, /^20 of \d+ messages of the last 24 hours bounced for good$/);
    await eventually('it is in the log', () => /Sending from news\.example has stopped by itself: 20 of/.test(house.server.said));
    assert.match(run('doctor').stdout, /Sending from news\.example is stopped: 20 of/);
    assert.match(run('sending').stdout, /^Sending is on.*\nSending from news\.example is stopped: 20 of/);
  });

  test('and the other goes on, also after a restart', async () => {
    for (const id of ['bob', 'cyd']) {
      await tell(id, 'Paper');
      await tell(id, 'Tip');
      await house.recorder.wait(`${id}@x.example`, 1);
      assert.deepEqual(await subjects(id), ['tip']);
      await house.server.stop();
      await house.server.start();
    }
    await tell('dag', 'Tip');
    await house.recorder.wait('dag@x.example', 1);
    assert.deepEqual([await subjects('bob'), await subjects('cyd')], [['tip'], ['tip']]);
  });

  test('what waited goes once when it is let go', async () => {
    assert.equal(run('sending', 'resume', 'other.example').status, 4);
    const resumed = run('sending', 'resume', 'news.example');
    assert.equal(resumed.status, 0, resumed.stderr);
    for (const id of ['bob', 'cyd']) await house.recorder.wait(`${id}@x.example`, 2);
    assert.deepEqual((await sending()).domains, []);
    await tell('dag', 'Paper');
    await house.recorder.wait('dag@x.example', 2);
    for (const id of ['bob', 'cyd', 'dag']) assert.deepEqual(await subjects(id), ['paper', 'tip']);
  });
});

describe('a message whose answer was lost', { skip: skipWithoutProgram }, () => {
  let house;
  const run = (...words) => spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
  const unknown = () => house.client.all('/api/v1/messages?state=unknown');
  const counts = () => house.client.get('/api/v1/messages/summary');
  const settle = (id, body) => http('POST', `${house.server.origin}/api/v1/messages/${id}/settle`,
    { headers: { authorization: `Bearer ${house.client.apiKey}` }, body: JSON.stringify(body) });

  before(async () => {
    house = await openHouse({ shop: shopFolder(files), recorder: { script: ({ phase }) => (phase === 'end' ? 'mute' : undefined) } });
    for (const id of ['ada', 'bob', 'cy']) {
      await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
      await house.client.send('/v1/track', { userId: id, event: 'Paper' });
    }
    await eventually('all three are unknown', async () => (await counts()).unknown === 3);
  });
  after(() => house?.close());

  test('is listed and settled by an open, also after a crash', async () => {
    await house.server.kill();
    await house.server.start();
    assert.deepEqual((await unknown()).map(({ to }) => to).sort(), ['ada@x.example', 'bob@x.example', 'cy@x.example']);
    const [mail] = await house.recorder.wait('ada@x.example');
    await http('GET', house.local(links(mail.html).find((url) => url.includes('/o/'))), { headers: { 'user-agent': 'Mozilla/5.0 (X11) Firefox/128' } });
    const [message] = await eventually('it is sent', async () => {
      const found = await house.client.messages('ada');
      return found[0].state === 'sent' && found;
    });
    assert.equal(message.reason, 'settled later: it was opened');
    assert.deepEqual([(await counts()).sent, (await counts()).unknown], [1, 2]);
  });

  test('is settled by hand, once, with why', async () => {
    const listed = run('sending', 'unknown').stdout.trim().split('\n');
    assert.equal(listed.length, 2);
    assert.match(listed[0], /^\d+ .*cy@x\.example {2}paper {2}/);
    const [cy, bob] = await unknown();
    const told = run('sending', 'settle', String(cy.id), 'failed', '--why', 'they called');
    assert.equal(told.status, 0, told.stderr);
    assert.match(told.stdout, /^Message \d+ is failed\.$/m);
    assert.equal((await settle(bob.id, { state: 'sent' })).status, 200);
    assert.equal((await settle(bob.id, { state: 'failed' })).status, 409);
    assert.equal((await settle(999999, { state: 'sent' })).status, 404);
    assert.equal((await settle(cy.id, { state: 'lost' })).status, 400);
    await house.server.kill();
    await house.server.start();
    assert.equal((await house.client.messages('cy'))[0].reason, 'settled by hand: they called');
    assert.deepEqual(await counts(), { due: 3, sent: 2, unknown: 0, failed: 1, held: 0, queued: 0, waiting: 0, sending: 0 });
    const timeline = await house.client.timeline('bob');
    assert.equal(countEvents(timeline, 'Message Sent'), 1, JSON.stringify(timeline));
    assert.equal(house.recorder.mails.length, 3, 'nothing was sent again');
  });
});
