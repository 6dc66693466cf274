// The rooms know each other only downwards; see lib/include_direction.mjs for the rules.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { includeProblems, sourceCount } from './lib/include_direction.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function planted(files) {
  const house = mkdtempSync(join(tmpdir(), 'dult-rooms-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(house, path)), { recursive: true });
      writeFileSync(join(house, path), text);
    }
    return includeProblems(house);
  } finally {
    rmSync(house, { recursive: true });
  }
}

test('the rooms of this house include each other only downwards', () => {
  assert.ok(sourceCount(root) > 10, 'there are sources to look at');
  assert.deepEqual(includeProblems(root), []);
});

const VIOLATIONS = [
  ['base that looks up', 'src/base/str.c', '#include "engine/engine.h"', /base\/ may not include engine/],
  ['neighbours that meet', 'src/intake/http.c', '#include "engine/engine.h"', /intake\/ may not include engine/],
  ['a room that knows the loop', 'src/store/sqlite.c', '  # include "run/loop.h"', /store\/ may not include run/],
  ['an include in angle brackets', 'src/message/mime.c', '#include <delivery/smtp.h>', /message\/ may not include delivery/],
  ['a header without its room', 'src/server/http.c', '#include "router.h"', /say the room/],
  ['a room nobody drew', 'src/misc/x.c', '#include "base/str.h"', /not a room/],
  ['a database outside the store', 'src/run/loop.c', '#include <sqlite3.h>', /belongs to store/],
  ['a test that borrows a neighbour', 'src/engine/a_test.c', '#include "store/store.h"', /engine\/ may not include store/],
  ['an engine with input and output', 'src/engine/segment/a.c', '#include <sys/socket.h>', /is pure/],
  ['an engine with a clock', 'src/engine/a.c', 'int64_t now = time(NULL);', /calls time\(/],
  ['an engine with base\'s clock', 'src/engine/a.c', 'now = time_now_ms ();', /calls time_now_ms/],
  ['an engine with chance', 'src/engine/a.c', 'if (rand() % 2)', /calls rand\(/],
  ['an engine with locks', 'src/engine/a.c', 'pthread_mutex_lock(&m);', /calls pthread_mutex_lock/],
  ['an engine that prints', 'src/engine/a.c', 'fprintf(f, "x");', /calls fprintf/],
  ['a template that reads files', 'src/template/a.c', 'fd = open(path, 0);', /calls open\(/],
];

for (const [name, path, line, expected] of VIOLATIONS) {
  test(`a planted fault is found: ${name}`, () => {
    const found = planted({ [path]: `int x;\n${line}\n` });
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0], expected);
    assert.ok(found[0].startsWith(`${path}${path.includes('misc') ? ':' : ':2:'}`), found[0]);
  });
}

test('what is allowed is not reported', () => {
  const found = planted({
    'src/engine/a.c': '#include "engine/a.h"\n#include "base/str.h"\n#include <string.h>\n'
      + '/* the time( of day */ char *s = "rand() "; int t = expire_time(3); run_time (4); kind->read(r); kind.read(r);\n',
    'src/engine/a_bench.c': '#include <time.h>\nint x = clock();\n',
    'src/run/loop.c': '#include "engine/a.h"\n#include "store/store.h"\n#include <pthread.h>\n',
    'src/main.c': '#include "run/loop.h"\n#include <stdio.h>\n',
  });
  assert.deepEqual(found, []);
});
