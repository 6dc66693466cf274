// Which way may an include point, and what may the pure rooms not touch?
//
//     base  <-  engine store template message bounce delivery intake server  <-  run  <-  main.c
//
// The rooms in the middle do not know each other: what crosses between them is plain structs of a
// lower room, converted in run/. engine/, template/ and bounce/ are pure: no input or output, no
// clock, no chance, no locks, so that the same records always give the same result. A library
// belongs to the rooms listed for it, so that only delivery/ can call out and only store/ knows the database.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const MIDDLE = ['engine', 'store', 'template', 'message', 'bounce', 'delivery', 'intake', 'server'];
const PURE = ['engine', 'template', 'bounce'];

const mayInclude = {
  base: ['base'],
  ...Object.fromEntries(MIDDLE.map((room) => [room, ['base', room]])),
  run: ['base', ...MIDDLE, 'run'],
  main: ['base', ...MIDDLE, 'run'],
};

const LIBRARIES = [
  [/^sqlite3\.h$/, ['store']],
  [/^curl\//, ['delivery']],
  [/^event2?[/.]/, ['delivery', 'server', 'run']],
  [/^gumbo\.h$/, ['message']],
  [/^zlib\.h$/, ['intake']],
  [/^sodium\.h$/, ['server', 'run']],
  [/^simdjson\.h$/, ['base']],
  [/^maxminddb\.h$/, ['run']],
  [/^pcre2\.h$/, ['engine']],
  [/^unicode\//, ['template']],
  [/^openssl\//, ['message', 'delivery', 'intake', 'server', 'run']],
];

// Headers a pure room may use. stdio.h is here for snprintf alone, stdlib.h for memory: what else
// they hold is in the list of words below. stdatomic.h is for counting who holds what. ICU is asked
// with the language, the time and the zone given, and so for the same text every time.
const PURE_HEADERS = new Set(['assert.h', 'ctype.h', 'errno.h', 'float.h', 'inttypes.h', 'limits.h',
  'math.h', 'stdalign.h', 'stdarg.h', 'stdbool.h', 'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h',
  'string.h', 'strings.h', 'stdatomic.h', 'pcre2.h', 'endian.h', 'byteswap.h', 'immintrin.h',
  'unicode/udat.h', 'unicode/udatpg.h', 'unicode/uloc.h', 'unicode/unum.h', 'unicode/ustring.h',
  'unicode/ucasemap.h', 'unicode/stringoptions.h']);

// A call of that name; a member of a struct (kind->read) is somebody else.
const IMPURE = new RegExp(`(?<![\\w.>]|->\\s)(?:${[
  'time', 'clock', 'gettimeofday', 'clock_gettime', 'localtime(?:_r)?', 'gmtime(?:_r)?', 'mktime',
  'strftime', 'nanosleep', 'usleep', 'sleep', 'time_now_ms', 'time_mono_us',
  's?rand(?:_r)?', 's?random', '[ejlmn]rand48', 'drand48', 'getrandom', 'getentropy', 'arc4random\\w*',
  'v?f?printf', 'v?dprintf', 'puts', 'putchar', 'fputs', 'fputc', 'perror', 'fopen', 'fdopen',
  'fread', 'fwrite', 'fflush', 'fclose', 'open', 'openat', 'read', 'write', 'pread', 'pwrite', 'mmap',
  'socket', 'connect', 'send', 'recv', 'poll', 'select', 'epoll_\\w+', 'system', 'popen', 'fork',
  'execv\\w*', 'getenv', 'setenv', 'setlocale', 'strerror', 'pthread_\\w+', 'mtx_\\w+', 'thrd_\\w+',
].join('|')})\\s*\\(`, 'g');

const BESIDES = /_(test|fuzz|bench)\.c$|\/test_main\.c$/;

// Comments, strings and character constants become blanks; lines keep their numbers.
function bare(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
    (part) => part.replace(/[^\n]/g, ' '));
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(c|cc|h|S)$/.test(entry.name)) yield path;
  }
}

function includeProblem(room, path, quoted, name) {
  const target = name.split('/')[0];
  if (quoted || mayInclude[target]) {
    if (!name.includes('/')) return `includes "${name}": say the room, "${room}/..."`;
    if (!mayInclude[target]) return `includes "${name}", and there is no room ${target}/`;
    if (!mayInclude[room].includes(target)) return `${room}/ may not include ${target}/ ("${name}")`;
    return undefined;
  }
  const library = LIBRARIES.find(([pattern]) => pattern.test(name));
  if (library && !library[1].includes(room)) {
    return `<${name}> belongs to ${library[1].join(', ')}, not to ${room}/`;
  }
  if (PURE.includes(room) && !BESIDES.test(path) && !PURE_HEADERS.has(name)) {
    return `${room}/ is pure and <${name}> is not among the headers it may use`;
  }
  return undefined;
}

function fileProblems(root, path) {
  const where = relative(root, path);
  const [first, second] = relative(join(root, 'src'), path).split('/');
  const room = second === undefined ? 'main' : first;
  if (!mayInclude[room]) return [`${where}: src/${room}/ is not a room of the design`];

  const text = readFileSync(path, 'utf8');
  const problems = [];
  text.split('\n').forEach((line, index) => {
    const match = /^\s*#\s*include\s*(["<])([^">]+)[">]/.exec(line);
    const problem = match && includeProblem(room, where, match[1] === '"', match[2]);
    if (problem) problems.push(`${where}:${index + 1}: ${problem}`);
  });
  if (PURE.includes(room) && !BESIDES.test(where)) {
    bare(text).split('\n').forEach((line, index) => {
      for (const match of line.matchAll(IMPURE)) {
        problems.push(`${where}:${index + 1}: ${room}/ is pure and calls ${match[0].trim()})`);
      }
    });
  }
  return problems;
}

// Every violation below root/src, as "path:line: what".
export function includeProblems(root) {
  const src = join(root, 'src');
  if (!existsSync(src)) return [`${src} does not exist`];
  return [...sources(src)].sort().flatMap((path) => fileProblems(root, path));
}

export function sourceCount(root) {
  return [...sources(join(root, 'src'))].length;
}
