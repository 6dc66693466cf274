// Runs every test there is and counts them one by one.
//
//     direction   the rooms include each other only downwards
//     unit        each room's test program, under address and undefined-behaviour sanitizers
//     cover       which branches of src/engine/ its tests take (coverage.mjs)
//     fuzz        each fuzz target for FUZZ_SECONDS (5 unless set)
//     build       build/dult, as users build it
//     simulate    random journeys beside their twin, 5 million records and 200,000 enrollments
//     faults      as many planted faults as FAULTS says (8 unless set), other ones each day
//     e2e         the whole program by real clients: all under address and undefined behaviour; where
//                 threads meet, and a third of the rest, under threads; and what optimization could
//                 change as users build it
//
// What cannot be built is a failure, and so is a run in which no test ran. The last line says
// "N passed, N failed, N skipped". CI reads it; nothing follows it.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const reporter = pathToFileURL(join(root, 'test/lib/reporter.mjs')).href;
const jobs = String(availableParallelism());
const fuzzSeconds = Number(process.env.FUZZ_SECONDS ?? 5);
const MINUTE_MS = 60_000;
const AT_ONCE = 2; // whole programs a processor, and as many that only wait

// These tell of durability and of figures, not of code paths: once, on the program as users run it,
// with nothing beside them.
const PLAIN_ONLY = ['durability_test.mjs', 'cdnow_test.mjs'];

// These also run on the program as users build it: crashes, real clients and servers, and the longest
// ways through it. The other files tell of words and pages, which are the same however they are built.
const PLAIN_TOO = ['broadcast_drill', 'broadcast', 'clients', 'drill', 'drill_http', 'harness', 'intake',
  'journey', 'nodes', 'recipes', 'rehearse', 'segments_sql', 'sending', 'services', 'stories', 'told']
  .map((name) => `${name}_test.mjs`);

// Where threads meet: always under the thread sanitizer too. Of the other files a third are each day, others
// each day; THREADS_PART (0, 1, 2, or all) says which.
const THREADED = ['broadcast', 'broadcast_drill', 'drill', 'drill_http', 'erasure', 'export', 'intake', 'journey',
  'launch', 'limits', 'moving', 'nodes', 'rehearse', 'reload', 'retention', 'schedule', 'segments_sql', 'sending',
  'services', 'status', 'told'].map((name) => `${name}_test.mjs`);
const THREADS_PARTS = 3;
const threadsPart = process.env.THREADS_PART ?? String(Math.floor(Date.now() / 86_400_000) % THREADS_PARTS);

// Mostly waiting for clocks: these run beside the others, which work.
const WAITING = ['pages', 'providers', 'journey', 'machine', 'erasure', 'limits', 'alerts', 'schedule']
  .map((name) => `${name}_test.mjs`);

// Begun first, so that nothing is waited for at the end.
const SLOW = ['recipes', 'broadcast_drill', 'drill_http', 'drill', 'stories', 'pingen', 'rehearse', 'forms']
  .map((name) => `${name}_test.mjs`);

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

// Each of `items`, in their order, so many at a time.
async function each(items, job, atOnce = Number(jobs)) {
  const waiting = [...items];
  const worker = async () => {
    while (waiting.length > 0) await job(waiting.shift());
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const secondsSince = (began) => `${((Date.now() - began) / 1000).toFixed(0)} s`;

const tail = (text, lines = 40) => text.trimEnd().split('\n').slice(-lines).join('\n');

// What the whole-program tests run.
const PROGRAMS = ['dult', 'trees', 'inlined', 'drill'];

// Builds all of one variant, or the targets named, and goes on past what does not build; that is one failure.
async function build(folder, options, targets = ['all']) {
  note(`building ${folder}`);
  const configured = await command(['cmake', '-S', '.', '-B', folder, '-G', 'Ninja', '-DDULT_WERROR=ON', ...options]);
  if (configured.status !== 0) {
    count('build', folder, 'failed', tail(configured.output));
    return false;
  }
  const built = await command(['cmake', '--build', folder, '-j', jobs, '--target', ...targets, '--', '-k', '0']);
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

// The long ones are run in parts, or the last would be waited for alone.
const PARTS = { engine_test: 4, run_test: 2 };

async function unit() {
  await build('build-asan', ['-DDULT_SANITIZE=address,undefined']);
  const runs = programs('build-asan', '_test').flatMap((program) => {
    const parts = PARTS[program] ?? 1;
    return Array.from({ length: parts }, (_, part) => ({ program, part, parts }));
  });
  runs.sort((a, b) => b.parts - a.parts);
  await each(runs, async ({ program, part, parts }) => {
    const began = Date.now();
    const env = { ...sanitizerEnv, DULT_TESTS_PART: `${part}/${parts}` };
    const ended = await command([`./build-asan/${program}`], { env, timeoutMs: 20 * MINUTE_MS });
    countCmocka(parts > 1 ? `${program} ${part + 1} of ${parts}` : program, ended, secondsSince(began));
  });
}

// The tests pass in `unit`, too; here they are counted by what they reach. The longest random lives are
// left out: what only chance takes is no test's.
async function cover() {
  const folder = 'build-cover';
  await build(folder, ['-DDULT_COVERAGE=ON', '-DCMAKE_BUILD_TYPE=None', '-DCMAKE_C_FLAGS=-O1',
    '-DCMAKE_CXX_FLAGS=-O1', '-DCMAKE_C_COMPILER=clang', '-DCMAKE_CXX_COMPILER=clang++'], ['engine_test']);
  const counts = `${folder}/cover`;
  rmSync(join(root, counts), { recursive: true, force: true });
  mkdirSync(join(root, counts), { recursive: true });
  await each(Array.from({ length: PARTS.engine_test }, (_, part) => part), async (part) => {
    const env = { DULT_SEED: '1', DULT_TESTS_BUT: 'engine_life.', DULT_TESTS_PART: `${part}/${PARTS.engine_test}`,
      LLVM_PROFILE_FILE: join(root, counts, '%p.profraw') };
    const { status, output } = await command([`./${folder}/engine_test`], { env });
    if (status !== 0) count('cover', `engine_test ${part + 1} of ${PARTS.engine_test}`, 'failed', tail(output));
  });
  const { status, output } = await command([process.execPath, 'test/coverage.mjs', `${folder}/engine_test`, counts]);
  const lines = output.split('\n').filter((line) => /^(ok|NOT OK) /.test(line));
  for (const line of lines) count('cover', line, line.startsWith('ok') ? 'passed' : 'failed', output);
  if (lines.length === 0) count('cover', `coverage.mjs ended with ${status}`, 'failed', tail(output));
  note(tail(output, lines.length > 0 ? 60 : 10).replace(/^/gm, '  '));
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
  const targets = readdirSync(join(root, 'src'), { recursive: true })
    .filter((path) => path.endsWith('_fuzz.c')).map((path) => basename(path, '.c'));
  await build('build-fuzz', ['-DDULT_FUZZ=ON', '-DDULT_SANITIZE=address,undefined',
    '-DCMAKE_C_COMPILER=clang', '-DCMAKE_CXX_COMPILER=clang++'], ['dult', ...targets]);
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
  await build('build', [], [...PROGRAMS, 'engine_test']);
}

// On the program as users build it: without sanitizers it does ten times as much in a second.
async function simulate() {
  await buildPlain();
  const env = { SIMULATE_RECORDS: '5000000', SIMULATE_ENROLLMENTS: '200000', ...process.env };
  const { status, output } = await command(['scripts/simulate', 'build'], { env });
  count('simulate', 'random journeys do what their twin does', status === 0 ? 'passed' : 'failed', tail(output, 60));
  note(`  ${tail(output, 1)}`);
}

// Each is a test: is it found?
async function faults() {
  const env = { FAULTS: '8', ...process.env };
  const { status, output } = await command([process.execPath, 'test/faults.mjs'], { env });
  const lines = output.split('\n').filter((line) => /^(found|NOT FOUND) /.test(line));
  for (const line of lines) {
    count('faults', line, line.startsWith('found') ? 'passed' : 'failed', line);
    note(`  ${line}`);
  }
  if (status !== 0 && !lines.some((line) => line.startsWith('NOT'))) count('faults', `ended with ${status}`, 'failed', tail(output));
}

const wholeProgramTests = () => readdirSync(join(root, 'test'))
  .filter((name) => name.endsWith('_test.mjs') && name !== 'include_direction_test.mjs')
  .sort();

async function e2e() {
  const all = wholeProgramTests();
  await buildPlain();
  const run = (folder, file) => nodeTests(folder, `test/${file}`, { DULT_PROGRAM: join(root, folder, 'dult') });
  for (const file of PLAIN_ONLY) await run('build', file);
  await build('build-asan', ['-DDULT_SANITIZE=address,undefined']);
  await build('build-tsan', ['-DDULT_SANITIZE=thread'], PROGRAMS);
  const paths = all.filter((file) => !PLAIN_ONLY.includes(file));
  const sanitized = paths.filter((file) => !file.startsWith('harness'));
  const others = sanitized.filter((file) => !THREADED.includes(file));
  const isToday = (file) => threadsPart === 'all' || !others.includes(file) || others.indexOf(file) % THREADS_PARTS === Number(threadsPart);
  note(`  under the thread sanitizer: THREADS_PART=${threadsPart}`);
  const runs = [
    ...sanitized.filter(isToday).map((file) => ['build-tsan', file]),
    ...sanitized.map((file) => ['build-asan', file]),
    ...paths.filter((file) => PLAIN_TOO.includes(file)).map((file) => ['build', file])];
  const rank = ([, file]) => (SLOW.indexOf(file) + SLOW.length + 1) % (SLOW.length + 1);
  runs.sort((a, b) => rank(a) - rank(b));
  const some = (waiting) => each(runs.filter(([, file]) => WAITING.includes(file) === waiting),
    ([folder, file]) => run(folder, file), AT_ONCE * Number(jobs));
  await Promise.all([some(true), some(false)]);
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

const stages = { direction, unit, cover, fuzz, build: buildPlain, simulate, faults, e2e };
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : ['direction', 'unit', 'cover', 'fuzz', 'simulate', 'faults', 'e2e']) {
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
