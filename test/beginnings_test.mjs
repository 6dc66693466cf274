// Journeys that begin by a stage, a date of the person or a schedule, and are for some: served, explained, told as stories, and over a kill.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const end = [{ id: 'mail', email: 'hello' }, { id: 'rest', wait: '30 days' }];
const files = {
  'templates/hello.email': template({ subject: 'Hello', html: '<p>Hello</p>' }),
  'stages.json': { stages: [{ name: 'visitor', when: 'everyone' }, { name: 'customer', when: 'did "Order Completed"' }] },
  'segments/leads.segment': 'plan = "free"',
  'journeys/bought.json': { journey: 'bought', trigger: { stage: 'customer' }, audience: 'not country_code = "XX"', nodes: end },
  'journeys/trial.json': { journey: 'trial', trigger: { date: 'trial_ends' }, nodes: end },
  'journeys/contact.json': { journey: 'contact', trigger: { form: 'contact', where: 'budget > 100' }, nodes: end },
  'journeys/crm.json': { journey: 'crm', trigger: { webhook: 'crm' }, nodes: end },
  'journeys/weekly.json': { journey: 'weekly', trigger: { schedule: 'monday 10:00', segment: 'leads' }, nodes: [{ id: 'mail', email: 'hello' }] },
  'stories/begin.json': {
    stories: [{
      story: 'Each begins at its instant',
      tell: [
        { person: 'ada', traits: { email: 'ada@x.example', plan: 'free', trial_ends: '2026-01-08' } },
        { after: '61 minutes' }, { person: 'ada', gets: [{ message: 'hello', at: '2026-01-05T10:00:00Z' }] },
        { after: '3 days' }, { person: 'ada', gets: [{ message: 'hello', at: '2026-01-08T00:00:00Z' }] },
        { person: 'ada', event: 'Order Completed' }, { person: 'ada', gets: ['hello'] },
        { after: '7 days' }, { person: 'ada', gets: [{ message: 'hello', at: '2026-01-12T10:00:00Z' }] },
      ],
    }],
  },
};

describe('what journeys begin by', { skip: skipWithoutProgram }, () => {
  let house, shop;
  const soon = (ms) => new Date(Date.now() + ms).toISOString();
  const api = async (path) => (await http('GET', `${house.server.origin}/api/v1${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` },
  })).body;
  const inside = async (who) => (await api(`/profiles/${who}`)).journeys.map(({ journey }) => journey).sort();

  before(async () => {
    shop = shopFolder(files);
    house = await openHouse({ shop });
  });
  after(() => house?.close());

  test('its stories come true', async () => {
    assert.match(await dult('test', shop), /1 passed, 0 failed/);
  });

  test('a stage lets in at the very event, for whom the journey is, and what it begins by is no segment of the person', async () => {
    await house.client.send('/v1/identify', { userId: 'ada', traits: { email: 'ada@x.example' } });
    await house.client.send('/v1/identify', { userId: 'bob', traits: { email: 'bob@x.example', country_code: 'XX' } });
    for (const userId of ['ada', 'bob']) await house.client.send('/v1/track', { userId, event: 'Order Completed' });
    assert.deepEqual(await inside('ada'), ['bought']);
    assert.deepEqual(await inside('bob'), []);
    const why = await api('/profiles/bob/explain?journey=bought');
    assert.equal(why.decisions[0].detail.reason, 'is not in the audience');
    assert.equal(why.entering.begins, 'coming into the stage "customer"');
    assert.equal(why.entering.why_not, 'is not in the audience');
    assert.deepEqual((await api('/profiles/ada')).segments.map(({ segment }) => segment), ['stage: customer']);
  });

  test('a date is told beforehand, and comes, also over a kill', async () => {
    const ends = soon(6000);
    await house.client.send('/v1/identify', { userId: 'cy', traits: { email: 'cy@x.example', trial_ends: ends } });
    const { entering } = await api('/profiles/cy/explain?journey=trial');
    assert.equal(entering.begins, 'the time "trial_ends"');
    assert.equal(Date.parse(entering.next), Date.parse(ends));
    await house.server.kill();
    await house.server.start();
    await eventually('it came', async () => (await inside('cy')).includes('trial'), 30_000);
    const why = await api('/profiles/cy/explain?journey=trial');
    assert.equal(Date.parse(why.decisions[0].at), Date.parse(ends));
  });

  test('a schedule is told beforehand, and one that is for nobody is refused', async () => {
    await house.client.send('/v1/identify', { userId: 'dee', traits: { email: 'dee@x.example', plan: 'free' } });
    const { entering } = await api('/profiles/dee/explain?journey=weekly');
    const next = new Date(entering.next);
    assert.deepEqual([next.getUTCDay(), next.getUTCHours(), next.getUTCMinutes()], [1, 10, 0]);
    const { status, body } = await http('PUT', `${house.server.origin}/api/v1/journeys/no`, {
      headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' },
      body: { journey: 'no', trigger: { schedule: '10:00' }, nodes: end },
    });
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /does not say for whom/);
  });

  test('a form and a webhook begin it by their name, and by what they say', async () => {
    const tell = (event, properties) => house.client.send('/v1/track', { userId: 'fay', event, properties });
    await tell('Form Submitted', { form: 'contact', budget: 50 });
    await tell('Form Submitted', { form: 'footer', budget: 500 });
    await tell('Webhook Received', { webhook: 'shop' });
    assert.deepEqual(await inside('fay'), []);
    await tell('Form Submitted', { form_id: 'contact', budget: 500 });
    await tell('Webhook Received', { webhook: 'crm' });
    await eventually('both have begun', async () => (await inside('fay')).join() === 'contact,crm');
    assert.match(await dult('explain', '--data', house.data, 'fay', 'journey', 'contact'), /It starts with: form contact, where budget > 100/);
  });
});
