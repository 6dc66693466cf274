// Nodes of journeys that change something: what they tell is stored, shown, sent and there after a
// restart, as what came from outside is.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { countEvents } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const shop = () => shopFolder({
  'workspace.json': { name: 'Tents', address: 'Storgata 1, 0155 Oslo', sender: { email: 'hello@tents.example' },
    topics: [{ id: 'newsletter', name: 'Newsletter' }], lists: ['winners'] },
  'journeys/trial.json': {
    journey: 'trial', trigger: { event: 'Trial Started' }, reentry: 'always',
    nodes: [
      { id: 'plan', set: { plan: 'trial', seats: { from: 'event.seats' } } },
      { id: 'won', record: { event: 'Trial Won', properties: { seats: { from: 'trait.seats' }, gift: 'a mug' } } },
      { id: 'list', join_list: 'winners' },
      { id: 'then', start_journey: 'after' },
    ],
  },
  'journeys/after.json': {
    journey: 'after', trigger: { event: 'Never' },
    nodes: [{ id: 'wait', wait: '9 days' }],
  },
  'journeys/mug.json': {
    journey: 'mug', trigger: { event: 'Trial Won', where: 'gift = "a mug"' },
    nodes: [{ id: 'mail', email: 'mug' }],
  },
  'templates/mug.email': template({
    subject: '{{ event.gift }} for {{ person.plan }}', html: '<p>{{ event.gift }} and {{ person.seats }} seats</p>',
  }),
});

describe('nodes that change something', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => { house = await openHouse({ shop: shop() }); });
  after(() => house?.close());

  const shown = async () => JSON.parse(await dult('show', '--data', house.data, 'ada', '--json'));

  test('a mail speaks of the event that a node told, and of the trait that it set', async () => {
    await house.client.send('/v1/identify', { messageId: 'i1', userId: 'ada', traits: { email: 'ada@x.example' } });
    await house.client.send('/v1/track', { messageId: 't1', userId: 'ada', event: 'Trial Started', properties: { seats: 4 } });
    const [mail] = await house.recorder.wait('ada@x.example', 1);
    assert.equal(mail.subject, 'a mug for trial');
    assert.match(mail.text, /4 seats/);
  });

  test('it is on the timeline, with the journey and node that told it', async () => {
    await eventually('"Trial Won" on the timeline',
      async () => countEvents(await house.client.timeline('ada'), 'Trial Won') === 1);
    assert.equal((await shown()).traits.plan, 'trial');
    const exported = await dult('export', '--data', house.data, 'ada');
    assert.match(exported, /"Trial Won"/);
    assert.match(exported, /"journey":\s*"trial"/);
    assert.match(await dult('explain', '--data', house.data, 'ada', 'journey', 'trial'), /won/);
    assert.match(await dult('explain', '--data', house.data, 'ada', 'journey', 'after'), /Trial Started|wait/);
  });
});
