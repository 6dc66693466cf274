// Runs every test there is and counts them one by one.
//
//     direction   the rooms include each other only downwards
//     unit        each room's test program, under address and undefined-behaviour sanitizers
//     fuzz        each fuzz target for FUZZ_SECONDS (5 unless set)
//     build       build/dult, as users build it
//     e2e         the whole program, as users build it, and again under the sanitizers
//                 (address and undefined behaviour; threads), by real clients
//
// What cannot be built is a failure, and so is a run in which no test ran. The last line says
// "N passed, N failed, N skipped". CI reads it; nothing follows it.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const reporter = pathToFileURL(join(root, 'test/lib/reporter.mjs')).href;
const jobs = String(availableParallelism());
const fuzzSeconds = Number(process.env.FUZZ_SECONDS ?? 5);
const MINUTE_MS = 60_000;

// These tell of durability and of figures, not of code paths: once, on the program as users run it,
// with nothing beside them.
const PLAIN_ONLY = ['durability_test.mjs', 'cdnow_test.mjs'];

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function count(where, name, result, why) {
  counts[result] += 1;
  if (result === 'failed') failures.push({ where, name, why });
}

const note = (text) => process.stdout.write(`${text}\n`);

// Runs a command with both outputs in one; a command that does not end in time is ended, children
// and all, and its status is then 'timed out'.
function command(argv, { env = {}, timeoutMs = 20 * MINUTE_MS, show = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), {
      cwd: root,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    const hear = (chunk) => {
      chunks.push(chunk);
      if (show) process.stdout.write(chunk);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', (error) => chunks.push(Buffer.from(String(error))));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const status = late ? 'timed out' : (code ?? signal ?? 'not started');
      resolve({ status, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

// Each of `items`, as many at a time as there are processors: most of them wait more than they work.
async function each(items, job) {
  const waiting = [...items];
  const worker = async () => {
    while (waiting.length > 0) await job(waiting.shift());
  };
  await Promise.all(Array.from({ length: Number(jobs) }, worker));
}

const secondsSince = (began) => `${((Date.now() - began) / 1000).toFixed(0)} s`;

const tail = (text, lines = 40) => text.trimEnd().split('\n').slice(-lines).join('\n');

// Builds all of one variant and goes on past what does not build; that is one failure.
async function build(folder, options) {
  note(`building ${folder}`);
  const configured = await command(['cmake', '-S', '.', '-B', folder, '-G', 'Ninja', '-DDULT_WERROR=ON', ...options]);
  if (configured.status !== 0) {
    count('build', folder, 'failed', tail(configured.output));
    return false;
  }
  const built = await command(['cmake', '--build', folder, '-j', jobs, '--', '-k', '0']);
  if (built.status !== 0) {
    const errors = built.output.split('\n').filter((line) => /error|FAILED|undefined/.test(line));
    count('build', folder, 'failed', errors.slice(0, 30).join('\n') || tail(built.output));
    return false;
  }
  return true;
}

const sanitizerEnv = {
  ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0:halt_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  TSAN_OPTIONS: `halt_on_error=0:second_deadlock_stack=1:exitcode=66:suppressions=${root}/test/tsan.supp`,
};

// A test of cmocka is told by "[ RUN ] name" and then by its result; one that began and has no
// result took the program down with it.
function countCmocka(where, { status, output }, took) {
  const results = new Map();
  const word = { OK: 'passed', FAILED: 'failed', SKIPPED: 'skipped' };
  for (const line of output.split('\n')) {
    const run = /^\[ RUN {6}\] (.+)$/.exec(line);
    if (run) results.set(run[1], 'unfinished');
    const end = /^\[ +(OK|FAILED|SKIPPED) +\] (.+?)$/.exec(line);
    if (end && results.has(end[2])) results.set(end[2], word[end[1]]);
  }
  let bad = 0;
  for (const [name, result] of results) {
    const failed = result === 'failed' || result === 'unfinished';
    bad += failed ? 1 : 0;
    count(where, name, failed ? 'failed' : result, failed ? excerpt(output, name) : undefined);
  }
  if (status !== 0 && bad === 0) count(where, `the program ended with ${status}`, 'failed', tail(output));
  if (results.size === 0 && status === 0) count(where, 'no test ran', 'failed', tail(output));
  note(`  ${where}: ${results.size} tests${bad ? `, ${bad} failed` : ''}, ${took}`);
}

function excerpt(output, name) {
  const lines = output.split('\n');
  const at = lines.findIndex((line) => line.startsWith('[ RUN') && line.endsWith(` ${name}`));
  return lines.slice(Math.max(at, 0), at + 60).join('\n');
}

function programs(folder, ending) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder)).filter((name) => name.endsWith(ending)).sort();
}

async function unit() {
  await build('build-asan', ['-DDULT_SANITIZE=address,undefined']);
  await each(programs('build-asan', '_test'), async (program) => {
    const began = Date.now();
    const ended = await command([`./build-asan/${program}`], { env: sanitizerEnv, timeoutMs: 20 * MINUTE_MS });
    countCmocka(program, ended, secondsSince(began));
  });
}

async function fuzzOne(program) {
  const corpus = `test/corpora/${program}`;
  const found = `build-fuzz/corpus/${program}`;
  mkdirSync(join(root, found), { recursive: true });
  const argv = [`./build-fuzz/${program}`, `-max_total_time=${fuzzSeconds}`, '-timeout=10',
    '-rss_limit_mb=2048', `-artifact_prefix=build-fuzz/${program}-`, '-print_final_stats=0', found];
  if (existsSync(join(root, corpus))) argv.push(corpus);
  const timeoutMs = fuzzSeconds * 1000 + 2 * MINUTE_MS;
  const { status, output } = await command(argv, { env: sanitizerEnv, timeoutMs });
  const ok = status === 0;
  count('fuzz', program, ok ? 'passed' : 'failed', ok ? undefined : tail(output));
  note(`  ${program}: ${ok ? 'nothing found' : 'FAILED'}`);
}

async function fuzz() {
  await build('build-fuzz', ['-DDULT_FUZZ=ON', '-DDULT_SANITIZE=address,undefined',
    '-DCMAKE_C_COMPILER=clang', '-DCMAKE_CXX_COMPILER=clang++']);
  await each(programs('build-fuzz', '_fuzz'), fuzzOne);
}

async function nodeTests(where, file, env = {}) {
  const argv = [process.execPath, `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout', file];
  const began = Date.now();
  const { status, output } = await command(argv, { env: { ...sanitizerEnv, ...env } });
  let ran = 0;
  let bad = 0;
  for (const line of output.split('\n')) {
    if (!line.startsWith('@test ')) {
      if (line.startsWith('# ')) note(`    ${line.slice(2)}`);
      continue;
    }
    const { name, result, why } = JSON.parse(line.slice(6));
    count(`${where} ${basename(file)}`, name, result, why);
    if (result === 'skipped') note(`  skipped: ${name}: ${why}`);
    ran += 1;
    bad += result === 'failed' ? 1 : 0;
  }
  if (status !== 0 && bad === 0) count(where, `${basename(file)} ended with ${status}`, 'failed', tail(output));
  else if (ran === 0) count(where, `${basename(file)} ran no test`, 'failed', tail(output));
  note(`  ${where} ${basename(file)}: ${ran} tests${bad ? `, ${bad} failed` : ''}, ${secondsSince(began)}`);
}

async function direction() {
  await nodeTests('rooms', 'test/include_direction_test.mjs');
}

async function buildPlain() {
  await build('build', []);
}

const wholeProgramTests = () => readdirSync(join(root, 'test'))
  .filter((name) => name.endsWith('_test.mjs') && name !== 'include_direction_test.mjs')
  .sort();

async function e2eOf(folder, files) {
  const program = join(root, folder, 'dult');
  const run = (file) => nodeTests(folder, `test/${file}`, { DULT_PROGRAM: program });
  for (const file of files.filter((name) => PLAIN_ONLY.includes(name))) await run(file);
  await each(files.filter((name) => !PLAIN_ONLY.includes(name)), run);
}

async function e2e() {
  const all = wholeProgramTests();
  await buildPlain();
  await e2eOf('build', all);
  if (!existsSync(join(root, 'src/main.c'))) return;
  const paths = all.filter((file) => !PLAIN_ONLY.includes(file) && !file.startsWith('harness'));
  await build('build-asan', ['-DDULT_SANITIZE=address,undefined']);
  await e2eOf('build-asan', paths);
  await build('build-tsan', ['-DDULT_SANITIZE=thread']);
  await e2eOf('build-tsan', paths);
}

function conclude() {
  for (const { where, name, why } of failures) {
    note(`\nFAILED ${where}: ${name}`);
    if (why) note(tail(why, 60).replace(/^/gm, '    '));
  }
  const ran = counts.passed + counts.failed;
  if (ran === 0) note('no test ran');
  note('');
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  note(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  process.exitCode = ran > 0 && counts.failed === 0 ? 0 : 1;
}

const stages = { direction, unit, fuzz, build: buildPlain, e2e };
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : ['direction', 'unit', 'fuzz', 'e2e']) {
  if (!stages[name]) {
    note(`there is no stage ${name}; there are ${Object.keys(stages).join(', ')}`);
    process.exit(2);
  }
  const began = Date.now();
  note(`== ${name}`);
  await stages[name]();
  note(`   ${secondsSince(began)}`);
}
conclude();
