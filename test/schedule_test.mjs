// Everybody's hour comes at one instant, and the process is killed in the middle of it, more than once: nobody is
// passed over, and nobody comes in twice.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dult, eventually, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { openHouse } from './lib/house.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const PEOPLE = 6000;
const KILLS = 4;
const MINUTE = 60_000;
const READY = 20_000; // they are made known, and the journey published, before the minute comes

describe('a schedule', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  let at;
  before(async () => {
    house = await openHouse({ live: false });
    for (let from = 0; from < PEOPLE; from += 500) {
      await house.client.send('/v1/batch', {
        batch: Array.from({ length: 500 }, (_, i) => ({ type: 'identify', userId: `u${from + i}`, traits: { email: `u${from + i}@x.example` } })),
      });
    }
    at = Math.ceil((Date.now() + READY) / MINUTE) * MINUTE;
    shop = shopFolder({
      'journeys/hour.json': {
        journey: 'hour',
        trigger: { schedule: new Date(at).toISOString().slice(11, 16), zone: 'workspace' },
        audience: 'everyone',
        nodes: [{ id: 'letter', email: 'letter' }],
      },
      'templates/letter.email': template({ subject: 'The hour', html: '<p>Hello</p>', topic: '', transactional: 'yes' }),
    });
    await dult('apply', '--data', house.data, shop);
    assert.ok(Date.now() < at, 'the journey is published before its minute');
  });
  after(async () => {
    await house?.close();
    if (shop) removeFolder(shop);
  });

  test('lets everybody in once, though the process is killed while it does', async () => {
    const entered = async () => (await house.client.get('/api/v1/journeys/hour/numbers')).entered;
    await sleep(at - Date.now());
    for (let i = 0; i < KILLS; i += 1) {
      await sleep(20 + Math.random() * 400);
      await house.server.kill();
      await house.server.start();
    }
    await eventually('everybody is in', async () => (await entered()) >= PEOPLE, 60_000);
    await sleep(2000);
    const numbers = await house.client.get('/api/v1/journeys/hour/numbers');
    assert.equal(numbers.entered, PEOPLE);
    assert.equal(numbers.people, PEOPLE);
  });
});
