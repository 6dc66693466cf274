// See bench/run. Each round has a data folder of its own on this disk; a figure is the median of
// the rounds, with the lowest and highest beside it.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '../test/lib/api.mjs';
import { createKey, dult, eventually, removeFolder, root, Server } from '../test/lib/program.mjs';
import { Recorder } from '../test/lib/recorder.mjs';
import { shopFolder, template } from '../test/lib/shop.mjs';
import { benchShop } from './shop.mjs';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Number(process.env.BENCH_SECONDS ?? 60);
const large = process.argv.includes('--large');
const PEOPLE = 100_000;
const LARGE = { people: 1_000_000, events: 20_000_000 };
const MAILS = 300;

const bench = join(root, 'build/bench');
mkdirSync(bench, { recursive: true });
const folder = (name) => mkdtempSync(join(bench, `${name}-`));
const note = (text) => console.log(text);
let seeds = 0; /* each load has its own, so that no message id is told twice */

async function program(name, ...words) {
  const { stdout, stderr } = await promisify(execFile)(join(root, 'build', name), words.map(String), { maxBuffer: 1 << 20 })
    .catch((error) => (error.code === 3 ? error : Promise.reject(error)));
  if (stderr) note(stderr.trim());
  const result = JSON.parse(stdout);
  note(`  ${name} ${words[0]}: ${stdout.trim()}`);
  return result;
}

function load(mode, server, key, ...words) {
  seeds += 1;
  return program('load', mode, '--port', server.port, '--key', key, '--seed', seeds, ...words);
}

// Resident bytes, slack included.
function resident(server) {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'));
  return Number(line[1]) * 1024;
}

async function open(shop, args = []) {
  const data = folder('data');
  await dult('apply', '--data', data, shop);
  await dult('live', '--yes', '--data', data);
  const writeKey = await createKey(data, 'write', 'load');
  const apiKey = await createKey(data, 'api', 'bench', 'read');
  const server = await new Server({ data, args }).start();
  return { data, server, client: new Client(server, { writeKey, apiKey }) };
}

async function close({ data, server }) {
  await server.stop();
  removeFolder(data);
}

// Milliseconds from the start of the program to the first right answer about a person; without the
// index's snapshot, which is then rebuilt from the store, when asked so.
async function startTime(house, { rebuild = false } = {}) {
  await house.server.stop();
  if (rebuild) rmSync(join(house.data, 'index'), { recursive: true, force: true });
  const began = performance.now();
  await house.server.start(600_000);
  const person = await house.client.profile('u00000001');
  if (person === undefined) throw new Error('the person is gone after a restart');
  return performance.now() - began;
}

async function intakeRound(figures) {
  const floor = folder('floor');
  const shop = benchShop();
  const house = await open(shop);
  try {
    const key = house.client.writeKey;
    const empty = resident(house.server);
    const warm = await load('warm', house.server, key, '--people', PEOPLE);
    const before = await house.client.stats();
    const base = await program('baseline', '--dir', floor, '--seconds', Math.min(seconds, 20));
    const batch = await load('batch', house.server, key, '--people', PEOPLE, '--seconds', seconds, '--connections', 8);
    const single = await load('single', house.server, key, '--people', PEOPLE, '--seconds', Math.min(seconds, 20), '--connections', 64);
    const after = await house.client.stats();
    const events = warm.events + batch.events + single.events;
    figures.push({
      floor: base.rate,
      batch: batch.rate,
      batchP99: batch.p99_us / 1000,
      ratio: batch.rate / base.rate,
      single: single.rate,
      singleP99: single.p99_us / 1000,
      refused: batch.refused + single.refused,
      bytesAnEvent: (resident(house.server) - empty) / events,
      start: await startTime(house),
      changes: share(before, after, 'membershipsChanged', events - warm.events),
      enrolled: share(before, after, 'enrolled', events - warm.events),
    });
  } finally {
    await close(house);
    removeFolder(shop);
    rmSync(floor, { recursive: true });
  }
}

// What share of the events had a consequence, in percent, where the program counts it.
function share(before, after, name, events) {
  if (after[name] === undefined) return undefined;
  return ((after[name] - (before[name] ?? 0)) / events) * 100;
}

// From the answer 200 to the final dot accepted at the far side, one mail after another, idle system.
async function mailRound(figures) {
  const recorder = await Recorder.listen();
  const heard = new Map();
  recorder.script = ({ phase, address }) => {
    if (phase === 'end') heard.set(address, performance.now());
  };
  const shop = shopFolder({
    'journeys/hello.json': { journey: 'hello', trigger: { event: 'Signed Up' }, nodes: [{ id: 'hello', email: 'hello' }, { id: 'done', exit: true }] },
    'templates/hello.email': template({ subject: 'Hello', html: '<p>Hello <a href="https://tents.example/">there</a></p>' }),
  });
  const house = await open(shop, ['--public-url', 'https://go.tents.example', '--smtp', recorder.url]);
  const times = [];
  try {
    for (let index = 0; index < MAILS; index += 1) {
      const email = `m${index}@x.example`;
      await house.client.send('/v1/identify', { messageId: `i${index}`, userId: `m${index}`, traits: { email } });
      await house.client.send('/v1/track', { messageId: `s${index}`, userId: `m${index}`, event: 'Signed Up' });
      const answered = performance.now();
      await eventually(`the mail to ${email}`, () => heard.has(email));
      times.push(Math.max(0, heard.get(email) - answered));
    }
  } finally {
    await close(house);
    await recorder.close();
    removeFolder(shop);
  }
  times.sort((a, b) => a - b);
  figures.push({ mailP50: times[MAILS >> 1], mailP99: times[Math.floor(MAILS * 0.99)] });
}

async function largeRound() {
  const shop = benchShop();
  const house = await open(shop);
  try {
    const empty = resident(house.server);
    const warm = await load('warm', house.server, house.client.writeKey, '--people', LARGE.people);
    const people = resident(house.server);
    let events = warm.events;
    while (events < LARGE.events) {
      const batch = await load('batch', house.server, house.client.writeKey, '--people', LARGE.people, '--seconds', 60);
      events += batch.events;
    }
    return {
      events,
      bytesAPerson: (people - empty) / LARGE.people,
      bytesAnEvent: (resident(house.server) - people) / (events - warm.events),
      start: await startTime(house),
      rebuilt: await startTime(house, { rebuild: true }),
    };
  } finally {
    await close(house);
    removeFolder(shop);
  }
}

const figure = (value) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2));

function row(name, figures, key, aim = '') {
  const values = figures.map((round) => round[key]).filter((value) => value !== undefined).sort((a, b) => a - b);
  if (values.length === 0) return `| ${name} | not measured | | ${aim} |`;
  const median = values[values.length >> 1];
  return `| ${name} | ${figure(median)} | ${figure(values[0])} to ${figure(values.at(-1))} | ${aim} |`;
}

function table(intake, mail, big) {
  const lines = [
    '# Benchmarks', '',
    `Written by \`make bench\` on ${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores, which server and load share.`,
    `Median of ${intake.length} rounds; intake runs for ${seconds} s a round.`, '',
    '| what | median | lowest to highest | aim |', '| --- | --- | --- | --- |',
    row('plain SQLite inserts of the same payloads, a second (batches of 1,000, full sync, no index)', intake, 'floor'),
    row('durable intake in batches of 100, events a second', intake, 'batch'),
    row('... of the rate of plain SQLite', intake, 'ratio', 'at least 0.35, aim 0.5'),
    row('... 99th percentile of a request, ms', intake, 'batchP99'),
    row('... share of events that changed a membership, %', intake, 'changes', 'at least 5'),
    row('... share of events that enrolled somebody, %', intake, 'enrolled', 'at least 0.5'),
    row('single events on 64 connections, a second', intake, 'single', '20,000'),
    row('... 99th percentile, ms', intake, 'singleP99', 'under 10'),
    row('requests not answered 200', intake, 'refused', '0'),
    row('event answered to mail accepted at the far side, 50th percentile, ms', mail, 'mailP50'),
    row('... 99th percentile, ms', mail, 'mailP99', 'under 20'),
    row('resident bytes an event (people and slack included)', intake, 'bytesAnEvent'),
    row('start to the first right answer, ms', intake, 'start'),
  ];
  if (big) {
    lines.push(row(`resident bytes a person, ${LARGE.people.toLocaleString('en-US')} people`, [big], 'bytesAPerson'));
    lines.push(row(`resident bytes an event, ${big.events.toLocaleString('en-US')} events`, [big], 'bytesAnEvent'));
    lines.push(row('start to the first right answer with them, ms', [big], 'start'));
    lines.push(row('... without the snapshot: the index is rebuilt from the store, ms', [big], 'rebuilt'));
  }
  const notes = join(root, 'bench/notes.md');
  return `${lines.join('\n')}\n\n${readFileSync(notes, 'utf8')}`;
}

const intake = [];
const mail = [];
for (let round = 1; round <= rounds; round += 1) {
  note(`round ${round} of ${rounds}`);
  await intakeRound(intake);
  await mailRound(mail);
}
const big = large ? await largeRound() : undefined;
writeFileSync(join(root, 'docs/benchmarks.md'), table(intake, mail, big));
note('written: docs/benchmarks.md');
