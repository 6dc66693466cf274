// Plants each fault of test/faults/ in a copy of the sources and says which test found it.
//
//     node test/faults.mjs [NAME ...]      those named, or all
//     FAULTS=8 node test/faults.mjs        so many of them, other ones each day
//     DULT_SEED=7                          where the random lives begin (1 unless set)
//
// A fault is a patch against src/engine/ with two lines ahead of it: `breaks:` what it breaks, in
// words, and `asked:` the tests that are to find it, as a word of their names (journey_life and
// engine_life are the random lives, ".": all). Those are run with seed after seed until one fails,
// FAULT_SECONDS at most. The sources without any fault are asked first, and must pass.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'build-faults');
const source = join(folder, 'source');
const seconds = Number(process.env.FAULT_SECONDS ?? 90);
const SEED_STEP = 1000; // further apart than the lives of one run
const DAY_MS = 86_400_000;
const firstSeed = Number(process.env.DULT_SEED ?? 1);

function die(text) {
  process.stdout.write(`${text}\n`);
  process.exit(1);
}

function run(argv, options = {}) {
  return spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
}

// Only what differs is written, so that only that is compiled anew.
function copy(path) {
  const from = join(root, path), to = join(source, path);
  if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function files(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => (name === 'node_modules' ? [] : files(join(path, name))));
}

function build() {
  const built = run(['cmake', '--build', folder, '-j', String(availableParallelism()), '--target', 'engine_test']);
  return built.status === 0 ? '' : built.stdout.split('\n').filter((line) => /error/.test(line)).join('\n');
}

function configure() {
  for (const path of ['CMakeLists.txt', 'src', 'bench', 'test/trees.c', 'test/inlined.c', 'test/drill.c', 'providers'])
    files(path).forEach(copy);
  const has = (name) => run(['sh', '-c', `command -v ${name}`]).status === 0;
  const launcher = has('ccache') ? ['-DCMAKE_C_COMPILER_LAUNCHER=ccache', '-DCMAKE_CXX_COMPILER_LAUNCHER=ccache'] : [];
  const done = run(['cmake', '-S', source, '-B', folder, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=None',
    '-DCMAKE_C_FLAGS=-O1', '-DCMAKE_CXX_FLAGS=-O1', ...launcher]);
  if (done.status !== 0) die(done.stderr);
  const wrong = build();
  if (wrong) die(`without any fault it does not build:\n${wrong}`);
}

function read(name) {
  const text = readFileSync(join(root, 'test/faults', `${name}.patch`), 'utf8');
  const line = (key) => new RegExp(`^${key}: (.+)$`, 'm').exec(text)?.[1];
  const path = /^\+\+\+ b\/(\S+)$/m.exec(text)?.[1];
  if (!line('breaks') || !line('asked') || !path)
    die(`test/faults/${name}.patch: "breaks:", "asked:" and a patch of one file are wanted.`);
  return { name, text, path, breaks: line('breaks'), asked: line('asked') };
}

// The first test that fails, or none in the time; a fault may also make a life that never ends.
function ask(word, times = Infinity) {
  const until = Date.now() + seconds * 1000;
  for (let seed = firstSeed; Date.now() < until && times > 0; seed += SEED_STEP, times -= 1) {
    const ended = run([join(folder, 'engine_test'), word],
      { cwd: source, env: { ...process.env, DULT_SEED: String(seed) }, timeout: Math.max(until - Date.now(), 1000) });
    const failed = /^\[ +FAILED +\] (\S+\.\S+)/m.exec(ended.stderr + ended.stdout)?.[1];
    if (failed) return `${failed}, seed ${seed}`;
    if (ended.signal === 'SIGTERM') return undefined;
    if (ended.signal) return `${word} (ended by ${ended.signal}), seed ${seed}`;
    if (ended.status !== 0) die(`${word}: ${ended.stdout}${ended.stderr}`);
    if (!word.includes('life')) return undefined; // nothing is drawn
  }
  return undefined;
}

function plant({ name, text, path, breaks, asked }) {
  const began = Date.now();
  const patched = run(['patch', '-p1', '--no-backup-if-mismatch', '--silent', '--forward'], { cwd: source, input: text });
  if (patched.status !== 0) {
    copy(path);
    process.stdout.write(`NOT FOUND ${name}: the patch no longer applies to ${path}. Plant the same slip in today's\n`
      + `    code and write it anew: git diff > it, below its two lines, in test/faults/${name}.patch\n`);
    return false;
  }
  const wrong = build();
  const found = wrong ? undefined : ask(asked);
  copy(path);
  const took = ((Date.now() - began) / 1000).toFixed(1);
  process.stdout.write(found ? `found ${name} in ${took} s by ${found}\n`
    : `NOT FOUND ${name} in ${took} s by "${asked}": ${wrong || breaks}\n`);
  return Boolean(found);
}

const all = readdirSync(join(root, 'test/faults')).filter((name) => name.endsWith('.patch')).map((name) => name.slice(0, -6)).sort();
let chosen = process.argv.slice(2);
if (chosen.length === 0 && process.env.FAULTS) {
  const count = Math.min(Number(process.env.FAULTS), all.length), first = Math.floor(Date.now() / DAY_MS) * count;
  chosen = Array.from({ length: count }, (_, i) => all[(first + i) % all.length]);
}
const faults = (chosen.length > 0 ? chosen : all).map(read);
configure();
for (const word of new Set(faults.map((fault) => fault.asked))) {
  const failed = ask(word, 1);
  if (failed) die(`without any fault ${failed} fails`);
}
const found = faults.filter(plant).length;
process.stdout.write(`${found} of ${faults.length} planted faults were found\n`);
process.exitCode = found === faults.length ? 0 : 1;
