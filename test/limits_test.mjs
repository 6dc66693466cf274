// Quiet hours and limits over the running program: real mails wait, are held back with the reason, and go in time, also
// after a restart; and stories tell the same in milliseconds.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const mailing = (name, more = {}) => ({
  [`templates/${name}.email`]: template({ subject: name, topic: 'news', html: `<p>${name}</p>` }),
  [`journeys/${name}.json`]: { journey: name, trigger: { event: name }, reentry: 'always', nodes: [{ id: 'm', email: name }], ...more },
});
const clock = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16); // UTC, as the workspace's

const NIGHT = { quiet: [{ from: '21:00', to: '08:00' }], limits: [{ most: 1, in: '1 day' }] };
const STORY = {
  stories: [{
    story: 'At night nothing comes, and one a day is enough',
    from: '2026-03-02T22:00:00Z',
    tell: [
      { person: 'ada', traits: { email: 'ada@x.example' } },
      { person: 'ada', event: 'plain' },
      { person: 'ada', event: 'vital' },
      { after: '9 hours', person: 'ada', gets: [] },
      { after: '1 hour', person: 'ada', gets: [{ message: 'vital', at: '2026-03-03T08:00:00Z' }] },
      { after: '20 days', person: 'ada', gets: [] },
      { person: 'ada', event: 'plain' },
      { person: 'ada', gets: ['plain'] },
    ],
  }],
};

describe('limits', { skip: skipWithoutProgram }, () => {
  let house;
  const shop = shopFolder({ ...mailing('plain'), ...mailing('vital', { priority: 9 }), 'limits.json': {}, 'stories/night.json': STORY });
  const run = (...words) => spawnSync(program, words, { encoding: 'utf8' });
  const put = (limits) => {
    writeFileSync(join(shop, 'limits.json'), JSON.stringify(limits));
    const { status, stdout, stderr } = run('apply', '--data', house.data, shop);
    assert.equal(status, 0, stdout + stderr);
  };
  const happens = (userId, event) => house.client.send('/v1/track', { userId, event });
  const person = (userId) => house.client.send('/v1/identify', { userId, traits: { email: `${userId}@x.example` } });
  const mails = (userId) => house.recorder.mails.filter((mail) => mail.to.includes(`${userId}@x.example`)).map((mail) => /^Subject: (.*)$/m.exec(mail.raw)[1]);
  const messages = async (userId) => (await house.client.get(`/api/v1/profiles/${userId}/timeline`)).items ?? [];

  before(async () => { house = await openHouse({ shop }); });
  after(() => house?.close());

  test('stories are held to them', () => {
    writeFileSync(join(shop, 'limits.json'), JSON.stringify(NIGHT));
    const told = run('test', shop);
    assert.match(told.stdout, /1 passed, 0 failed/, told.stdout + told.stderr);
    writeFileSync(join(shop, 'limits.json'), '{}');
    assert.match(run('test', shop).stdout, /0 passed, 1 failed/);
    writeFileSync(join(shop, 'limits.json'), JSON.stringify({ quiet: [{ from: '20:00', to: '07:00' }] }));
    assert.match(run('test', shop).stdout, /2026-03-02T22:00 {2}message plain waits: quiet hours by the person's clock, until 2026-03-03T07:00/);
  });

  test('a fault is told with its place, and nothing changes', async () => {
    writeFileSync(join(shop, 'limits.json'), JSON.stringify({ quiet: [{ from: '9 pm', to: '08:00' }] }));
    const { status, stdout, stderr } = run('apply', '--data', house.data, shop);
    assert.notEqual(status, 0);
    assert.match(stdout + stderr, /limits\.json.*quiet\[0\]\.from/s);
    assert.deepEqual(JSON.parse((await house.client.get('/api/v1/limits')).text), {});
  });

  test('one too many is held back, and says why', async () => {
    put({ limits: [{ most: 1, in: '1 day', channel: 'email' }] });
    await person('ada');
    await happens('ada', 'plain');
    await eventually('the first is there', () => mails('ada').length === 1);
    await eventually('it is told', async () => JSON.stringify(await messages('ada')).includes('Message Sent'));
    await happens('ada', 'plain');
    await eventually('the second is held back', async () => JSON.stringify(await messages('ada')).includes('at most 1 by email in 1 day'));
    assert.deepEqual(mails('ada'), ['plain']);
  });

  test('in quiet hours it waits, says until when, and a restart makes no difference', async () => {
    put({ quiet: [{ from: clock(-60), to: clock(60) }] });
    await person('bob');
    await happens('bob', 'plain');
    const waiting = async () => JSON.stringify(await messages('bob')).includes('quiet hours by the person');
    await eventually('it waits', waiting);
    await house.server.restart();
    assert.equal(await waiting(), true);
    assert.deepEqual(mails('bob'), []);
    assert.match(run('show', '--data', house.data, 'bob').stdout, /quiet hours/);
    const [one] = (await house.client.get('/api/v1/messages?profile=bob')).items;
    const why = run('explain', '--data', house.data, 'bob', 'message', String(one.id)).stdout;
    assert.match(why, /^It is queued: it waits until then\.\nIt is looked at next: \S+\nIt was tried 0 times\.\nLast answer: waiting at \S+: quiet hours by the person's clock\n/);
    const { trying } = await house.client.get(`/api/v1/profiles/bob/explain?message=${one.id}`);
    assert.equal(Date.parse(trying.at) > Date.now() && trying.state === 'queued', true);
  });

  test('when the hour has come it goes', async () => {
    const to = clock(2); // the minute after the next: there is time to be told to wait
    put({ quiet: [{ from: clock(-60), to }] });
    await person('cat');
    await happens('cat', 'plain');
    await eventually('it waits', async () => JSON.stringify(await messages('cat')).includes('quiet hours'));
    assert.deepEqual(mails('cat'), []);
    await eventually('it goes', () => mails('cat').length === 1, 140_000);
    assert.ok(clock(0) >= to || to < '00:05');
  });
});
