// What readers cost those who write. One server; events go in at a steady pace, first alone, then with
// reports, counts and drafts asked without a pause. It prints how long an acknowledged batch took both
// times, how long reports took, and the engine's wait for readers from the metrics endpoint.
//
//     node bench/readers.mjs build/dult [people] [events a second] [seconds]

import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = resolve(process.argv[2] ?? 'build/dult');
const people = Number(process.argv[3] ?? 20000);
const pace = Number(process.argv[4] ?? 10000);
const seconds = Number(process.argv[5] ?? 10);
const BATCH = 100;
const data = mkdtempSync(join(tmpdir(), 'dult-readers-'));
const port = 20000 + process.pid % 20000;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const names = ['Viewed', 'Added', 'Ordered', 'Searched', 'Refunded'];

function ask(method, path, key, body) {
  return new Promise((done, fail) => {
    const headers = { authorization: key, 'content-type': 'application/json' };
    const request = http.request({ port, method, path, agent, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => done({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
    });
    request.on('error', fail);
    request.end(body);
  });
}

const percentile = (list, share) => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
const ms = (value) => `${value.toFixed(1)} ms`;

let sent = 0;
function batch() {
  const events = Array.from({ length: BATCH }, () => {
    const n = sent++;
    return { type: 'track', userId: `u${(n * 7919) % people}`, event: names[n % names.length], properties: { revenue: n % 300 } };
  });
  return JSON.stringify({ batch: events });
}

// Sends at the pace whatever the answers take, as clients do; the waits of all answers.
async function send(key, length) {
  const waits = [], owed = new Set(), begun = performance.now();
  let refused = 0;
  for (let count = 0; performance.now() - begun < length * 1000; count++) {
    const due = begun + count * BATCH / pace * 1000;
    if (due > performance.now()) await sleep(due - performance.now());
    const from = performance.now();
    const one = ask('POST', '/v1/batch', key, batch()).then((answer) => {
      if (answer.status === 200) waits.push(performance.now() - from);
      else refused++;
    }).finally(() => owed.delete(one));
    owed.add(one);
  }
  await Promise.all(owed);
  return { waits, refused };
}

const questions = [
  ['/api/v1/reports/funnel', { steps: ['Viewed', 'Added', 'Ordered'], within: '1 hour' }],
  ['/api/v1/reports/retention', { event: 'Viewed', interval: 'day' }],
  ['/api/v1/reports/trends', { event: 'Ordered', sum: 'revenue', interval: 'day' }],
  ['/api/v1/segments/count', { condition: 'did "Ordered" at least 3 times in the last 30 days and never did "Refunded"' }],
];

async function read(key, state) {
  for (let i = 0; !state.over; i++) {
    const [path, body] = questions[i % questions.length];
    const from = performance.now();
    const answer = await ask('POST', path, key, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    state.waits.push(performance.now() - from);
  }
}

const line = (label, { waits, refused }) =>
  console.log(`${label.padEnd(22)} ${waits.length} batches, median ${ms(percentile(waits, 0.5))}, p99 ${ms(percentile(waits, 0.99))}, refused ${refused}`);

const server = spawn(program, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`], { stdio: 'ignore' });
try {
  const made = (kind, ...more) => JSON.parse(execFileSync(program, ['key', 'create', '--data', data, '--kind', kind, '--name', kind, '--json', ...more], { encoding: 'utf8' })).key;
  for (let tries = 0; tries < 100; tries++) {
    if (await ask('GET', '/healthz', '', '').then((answer) => answer.status === 200, () => false)) break;
    await sleep(100);
  }
  const write = `Basic ${Buffer.from(`${made('write')}:`).toString('base64')}`;
  const api = `Bearer ${made('api', '--scopes', 'read')}`;
  await send(write, 3);
  line('events alone', await send(write, seconds));
  const state = { over: false, waits: [] };
  const readers = [read(api, state), read(api, state)];
  line('with two who ask', await send(write, seconds));
  state.over = true;
  await Promise.all(readers);
  console.log(`reports                ${state.waits.length} answered, median ${ms(percentile(state.waits, 0.5))}, p99 ${ms(percentile(state.waits, 0.99))}`);
  const metrics = (await ask('GET', '/metrics', '', '')).text;
  for (const found of metrics.match(/^dult_engine_reader_wait.*$/gm)) console.log(found);
} finally {
  server.kill();
  await new Promise((done) => server.on('exit', done));
  rmSync(data, { recursive: true });
}
