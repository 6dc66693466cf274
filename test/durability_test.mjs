// kill -9 in the middle of a stream of batches and sends, at many random points. Afterwards every
// event that was answered 200 is there exactly once, and every due mail was sent once, is listed as
// in doubt, has failed, or was held back by a rule.
//
//     DULT_KILLS=20 DULT_SEED=7719 node --test test/durability_test.mjs        replays a shorter run
//
// An identify that says nothing of somebody who is known already (another client may speak of them
// first) is stored and is on no timeline: of those the export is asked.
//
// The seed decides what is sent and when the program dies; where exactly that finds it is the
// machine's affair, so a replay meets the same plan, not the same instruction.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHouse } from './lib/house.mjs';
import { judge } from './lib/ledger.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const seed = Number(process.env.DULT_SEED ?? randomInt(1, 1_000_000));
const kills = Number(process.env.DULT_KILLS ?? 200);

const SENDERS = 4; /* clients that send at the same time, each one request at a time */
const PEOPLE_A_LIFE_MAX = 60; /* new people between two kills, so that the run ends in time */
const LIFE_MS_MAX = 700;
const CLAIMS_A_CONNECTION = 2; /* the design's bound on what one connection leaves in doubt */
const DRAIN_MS = 120_000;

function greetingShop() {
  return shopFolder({
    'journeys/greeting.json': {
      journey: 'greeting',
      trigger: { event: 'Signed Up' },
      reentry: 'once',
      nodes: [{ id: 'hello', email: 'hello' }, { id: 'done', exit: true }],
    },
    'templates/hello.email': template({ subject: 'Hello', html: '<p>Hello {{ person.first_name }}</p>' }),
  });
}

class Stream {
  constructor(house, random) {
    Object.assign(this, { house, random, acknowledged: [], people: [], due: [], unsent: [], wordless: new Map(), born: 0, told: 0 });
    this.running = false;
  }

  event(fields) {
    this.told += 1;
    return { type: 'track', messageId: `m${this.told}`, timestamp: new Date().toISOString(), ...fields };
  }

  // A new person, told by one batch: who they are, that they signed up, and something else they did.
  newcomer() {
    const id = `p${this.people.length}`;
    this.born += 1;
    // One in twelve has no address, one in fifteen no name: no message can be made for them.
    const email = this.random.below(12) === 0 ? undefined : `${id}@x.example`;
    const traits = { email, first_name: this.random.below(15) === 0 ? undefined : `Person ${id}` };
    this.people.push(id);
    if (email) this.due.push(email);
    const identify = this.event({ type: 'identify', userId: id, traits });
    if (!traits.email && !traits.first_name) this.wordless.set(id, identify.messageId);
    return [identify, this.event({ userId: id, event: 'Signed Up' })];
  }

  batch() {
    const events = [];
    for (let count = 1 + this.random.below(4); count > 0 && this.born < PEOPLE_A_LIFE_MAX; count -= 1) {
      events.push(...this.newcomer());
    }
    for (let count = 2 + this.random.below(20); count > 0 && this.people.length > 0; count -= 1) {
      const id = this.people[this.random.below(this.people.length)];
      events.push(this.event({ userId: id, event: 'Looked', properties: { n: count, pad: 'x'.repeat(this.random.below(200)) } }));
    }
    return events;
  }

  // As a client library does it: what was not answered with 200 is sent again, as it was.
  async sender() {
    while (this.running) {
      const batch = this.unsent.pop() ?? this.batch();
      if (!(await this.deliver(batch))) {
        this.unsent.push(batch);
        await sleep(5);
      }
    }
  }

  async deliver(batch) {
    try {
      const answer = await this.house.client.post('/v1/batch', { batch });
      if (answer.status === 200) {
        for (const { messageId } of batch) this.acknowledged.push(messageId);
        return true;
      }
      if (answer.status !== 503 && answer.status !== 429) this.surprise ??= `${answer.status}: ${answer.text}`;
    } catch {
      /* it died under us */
    }
    return false;
  }

  start() {
    this.running = true;
    this.born = 0;
    this.senders = Array.from({ length: SENDERS }, () => this.sender());
  }

  async end() {
    this.running = false;
    await Promise.all(this.senders);
  }
}

// The far side refuses some for good, puts some off once, and cuts a few connections.
function farSide(random) {
  return ({ phase, address, attempt }) => {
    const number = Number(/^p(\d+)@/.exec(address)?.[1] ?? 0);
    if (phase === 'rcpt' && number % 29 === 3) return { code: 550, text: '5.1.1 nobody here' };
    if (phase === 'rcpt' && number % 31 === 5 && attempt === 1) return { code: 451, text: '4.2.0 come again' };
    if (phase === 'mail' && random.below(400) === 0) return 'drop';
    return undefined;
  };
}

async function drained(house) {
  await eventually('every message is settled', async () => {
    const { messages } = await house.client.stats();
    return ['queued', 'waiting', 'sending'].every((state) => (messages[state] ?? 0) === 0);
  }, DRAIN_MS);
}

async function inTurns(items, work) {
  const waiting = [...items];
  const worker = async () => {
    while (waiting.length > 0) await work(waiting.pop());
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function reckon(house, stream, unknownMax) {
  const stored = [];
  const states = {};
  await inTurns(stream.people, async (id) => {
    const wordless = stream.wordless.get(id);
    for (const item of await house.client.timeline(id)) {
      if (item.messageId && item.messageId !== wordless) stored.push(item.messageId);
    }
    for (const message of await house.client.messages(id)) (states[`${id}@x.example`] ??= []).push(message.state);
  });
  for (const [id, wordless] of stream.wordless) { /* one export at a time is what the server gives */
    const { events } = await house.client.get(`/api/v1/profiles/${id}/export`);
    stored.push(...events.map(({ messageId }) => messageId).filter((messageId) => messageId === wordless));
  }
  return {
    due: stream.due,
    states,
    recorded: house.recorder.mails.flatMap((mail) => mail.to),
    acknowledged: stream.acknowledged,
    stored,
    unknownMax,
  };
}

function summary(run) {
  const counts = {};
  for (const address of run.due) {
    const [state = 'missing'] = run.states[address] ?? [];
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return `${run.acknowledged.length} events acknowledged, ${run.due.length} mails due: ${
    Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(', ')}; ${run.recorded.length} recorded`;
}

describe('durability', { skip: skipWithoutProgram }, () => {
  test(`${kills} kills, seed ${seed}: nothing answered is lost, nobody is mailed twice`, async () => {
    console.log(`# durability: seed ${seed}, ${kills} kills`);
    const random = new Random(seed);
    const shop = greetingShop();
    const house = await openHouse({
      shop,
      recorder: { script: farSide(new Random(seed + 1)) },
      env: { DULT_SMTP_RETRY_FIRST: '1 second' },
    });
    const stream = new Stream(house, random);
    let unknownMax = 0;
    try {
      for (let life = 0; life < kills; life += 1) {
        stream.start();
        await sleep(20 + random.below(LIFE_MS_MAX));
        const { recorder } = house;
        const before = new Set(recorder.open);
        await house.server.kill();
        for (const id of recorder.open) before.add(id);
        unknownMax += CLAIMS_A_CONNECTION * before.size;
        stream.running = false;
        await house.server.start();
        await stream.end();
        assert.equal(stream.surprise, undefined);
      }
      for (const batch of stream.unsent) assert.ok(await stream.deliver(batch), 'the last batches are taken');
      await drained(house);
      const run = await reckon(house, stream, unknownMax);
      console.log(`# durability: ${summary(run)}, unknown at most ${unknownMax}`);
      assert.ok(run.acknowledged.length > kills * 10, 'there was a stream');
      assert.ok(run.recorded.length > kills, 'there were sends');
      const faults = judge(run);
      assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults, seed ${seed}`);
    } finally {
      await house.close();
    }
  });
});
