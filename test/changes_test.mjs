// What a changed definition does to people who are there already: who is moved by it, who is told
// beforehand, and what it sets off.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, folder, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const GREET = {
  journey: 'greet',
  trigger: { segment: 'guests' },
  nodes: [{ id: 'rest', wait: '30 days' }],
};

describe('a changed definition', { skip: skipWithoutProgram }, () => {
  let house;
  let shop;
  const papers = folder('stages');
  before(async () => {
    shop = shopFolder({ 'segments/guests.segment': 'did "Nothing Yet"\n', 'journeys/greet.json': GREET });
    house = await openHouse({ shop });
    await house.client.send('/v1/track', { messageId: 'v1', userId: 'ada', event: 'Visited' });
    await house.client.send('/v1/track', { messageId: 'o1', userId: 'bob', event: 'Ordered' });
  });
  after(async () => {
    await house?.close();
    removeFolder(papers);
  });

  const isIn = (person) => person?.segments.some(({ segment }) => segment === 'guests');
  const guests = (condition) => writeFileSync(join(shop, 'segments/guests.segment'), `${condition}\n`);

  test('sets off no journey for whoever enters by it', async () => {
    guests('did "Visited"');
    await dult('apply', '--data', house.data, shop);
    const ada = await eventually('ada is a guest', async () => {
      const person = await house.client.profile('ada');
      return isIn(person) && person;
    });
    assert.deepEqual(ada.journeys.filter(({ journey }) => journey === 'greet'), []);
  });

  test('sets off journeys where that is asked for and confirmed, for whoever enters by it alone', async () => {
    guests('did "Visited" or did "Ordered"');
    const { status } = await dultTry('apply', '--data', house.data, '--fire', shop);
    assert.notEqual(status, 0, 'nobody said yes');
    assert.ok(!isIn(await house.client.profile('bob')));
    await dult('apply', '--data', house.data, '--fire', '--yes', shop);
    await eventually('bob is greeted', async () => {
      const person = await house.client.profile('bob');
      return isIn(person) && person.journeys.some(({ journey }) => journey === 'greet');
    });
    assert.deepEqual((await house.client.profile('ada')).journeys, []);
  });

  test('says where a word after `and` was meant for the event: by apply, and by check where it knows what was told', async () => {
    const odd = shopFolder({ 'segments/big.segment': 'did "Ordered" where plan = "pro" and revenue > 100\n' });
    const said = /segments\/big\.segment:1: warning: Nobody has a trait "revenue", but events have a property of that name\.\n +Where all is asked of "Ordered", write parentheses/;
    await house.client.send('/v1/track', { messageId: 'o2', userId: 'bob', event: 'Ordered', properties: { plan: 'pro', revenue: 5 } });
    assert.doesNotMatch((await dultTry('check', odd)).err, said);
    assert.match((await dultTry('check', '--data', house.data, '--people', '1', odd)).err, said);
    assert.match((await dultTry('apply', '--data', house.data, odd)).err, said);
    writeFileSync(join(odd, 'segments/big.segment'), 'did "Ordered" where (plan = "pro" and revenue > 100)\n');
    assert.doesNotMatch((await dultTry('check', '--data', house.data, '--people', '1', odd)).err, /warning/);
    assert.doesNotMatch((await dultTry('apply', '--data', house.data, odd)).err, /warning/);
    removeFolder(odd);
  });

  test('of stages is counted before it is in force, and shown after', async () => {
    const file = join(papers, 'stages.json');
    writeFileSync(file, JSON.stringify({ stages: [
      { name: 'visitor', when: 'everyone' },
      { name: 'customer', when: 'did "Ordered"' }] }));
    const counted = await dult('stages', 'count', '--data', house.data, file);
    assert.match(counted, /^visitor +- +1$/m);
    assert.match(counted, /^customer +- +1$/m);
    assert.match(await dult('stages', 'show', '--data', house.data), /There are no stages/);
    await dult('stages', 'set', '--data', house.data, file);
    assert.match(await dult('stages', 'show', '--data', house.data), /^customer +1 +did "Ordered"$/m);

    writeFileSync(file, JSON.stringify({ stages: [{ name: 'visitor', when: 'everyone' }] }));
    const lines = (await dult('stages', 'count', '--data', house.data, '--json', file)).trim().split('\n');
    assert.deepEqual(lines.map((line) => JSON.parse(line)), [{ name: 'visitor', now: 1, then: 2 }]);

    writeFileSync(file, JSON.stringify({ stages: [{ name: 'visitor', when: 'evryone' }] }));
    const { status, err } = await dultTry('stages', 'set', '--data', house.data, file);
    assert.notEqual(status, 0);
    assert.match(err, /visitor/);
    assert.match(await dult('stages', 'show', '--data', house.data), /^customer +1/m);
  });
});
