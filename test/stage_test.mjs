// A person's stage: by rules, by hand, by the API; each change a record; the same after a restart.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const STAGES = {
  stages: [
    { name: 'visitor', when: 'everyone' },
    { name: 'customer', when: 'did "Order Completed"' },
    { name: 'regular', when: 'did "Order Completed" at least 3 times' },
  ],
};
const THANKS = {
  journey: 'thanks',
  trigger: { segment: 'stage: regular' },
  nodes: [{ id: 'rest', wait: '30 days' }],
};

describe('a stage', { skip: skipWithoutProgram }, () => {
  let house;
  const stage = async (...words) => dult('stage', ...words.slice(0, 1), '--data', house.data, ...words.slice(1));
  const shown = async (who) => JSON.parse(await dult('stage', 'show', '--data', house.data, '--json', who));
  const order = (id, who) =>
    house.client.send('/v1/track', { messageId: id, userId: who, event: 'Order Completed' });

  before(async () => {
    const shop = shopFolder({ 'stages.json': STAGES, 'journeys/thanks.json': THANKS });
    house = await openHouse({ shop });
    await order('a1', 'ada');
    await house.client.send('/v1/track', { messageId: 'b1', userId: 'bob', event: 'Came' });
  });
  after(() => house?.close());

  test('follows the rules, and is a segment with its change on record', async () => {
    const ada = await eventually('ada is a customer', async () => {
      const person = await house.client.profile('ada');
      return person?.segments.some(({ segment }) => segment === 'stage: customer') && person;
    });
    assert.equal(ada.traits.$stage_to, 'customer');
    assert.equal(ada.traits.$stage_event, 'Order Completed');
    assert.deepEqual({ ...(await shown('ada')), since: '' },
      { profile: ada.id, stage: 'customer', since: '', by: 'rule', by_hand: null });
  });

  test('is set by hand with who and why, begins a journey, and is cleared', async () => {
    await stage('set', '--why', 'signed on paper', 'ada', 'regular');
    const said = await shown('ada');
    assert.equal(said.stage, 'regular');
    assert.equal(said.by, 'hand');
    assert.equal(said.by_hand.by, 'command line');
    assert.equal(said.by_hand.why, 'signed on paper');
    assert.match(await stage('show', 'ada'), /^regular, by hand, since .*\nset by hand: regular, .*: signed on paper\n/);
    const ada = await house.client.profile('ada');
    assert.ok(ada.journeys.some(({ journey }) => journey === 'thanks'));
    assert.deepEqual([ada.traits.$stage_from, ada.traits.$stage_to, ada.traits.$stage_cause],
      ['customer', 'regular', 'hand']);
    await stage('clear', 'ada');
    assert.equal((await shown('ada')).stage, 'customer');
    assert.equal((await shown('ada')).by_hand, null);
  });

  test('is the same after a restart, and nothing is told anew', async () => {
    await stage('set', '--until', '2099-01-31T00:00:00Z', 'bob', 'customer');
    const before = [await shown('ada'), await shown('bob'), (await house.client.profile('bob')).traits];
    await house.server.stop();
    await house.server.start();
    assert.deepEqual([await shown('ada'), await shown('bob'), (await house.client.profile('bob')).traits], before);
    assert.equal(before[1].by_hand.until, '2099-01-31T00:00:00.000Z');
    assert.match(await dult('stages', 'show', '--data', house.data), /visitor +0 .*\ncustomer +2 /);
  });

  test('that is unknown, a time that is over, and a site that says it are refused', async () => {
    assert.match((await dultTry('stage', 'set', '--data', house.data, 'ada', 'king')).err, /There is no stage "king"/);
    assert.match((await dultTry('stage', 'set', '--data', house.data, '--until', '2001-01-01', 'ada', 'regular')).err,
      /no instant to come/);
    assert.match((await dultTry('stage', 'set', '--data', house.data, 'nobody', 'regular')).err, /nobody/);
    await house.client.send('/v1/identify', { messageId: 'x1', userId: 'bob', traits: { $stage: 'regular' } }).catch(() => {});
    const rejected = await eventually('it is among the rejected', async () => {
      const { items } = await house.client.get('/api/v1/rejected');
      return items.find(({ reason }) => reason === 'reserved_name');
    });
    assert.match(rejected.remedy, /dult stage set/);
    assert.equal((await shown('bob')).stage, 'customer');
  });
});
