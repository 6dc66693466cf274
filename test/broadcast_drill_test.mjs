// A broadcast to some thousands, to a mail server that fails in every way: paused, resumed, its failed
// ones tried again, people withdrawing, and the program killed with no warning again and again. In the
// end each of the audience has one final row that agrees with what the server wrote down, nobody got
// two, nothing was claimed while it was paused, and nobody but who had failed was tried again.
//
//     BROADCAST_PEOPLE=20000 BROADCAST_KILLS=40 DULT_SEED=7 node --test test/broadcast_drill_test.mjs

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judgeBroadcast } from './lib/broadcast_judge.mjs';
import { DrillHouse } from './lib/drill_house.mjs';
import { DrillServer } from './lib/drill_server.mjs';
import { PUBLIC_URL } from './lib/house.mjs';
import { patience, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, template } from './lib/shop.mjs';
import { Sqlite } from './lib/sqlite.mjs';

const seed = Number(process.env.DULT_SEED ?? randomInt(1, 1_000_000));
const count = Number(process.env.BROADCAST_PEOPLE ?? (patience > 1 ? 1000 : 3000));
const kills = Number(process.env.BROADCAST_KILLS ?? 8);
const NAME = 'spring';
const STALLED_MS = 120_000;
const PEOPLE_A_BATCH = 100;
const OUTSIDE = 10; /* one in so many is not of the audience */
const WITHDRAWN = 40; /* one in so many withdraws while it runs */

const isOutside = (who) => who % OUTSIDE === 3;
const everyone = Array.from({ length: count }, (_, who) => who);
const audience = everyone.filter((who) => !isOutside(who));
const address = (who) => `u${who}@d${who % 7}.example`;
// The numbers of store.h.
const KINDS = { 48: 'queued', 49: 'waiting', 50: 'held', 51: 'sending', 52: 'sent', 53: 'failed', 54: 'unknown', 60: 'returned' };
const JOB = 34;

const shop = () => shopFolder({
  'templates/offer.email': template({ subject: 'Spring', html: '<p>Hello {{ person.first_name }}</p>' }),
  [`broadcasts/${NAME}.json`]: { broadcast: NAME, audience: 'plan = "pro"', template: 'offer' },
});

class Drill extends DrillHouse {
  async open() {
    this.mail = await DrillServer.listen(seed);
    return super.open({
      shop: shop(),
      args: ['--public-url', PUBLIC_URL, '--smtp', `smtp://127.0.0.1:${this.mail.port}`, '--smtp-connections', 10,
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

  async feed() {
    for (let from = 0; from < count; from += PEOPLE_A_BATCH) {
      await this.batch(everyone.slice(from, from + PEOPLE_A_BATCH).map((who) => ({
        type: 'identify', messageId: `i${who}`, userId: `u${who}`, timestamp: new Date().toISOString(),
        traits: { email: address(who), first_name: `Person ${who}`, plan: isOutside(who) ? 'free' : 'pro' },
      })));
    }
  }

  async status() {
    return (await this.surely([200], () => this.call('GET', `/api/v1/broadcasts/${NAME}`))).body;
  }

  // What was done already when it died under the question is a conflict.
  act(what) {
    return this.surely([200, 409], () => this.call('POST', `/api/v1/broadcasts/${NAME}/${what}`));
  }

  async until(what, question) {
    let last = -1;
    let moved = Date.now();
    while (!(await question())) {
      if (this.mail.read() !== last) moved = Date.now();
      last = this.mail.tries;
      if (Date.now() - moved > STALLED_MS * patience) throw new Error(`nothing moves before ${what}: ${JSON.stringify(await this.status())}`);
      await sleep(20);
    }
  }

  tried(tries) {
    return this.until(`${tries} tries`, async () => this.mail.read() >= tries || (await this.status()).state === 'finished');
  }

  async withdraw(who) {
    if (who % 2 === 0) await this.surely([200, 201], () => this.call('POST', '/api/v1/suppressions', { address: address(who) }));
    else await this.surely([200], () => this.call('POST', `/api/v1/profiles/u${who}/consent`, { state: 'unsubscribed', topic: 'newsletter' }));
  }

  // Paused it stands still, also over a crash; what was on its way ends.
  async pause() {
    await this.act('pause');
    await this.crash();
    await this.until('all on its way has ended', async () => (await this.status()).counts.sending === 0);
    await this.mailRests();
    const before = this.mail.read();
    await sleep(300);
    assert.equal(this.mail.read(), before, 'nothing is tried while it is paused');
    assert.equal((await this.status()).state, 'paused');
    await this.act('resume');
  }

  // What a killed process had sent off is read by the server a little later.
  async mailRests() {
    for (let i = 0, before = -1; i < 10 && before !== this.mail.read(); i += 1) {
      before = this.mail.read();
      await sleep(300 * patience);
    }
  }

  // An end as it should be writes everyone's state: what was decided before is not read again.
  async rest() {
    await this.server.stop();
    await this.restart();
  }

  async run() {
    await this.feed();
    await this.act('launch');
    await this.crash();
    const withdrawing = this.withdrawals();
    withdrawing.catch(() => {}); /* awaited below, unless something fails before */
    for (let i = 1; i <= kills; i += 1) {
      await this.tried(Math.floor((count * i) / (kills + 1)));
      if (i % 3 === 2) await this.pause();
      else await this.crash();
      if (i % 3 === 1) await this.rest();
    }
    await withdrawing;
    await this.finished();
    await this.retry();
  }

  async withdrawals() {
    for (const who of audience.filter((_, i) => i % WITHDRAWN === 7)) {
      await this.withdraw(who);
      await sleep(20);
    }
  }

  finished() {
    return this.until('it is finished', async () => (await this.status()).state === 'finished');
  }

  // Twice, with a crash while they are queued.
  async retry() {
    for (let i = 0; i < 2 && (await this.status()).counts.failed > 0; i += 1) {
      await this.act('retry-failed');
      await this.crash();
      await this.finished();
    }
  }

  async reckon() {
    const { state, counts } = await this.status();
    const listed = await this.client.all(`/api/v1/broadcasts/${NAME}/people?limit=1000`);
    const people = new Map(listed.map(({ userId, state: its }) => [Number(userId.slice(1)), its]));
    await this.server.stop();
    this.mail.read();
    return { ...(await this.ledger()), heard: this.mail.people, audience, counts, people, state };
  }

  async ledger() {
    const sqlite = new Sqlite(join(this.data, 'dult.db'));
    try {
      const known = await sqlite.ask("SELECT DISTINCT profile, user_id FROM event WHERE kind = 2 AND user_id LIKE 'u%'");
      const who = new Map(known.map(([profile, userId]) => [profile, Number(userId.slice(1))]));
      const rows = new Map();
      for (const [profile, seq, kind] of await sqlite.ask(`SELECT profile, seq, kind FROM decision WHERE kind IN (${Object.keys(KINDS)}) ORDER BY id`)) {
        const one = who.get(profile);
        if (!rows.has(one)) rows.set(one, []);
        rows.get(one).push({ seq: Number(seq), kind: KINDS[kind] });
      }
      const acts = await sqlite.ask(`SELECT seq, json_extract(body, '$.act') FROM event WHERE kind = ${JOB} ORDER BY seq`);
      return { rows, acts: acts.map(([seq, act]) => ({ seq: Number(seq), act })) };
    } finally {
      await sqlite.close();
    }
  }
}

// A world in which all is well, for planting faults into it.
const calm = () => ({
  rows: new Map([[1, ['queued', 'sending', 'sent']], [2, ['queued', 'sending', 'failed', 'queued', 'sending', 'sent']], [4, ['queued', 'held']]]
    .map(([who, kinds]) => [who, kinds.map((kind, i) => ({ seq: 10 * who + i, kind }))])),
  acts: [{ seq: 1, act: 'launch' }, { seq: 15, act: 'pause' }, { seq: 19, act: 'resume' }, { seq: 22, act: 'retry-failed' }],
  heard: { 1: [{ code: 'A' }], 2: [{ code: '4' }, { code: 'A' }] },
  audience: [1, 2, 4],
  counts: { sent: 2, failed: 0, unknown: 0, no_consent: 1 },
  people: new Map([[1, 'sent'], [2, 'sent'], [4, 'no_consent']]),
  state: 'finished',
});

const FAULTS = {
  'nobody of the audience is left out': (w) => w.audience.push(9),
  'nobody else gets it': (w) => w.audience.shift(),
  'nobody gets two': (w) => w.heard[1].push({ code: 'S' }),
  'sent means that it arrived': (w) => { w.heard[1] = []; },
  'failed means that it did not': (w) => { w.rows.get(1).at(-1).kind = 'failed'; },
  'who is held back gets nothing': (w) => { w.heard[4] = [{ code: 'A' }]; },
  'each is final': (w) => w.rows.get(1).pop(),
  'only who failed is tried again': (w) => { w.rows.get(2)[2].kind = 'unknown'; },
  'nobody is tried again unasked': (w) => w.acts.pop(),
  'nothing is claimed while it is paused': (w) => { w.rows.get(1)[1].seq = 17; },
  'the counts are those of the rows': (w) => { w.counts.sent = 3; },
  'the people are those of the counts': (w) => w.people.set(2, 'failed'),
  'it is finished': (w) => { w.state = 'running'; },
};

describe('the judge of broadcasts', () => {
  test('finds nothing where all is well', () => assert.deepEqual(judgeBroadcast(calm()), []));
  for (const [name, plant] of Object.entries(FAULTS)) {
    test(`sees a fault planted against: ${name}`, () => {
      const world = calm();
      plant(world);
      assert.notDeepEqual(judgeBroadcast(world), []);
    });
  }
});

describe('a broadcast', { skip: skipWithoutProgram }, () => {
  test(`to ${audience.length} people, seed ${seed}: each gets it once, whatever fails`, { timeout: 3600 * 1000 }, async () => {
    console.log(`# broadcast: seed ${seed}, ${audience.length} people`);
    const began = Date.now();
    const drill = await new Drill(new Random(seed)).open();
    try {
      await drill.run();
      const world = await drill.reckon();
      const faults = judgeBroadcast(world);
      console.log(`# broadcast: ${((Date.now() - began) / 1000).toFixed(0)} s, ${drill.kills} kills, ${drill.mail.tries} tries, ${JSON.stringify(world.counts)}`);
      assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults, seed ${seed}`);
      assert.ok(world.counts.sent > audience.length * 0.5, 'there were sends');
      assert.ok(world.acts.some(({ act }) => act === 'retry-failed'), 'some were tried again');
    } finally {
      await drill.close();
    }
  });
});
