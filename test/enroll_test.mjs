// Somebody is let into a journey by hand, and taken out of it: by the API and by the command; told by explain, the numbers and a rehearsal.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, program, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const files = {
  'templates/call.email': template({ subject: 'Your call', html: '<p>About {{ event.plan }}</p>' }),
  'journeys/call.json': {
    journey: 'call',
    trigger: { api: true },
    reentry: 'always',
    nodes: [{ id: 'mail', email: 'call' }, { id: 'rest', wait: '3 days' }],
  },
};

describe('let in by hand', { skip: skipWithoutProgram }, () => {
  let house;
  const api = async (method, path, body) => {
    const headers = { authorization: `Bearer ${house.client.apiKey}` };
    const { status, body: answer } = await http(method, `${house.server.origin}/api/v1${path}`, { headers, ...(body && { body }) });
    return { status, ...answer };
  };
  const dult = (...words) => {
    const { status, stdout, stderr } = spawnSync(program, [...words, '--data', house.data], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  before(async () => {
    house = await openHouse({ shop: shopFolder(files) });
    for (const userId of ['ada', 'bob', 'cy', 'dee']) {
      const email = userId === 'dee' ? 'cy@x.example' : `${userId}@x.example`;
      await house.client.send('/v1/identify', { userId, traits: { email } });
    }
  });
  after(() => house?.close());

  test('who is let in gets what was given as the event, and is told so; who is inside is turned away with the reason', async () => {
    const first = await api('POST', '/journeys/call/enrollments', { person: 'ada', properties: { plan: 'pro' } });
    assert.equal(first.status, 200);
    assert.equal(first.result, 'entered');
    assert.ok(first.enrollment > 0);
    const again = await api('POST', '/journeys/call/enrollments', { person: 'ada' });
    assert.deepEqual([again.status, again.result, again.reason], [200, 'turned away', 'already inside']);
    await eventually('the mail came', () => house.recorder.mails.some(({ raw }) => raw.includes('About pro')), 20_000);
    const why = await api('GET', '/profiles/ada/explain?journey=call');
    assert.equal(why.decisions[0].detail.reason, 'let in by hand');
  });

  test('somebody is named by an address that one person alone has', async () => {
    const bob = await api('POST', '/journeys/call/enrollments', { person: 'bob@x.example', properties: { plan: 'free' } });
    assert.equal(bob.result, 'entered');
    const both = await api('POST', '/journeys/call/enrollments', { person: 'cy@x.example' });
    assert.equal(both.status, 409);
    const nobody = await api('POST', '/journeys/call/enrollments', { person: 'eve' });
    assert.equal(nobody.status, 404);
    assert.equal((await api('POST', '/journeys/none/enrollments', { person: 'ada' })).status, 404);
    assert.equal((await api('POST', '/journeys/call/enrollments', { who: 'ada' })).status, 400);
  });

  test('the command lets in and takes out, and says what became of it', async () => {
    const cy = dult('journey', 'enroll', 'call', 'cy', '--property', 'plan=pro', '--property', 'seats=3');
    assert.equal(cy.status, 0, cy.stderr);
    assert.match(cy.stdout, /cy came into call/);
    const again = dult('journey', 'enroll', 'call', 'cy');
    assert.equal(again.status, 1);
    assert.match(again.stdout, /did not come into call: already inside/);
    const out = dult('journey', 'leave', 'call', 'cy');
    assert.equal(out.status, 0, out.stderr);
    assert.match(out.stdout, /cy left call/);
    assert.equal(dult('journey', 'leave', 'call', 'cy').status, 4);
    const timeline = await api('GET', '/profiles/cy/timeline');
    const entry = JSON.stringify(timeline.items);
    assert.match(entry, /Journey Entry Requested/);
    assert.match(entry, /taken out by hand/);
  });

  test('the numbers tell it by reason, and a rehearsal of what was published does it again', async () => {
    const numbers = await api('GET', '/journeys/call/numbers');
    assert.deepEqual(numbers.let_in, { 'let in by hand': 3 });
    assert.deepEqual(numbers.exits, { 'taken out by hand': 1 });
    const { stdout, status, stderr } = dult('rehearse', '--json', 'call');
    assert.equal(status, 0, stderr);
    assert.equal(JSON.parse(stdout).journeys[0].entries, numbers.entered);
  });

  test('all of it is there after a kill', async () => {
    await house.server.kill();
    await house.server.start();
    const left = await api('DELETE', '/journeys/call/enrollments/ada');
    assert.deepEqual([left.status, left.result], [200, 'left']);
    assert.equal((await api('DELETE', '/journeys/call/enrollments/ada')).status, 404);
  });
});
