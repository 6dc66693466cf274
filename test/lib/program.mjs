// The program under test: where it is, its command line, and a server one may kill and start again.
//
// DULT_PROGRAM names the program (build/dult unless set). While it has not been built the
// whole-program tests are skipped with that word; once it is there, nothing is skipped for it.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const program = process.env.DULT_PROGRAM ?? join(root, 'build/dult');
export const skipWithoutProgram = existsSync(program) ? false : `${program} is not built`;

// Sanitizers make the program several times slower; tests that wait, wait longer then.
export const patience = /-(asan|tsan)\//.test(program) ? 6 : 1;

// The thread sanitizer of gcc 12 cannot live with the widest address randomisation of newer kernels.
const launch = /-tsan\//.test(program) ? ['setarch', '-R', program] : [program];

const START_MS = 15_000;
const STOP_MS = 20_000;
const DAY_MS = 86_400_000;

export function folder(name) {
  return mkdtempSync(join(tmpdir(), `dult-${name}-`));
}

export function removeFolder(path) {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

// A port that stays free until its server listens, and while that server is down between a kill
// and a start: below the ports that the kernel gives to outgoing connections (32768 and up unless
// told otherwise), and claimed against the other tests by a file that goes with this process.
const claims = join(tmpdir(), 'dult-ports');
const claimed = [];

function claim(port) {
  mkdirSync(claims, { recursive: true });
  const path = join(claims, String(port));
  try {
    closeSync(openSync(path, 'wx'));
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false; // another test's, or left by one that was killed: there are thousands more
  }
  if (claimed.length === 0) process.on('exit', () => claimed.forEach((each) => rmSync(each, { force: true })));
  claimed.push(path);
  return true;
}

async function isFree(port) {
  const server = createServer();
  const free = await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

export async function freePort() {
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (claim(port) && await isFree(port)) return port;
  }
  throw new Error(`no port of 1000 tried is free; if no test is running, remove ${claims}`);
}

// Asks until `question` gives something other than undefined or false; fails with `what` if never, and
// at once with an error whose `never` says that it will not come.
export async function eventually(what, question, timeoutMs = 10_000) {
  const until = Date.now() + timeoutMs * patience;
  let last;
  for (;;) {
    try {
      const answer = await question();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      if (error.never) throw error;
      last = error;
    }
    if (Date.now() > until) throw new Error(`never came true: ${what}${last ? `: ${last.message}` : ''}`);
    await sleep(20);
  }
}

// For what is counted by days (of UTC): where the next one begins within `ms`, it is waited for, so that
// what is told from now on and what is counted of it lie in one day.
export async function withinOneDay(ms) {
  const left = DAY_MS - (Date.now() % DAY_MS);
  if (left < ms * patience) await sleep(left + 1000);
}

// A report of a sanitizer in what the program said.
export function complaint(text) {
  return /(ERROR: AddressSanitizer|WARNING: ThreadSanitizer|ERROR: LeakSanitizer|runtime error:|Assertion .* failed)[\s\S]*/
    .exec(text)?.[0]?.slice(0, 4000);
}

// Runs `dult ...words`; gives {status, out, err}. Fails on a sanitizer's report, not on a status.
export function dultTry(...words) {
  return new Promise((resolve, reject) => {
    const child = spawn(launch[0], [...launch.slice(1), ...words.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    child.stderr.on('data', (chunk) => { err += chunk; });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const report = complaint(err);
      if (report) reject(new Error(`dult ${words.join(' ')}: ${report}`));
      else resolve({ status: status ?? signal, out, err });
    });
  });
}

export async function dult(...words) {
  const { status, out, err } = await dultTry(...words);
  if (status !== 0) throw new Error(`dult ${words.join(' ')} ended with ${status}\n${out}${err}`);
  return out;
}

// A key to talk with. kind 'write' may send events; kind 'api' may ask and change, by scopes.
export async function createKey(data, kind, name, scopes) {
  const more = scopes ? ['--scopes', scopes] : [];
  const out = await dult('key', 'create', '--data', data, '--kind', kind, '--name', name, ...more, '--json');
  return JSON.parse(out).key;
}

export class Server {
  // options: data, port, args (more words for `dult serve`), env
  constructor(options) {
    Object.assign(this, { args: [], env: {} }, options);
    this.said = '';
    this.starts = 0;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  // Begins, and waits for nothing.
  async launch() {
    this.port ??= await freePort();
    const words = ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port}`, ...this.args];
    this.child = spawn(launch[0], [...launch.slice(1), ...words], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.starts += 1;
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve(code ?? signal));
    });
    const hear = (chunk) => { this.said = (this.said + chunk).slice(-200_000); };
    this.child.stdout.on('data', hear);
    this.child.stderr.on('data', hear);
    return words;
  }

  async start(withinMs = START_MS) {
    const words = await this.launch();
    let gone;
    this.ended.then((how) => { gone = how; });
    await eventually(`dult serve is well (${words.join(' ')})`, async () => {
      if (gone !== undefined) {
        throw Object.assign(new Error(`dult serve ended with ${gone}:\n${this.said.slice(-3000)}`), { never: true });
      }
      const answer = await fetch(`${this.origin}/healthz`, { signal: AbortSignal.timeout(1000) });
      return answer.status === 200;
    }, withinMs);
    return this;
  }

  // As when the power goes: no word of warning.
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  // As an operator ends it: it must end by itself, in order, and without a sanitizer's report.
  async stop() {
    if (!this.child) return;
    this.child.kill('SIGTERM');
    const how = await Promise.race([this.ended, sleep(STOP_MS * patience, 'late', { ref: false })]);
    if (how === 'late') {
      await this.kill();
      throw new Error(`dult serve did not end within ${STOP_MS} ms of SIGTERM\n${this.said.slice(-2000)}`);
    }
    const report = complaint(this.said);
    if (report) throw new Error(report);
    if (how !== 0 && how !== 'SIGTERM' && how !== 'SIGKILL') {
      throw new Error(`dult serve ended with ${how}\n${this.said.slice(-2000)}`);
    }
  }

  async restart() {
    await this.stop();
    await this.start();
  }
}
