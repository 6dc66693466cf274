// Which branches of src/engine/ a test took, by clang's own count.
//
//     node test/coverage.mjs PROGRAM FOLDER          judge what PROGRAM's runs wrote to FOLDER (*.profraw)
//     node test/coverage.mjs PROGRAM FOLDER --list   and list each branch not taken, as untaken.txt names them
//
// A branch is one way that a condition can go: `a && b` has four, a case has two. Not counted are the
// branches inside the macros of MARKERS. Every other is taken, or named in coverage/untaken.txt with its
// reason: by file, function, way and text, not by its line, so that the list does not rot. A name whose
// branch is taken now, or is gone, is a failure, too.
//
// coverage/least.txt holds each folder to what it has reached: `all` is the aim (taken or named); a number
// is a ratchet until then, how many of 1000 are taken or named at least. It may only rise.
//
// Each folder is a line "ok ..." or "NOT OK ...", and so are the names; the end is 0 if all are ok.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENGINE = '/src/engine/';

// assert: what we believe, so its other way is our mistake, and the program's end. STR_ARG: hands text to
// printf, where an absent one is "".
const MARKERS = ['assert', 'STR_ARG'];

const EXPANSION = 1; // the kind of a region that stands for a macro
const WAYS = ['true', 'false'];
const SHOWN = 12; // of the branches of a folder that has too many untaken

const tool = (name) => execFileSync('clang', [`--print-prog-name=${name}`], { encoding: 'utf8' }).trim();

function exported(program, folder) {
  const raw = readdirSync(folder).filter((name) => name.endsWith('.profraw')).map((name) => join(folder, name));
  if (raw.length === 0) throw new Error(`${folder}: no run of the tests has left anything there`);
  const merged = join(folder, 'merged.profdata');
  execFileSync(tool('llvm-profdata'), ['merge', '-o', merged, ...raw]);
  const text = execFileSync(tool('llvm-cov'), ['export', program, `-instr-profile=${merged}`],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(text).data[0].functions;
}

// A file by its path in the engine; wherever it was compiled, it is read here.
const pathOf = (file) => file.slice(file.lastIndexOf(ENGINE) + ENGINE.length);

const texts = new Map();
function linesOf(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(join(root, ENGINE, file), 'utf8').split('\n'));
  return texts.get(file);
}

// What stands between two places, in one line.
function textAt(file, [line, column, lastLine, lastColumn]) {
  const lines = linesOf(file).slice(line - 1, lastLine);
  lines[lines.length - 1] = lines.at(-1).slice(0, lastColumn - 1);
  lines[0] = lines[0].slice(column - 1);
  return lines.join(' ').replace(/\s+/g, ' ').trim();
}

// Where in the file itself the branch stands: that of a macro where the macro is named, and its name.
function placeOf(branch, macros, file) {
  let at = branch;
  for (let id = branch[6]; id !== 0; id = at[5]) {
    if (!macros.has(id)) return undefined;
    at = macros.get(id);
  }
  const macro = at === branch ? '' : textAt(file, at).match(/^\w+/)[0];
  const whole = [at[0], 1, at[0], Infinity];
  return { line: at[0], column: at[1], macro, text: textAt(file, macro === '' ? at : whole) };
}

// A header's function is in many objects: their counts are one branch's.
function branchesOf(functions) {
  const branches = new Map();
  for (const { name, filenames, regions, branches: of } of functions) {
    if (!filenames[0].includes(ENGINE) || /_(test|fuzz|bench)\.[ch]$/.test(filenames[0])) continue;
    const file = pathOf(filenames[0]);
    const macros = new Map(regions.filter((region) => region[7] === EXPANSION).map((region) => [region[6], region]));
    for (const branch of of) {
      const place = placeOf(branch, macros, file);
      if (place === undefined || MARKERS.includes(place.macro) || /^(true|1)$/.test(place.text)) continue;
      const inside = branch[6] === 0 ? '' : `${filenames[branch[6]]}:${branch[0]}:${branch[1]}`;
      const key = `${file}:${place.line}:${place.column}:${inside}`;
      const one = branches.get(key) ?? { ...place, file, in: name.replace(/^.*:/, ''), taken: [0, 0] };
      one.taken[0] += branch[4];
      one.taken[1] += branch[5];
      branches.set(key, one);
    }
  }
  return [...branches.values()];
}

const rowsOf = (path) => readFileSync(join(root, path), 'utf8').split('\n')
  .map((text, i) => ({ text: text.trimEnd(), line: i + 1 }))
  .filter(({ text }) => text !== '' && !text.startsWith('#'));

// Lines `FILE FUNCTION WAY: TEXT`, and after one or several of them, indented, why no test takes those.
function namesOf(path) {
  const names = new Map();
  let waiting = [];
  for (const { text, line } of rowsOf(path)) {
    if (/^\s/.test(text)) {
      waiting = [];
      continue;
    }
    if (!/^\S+ \S+ (true|false): ./.test(text)) throw new Error(`${path}:${line}: write FILE FUNCTION true|false: TEXT`);
    names.set(text, { line, used: false });
    waiting.push(line);
  }
  if (waiting.length > 0) throw new Error(`${path}:${waiting[0]}: its reason is missing; write it indented below`);
  return names;
}

const folderOf = (file) => (dirname(file) === '.' ? 'engine' : `engine/${dirname(file)}`);

function counted(branches, names) {
  const folders = new Map();
  for (const branch of branches) {
    const folder = folderOf(branch.file);
    if (!folders.has(folder)) folders.set(folder, { total: 0, taken: 0, named: 0, open: [] });
    const sums = folders.get(folder);
    for (const [way, taken] of branch.taken.entries()) {
      const name = `${branch.file} ${branch.in} ${WAYS[way]}: ${branch.text}`;
      sums.total += 1;
      if (taken > 0) sums.taken += 1;
      else if (names.has(name)) {
        names.get(name).used = true;
        sums.named += 1;
      } else sums.open.push({ name, line: branch.line });
    }
  }
  return folders;
}

function judge(folders, names, least) {
  let good = true;
  const say = (ok, text) => {
    good = good && ok;
    process.stdout.write(`${ok ? 'ok' : 'NOT OK'} ${text}\n`);
  };
  const all = { total: 0, taken: 0, named: 0 };
  for (const [folder, sums] of [...folders].sort()) {
    for (const key of Object.keys(all)) all[key] += sums[key];
    const { total, taken, named, open } = sums;
    const bound = least.get(folder) ?? 'all';
    const reached = Math.floor(((taken + named) * 1000) / total);
    const ok = bound === 'all' ? open.length === 0 : reached >= Number(bound);
    const wants = bound === 'all' ? 'all' : `at least ${bound} of 1000`;
    say(ok, `src/${folder}: ${total} branches, ${taken} taken, ${named} named, ${open.length} open; ${reached} of 1000, wanted ${wants}`);
    if (!ok) for (const { name, line } of open.slice(0, SHOWN)) process.stdout.write(`    line ${line}: ${name}\n`);
  }
  const stale = [...names].filter(([, { used }]) => !used);
  say(stale.length === 0, `test/coverage/untaken.txt: ${names.size} names, each of a branch that no test takes`);
  for (const [name, { line }] of stale) process.stdout.write(`    line ${line}: taken now, or gone; delete it: ${name}\n`);
  const share = ((all.taken * 100) / all.total).toFixed(1);
  process.stdout.write(`# ${all.total} branches of src/engine, ${all.taken} taken (${share} %), ${all.named} named, ${all.total - all.taken - all.named} open\n`);
  return good;
}

const [program, folder, list] = process.argv.slice(2);
const names = namesOf('test/coverage/untaken.txt');
const least = new Map(rowsOf('test/coverage/least.txt').map(({ text }) => text.split(/\s+/)));
const branches = branchesOf(exported(program, folder));
if (branches.length === 0) throw new Error(`${program}: it was not built with DULT_COVERAGE`);
const folders = counted(branches, names);
if (list === '--list')
  for (const { open } of folders.values()) for (const { name, line } of open) process.stdout.write(`${line}\t${name}\n`);
process.exitCode = judge(folders, names, least) ? 0 : 1;
