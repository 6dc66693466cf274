// How fast a draft is rehearsed: half a year of 1 million people and 20 million events (bench/segments_house.mjs
// makes and imports them), a draft of 12 nodes with 5 waits, caps and quiet hours on, through the whole program.
//
//     DULT_PROGRAM=build/dult node bench/rehearse.mjs
//
// BENCH_REHEARSE_DATA: an imported folder to work on a copy of; it gets an address for each person.

import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dult, folder, removeFolder } from '../test/lib/program.mjs';
import { bench, END, historyFolder, median, note, openData, SIZE } from './segments_house.mjs';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const DAY = 86_400;
const iso = (at) => new Date(at * 1000).toISOString();

const CART = {
  journey: 'cart',
  trigger: { event: process.env.BENCH_TRIGGER ?? 'Survey Answered' },
  reentry: 'after 30 days',
  exit_when: 'did "Order Completed" since entry',
  nodes: [
    { id: 'an-hour', wait: '1 hour' },
    { id: 'reminder', email: 'reminder' },
    { id: 'a-day', wait: '23 hours' },
    { id: 'looked', split: 'did "Cart Viewed" in the last 2 days', yes: 'reviews', no: 'support' },
    { id: 'reviews', email: 'reviews', next: 'two-days' },
    { id: 'support', email: 'support' },
    { id: 'two-days', wait: '2 days' },
    { id: 'half', split: [{ share: 50, next: 'code', name: 'code' }, { share: 50, next: 'still', name: 'none' }] },
    { id: 'code', email: 'code' },
    { id: 'still', wait_for: { event: 'Product Viewed' }, within: '3 days', yes: 'morning', timeout: 'morning' },
    { id: 'morning', wait_until: 'weekday 10:00' },
    { id: 'last', email: 'last' },
  ],
};

const LIMITS = {
  quiet: [{ from: '21:00', to: '08:00' }],
  limits: [{ most: 3, in: '7 days', channel: 'email', wait: '1 day' }],
};

const definitions = [
  { kind: 'journey', name: 'cart', text: JSON.stringify(CART) },
  { kind: 'limits', text: JSON.stringify(LIMITS) },
  ...['reminder', 'reviews', 'support', 'code', 'last'].map((name) => ({ kind: 'template', name, text: 'subject: s\n--- html\nx\n' })),
];

// Everybody has an address, told before the first event.
async function addresses(data) {
  const mapping = join(bench, 'rehearse-mapping.json');
  const rows = join(bench, 'rehearse-people.csv');
  writeFileSync(mapping, JSON.stringify({
    mapping: 'people', format: 'csv', header: true,
    each_row: { type: 'identify', userId: '{person}', timestamp: { column: 'at', type: 'date', format: 'epoch' }, traits: { email: '{person}@x.example' } },
  }));
  const lines = Array.from({ length: SIZE.people }, (_, i) => `u${String(i).padStart(7, '0')},${END - 400 * DAY}`);
  writeFileSync(rows, `person,at\n${lines.join('\n')}\n`);
  await dult('import', '--data', data, '--mapping', mapping, rows);
  rmSync(rows);
}

async function prepared() {
  const kept = process.env.BENCH_REHEARSE_READY;
  if (kept) return { data: kept, done: () => {} };
  const from = process.env.BENCH_REHEARSE_DATA ?? join(historyFolder(), 'data');
  if (!existsSync(from)) throw new Error(`${from} is not there: bench/segments makes it`);
  const data = join(folder('rehearse'), 'data');
  note('copying the folder, and telling an address of each person');
  cpSync(from, data, { recursive: true });
  await addresses(data);
  return { data, done: () => removeFolder(join(data, '..')) };
}

const { data, done } = await prepared();
const house = await openData(data, ['--report-threads', '2']);
try {
  const body = { definitions, from: iso(END - 183 * DAY), to: iso(END), sample: 0 };
  await house.ask('journeys/rehearse', { ...body, from: iso(END - 2 * DAY) }); /* the view is made */
  for (const threads of [1, 2]) {
    const took = [];
    let answer;
    for (let i = 0; i < rounds; i += 1) {
      const began = performance.now();
      answer = await house.ask('journeys/rehearse', { ...body, threads });
      took.push((performance.now() - began) / 1000);
    }
    const [cart] = answer.journeys;
    const of = (list) => (list ?? []).reduce((sum, { count }) => sum + count, 0);
    note(JSON.stringify({
      threads, seconds: median(took), all: took.map((one) => Number(one.toFixed(2))),
      people: SIZE.people, looked_at: answer.looked_at, entered: cart.people, entries: cart.entries, events_told: answer.events,
      steps: answer.steps, sent: cart.sent, held: cart.held, kept_waiting: cart.nodes.reduce((sum, node) => sum + of(node.delayed), 0),
      steps_a_second: Math.round(answer.steps / median(took)), entered_a_second: Math.round(cart.entries / median(took)),
    }));
  }
} finally {
  await house.server.stop();
  done();
}
