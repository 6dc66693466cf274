// The worst hour: everybody stands in a journey, and all their waits end at one instant. What is lost, how long
// it takes, and what those who send events meanwhile feel of it.
//
//     DULT_PROGRAM=build/dult node bench/hour.mjs
//
// BENCH_PEOPLE (1,000,000) come in by an event each, and wait until one instant; then each takes three steps:
// a split, a trait that is set for half of them, and a message, which stays queued. Events of single requests go in
// at BENCH_RATE (2,000) a second, before that instant and from it on (build/load).

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createKey, dult, folder, program, removeFolder, Server } from '../test/lib/program.mjs';
import { shopFolder, template } from '../test/lib/shop.mjs';

const PEOPLE = Number(process.env.BENCH_PEOPLE ?? 1_000_000);
const RATE = Number(process.env.BENCH_RATE ?? 2000);
const BEFORE_S = 10;
const BENCH_S = Number(process.env.BENCH_SECONDS ?? 40); // how long events go in from the instant on
const ENROLL_A_SECOND = 12_000; // reckoned low: the instant is set before they come in
const BATCH = 100;
const loadProgram = join(dirname(program), 'load');
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const say = (what) => console.log(typeof what === 'string' ? what : JSON.stringify(what));

const journey = (at) => ({
  journey: 'hour',
  trigger: { event: 'Signed Up' },
  nodes: [
    { id: 'until', wait_until: at },
    { id: 'half', split: [{ share: 50, next: 'set' }, { share: 50, next: 'letter' }] },
    { id: 'set', set: { stage: 'late' } },
    { id: 'letter', email: 'letter' },
  ],
});

function post(port, path, key, body) {
  return new Promise((done, fail) => {
    const headers = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, 'content-type': 'application/json' };
    const request = http.request({ port, method: 'POST', path, agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode));
    });
    request.on('error', fail);
    request.end(body);
  });
}

async function enroll(port, key) {
  let next = 0;
  const worker = async () => {
    while (next < PEOPLE) {
      const from = next;
      next += BATCH;
      const batch = Array.from({ length: Math.min(BATCH, PEOPLE - from) }, (_, i) => ({
        type: 'track', userId: `h${from + i}`, event: 'Signed Up', context: { traits: { email: `h${from + i}@x.example` } },
      }));
      const status = await post(port, '/v1/batch', key, JSON.stringify({ batch }));
      if (status !== 200) throw new Error(`a batch was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

const residentMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function metric(server, name) {
  const text = await (await fetch(`${server.origin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

const load = async (server, key, seconds) => {
  const words = ['single', '--port', server.port, '--key', key, '--seconds', seconds, '--connections', 200, '--rate', RATE, '--people', 1000];
  return JSON.parse((await promisify(execFile)(loadProgram, words.map(String))).stdout);
};

const data = folder('hour');
const server = new Server({ data: join(data, 'data'), });
try {
  await server.start();
  const write = await createKey(server.data, 'write', 'load');
  const api = await createKey(server.data, 'api', 'ask', 'read,write');
  const ask = async (path) => {
    const answer = await fetch(`${server.origin}/api/v1/${path}`, { headers: { authorization: `Bearer ${api}` } });
    return answer.json();
  };
  const at = Math.ceil(Date.now() / 1000) + Math.ceil(PEOPLE / ENROLL_A_SECOND) + BEFORE_S + 20;
  const shop = shopFolder({
    'journeys/hour.json': journey(new Date(at * 1000).toISOString()),
    'templates/letter.email': template({ subject: 'The hour', html: '<p>Hello</p>', topic: '', transactional: 'yes' }),
  });
  await dult('apply', '--data', server.data, shop);
  const began = Date.now();
  await enroll(server.port, write);
  const enrolledS = (Date.now() - began) / 1000;
  const standing = residentMb(server.child.pid);
  say({ people: PEOPLE, came_in_s: enrolledS, left_s: at - Date.now() / 1000, resident_mb: Math.round(standing) });
  if (Date.now() > (at - BEFORE_S - 2) * 1000) throw new Error('they came in too slowly: the instant is past');
  await sleep((at - BEFORE_S - 1) * 1000 - Date.now());
  say({ before: await load(server, write, BEFORE_S) });
  await sleep(Math.max(0, at * 1000 - 500 - Date.now()));
  const counted = async () => Promise.all(['dult_engine_cpu_seconds_total', 'dult_commit_cpu_seconds_total', 'dult_commits_total']
    .map((name) => metric(server, name)));
  const before = await counted();
  let greatest = 0;
  let longestCommit = 0;
  let queued = 0;
  const meanwhile = load(server, write, BENCH_S);
  while (queued < PEOPLE && Date.now() < (at + 600) * 1000) {
    await sleep(500);
    greatest = Math.max(greatest, residentMb(server.child.pid));
    longestCommit = Math.max(longestCommit, await metric(server, 'dult_commit_seconds'));
    const { messages: counts } = await ask('stats');
    queued = Object.values(counts).reduce((sum, count) => sum + count, 0);
  }
  const ended = Date.now() / 1000;
  const [engineS, commitS, commits] = (await counted()).map((value, i) => value - before[i]);
  say({ during: await meanwhile });
  const { exits, entries, messages } = await ask('journeys/hour/numbers');
  say({
    all_done_s: ended - at, engine_cpu_s: engineS, commit_cpu_s: commitS, commits, steps_a_second: Math.round(PEOPLE * 3.5 / (ended - at)),
    resident_mb: Math.round(greatest), longest_commit_seen_s: longestCommit, entries, exits, messages,
  });
} finally {
  await server.stop();
  removeFolder(data);
}
