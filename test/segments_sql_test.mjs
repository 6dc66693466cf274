// Random conditions over random histories: the running program and plain SQL over the rows in its
// data folder name the same people, at any instant.
//
// DULT_SEED replays; DULT_SQL_CASES says how many (5,000; a tenth of that under a sanitizer). People
// come known and anonymous, become one, are imported, told late, join and leave lists. The language
// is tried where SQL can say the same: lib/condition_sql.mjs. In the last of each history older events
// are kept no longer, and SQL leaves out the rows by itself.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { rowsOf, Translator } from './lib/condition_sql.mjs';
import { Maker, SEGMENTS } from './lib/conditions.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, eventually, patience, skipWithoutProgram } from './lib/program.mjs';
import { Random } from './lib/random.mjs';
import { shopFolder, WORKSPACE } from './lib/shop.mjs';
import { Sqlite } from './lib/sqlite.mjs';

const seed = Number(process.env.DULT_SEED ?? Date.now() % 1_000_000_007);
const cases = Number(process.env.DULT_SQL_CASES ?? (patience > 1 ? 500 : 5000));
const CASES_A_HISTORY = 2500;
const PEOPLE = 40; /* known and as many devices: a count shows at most 100 people */
const BATCH = 50;

const MAPPING = {
  mapping: 'old',
  format: 'ndjson',
  each_row: {
    type: 'track', event: '{event}', userId: '{userId}', messageId: '{messageId}',
    timestamp: { column: 'timestamp' },
    properties: Object.fromEntries(['revenue', 'colour', 'gift', 'tags', 'due', 'address', 'products'].map((column) => [column, { column }])),
  },
};

// A data folder with a history in it, and SQL laid over its rows.
const SQL_DEPTH = 11; // each may hold a whole select, and sqlite3 reads 100 levels of its grammar

// Of brackets.
function depth(sql) {
  let now = 0;
  let most = 0;
  for (const c of sql) {
    if (c === '(') most = Math.max(most, now += 1);
    else if (c === ')') now -= 1;
  }
  return most;
}

class History {
  static async open(number) {
    const history = new History();
    history.seed = (seed + number * 7919) >>> 0;
    history.random = new Random(history.seed);
    history.maker = new Maker(history.random, Date.now());
    history.house = await openHouse({ shop: shopFolder({ 'workspace.json': { ...WORKSPACE, lists: [{ id: 'vip', name: 'V' }, { id: 'news', name: 'N' }] } }) });
    history.sqlite = new Sqlite();
    history.segments = {};
    for (const name of SEGMENTS) {
      history.segments[name] = history.maker.did();
      const { text } = await history.answer(history.segments[name], Date.now());
      assert.equal((await history.change(`/api/v1/segments/${name}`, text, 'PUT')).status, 200);
    }
    return history;
  }

  get client() {
    return this.house.client;
  }

  messages(count) {
    return Array.from({ length: count }, () => this.maker.message(PEOPLE));
  }

  async live(count) {
    for (let left = count; left > 0; left -= 100) {
      await this.client.send('/v1/batch', { batch: this.messages(Math.min(left, 100)) });
    }
  }

  // The known people's tracked events of a long time ago, from a file.
  async imported(count) {
    const file = join(this.house.data, 'old.ndjson');
    const mapping = join(this.house.data, 'old.json');
    const old = this.messages(count).filter((message) => message.type === 'track' && message.userId)
      .map(({ properties, ...message }) => JSON.stringify({ ...message, ...properties }));
    writeFileSync(mapping, JSON.stringify(MAPPING));
    writeFileSync(file, `${old.join('\n')}\n`);
    await dult('import', '--data', this.house.data, '--mapping', mapping, file);
  }

  async change(path, body, verb = 'POST') {
    return http(verb, this.house.server.origin + path, {
      headers: { authorization: `Bearer ${this.client.apiKey}`, 'content-type': 'application/json' }, body,
    });
  }

  async lists(count) {
    for (let left = count; left > 0; left -= 1) {
      const answer = await this.change(`/api/v1/profiles/u${this.random.below(PEOPLE)}/lists`, { list: this.maker.list(), leave: this.maker.chance(30) });
      assert.ok([200, 404].includes(answer.status), answer.text);
    }
  }

  async unmerge() {
    const person = await this.client.profile(`u${this.random.below(PEOPLE)}`);
    const merge = person?.merges?.at(-1)?.merge;
    if (merge === undefined) return;
    const answer = await this.change(`/api/v1/profiles/${person.id}/unmerge`, { merge });
    assert.equal(answer.status, 200, answer.text);
  }

  async retention() {
    return (await this.change('/api/v1/retention', undefined, 'GET')).body;
  }

  // Rules of days by name; in force when this returns, while the rows may still be there.
  async retain() {
    const days = () => this.maker.one([0, 1, 3, 6, 10, 15]);
    this.kept = { rest: days(), by_event: { A: days(), 'Order Completed': days(), Page: days() } };
    const length = (count) => (count === 0 ? 'for ever' : `${count} days`);
    const by_event = Object.fromEntries(Object.entries(this.kept.by_event).map(([name, count]) => [name, length(count)]));
    const answer = await this.change('/api/v1/retention', { events: length(this.kept.rest), by_event }, 'PUT');
    assert.equal(answer.status, 200, answer.text);
    await eventually('the rules are in force', async () => !['waiting', 'asking'].includes((await this.retention()).state), 60_000);
  }

  async close() {
    await this.sqlite.close();
    await this.house.close();
  }

  // ---- asking both ----

  async answer(condition, at) {
    const answer = await this.change('/api/v1/segments/count', { condition, at: new Date(at).toISOString(), sample: 100 });
    assert.equal(answer.status, 200, `${answer.text}\n${JSON.stringify(condition)}`);
    const people = answer.body.sample.map(({ id }) => Number(id.slice(1))).sort((a, b) => a - b);
    assert.equal(people.length, answer.body.count, 'the sample shows everyone');
    return { text: answer.body.condition, people: people.join(' ') };
  }

  async differences(asked, translator) {
    const sql = asked.map(({ condition, at }) => this.sqlite.ask(translator.peopleWhere(condition, at)));
    const [rows, answers] = await Promise.all([Promise.all(sql), Promise.all(asked.map(({ condition, at }) => this.answer(condition, at)))]);
    return asked.map((one, index) => ({ ...one, ...answers[index], sql: rows[index][0][0] }))
      .filter(({ people, sql: expected }) => people !== expected);
  }

  // The smallest part of a condition about which the two differ.
  async smallest(difference, translator) {
    const { condition, at } = difference;
    for (const part of condition.and ?? condition.or ?? (condition.not ? [condition.not] : [])) {
      const [found] = await this.differences([{ condition: part, at }], translator);
      if (found) return this.smallest(found, translator);
    }
    return difference;
  }

  // A condition and an instant that SQL can be asked about: its parser has little room.
  question(translator) {
    for (;;) {
      const question = { condition: this.maker.condition(), at: this.maker.at() };
      if (depth(translator.peopleWhere(question.condition, question.at)) <= SQL_DEPTH) return question;
    }
  }

  // Asks `count` conditions. Most must hold for some and not for all, or nothing was compared.
  async compare(count) {
    const translator = new Translator(this.segments);
    await this.sqlite.ask(rowsOf(this.house.data, this.kept));
    for (let left = count; left > 0; left -= BATCH) {
      const asked = Array.from({ length: Math.min(left, BATCH) }, () => this.question(translator));
      const [difference] = await this.differences(asked, translator);
      if (difference) {
        const { text, at, people, sql, condition } = await this.smallest(difference, translator);
        assert.equal(people, sql, `DULT_SEED=${seed}, as of ${new Date(at).toISOString()}: ${text}\n${JSON.stringify(condition)}`);
      }
    }
  }
}

describe('segments and SQL over the same rows', { skip: skipWithoutProgram }, () => {
  const histories = Math.ceil(cases / CASES_A_HISTORY);

  for (let number = 0; number < histories; number += 1) {
    test(`name the same people, history ${number + 1} of ${histories}, seed ${seed}`, async () => {
      const history = await History.open(number);
      const share = Math.ceil(cases / histories / 6);
      try {
        await history.imported(300);
        await history.live(400);
        await history.compare(share);
        await history.lists(30);
        await history.live(200);
        await history.compare(share);
        await history.unmerge();
        await history.imported(200);
        await history.compare(share);
        await history.house.server.restart();
        await history.live(100);
        await history.compare(share);
        await history.retain();
        await history.compare(share);
        await history.live(100);
        await history.imported(100);
        await history.retain();
        await history.house.server.restart();
        await history.compare(share);
      } finally {
        await history.close();
      }
    });
  }

  test('a translation whose windows include their first instant is found out', async () => {
    const history = await History.open(1_000_000);
    try {
      await history.live(600);
      await history.sqlite.ask(rowsOf(history.house.data));
      const asked = Array.from({ length: 200 }, () => ({ condition: { did: 'A', in_the_last: history.maker.hours() }, at: history.maker.instant() }));
      const found = await history.differences(asked, new Translator(history.segments, { mistake: 'window' }));
      assert.ok(found.length > 0);
      assert.deepEqual(await history.differences(asked, new Translator(history.segments)), []);
    } finally {
      await history.close();
    }
  });
});
