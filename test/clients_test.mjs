// The clients shops already have, unmodified from npm, aimed at a running Dult: everything they send
// stands on the right timeline, once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Analytics } from '@segment/analytics-node';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { countEvents } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';

const KINDS = ['identify', 'track', 'page', 'screen', 'group', 'alias'];

const segment = {
  name: '@segment/analytics-node',
  open: (house) => new Analytics({ writeKey: house.client.writeKey, host: house.server.origin, path: '/v1/batch' }),
  close: (client) => client.closeAndFlush({ timeout: 10_000 }),
};

const rudder = (gzip) => ({
  name: `@rudderstack/rudder-sdk-node, gzip ${gzip}`,
  open: (house) => new RudderAnalytics(house.client.writeKey, {
    dataPlaneUrl: house.server.origin, path: '/v1/batch', flushAt: 3, flushInterval: 200, gzip,
  }),
  close: (client) => new Promise((resolve, reject) => {
    client.flush((error) => (error ? reject(error) : resolve()));
  }),
});

// One person's visit: a stranger looks at a page, signs up and is then known.
function visit(client, who) {
  const stranger = `anonymous-${who}`;
  client.page({ anonymousId: stranger, name: 'Front', properties: { path: '/' } });
  client.identify({ userId: who, anonymousId: stranger, traits: { email: `${who}@x.example`, plan: 'free' } });
  client.track({ userId: who, event: 'Signed Up', properties: { source: 'test' } });
  client.screen({ userId: who, name: 'Home', properties: {} });
  client.group({ userId: who, groupId: 'acme', traits: { size: 3 } });
  client.alias({ userId: `${who}-new`, previousId: who });
}

describe('unmodified clients', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => { house = await openHouse(); });
  after(() => house?.close());

  for (const [index, client] of [segment, rudder(true), rudder(false)].entries()) {
    test(`${client.name}: each of ${KINDS.join(', ')} stands on the timeline once`, async () => {
      const who = `visitor${index}`;
      const open = client.open(house);
      visit(open, who);
      await client.close(open);

      const timeline = await eventually(`six items for ${who}`, async () => {
        const items = await house.client.timeline(who);
        return KINDS.every((kind) => items.some(({ type }) => type === kind)) && items;
      });
      for (const kind of KINDS) {
        assert.equal(timeline.filter(({ type }) => type === kind).length, 1, `${kind} in ${JSON.stringify(timeline)}`);
      }
      assert.equal(countEvents(timeline, 'Signed Up'), 1);
      const tracked = timeline.find(({ type }) => type === 'track');
      assert.deepEqual(tracked.properties, { source: 'test' });
    });

    test(`${client.name}: the stranger, the person and the new name are one`, async () => {
      const who = `visitor${index}`;
      const known = await house.client.profile(who);
      assert.equal(known.traits.email, `${who}@x.example`);
      assert.equal(known.traits.plan, 'free');
      assert.equal((await house.client.profile(`${who}-new`)).id, known.id);
      assert.equal((await house.client.profile(`anonymous-${who}`)).id, known.id);
    });
  }

  test('nothing the clients sent was rejected', async () => {
    assert.deepEqual(await house.client.rejected(), []);
  });
});
