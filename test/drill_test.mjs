// The drill: messages are asked for, sent to a mail server that fails in every way, stopped, resumed
// and withdrawn, and the program is killed with no warning again and again. Afterwards each message
// has one final row that agrees with what the server wrote down, and nobody got two.
//
//     make drill                                                   100,000 messages, 40 kills
//     DRILL_MESSAGES=20000 DRILL_KILLS=9 DULT_SEED=7 node --test test/drill_test.mjs
//
// The seed decides everybody's fate at the server, who withdraws and when the program dies: after how
// many tries, and how many milliseconds later. What that finds under way is the machine's affair.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DrillHouse } from './lib/drill_house.mjs';
import { judge } from './lib/drill_judge.mjs';
import { readLedger, stopsOf } from './lib/drill_ledger.mjs';
import { DrillServer } from './lib/drill_server.mjs';
import { PUBLIC_URL } from './lib/house.mjs';
import { patience, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const seed = Number(process.env.DULT_SEED ?? randomInt(1, 1_000_000));
const messages = Number(process.env.DRILL_MESSAGES ?? (patience > 1 ? 800 : 3000));
const kills = Number(process.env.DRILL_KILLS ?? Math.max(5, Math.round(messages / 2500)));

const CONNECTIONS = 10;
const PLACES = 2 * CONNECTIONS; /* the design's bound on what is in doubt after a crash */
const CLIENTS = 3; /* that send events at the same time */
const PEOPLE_A_BATCH = 50;
const ASKED_EVERY = 25; /* every so many a message is asked for by a program, with a key */
const WITHDRAWN_PARTS = 40; /* one in so many withdraws */
const STALLED_MS = 120_000; /* nothing moves for so long: it never will */

const isAsked = (who) => who % ASKED_EVERY === 7;
const address = (who) => `u${who}@d${who % 7}.example`;

const drillShop = () => shopFolder({
  'journeys/welcome.json': {
    journey: 'welcome', trigger: { event: 'Joined' }, reentry: 'once',
    nodes: [{ id: 'hello', email: 'hello' }, { id: 'done', exit: true }],
  },
  'templates/hello.email': template({ subject: 'Hello', html: '<p>Hello {{ person.first_name }}</p>' }),
  'templates/receipt.email': template({ subject: 'Your receipt', html: '<p>Paid</p>', transactional: 'yes' }),
});

class Drill extends DrillHouse {
  constructor() {
    super(new Random(seed));
    Object.assign(this, { fed: 0, waiting: [], withdrawn: new Set(), settled: new Map(), isFed: false, isOver: false });
  }

  async open() {
    this.mail = await DrillServer.listen(seed);
    return super.open({
      shop: drillShop(),
      args: ['--public-url', PUBLIC_URL, '--smtp', `smtp://127.0.0.1:${this.mail.port}`, '--smtp-connections', CONNECTIONS,
        '--smtp-timeout', '2 seconds', '--smtp-retry-first', '500 ms'],
    });
  }

  async close() {
    try {
      await super.close();
    } finally {
      await this.mail.close();
    }
  }

  // ---- messages are asked for ----

  events(who) {
    const traits = { email: address(who), first_name: `Person ${who}` };
    const at = { userId: `u${who}`, timestamp: new Date().toISOString() };
    const known = { type: 'identify', messageId: `i${who}`, ...at, traits };
    return isAsked(who) ? [known] : [known, { type: 'track', messageId: `j${who}`, ...at, event: 'Joined' }];
  }

  async feedBatch(from, to) {
    const people = Array.from({ length: to - from }, (_, i) => from + i);
    const batch = people.flatMap((who) => this.events(who));
    await this.batch(batch);
    for (const who of people.filter(isAsked)) {
      const body = { template: 'receipt', person: `u${who}`, data: { who } };
      await this.surely([200, 202], () => this.call('POST', '/api/v1/messages', body, { 'idempotency-key': `k${who}` }));
    }
    this.waiting.push(...people.filter((who) => !isAsked(who)));
  }

  // Asks for messages up to that number; all are acknowledged when it is done.
  async feed(to) {
    const client = async () => {
      while (this.fed < to) {
        const from = this.fed;
        this.fed = Math.min(to, from + PEOPLE_A_BATCH);
        await this.feedBatch(from, this.fed);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  // ---- and withdrawn ----

  // Somebody whose turn is soon, or one day.
  choose() {
    while (this.waiting.length > 0) {
      const within = this.random.below(2) === 0 ? 100 : this.waiting.length;
      const [who] = this.waiting.splice(this.random.below(Math.min(within, this.waiting.length)), 1);
      if (this.mail.people[who] === undefined) return who;
    }
    return undefined;
  }

  async withdraw() {
    const who = this.choose();
    if (who === undefined) return false;
    if (who % 2 === 0) await this.surely([200, 201], () => this.call('POST', '/api/v1/suppressions', { address: address(who) }));
    else await this.surely([200], () => this.call('POST', `/api/v1/profiles/u${who}/consent`, { state: 'unsubscribed', topic: 'newsletter' }));
    this.withdrawn.add(who);
    return true;
  }

  async withdrawals() {
    const due = () => Math.floor(this.mail.tries / WITHDRAWN_PARTS);
    while (!this.isOver && !this.isClosed) {
      if (this.withdrawn.size >= due() || !(await this.withdraw())) await sleep(5);
    }
  }

  // ---- and the program dies ----

  // Until the server was tried so often, or nothing waits any more.
  async tried(count) {
    await this.progress(`${count} tries`, async () => this.mail.read() >= count || this.isDrained());
  }

  async isDrained() {
    const { queued, waiting, sending } = await this.states();
    return this.isFed && queued + waiting + sending === 0;
  }

  // For as long as it takes, while something moves.
  async progress(what, question) {
    let last = -1;
    let moved = Date.now();
    while (!(await question())) {
      if (this.trouble !== undefined) throw this.trouble;
      if (this.mail.read() !== last) moved = Date.now();
      last = this.mail.tries;
      if (Date.now() - moved > STALLED_MS * patience) throw new Error(`nothing moves before ${what}: ${JSON.stringify(await this.states())}`);
      await sleep(10);
    }
  }

  // ---- sending stops and resumes ----

  async sending(state) {
    await this.surely([200], () => this.call('PUT', '/api/v1/sending', {
      state, transactional: true, bounces: { percent: 100, least: 1_000_000 } }));
  }

  // Everything asked for is queued, and still is after a crash; nothing of it goes.
  async queueWhileStopped(count) {
    await this.sending('stopped');
    const feeding = this.feed(count);
    feeding.catch(() => {}); // it is awaited below
    for (let i = 0; i < 2; i += 1) {
      await sleep(this.random.below(200));
      await this.crash();
    }
    await feeding;
    await this.crash();
    const { queued, due } = await this.states();
    assert.deepEqual({ queued, due }, { queued: count, due: count }, 'all that was acknowledged is queued, once');
    assert.equal(this.mail.read(), 0, 'nothing goes while sending is stopped');
    await this.sending('on');
  }

  async pause() {
    await this.sending('stopped');
    await this.crash();
    await this.sending('on');
  }

  // ---- the whole ----

  async run() {
    const first = Math.floor(messages / 4);
    await this.queueWhileStopped(first);
    const feeding = this.feed(messages).then(() => { this.isFed = true; });
    const beside = Promise.all([this.withdrawals(), feeding]);
    beside.catch((error) => { this.trouble = error; });
    for (let i = 1; i <= kills; i += 1) {
      await this.tried(Math.floor((messages * (i - this.random.next() * 0.5)) / (kills + 1)));
      if (i === Math.ceil(kills / 2)) await this.pause();
      else await this.crash();
    }
    await this.progress('all is final', () => this.isDrained());
    this.isOver = true;
    await beside;
    await this.settle();
  }

  // Every other unknown one is settled by somebody who knows, and the program dies meanwhile.
  async settle() {
    const unknown = await this.client.all('/api/v1/messages?limit=1000&state=unknown');
    const half = unknown.filter(({ id }) => id % 2 === 0);
    for (const [i, { id, to }] of half.entries()) {
      const who = Number(/^u(\d+)@/.exec(to)[1]);
      const state = this.mail.people[who]?.some(({ code }) => code === 'A' || code === 'S') ? 'sent' : 'failed';
      if (i === Math.floor(half.length / 2)) await this.crash();
      await this.surely([200, 409], () => this.call('POST', `/api/v1/messages/${id}/settle`, { state }));
      this.settled.set(who, state);
    }
    await this.crash();
  }

  // Everything there is to compare; the program has ended then.
  async reckon() {
    const items = await this.client.all('/api/v1/messages?limit=1000');
    const unknown = await this.client.all('/api/v1/messages?limit=1000&state=unknown');
    await this.server.stop();
    this.mail.read();
    const { ledger, ids, withdrawals, sending } = await readLedger(this.data);
    const listed = [];
    for (const { id, state } of items) (listed[ids.get(id)] ??= []).push(state);
    assert.deepEqual(unknown.map(({ id }) => id), items.filter(({ state }) => state === 'unknown').map(({ id }) => id),
      'the list of the unknown has all of them');
    const withdrawn = new Map([...this.withdrawn].map((who) => [who, withdrawals.get(who)]));
    return { messages, ledger, heard: this.mail.people, serials: this.mail.serials, withdrawn, stops: stopsOf(sending), settled: this.settled, listed,
      unknownMax: PLACES * this.kills };
  }
}

function tell(drill, counts, seconds) {
  const of = (name) => counts[name] ?? 0;
  const heard = drill.mail.counts();
  console.log(`# drill: ${seconds.toFixed(0)} s, ${drill.kills} kills, ${drill.mail.tries} tries; ${of('sent')} sent, ${of('failed')} failed, `
    + `${of('held')} held back of ${drill.withdrawn.size} withdrawn, ${of('unknown')} unknown (${of('unknown by a kill')} by kills, at most `
    + `${PLACES * drill.kills}; ${of('unknown by the connection')} by the connection, ${of('answered too late')} of them answered late; `
    + `${of('unknown and taken')} taken, ${of('unknown and not taken')} not; ${drill.settled.size} settled), ${of('doubles')} doubles; `
    + `${heard[4]} answers of 4xx, ${heard[5]} of 5xx, ${heard.S + heard.L} ends without an answer, ${of('put off')} times put off`);
}

describe('drill', { skip: skipWithoutProgram }, () => {
  test(`${messages} messages, seed ${seed}: each is sent once, whatever fails`, { timeout: 6 * 3600 * 1000 }, async () => {
    console.log(`# drill: seed ${seed}, ${messages} messages`);
    const began = Date.now();
    const drill = await new Drill().open();
    try {
      await drill.run();
      const seconds = (Date.now() - began) / 1000;
      const { faults, counts } = judge(await drill.reckon());
      tell(drill, counts, seconds);
      assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults, seed ${seed}`);
      assert.ok(counts.sent > messages * 0.5, 'there were sends');
    } finally {
      await drill.close();
    }
  });
});
