// See bench/delivery. Each round asks every sender in turn; a figure is the median of the rounds, a
// ratio the median of the rounds' ratios.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateKeyPairSync } from 'node:crypto';
import { promisify } from 'node:util';
import { Client, http } from '../test/lib/api.mjs';
import { createKey, dult, eventually, freePort, removeFolder, root, Server } from '../test/lib/program.mjs';
import { shopFolder, template } from '../test/lib/shop.mjs';
import { startSink } from '../test/lib/sink.mjs';

const rounds = Number(process.env.DELIVERY_ROUNDS ?? 5);
const build = process.env.DELIVERY_BUILD ?? join(root, 'build');
const here = fileURLToPath(new URL('.', import.meta.url));
const BYTES = 10_240;
const QUEUED = Number(process.env.DELIVERY_QUEUED ?? 1_000_000);
const LEDGER = Number(process.env.DELIVERY_LEDGER ?? 60_000);
const run = promisify(execFile);
mkdirSync(join(root, 'build/bench'), { recursive: true });
const home = mkdtempSync(join(root, 'build/bench/delivery-'));

const note = (text) => console.log(text);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const show = (number) => (number < 10 ? number.toFixed(2) : Math.round(number).toLocaleString('en'));

// ---- far sides ----

const children = new Set();
process.on('exit', () => { for (const child of children) child.kill('SIGKILL'); });

// A far side; close() gives what it says at its end.
async function farSide(kind, delayMs = 0) {
  const port = await freePort();
  const child = kind === 'smtp-sink' ? startSink(port)
    : spawn(join(build, 'sink'), [port, delayMs].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  let said = '';
  child.stdout?.on('data', (chunk) => { said += chunk; });
  await sleep(300);
  return {
    port,
    close: async () => {
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.kill('SIGTERM');
      await ended;
      children.delete(child);
      return said ? JSON.parse(said) : undefined;
    },
  };
}

// ---- senders of ready messages; each gives messages a second ----

async function ours(port, connections, messages) {
  const { stdout } = await run(join(build, 'delivery_bench'), ['127.0.0.1', port, messages, connections, BYTES].map(String));
  return Number(/^(\d+) messages/.exec(stdout)[1]);
}

async function postfix(port, connections, messages) {
  const began = performance.now();
  await run('smtp-source', ['-d', '-s', connections, '-l', BYTES, '-m', messages, `127.0.0.1:${port}`].map(String));
  return (messages * 1000) / (performance.now() - began);
}

async function nodemailer(port, connections, messages, key) {
  const words = [join(here, 'delivery_peer.mjs'), port, connections, messages, BYTES, ...(key ? [key] : [])];
  return Number((await run(process.execPath, words.map(String))).stdout);
}

// As many as the far side takes from one who waits for no answer (bench/blast.c): its own end.
async function itsEnd(port, connections, messages) {
  const { stdout } = await run(join(build, 'blast'), ['127.0.0.1', port, messages, connections, BYTES].map(String));
  return JSON.parse(stdout).rate;
}

// Rounds of all senders in turn: {name: [rate, ...]}
async function inTurns(senders) {
  const rates = Object.fromEntries(Object.keys(senders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, send] of Object.entries(senders)) rates[name].push(await send());
  }
  return rates;
}

function table(title, rates, wanted) {
  note(`\n${title}`);
  for (const [name, list] of Object.entries(rates)) note(`  ${name.padEnd(28)} ${show(median(list)).padStart(8)} /s   ${list.map(show).join(' ')}`);
  for (const [name, list] of Object.entries(rates)) {
    if (name !== 'dult') note(`  dult to ${name.padEnd(20)} ${show(median(rates.dult.map((rate, at) => rate / list[at]))).padStart(8)} times${wanted[name] ? `   (wanted ${wanted[name]})` : ''}`);
  }
}

async function ready() {
  for (const [kind, wanted] of [['smtp-sink', 1.5], ['sink', 2]]) {
    const far = await farSide(kind);
    const count = kind === 'sink' ? 3 : 1;
    const rates = await inTurns({
      dult: () => ours(far.port, 10, 30_000 * count),
      'smtp-source': () => postfix(far.port, 10, 20_000 * count),
      nodemailer: () => nodemailer(far.port, 10, 3_000),
      "the sink's own end": () => itsEnd(far.port, 10, 30_000 * count),
    });
    await far.close();
    table(`ready messages of 10 KB over 10 kept connections, to ${kind === 'sink' ? 'our sink' : "postfix's smtp-sink"}`, rates, { 'smtp-source': wanted });
  }
}

async function far() {
  const side = await farSide('sink', 20);
  const rates = await inTurns({
    dult: () => ours(side.port, 100, 20_000),
    'smtp-source': () => postfix(side.port, 100, 5_000),
  });
  await side.close();
  table('the same over 100 connections, each reply 20 ms late', rates, { 'smtp-source': 2 });
}

// ---- composed, signed, delivered ----

async function signed() {
  for (const kind of ['rsa', 'ed25519']) {
    const side = await farSide('sink');
    const key = join(home, `${kind}.pem`);
    const pair = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
    writeFileSync(key, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    for (const threads of [1, 2]) {
      const { stdout } = await run(join(build, 'mailing'), ['127.0.0.1', side.port, kind, threads, BYTES, 4].map(String));
      const { bare, delivered, ratio, bare_us, delivered_us } = JSON.parse(stdout);
      note(`\ncomposed, signed with ${kind} and delivered, ${threads} thread${threads > 1 ? 's' : ''}: ${show(delivered)} /s, bare signatures ${show(bare)} /s, ratio ${show(ratio)}${kind === 'rsa' ? ' (wanted 0.8)' : ''}`);
      note(`  of the processor: ${show(delivered_us)} us, a bare signature ${show(bare_us)} us, without the sink's`);
      if (kind === 'rsa' && threads === 2) {
        const peer = median((await inTurns({ nodemailer: () => nodemailer(side.port, 10, 1_500, key) })).nodemailer);
        note(`  nodemailer with a pool and DKIM ${show(peer)} /s: dult ${show(delivered / peer)} times (wanted 8)`);
      }
    }
    await side.close();
  }
}

// ---- the whole program ----

const mailShop = () => shopFolder({
  'journeys/welcome.json': { journey: 'welcome', trigger: { event: 'Signed Up' }, nodes: [{ id: 'hello', email: 'welcome' }] },
  'templates/welcome.email': template({
    subject: 'Welcome', text: 'Welcome', html: `<html><body>${'<p>Light enough for the ridge, and dry in a gale.</p>\n'.repeat(BYTES / 52)}</body></html>`,
  }),
});

// What is resident: all of it, and what no file stands behind.
function memory(server) {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return { all: bytes('VmRSS'), own: bytes('RssAnon') };
}
const showMemory = ({ all, own }) => `${show(all / 1e6)} MB, ${show(own / 1e6)} of them without mapped files`;

// A house with so many people, each of whom a message waits for if `signsUp`; nothing is sent yet.
async function waiting(count, signsUp) {
  const shop = mailShop();
  const data = mkdtempSync(join(home, 'data-'));
  await dult('apply', '--data', data, shop);
  removeFolder(shop);
  const writeKey = await createKey(data, 'write', 'bench');
  const apiKey = await createKey(data, 'api', 'bench', 'read');
  const server = await new Server({ data }).start(60_000);
  const client = new Client(server, { writeKey, apiKey });
  for (let from = 0; from < count; from += 500) {
    const batch = [];
    for (let n = from; n < Math.min(count, from + 500); n += 1) {
      batch.push({ type: 'identify', messageId: `i${n}`, userId: `u${n}`, traits: { email: `u${n}@x.example` } });
      batch.push({ type: 'track', messageId: `s${n}`, userId: `u${n}`, event: signsUp ? 'Signed Up' : 'Signed In' });
    }
    await client.send('/v1/batch', { batch });
  }
  return { data, server, client };
}

const messages = async (house) => (await house.client.stats()).messages;

// Ready messages out of the queue: claimed, sent and settled, nothing composed. The bare rate is asked
// before and after, for both are to be of the same minute.
async function ledger() {
  const rates = { dult: [], 'with the ledger': [] };
  for (let round = 0; round < rounds; round += 1) {
    const side = await farSide('sink');
    const data = mkdtempSync(join(home, 'ledger-'));
    const before = await ours(side.port, 10, 60_000);
    const { stdout } = await run(join(build, 'ledger'), [data, '127.0.0.1', side.port, LEDGER, 10, BYTES].map(String));
    const { rate, commits, cpu_us } = JSON.parse(stdout);
    rates.dult.push((before + await ours(side.port, 10, 60_000)) / 2);
    rates['with the ledger'].push(rate);
    note(`  ${commits.toFixed(4)} commits a message, ${cpu_us} us of the processor`);
    rmSync(data, { recursive: true, force: true });
    await side.close();
  }
  table('ready messages of 10 KB from the queue, claimed, sent and settled in the ledger', rates, { 'with the ledger': 'at most 2' });
}

// The same by the whole program: rendered for each person, composed and signed (Ed25519), too.
async function whole() {
  const rates = { dult: [] };
  for (let round = 0; round < Math.min(rounds, 3); round += 1) {
    const side = await farSide('sink');
    const house = await waiting(LEDGER, true);
    await house.server.stop();
    await dult('live', '--yes', '--data', house.data); /* a new folder keeps its mail */
    const keys = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(home, 'dkim.pem'), keys);
    house.server.args = ['--smtp', `smtp://127.0.0.1:${side.port}`, '--smtp-connections', '10', '--smtp-tls', 'off', '--tracking', 'no',
      '--dkim-domain', 'tents.example', '--dkim-selector', 's1', '--dkim-key-file', join(home, 'dkim.pem')];
    await house.server.start(60_000);
    const first = (await messages(house)).sent ?? 0;
    const from = performance.now();
    await eventually('all are sent', async () => ((await messages(house)).sent ?? 0) >= LEDGER, 300_000);
    rates.dult.push(((LEDGER - first) * 1000) / (performance.now() - from));
    note(`  ${((await house.client.stats()).commits / LEDGER).toFixed(4)} commits a message`);
    await house.server.stop();
    rmSync(house.data, { recursive: true, force: true });
    await side.close();
  }
  table('messages of 10 KB from the queue by the whole program, rendered and signed (Ed25519)', rates, {});
}

async function queue() {
  const sizes = {};
  for (const signsUp of [false, true]) {
    const house = await waiting(QUEUED, signsUp);
    await sleep(3000);
    sizes[signsUp] = memory(house.server);
    const { queued } = await messages(house);
    note(`  ${QUEUED} people, ${queued ?? 0} messages queued: ${showMemory(sizes[signsUp])}`);
    if (signsUp) {
      house.server.child.kill('SIGKILL');
      await house.server.ended;
      const began = performance.now();
      await house.server.start(600_000);
      note(`  killed and started again in ${((performance.now() - began) / 1000).toFixed(1)} s: ${(await messages(house)).queued} queued, ${showMemory(memory(house.server))}`);
    }
    await house.server.stop();
    rmSync(house.data, { recursive: true, force: true });
  }
  const cost = { all: sizes.true.all - sizes.false.all, own: sizes.true.own - sizes.false.own };
  note(`\n${QUEUED} queued messages cost ${showMemory(cost)} (wanted at most 300 for a million)`);
}

// ---- a broadcast ----

const CAST = 'spring';
const BATCH = 100;
const PACE = 1_000; /* events a second, told meanwhile */
const isOfIt = (n) => n % 10 !== 3;
const percentile = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
const ms = (value) => `${value.toFixed(1)} ms`;

const castShop = () => shopFolder({
  'segments/pro.segment': 'plan = "pro"\n',
  'templates/offer.email': template({
    subject: 'Spring', text: 'Spring', html: `<html><body>${'<p>Light enough for the ridge, and dry in a gale.</p>\n'.repeat(BYTES / 52)}</body></html>`,
  }),
  [`broadcasts/${CAST}.json`]: { broadcast: CAST, audience: 'in segment "pro"', template: 'offer' },
});

async function peopleTell(client, count) {
  const EACH = 1000;
  const lanes = 4;
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
    for (let from = lane * EACH; from < count; from += lanes * EACH) {
      const batch = Array.from({ length: Math.min(EACH, count - from) }, (__, i) => ({
        type: 'identify', messageId: `i${from + i}`, userId: `u${from + i}`,
        traits: { email: `u${from + i}@x.example`, plan: isOfIt(from + i) ? 'pro' : 'free' },
      }));
      await client.send('/v1/batch', { batch });
    }
  }));
}

// Events at a steady pace, whatever the answers take; how long each batch waited to be on disk.
async function paced(client, people, state) {
  const waits = [];
  const owed = new Set();
  let refused = 0;
  let sent = 0;
  const begun = performance.now();
  for (let count = 0; !state.over; count += 1) {
    const due = begun + (count * BATCH * 1000) / PACE;
    if (due > performance.now()) await sleep(due - performance.now());
    const batch = Array.from({ length: BATCH }, () => {
      sent += 1;
      return { type: 'track', userId: `u${(sent * 7919) % people}`, event: 'Viewed', properties: { revenue: sent % 300 } };
    });
    const from = performance.now();
    const one = client.send('/v1/batch', { batch })
      .then(() => waits.push(performance.now() - from), () => { refused += 1; })
      .finally(() => owed.delete(one));
    owed.add(one);
  }
  await Promise.all(owed);
  return { waits, refused };
}

// How long commits take: the last one, looked at some 50 times a second, each counted once.
async function commits(server, state) {
  const seen = [];
  let last = '';
  while (!state.over) {
    const text = await fetch(`${server.origin}/metrics`).then((answer) => answer.text(), () => '');
    const number = /^dult_commits_total (\S+)/m.exec(text)?.[1] ?? last;
    if (number !== last) seen.push(Number(/^dult_commit_seconds (\S+)/m.exec(text)[1]) * 1000);
    last = number;
    await sleep(20);
  }
  return seen;
}

const castNow = async (house) => (await house.client.get(`/api/v1/broadcasts/${CAST}`));
const finals = ({ counts }) => Object.entries(counts).reduce((sum, [state, count]) => sum + (['waiting', 'sending', 'deferred'].includes(state) ? 0 : count), 0);

async function beside(house, count, work) {
  const state = { over: false };
  const told = paced(house.client, count, state);
  const took = commits(house.server, state);
  try {
    await work();
  } finally {
    state.over = true;
  }
  const { waits, refused } = await told;
  const seen = await took;
  note(`    ${waits.length} batches of ${BATCH} events, ${PACE} events a second: median ${ms(percentile(waits, 0.5))}, p99 ${ms(percentile(waits, 0.99))}; ${refused} had no answer`);
  note(`    commits, ${seen.length} looked at: median ${ms(percentile(seen, 0.5))}, p99 ${ms(percentile(seen, 0.99))}`);
}

async function castUntil(house, what, question) {
  await eventually(what, async () => {
    const now = await castNow(house);
    return question(now) && now;
  }, 3_600_000);
  return castNow(house);
}

async function broadcast() {
  const count = QUEUED;
  const recipients = Array.from({ length: count }, (_, n) => isOfIt(n)).filter(Boolean).length;
  const side = await farSide('sink');
  const shop = castShop();
  const data = mkdtempSync(join(home, 'cast-'));
  await dult('apply', '--data', data, shop);
  await dult('live', '--yes', '--data', data);
  removeFolder(shop);
  const writeKey = await createKey(data, 'write', 'bench');
  const apiKey = await createKey(data, 'api', 'bench', 'read,messages:write');
  const server = await new Server({
    data, args: ['--smtp', `smtp://127.0.0.1:${side.port}`, '--smtp-connections', '10', '--smtp-tls', 'off', '--tracking', 'no'],
  }).start(60_000);
  const house = { data, server, client: new Client(server, { writeKey, apiKey }) };
  let from = performance.now();
  const seconds = () => ((performance.now() - from) / 1000).toFixed(1);
  await peopleTell(house.client, count);
  note(`\n  ${count} people, ${recipients} of the segment, told in ${seconds()} s: ${showMemory(memory(server))}`);
  note('  nothing is sent:');
  await beside(house, count, () => sleep(15_000));
  from = performance.now();
  const launched = await http('POST', `${server.origin}/api/v1/broadcasts/${CAST}/launch`, {
    headers: { authorization: `Bearer ${apiKey}` }, timeoutMs: 600_000,
  });
  if (launched.status !== 200) throw new Error(`launch answered ${launched.status}: ${launched.text}`);
  note(`  launched, its preview of everyone in it, in ${seconds()} s; while it goes:`);
  let at;
  await beside(house, count, async () => {
    at = await castUntil(house, 'half are final', (now) => finals(now) >= recipients / 2);
    note(`    half are final after ${seconds()} s, ${show(finals(at) / Number(seconds()))} a second: ${showMemory(memory(server))}`);
  });
  await server.kill();
  const killed = performance.now();
  await server.start(600_000);
  const startS = (performance.now() - killed) / 1000;
  const there = await castNow(house);
  note(`  kill -9 and a start of ${startS.toFixed(1)} s: ${finals(there)} final (${finals(at)} were), ${there.counts.waiting ?? 0} waiting, ${there.counts.unknown ?? 0} unknown`);
  if (finals(there) < finals(at)) throw new Error('rows that were final are gone');
  await beside(house, count, async () => {
    at = await castUntil(house, 'all are final', (now) => now.state === 'finished');
  });
  note(`  from its launch to the last row ${seconds()} s, the start among them: ${JSON.stringify(at.counts)}; ${showMemory(memory(server))}`);
  await server.stop();
  const { messages: taken } = await side.close();
  const { sent = 0, unknown = 0 } = at.counts;
  note(`  the sink took ${taken}`);
  if (at.counts.twice > 0) throw new Error(`${at.counts.twice} were taken for others: each has an address of their own`);
  if (finals(at) !== recipients) throw new Error(`${recipients} are of the segment`);
  if (taken < sent || taken > sent + unknown) throw new Error('not each of them once');
  rmSync(data, { recursive: true, force: true });
}

const PARTS = { ready, far, signed, ledger, whole, queue, broadcast };
const asked = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(PARTS);
try {
  if (!existsSync('/usr/sbin/smtp-source')) throw new Error('postfix is not installed (apt-get install postfix)');
  for (const part of asked) await PARTS[part]();
} finally {
  rmSync(home, { recursive: true, force: true });
}
