// See bench/segments. Each part writes what it measured to build/bench/segments.json; the page is
// made of all that is there, so parts may be measured one by one.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dult, folder, removeFolder } from '../test/lib/program.mjs';
import { shopFolder } from '../test/lib/shop.mjs';
import { ASKED, openPeers, QUESTIONS } from './peers.mjs';
import { bench, END, eventNames, historyFolder, median, note, openData, openHistory, pin, program, SIZE } from './segments_house.mjs';
import { writePage } from './segments_page.mjs';

const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const seconds = Number(process.env.BENCH_SECONDS ?? 30);
const SLOW_ROUNDS = 3; /* of an engine that takes five times the best one's time, and is not it */
const WEEK = 7 * 86_400;
const iso = (at) => new Date(at * 1000).toISOString();

// ---- the four questions ----

// How each is asked of Dult, and what stands in its answer.
function dultQuestions() {
  const names = eventNames();
  const at = iso(END);
  const [a, b] = ASKED.three.map((number) => names[number]);
  return {
    three: ['segments/count', { condition: `did "${a}" at least 3 times in the last 30 days and never did "${b}"`, at, sample: 0 }, (answer) => answer.count],
    funnel: ['reports/funnel', { steps: ASKED.funnel.map((number) => names[number]), within: '7 days', from: iso(END - 200 * 86_400), to: at, at },
      (answer) => answer.rows.at(-1).steps.map((step) => step.people)],
    retention: ['reports/retention', { event: 'anything', interval: 'week', from: iso(END - 12 * WEEK), to: at, at },
      (answer) => answer.rows.slice(0, 12).map(({ back }) => [...back, ...Array(12).fill(0)].slice(0, 12))],
    idle: ['segments/count', { condition: 'never did anything in the last 30 days', at, sample: 0 }, (answer) => answer.count],
  };
}

class Dult {
  name = 'Dult';

  constructor(house) {
    Object.assign(this, { house, questions: dultQuestions(), count: 1 });
  }

  async threads(count) {
    this.count = count;
  }

  async round(question, right) {
    const [path, body, read] = this.questions[question];
    const began = performance.now();
    const answer = await this.house.ask(path, { ...body, threads: this.count });
    const took = performance.now() - began;
    const got = JSON.stringify(read(answer));
    if (got !== JSON.stringify(right[question])) {
      throw new Error(`Dult, ${question}: ${got.slice(0, 400)} is not ${JSON.stringify(right[question]).slice(0, 400)}`);
    }
    return took;
  }

  async choose() {
    return [];
  }
}

// One question, all engines taking turns; milliseconds by engine.
async function interleave(question, engines, right) {
  const times = new Map(engines.map((engine) => [engine.name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const best = Math.min(...[...times.values()].filter((list) => list.length > 0).map(median));
    for (let turn = 0; turn < engines.length; turn += 1) {
      const engine = engines[(turn + round) % engines.length];
      const list = times.get(engine.name);
      if (list.length >= SLOW_ROUNDS && median(list) > 5 * best && engine.name !== 'Dult') continue;
      list.push(await engine.round(question, right));
    }
  }
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]));
}

async function questions(results) {
  const base = historyFolder();
  pin(1, process.pid);
  const { answers: right, ...floor } = await program('floor', '--dir', base, '--end', END, '--rounds', Math.max(rounds, 7));
  pin(2, process.pid);
  const house = await openHistory();
  try {
    const peers = await openPeers(base, END);
    const engines = [...peers, new Dult(house)];
    const told = { floor, versions: Object.fromEntries(peers.map(({ name, version }) => [name, version])), forms: {}, threads: {} };
    for (const count of [1, 2]) {
      pin(count, process.pid, house.pid, ...peers.map(({ pid }) => pid).filter(Boolean));
      for (const engine of engines) await engine.threads(count);
      told.threads[count] = {};
      for (const question of QUESTIONS) {
        for (const engine of engines) {
          told.forms[`${engine.name} ${question} ${count}`] = (await engine.choose(question, right)).map(Math.round);
        }
        told.threads[count][question] = await interleave(question, engines, right);
        note(`  ${count} thread(s), ${question}: ${JSON.stringify(told.threads[count][question])}`);
      }
    }
    await house.checkUnmerged();
    for (const peer of peers) await peer.close();
    results.questions = told;
  } finally {
    pin(2, process.pid);
    await house.close();
  }
}

// ---- start ----

// From the start of the process to the fourth right answer.
async function start(results) {
  const { answers: right } = await program('floor', '--dir', historyFolder(), '--end', END, '--rounds', 1);
  const house = await openHistory();
  const times = [];
  try {
    for (let round = 0; round < 3; round += 1) {
      await house.server.stop();
      const began = performance.now();
      await house.server.start(600_000);
      const well = performance.now() - began;
      const asker = new Dult(house);
      await asker.threads(2);
      for (const question of QUESTIONS) await asker.round(question, right);
      times.push({ well, answered: performance.now() - began });
    }
  } finally {
    await house.close();
  }
  results.start = { well: median(times.map(({ well }) => well)), answered: median(times.map(({ answered }) => answered)) };
}

// ---- memory ----

const IDENTITIES = 3;
const MEMBERSHIPS = 10;

// What a person takes who did one thing; the base that holds it and its bag are left out.
async function bytesAPerson(memberships, identities) {
  const files = { 'workspace.json': { name: 'Memory' } };
  for (let index = 0; index < memberships; index += 1) files[`segments/m${index}.segment`] = `did "Signed Up" at least 1 time where plan != "p${index}"\n`;
  const shop = shopFolder(files);
  const data = folder('memory');
  await dult('apply', '--data', data, shop);
  removeFolder(shop);
  const house = await openData(data);
  try {
    const empty = house.resident();
    for (let at = 0; at < SIZE.people; at += 1000) {
      const batch = Array.from({ length: Math.min(1000, SIZE.people - at) }, (_, index) => ({
        type: 'track', messageId: `s${at + index}`, event: 'Signed Up', userId: `u${String(at + index).padStart(7, '0')}`,
        ...(identities === IDENTITIES && { anonymousId: `d${at + index}`, context: { externalIds: [{ id: `x${at + index}`, type: 'crm', collection: 'users', encoding: 'none' }] } }),
        properties: { plan: 'free' },
      }));
      await house.client.send('/v1/batch', { batch });
    }
    const full = house.resident();
    const who = await house.client.profile('u0000001');
    if (who.segments?.length !== memberships && who.memberships?.length !== memberships) note(`  a person: ${JSON.stringify(who).slice(0, 600)}`);
    const stats = await house.client.stats();
    return { person: (full.all - full.bags - full.base - empty.all) / stats.profiles, profiles: stats.profiles };
  } finally {
    await house.close();
  }
}

async function memory(results) {
  const people = await bytesAPerson(MEMBERSHIPS, IDENTITIES);
  const bare = await bytesAPerson(0, 1); /* as those of the history: what they take is no event's */
  const house = await openHistory();
  try {
    await sleep(3000);
    const live = house.resident();
    await house.server.restart(); /* which merges: the base holds everything then */
    await dultAll(house);
    const merged = house.resident();
    results.memory = { people: people.person, bare: bare.person, live, merged, identities: IDENTITIES, memberships: MEMBERSHIPS };
    note(`  ${JSON.stringify(results.memory)}`);
  } finally {
    await house.close();
  }
}

// Every page that the questions touch is then resident.
async function dultAll(house) {
  for (const [path, body] of Object.values(dultQuestions())) await house.ask(path, body);
}

// ---- 200 live segments ----

const LIVE_SEGMENTS = 200;
// Four conditions each: a count, a never, a trait or a sum.
function plainSegment(index, names) {
  const name = (n) => names[(index + n) % names.length];
  return [
    `did "${name(0)}" at least ${5 + (index % 20)} times in the last ${7 + (index % 60)} days`,
    `never did "Refund Asked ${index % 7}"`,
    `(mood = "m${index % 20}" or sum of revenue of "${name(1)}" in the last 90 days > ${(1 + (index % 40)) * 250})`,
  ].join(' and ');
}

// The language's whole width; half of them are plain.
function wideSegment(index, names) {
  if (index % 2 === 0) return plainSegment(index / 2, names);
  const name = (n) => names[(index + n) % names.length];
  const forms = [
    `did "${name(0)}" in the last ${7 + (index % 30)} days and never did "${name(1)}" in the last 30 days and mood != "m1" and did anything at least 10 times`,
    `did "${name(0)}" then "${name(1)}" within 1 hour and did "${name(2)}" at most 20 times and mood in ("m1", "m2", "m3") and never did "Refund Asked"`,
    `did "${name(0)}" in the last 7 days and then no "${name(1)}" within 1 hour and did "${name(2)}" and mood exists and never did "Refund Asked"`,
    `reached step 2 of ("${name(0)}", "${name(1)}") within 1 day and average of revenue of "${name(2)}" > 100 and mood = "m4" and did "${name(3)}"`,
    `distinct count of revenue of "${name(0)}" > ${3 + (index % 9)} and did "${name(1)}" this week and last did "${name(2)}" less than 7 days ago and mood != "m5"`,
  ];
  return forms[((index - 1) / 2) % forms.length];
}

const LIVE_SETS = { without: undefined, plain: plainSegment, wide: wideSegment };

function liveShop(condition) {
  const files = {};
  for (let index = 0; condition && index < LIVE_SEGMENTS; index += 1) files[`segments/l${index}.segment`] = `${condition(index, eventNames())}\n`;
  files['workspace.json'] = { name: 'Live' };
  return shopFolder(files);
}

// What an event costs the engine, after the segments have settled.
async function liveMeasure(house, people) {
  const load = (mode, ...words) => program('load', mode, '--port', house.server.port, '--key', house.client.writeKey, '--people', people, ...words);
  const names = ['--names', eventNames().join(',')];
  await load('warm', '--seed', 1);
  await load('batch', '--seed', 2, '--seconds', Math.ceil(seconds / 4), ...names);
  const [before, changed] = [await house.metrics(), (await house.client.stats()).membershipsChanged];
  const run = await load('batch', '--seed', 3, '--seconds', seconds, ...names);
  const after = await house.metrics();
  const used = after.dult_engine_cpu_seconds_total - before.dult_engine_cpu_seconds_total;
  const turned = (await house.client.stats()).membershipsChanged - changed;
  return { rate: run.rate, p99: run.p99_us / 1000, engineUs: (used * 1e6) / run.events, changed: turned / run.events };
}

// People of whom nothing is known: in half a minute each does what others do in months.
async function freshRound(condition) {
  const shop = liveShop(condition);
  const data = folder('live');
  await dult('apply', '--data', data, shop);
  removeFolder(shop);
  const house = await openData(data);
  try {
    return await liveMeasure(house, 100_000);
  } finally {
    await house.close();
  }
}

// The people of the history, with their half year.
async function livedRound(condition) {
  const house = await openHistory();
  const shop = liveShop(condition);
  try {
    await dult('apply', '--data', house.data, shop);
    while ((await house.client.stats()).segmentsBeingApplied > 0) await sleep(500);
    return await liveMeasure(house, SIZE.people);
  } finally {
    removeFolder(shop);
    await house.close();
  }
}

async function liveOf(round, most) {
  const all = Object.fromEntries(Object.keys(LIVE_SETS).map((set) => [set, []]));
  const sets = Object.keys(LIVE_SETS);
  for (let at = 0; at < Math.min(rounds, most); at += 1) {
    for (let turn = 0; turn < sets.length; turn += 1) {
      const set = sets[(turn + at) % sets.length];
      all[set].push(await round(LIVE_SETS[set]));
    }
    note(`  ${JSON.stringify(Object.fromEntries(sets.map((set) => [set, all[set].at(-1)])))}`);
  }
  const of = (list) => Object.fromEntries(['rate', 'engineUs', 'changed'].map((key) => [key, median(list.map((one) => one[key]))]));
  return Object.fromEntries(sets.map((set) => [set, of(all[set])]));
}

async function live(results) {
  results.live = await liveOf(freshRound, 5);
}

async function lived(results) {
  results.lived = await liveOf(livedRound, 2);
}

// ---- readers ----

async function readers(results) {
  const house = await openHistory();
  try {
    let seed = 100;
    const load = (...words) => program('load', 'batch', '--port', house.server.port, '--key', house.client.writeKey, '--people', SIZE.people, '--seed', seed += 1, '--seconds', seconds, ...words);
    await load();
    const most = await load();
    const half = ['--connections', 16, '--rate', Math.floor(most.rate / 2)];
    const alone = [];
    const beside = [];
    let asked = 0;
    for (let round = 0; round < Math.min(rounds, 5); round += 1) {
      alone.push((await load(...half)).p99_us / 1000);
      let over = false;
      const asking = (async () => {
        while (!over) {
          await dultAll(house);
          asked += 4;
        }
      })();
      beside.push((await load(...half)).p99_us / 1000);
      over = true;
      await asking;
      note(`  p99 alone ${alone.at(-1)} ms, beside reports ${beside.at(-1)} ms`);
    }
    const metrics = await house.metrics();
    const wait = (share) => metrics[`dult_engine_reader_wait_seconds{quantile="${share}"}`] * 1000;
    results.readers = { most: most.rate, alone: median(alone), beside: median(beside), asked, wait99: wait('0.99'), wait999: wait('0.999') };
    note(`  ${JSON.stringify(results.readers)}`);
  } finally {
    await house.close();
  }
}

// ---- the run ----

const PARTS = { questions, start, memory, live, lived, readers };
const path = join(bench, 'segments.json');
const chosen = process.argv.slice(2);
const wrong = chosen.filter((name) => !PARTS[name]);
if (wrong.length > 0) {
  console.error(`there is no part ${wrong.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
historyFolder();
const results = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
for (const name of chosen.length > 0 ? chosen : Object.keys(PARTS)) {
  note(name);
  await PARTS[name](results);
  results.about = { ...SIZE, rounds, seconds, cores: availableParallelism(), day: new Date().toISOString().slice(0, 10) };
  writeFileSync(path, JSON.stringify(results, null, 1));
}
writePage(results);
