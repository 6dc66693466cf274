// The drill with a service by HTTP: requests are refused, put off, answered late or not at all, while
// the program is killed again and again. A service that knows keys takes a message once however often
// it is asked; one that does not must not be asked twice.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DrillHouse } from './lib/drill_house.mjs';
import { PUBLIC_URL } from './lib/house.mjs';
import { eventually, patience, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { Service } from './lib/service.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const seed = Number(process.env.DULT_SEED ?? randomInt(1, 1_000_000));
const messages = Number(process.env.DRILL_REQUESTS ?? (patience > 1 ? 100 : 300));
const KILLS = 6;
const CONNECTIONS = 4;
const PLACES = 2 * CONNECTIONS;
const DRAIN_MS = 120_000;

const hermes = {
  provider: 'hermes', title: 'Hermes', settings: [{ name: 'url' }],
  request: { url: '{{ settings.url }}/send', json: { to: '{{ message.to }}' } },
  answer: { id: 'id', error: ['why'] },
  rate: { connections: CONNECTIONS },
};
const key = { idempotency: { header: 'Idempotency-Key', value: '{{ message.id }}' } };

// What a service has of each person: the keys of all requests, what it took, and what it said last.
class Hermes {
  constructor(knowsKeys, random) {
    Object.assign(this, { knowsKeys, random, people: new Map(), drops: 0 });
  }

  answer({ json, headers }) {
    const who = Number(/^u(\d+)@/.exec(json.to)[1]);
    const known = this.people.get(who) ?? { keys: [], taken: 0, refused: false, asked: 0 };
    this.people.set(who, known);
    known.asked += 1;
    known.keys.push(headers['idempotency-key']);
    if (who % 23 === 4) {
      known.refused = true;
      return { status: 422, body: { why: `no such box ${who}` } };
    }
    const drawn = this.random.below(100);
    if (drawn < 8) return { status: 500, body: { why: 'trouble' } };
    if (drawn < 11) return this.#silent(); // heard, and not taken
    known.taken = this.knowsKeys ? 1 : known.taken + 1;
    if (drawn < 15) return this.#silent();
    const fine = { status: 200, body: { id: `h-${who}` } };
    return drawn < 25 ? sleep(this.random.below(200), fine) : fine;
  }

  #silent() {
    this.drops += 1;
    return 'drop';
  }
}

class Drill extends DrillHouse {
  async feed() {
    for (let from = 0; from < messages; from += 10) {
      const people = Array.from({ length: Math.min(10, messages - from) }, (_, i) => from + i);
      await this.batch(people.flatMap((who) => [
        { type: 'identify', messageId: `i${who}`, userId: `u${who}`, traits: { email: `u${who}@x.example` } },
        { type: 'track', messageId: `j${who}`, userId: `u${who}`, event: 'Joined' }]));
    }
  }

  async run(far) {
    const feeding = this.feed();
    feeding.catch(() => {}); // it is awaited below
    for (let i = 1; i <= KILLS; i += 1) {
      await eventually('enough are asked for', () => far.people.size >= ((messages * i) / (KILLS + 1)) * 0.8, DRAIN_MS);
      await this.crash();
    }
    await feeding;
    await eventually('all is final', async () => {
      const { due, queued, waiting, sending } = await this.states();
      return due === messages && queued + waiting + sending === 0;
    }, DRAIN_MS);
  }
}

const shop = () => shopFolder({
  'journeys/welcome.json': { journey: 'welcome', trigger: { event: 'Joined' }, nodes: [{ id: 'hello', email: 'hello' }] },
  'templates/hello.email': template({ subject: 'Hello', html: '<p>Hello</p>' }),
});

function furnish(service, knowsKeys) {
  return (data) => {
    mkdirSync(join(data, 'providers'));
    writeFileSync(join(data, 'providers', 'hermes.json'), JSON.stringify({ ...hermes, ...(knowsKeys ? key : {}) }));
    const way = { name: 'out', provider: 'hermes', inside: true, settings: { url: service.origin } };
    writeFileSync(join(data, 'ways.json'), JSON.stringify({ ways: [way] }));
  };
}

function* faults(items, far, unknownMax) {
  const states = new Map(items.map((item) => [item.to, item]));
  if (items.length !== messages || states.size !== messages) yield `${items.length} messages to ${states.size} people, ${messages} are due`;
  for (const [to, { state, reason }] of states) {
    const { keys, taken, refused } = far.people.get(Number(/^u(\d+)@/.exec(to)[1])) ?? { keys: [], taken: 0 };
    if (!['sent', 'failed', 'unknown'].includes(state)) yield `${to} is ${state}: ${reason}`;
    if (taken > 1) yield `${to} was taken ${taken} times`;
    if (new Set(keys).size > 1) yield `${to} was asked for under ${new Set(keys).size} keys`;
    if (far.knowsKeys && keys.includes(undefined)) yield `${to} was asked for without a key`;
    if (state === 'sent' && taken === 0) yield `${to} is sent, and was never taken`;
    if (state === 'failed' && !refused) yield `${to} is failed, and was not refused: ${reason}`;
    if (state === 'failed' && !/no such box|^refused; the process ended/.test(reason)) yield `${to} is failed without the service's words: ${reason}`;
    if (refused && taken > 0) yield `${to} was refused and taken`;
  }
  const unknown = items.filter(({ state }) => state === 'unknown').length;
  if (unknown > unknownMax) yield `${unknown} are unknown, at most ${unknownMax} may be`;
}

describe('drill of a service by HTTP', { skip: skipWithoutProgram }, () => {
  for (const knowsKeys of [false, true]) {
    test(`${knowsKeys ? 'with' : 'without'} keys, ${messages} messages, seed ${seed}: each is taken once at most`, async () => {
      const far = new Hermes(knowsKeys, new Random(seed));
      const service = await Service.listen((request) => far.answer(request));
      const drill = new Drill(new Random(seed + 1));
      try {
        await drill.open({ shop: shop(), furnish: furnish(service, knowsKeys), args: ['--public-url', PUBLIC_URL, '--smtp-retry-first', '300 ms'] });
        await drill.run(far);
        const items = await drill.client.all('/api/v1/messages?limit=1000');
        const count = (state) => items.filter((item) => item.state === state).length;
        console.log(`# drill, a service ${knowsKeys ? 'with' : 'without'} keys, seed ${seed}: ${drill.kills} kills, ${service.requests.length} requests; `
          + `${count('sent')} sent, ${count('failed')} failed, ${count('unknown')} unknown, ${far.drops} requests not answered`);
        const found = [...faults(items, far, PLACES * drill.kills + far.drops)];
        assert.deepEqual(found.slice(0, 20), [], `${found.length} faults, seed ${seed}`);
        assert.ok(count('sent') > messages * 0.5, 'there were sends');
      } finally {
        await drill.close();
        await service.close();
      }
    });
  }
});
