// `dult rehearse`: a draft run over history that was imported; and of people who really went through a
// published journey the same steps, messages and ends.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, patience, program, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const DAY = 86_400_000;
const WAIT_MS = 2000 * patience;
const NOW = Date.now(); /* one for all, or midnight comes between a deed and the day that is counted */
const ago = (days, minutes = 0) => new Date(NOW - days * DAY + minutes * 60_000).toISOString();

const mail = template({ subject: 'Hello', html: '<html><body><p>Hello <a href="https://tents.example/a">you</a></p></body></html>' });

// By chance, by deeds and by a timeout: every way is taken by somebody.
const WELCOME = {
  journey: 'welcome',
  trigger: { event: 'Signed Up' },
  exit_when: 'did "Order Completed" since entry',
  nodes: [
    { id: 'hello', email: 'hello' },
    { id: 'pause', wait: `${WAIT_MS / 1000} seconds` },
    { id: 'acted', split: 'did "Project Created"', yes: 'chance', no: 'remind' },
    { id: 'remind', email: 'remind' },
    { id: 'chance', split: [{ share: 50, next: 'look', name: 'left' }, { share: 50, next: 'done', name: 'right' }] },
    { id: 'look', wait_for: { event: 'Looked' }, within: '1 second', yes: 'done', timeout: 'late' },
    { id: 'late', email: 'late' },
    { id: 'done', exit: true },
  ],
};

const WINBACK = {
  journey: 'winback',
  trigger: { event: 'Order Completed', where: 'total > 50' },
  reentry: 'after 10 days',
  nodes: [
    { id: 'wait', wait: '7 days' },
    { id: 'again', split: 'did "Order Completed" in the last 7 days', yes: 'end', no: 'write' },
    { id: 'write', email: 'come-back' },
    { id: 'end', exit: true },
  ],
};

function shop() {
  return shopFolder({
    'journeys/welcome.json': WELCOME,
    ...Object.fromEntries(['hello', 'remind', 'late'].map((name) => [`templates/${name}.email`, mail])),
  });
}

describe('a rehearsal', { skip: skipWithoutProgram }, () => {
  let house;
  let drafts;
  const rehearse = async (...words) => JSON.parse(await dult('rehearse', '--data', house.data, '--json', ...words));
  let told = 0;
  const old = (userId, event, timestamp, properties) => house.client.send('/v1/track',
    { messageId: `old${told += 1}`, userId, event, timestamp, originalTimestamp: timestamp, properties });
  const identify = (userId, traits, timestamp) => house.client.send('/v1/identify',
    { messageId: `old${told += 1}`, userId, traits, ...(timestamp ? { timestamp, originalTimestamp: timestamp } : {}) });

  before(async () => {
    house = await openHouse({ shop: shop() });
    drafts = shopFolder({ 'journeys/winback.json': WINBACK, 'templates/come-back.email': mail });
  });
  after(() => house?.close());

  test('of a folder of drafts says who would have gone which way, and nothing is sent or defined', async () => {
    await identify('ann', { email: 'ann@x.example' }, ago(60));
    await identify('bea', { email: 'bea@x.example' }, ago(60));
    await old('ann', 'Order Completed', ago(50), { total: 80 });
    await old('bea', 'Order Completed', ago(40), { total: 80 });
    await old('bea', 'Order Completed', ago(35), { total: 90 });
    await old('cid', 'Order Completed', ago(30), { total: 60 });
    await old('dan', 'Order Completed', ago(30), { total: 10 });
    await old('eve', 'Order Completed', ago(3), { total: 70 });
    const answer = await rehearse(drafts);
    const [winback] = answer.journeys;
    assert.equal(winback.journey, 'winback');
    assert.equal(winback.people, 4);
    assert.equal(winback.entries, 4);
    assert.deepEqual(winback.not_entered, [{ reason: 'already inside', count: 1 }]);
    assert.equal(winback.inside, 1);
    const node = Object.fromEntries(winback.nodes.map((one) => [one.id, one]));
    assert.equal(node.wait.waiting, 1);
    assert.deepEqual(node.again.took, [{ way: 'no', count: 2 }, { way: 'yes', count: 1 }]);
    assert.equal(node.write.sent, 1);
    assert.deepEqual(node.write.held, [{ reason: 'no e-mail address', count: 1 }]);
    assert.deepEqual(winback.sample.map(({ userId }) => userId), ['ann', 'bea', 'cid', 'eve']);
    assert.equal(winback.days.find(({ sent }) => sent === 1).day, ago(43).slice(0, 10));
    assert.equal((await house.client.messages('ann')).length, 0);
    assert.equal(await house.client.get('/api/v1/journeys/winback'), undefined);
  });

  test('is a table for people, and names one person\'s way', async () => {
    const { status, out, err } = await dultTry('rehearse', '--data', house.data, drafts);
    assert.equal(status, 0, err);
    assert.match(out, /winback: 4 people would have entered \(4 times\), 1 messages sent, 1 held back/);
    assert.match(out, /write +message +2 +0 +1 sent, 1 held back/);
    assert.match(out, /1 +write: no e-mail address/);
    assert.match(err, /Assumed: Nobody opens or clicks/);
    const one = await dult('rehearse', '--data', house.data, '--person', 'ann', drafts);
    assert.match(one, /enrolled +winback\n.*step +winback: wait, until .*\n.*step +winback: again, no\n/);
    assert.match(one, /sent +winback: write, come-back/);
    assert.match(await dult('rehearse', '--data', house.data, '--person', 'dan', drafts), /nothing would have begun/);
  });

  test('takes a window, and refuses what is wrong with its place', async () => {
    assert.equal((await rehearse('--from', ago(45), '--to', ago(20), drafts)).journeys[0].people, 2);
    const file = join(drafts, 'lone.json');
    writeFileSync(file, JSON.stringify(WINBACK));
    const lone = await dultTry('rehearse', '--data', house.data, file);
    assert.equal(lone.status, 4);
    assert.match(lone.err, /journeys\/winback: nodes\[2\]\.email: There is no template "come-back"/);
    assert.equal((await dultTry('rehearse', '--data', house.data, 'nosuch')).status, 4);
    assert.equal((await dultTry('rehearse', '--data', house.data, '--person', 'nobody', drafts)).status, 4);
    assert.match((await dultTry('rehearse', '--data', house.data, '--from', 'never', drafts)).err, /from: This is no date/);
  });

  test('is asked over HTTP with a draft in the body', async () => {
    const ask = (body) => http('POST', `${house.server.origin}/api/v1/journeys/rehearse`,
      { headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body });
    const draft = { ...WINBACK, nodes: WINBACK.nodes.map((node) => (node.email ? { ...node, email: 'hello' } : node)) };
    const { status, body } = await ask({ draft, sample: 1 });
    assert.equal(status, 200);
    assert.equal(body.journeys[0].sample.length, 1);
    assert.equal((await ask({})).status, 400);
    assert.equal((await ask({ draft: 7 })).status, 400);
    assert.equal((await ask({ definitions: [{ kind: 'broadcast', name: 'x', text: 'y' }] })).status, 400);
  });

  // Life: eight people, some of whom act; then the rehearsal of the same hour.
  test('of a published journey is what really happened', async () => {
    const people = Array.from({ length: 8 }, (_, i) => `p${i}x`);
    const track = (userId, event, i) => house.client.send('/v1/track', { messageId: `l${event}${i}`, userId, event });
    for (const [i, who] of people.entries()) {
      if (i !== 3) await identify(who, { email: `${who}@x.example` });
      await track(who, 'Signed Up', i);
    }
    await Promise.all(people.map((who, i) => (i % 3 === 0 ? track(who, 'Project Created', i) : undefined)));
    await track(people[5], 'Order Completed', 5);
    const lived = async (who) => (await house.client.timeline(who))
      .filter(({ kind, type }) => kind === 'decision' && ['enrolled', 'step', 'ended', 'queued', 'sent', 'held back'].includes(type));
    await eventually('all have come to an end', async () => {
      for (const who of people) {
        const items = await lived(who);
        if (!items.some(({ type }) => type === 'ended')) return false;
        const queued = items.filter(({ type }) => type === 'queued').length;
        if (items.filter(({ type }) => type === 'sent' || type === 'held back').length < queued) return false;
      }
      return true;
    }, 30_000);
    let messages = 0;
    for (const who of people) {
      const items = (await lived(who)).reverse();
      const { person } = await rehearse('--person', who, 'welcome');
      const steps = (list) => list.filter(({ what }) => what === 'step' || what === 'ended')
        .map(({ what, node, took, reason }) => [what, node, took ?? reason ?? '']);
      const real = items.map(({ type, at, detail }) => ({ what: type, at, node: detail.node, took: detail.took, reason: detail.reason }));
      assert.deepEqual(steps(person.path), steps(real), who);
      for (const what of ['enrolled', 'queued', 'sent', 'held back']) {
        assert.equal(person.path.filter((line) => line.what === what).length, real.filter((line) => line.what === what).length, `${who} ${what}`);
      }
      const apart = (a, b) => Math.abs(new Date(a.at) - new Date(b.at));
      const stepsOf = (list) => list.filter(({ what }) => what === 'step');
      stepsOf(person.path).forEach((line, i) => assert.ok(apart(line, stepsOf(real)[i]) < 1000 * patience, `${who} ${line.node}`));
      messages += person.path.filter(({ what }) => what === 'sent').length;
    }
    assert.ok(messages >= 8, `${messages} messages`);
    const { journeys: [welcome] } = await rehearse('welcome');
    assert.equal(welcome.people, 8);
    assert.equal(welcome.sent, messages);
  });

  test('that takes long says how far it is, and Ctrl-C or a word ends it in order', async () => {
    const round = { journey: 'round', trigger: { event: 'Began' }, nodes: [{ id: 'w', wait: '1 minute', next: 'w' }] };
    const file = join(drafts, 'journeys', 'round.json');
    writeFileSync(file, JSON.stringify(round));
    for (let i = 0; i < 60; i += 1) await old(`r${i}`, 'Began', ago(80));
    const under = async () => (await house.client.get('/api/v1/rehearsals')).items.find(({ state }) => state === 'running');
    const begin = () => {
      const child = spawn(program, ['rehearse', '--data', house.data, file], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      child.stderr.on('data', (text) => { said += text; });
      return { child, end: once(child, 'close').then(([code]) => ({ code, said })) };
    };
    const first = begin();
    await eventually('somebody is lived', async () => (await under())?.lived > 0);
    const second = await dultTry('rehearse', '--data', house.data, file);
    assert.equal(second.status, 5, second.err); // busy
    assert.match(second.err, /One rehearsal runs at a time/);
    first.child.kill('SIGINT');
    const { code, said } = await first.end;
    assert.equal(code, 1, said);
    assert.match(said, /Stopped at \d+%; nothing was sent/);
    assert.equal(await under(), undefined);
    const third = begin();
    await eventually('another is under way', async () => (await under()) !== undefined);
    assert.match(await dult('rehearse', '--data', house.data, '--stop'), /ends/);
    assert.equal((await third.end).code, 1);
  });
});
