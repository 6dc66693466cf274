// What bench/segments stands on: the events, made once; a data folder with 99% of them imported and
// merged, the rest sent live to a copy of it; processors, memory and metrics of a running Dult.

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { basic, Client, http } from '../test/lib/api.mjs';
import { createKey, dult, removeFolder, root, Server } from '../test/lib/program.mjs';

export const SIZE = {
  people: Number(process.env.BENCH_PEOPLE ?? 1_000_000),
  events: Number(process.env.BENCH_EVENTS ?? 20_000_000),
};
export const END = 1_794_787_200; /* Monday 2026-11-16T00:00:00Z, in seconds */
const LIVE_BATCH = 1000;

export const bench = process.env.BENCH_DIR ?? join(root, 'build/bench');
const folder = join(bench, `history-${SIZE.events}`);
export const note = (text) => console.log(text);
export const built = (name) => join(process.env.DULT_PROGRAM ? join(process.env.DULT_PROGRAM, '..') : join(root, 'build'), name);

export async function program(name, ...words) {
  const { stdout, stderr } = await promisify(execFile)(built(name), words.map(String), { maxBuffer: 1 << 24 })
    .catch((error) => (error.code === 3 ? error : Promise.reject(error)));
  if (stderr) note(stderr.trim());
  return JSON.parse(stdout);
}

// ---- the events ----

export function historyFolder() {
  if (!existsSync(join(folder, 'made.json'))) {
    note(`making ${SIZE.events} events of ${SIZE.people} people`);
    mkdirSync(folder, { recursive: true });
    const made = execFileSync(built('history'), ['--dir', folder, '--people', SIZE.people, '--events', SIZE.events, '--end', END].map(String), { encoding: 'utf8' });
    writeFileSync(join(folder, 'made.json'), made);
  }
  return folder;
}

export const eventNames = () => JSON.parse(readFileSync(join(historyFolder(), 'made.json'), 'utf8')).names;

const MAPPING = {
  mapping: 'history',
  format: 'csv',
  header: true,
  each_row: {
    type: 'track', event: '{event}', userId: '{person}',
    timestamp: { column: 'at', type: 'date', format: 'epoch' },
    properties: { revenue: { column: 'revenue', type: 'number' } },
  },
};

// A data folder with the first 99% imported and, as the command ends, merged into the index's base.
async function imported() {
  const data = join(historyFolder(), 'data');
  if (existsSync(data)) return data;
  note('importing 99% of them into Dult');
  rmSync(`${data}.new`, { recursive: true, force: true });
  mkdirSync(`${data}.new`);
  const mapping = join(folder, 'mapping.json');
  writeFileSync(mapping, JSON.stringify(MAPPING));
  const began = performance.now();
  await dult('import', '--data', `${data}.new`, '--mapping', mapping, join(folder, 'history.csv'));
  note(`  ${((performance.now() - began) / 1000).toFixed(0)} s`);
  renameSync(`${data}.new`, data);
  return data;
}

function liveEvents() {
  return readFileSync(join(historyFolder(), 'live.csv'), 'utf8').trimEnd().split('\n').map((line, index) => {
    const [userId, at, event, revenue] = line.split(',');
    return { type: 'track', messageId: `live-${index}`, userId, event, timestamp: new Date(Number(at) * 1000).toISOString(), properties: { revenue: Number(revenue) } };
  });
}

// The first answer waits until the message ids of the day's 20 million are read: it is asked again, as clients do.
async function sendAgain(house, batch) {
  const headers = { authorization: basic(house.client.writeKey), 'content-type': 'application/json' };
  for (;;) {
    const { status, text } = await http('POST', `${house.server.origin}/v1/batch`, { headers, body: { batch }, timeoutMs: 600_000 });
    if (status === 200) return;
    if (status !== 503) throw new Error(`/v1/batch answered ${status}: ${text}`);
  }
}

// A running Dult on a copy of that folder, the last 1% sent to it as clients send events.
export async function openHistory() {
  const from = await imported();
  const data = join(historyFolder(), 'live');
  rmSync(data, { recursive: true, force: true });
  cpSync(from, data, { recursive: true });
  const house = await openData(data);
  const merges = (await house.metrics())['dult_index_merges_total'];
  const live = liveEvents();
  note(`sending ${live.length} live`);
  for (let at = 0; at < live.length; at += LIVE_BATCH) await sendAgain(house, live.slice(at, at + LIVE_BATCH));
  // What was sent is still beside the base: that is how the questions are to be asked.
  house.checkUnmerged = async () => {
    if ((await house.metrics())['dult_index_merges_total'] !== merges) throw new Error('the live events were merged meanwhile');
  };
  return house;
}

export async function openData(data, args = []) {
  const writeKey = await createKey(data, 'write', 'load');
  const apiKey = await createKey(data, 'api', 'bench', 'read');
  const server = await new Server({ data, args }).start(600_000);
  return new House(data, server, new Client(server, { writeKey, apiKey }));
}

// ---- a running Dult ----

export class House {
  constructor(data, server, client) {
    Object.assign(this, { data, server, client });
  }

  get pid() {
    return this.server.child.pid;
  }

  async ask(path, body) {
    const answer = await http('POST', `${this.server.origin}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${this.client.apiKey}`, 'content-type': 'application/json' }, body, timeoutMs: 600_000,
    });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  // Every number of /metrics by its name with labels.
  async metrics() {
    const { text } = await http('GET', `${this.server.origin}/metrics`);
    const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  }

  // Resident bytes: all, the index's base, the bags of properties.
  resident() {
    const sums = { all: 0, base: 0, bags: 0 };
    let file = '';
    for (const line of readFileSync(`/proc/${this.pid}/smaps`, 'utf8').split('\n')) {
      const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$/.exec(line);
      if (head) [, file] = head;
      const rss = /^Rss:\s+(\d+) kB/.exec(line);
      if (!rss) continue;
      const bytes = Number(rss[1]) * 1024;
      sums.all += bytes;
      if (file.includes('base.')) sums.base += bytes;
      if (file.includes('bags.')) sums.bags += bytes;
    }
    return sums;
  }

  // Seconds of processor of each thread, the busiest first.
  threads() {
    return readdirSync(`/proc/${this.pid}/task`).map((thread) => {
      const fields = readFileSync(`/proc/${this.pid}/task/${thread}/stat`, 'utf8').split(') ')[1].split(' ');
      return { thread, seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
    }).sort((a, b) => b.seconds - a.seconds);
  }

  async close() {
    await this.server.stop();
    removeFolder(this.data);
  }
}

// Every thread of these processes on one processor (the last) or on the last two.
export function pin(count, ...processes) {
  const cores = execFileSync('nproc', ['--all'], { encoding: 'utf8' }).trim() - 1;
  const list = count === 1 ? `${cores}` : `${cores - 1},${cores}`;
  for (const process of processes) execFileSync('taskset', ['-acp', list, String(process)]);
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
