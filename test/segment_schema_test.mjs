// The published schema of conditions in JSON and the program agree about what a condition is: by a
// validator of JSON Schema, over random conditions and over what becomes of them when something in
// them is changed.
//
// trees (test/trees.c) makes the conditions and tells what the program's parser says of a line.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import { program } from './lib/program.mjs';
import { Random } from './lib/random.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const schema = JSON.parse(readFileSync(join(root, 'src/engine/segment/segment.schema.json'), 'utf8'));
const ajv = new Ajv2020({ strict: false });
const isCondition = ajv.compile(schema);
const isComputed = ajv.compile({ $ref: 'urn:dult:segment#/$defs/computed_trait' });

const seed = Number(process.env.DULT_SEED ?? Date.now() % 2 ** 31);
const TREES = 800;
const CHANGES = 6; // of each tree

const treesProgram = join(dirname(program), 'trees');
const lines = (text) => text.split('\n').filter((line) => line !== '');
const run = (argv, input) => lines(execFileSync(treesProgram, argv, {
  input, encoding: 'utf8', maxBuffer: 1 << 28,
}));

const make = (what, number) => run([what, String(number), String(TREES)]).map((line) => JSON.parse(line));
const read = (what, values) => run([what], `${values.map((value) => JSON.stringify(value)).join('\n')}\n`);

// What the parser refuses and a schema cannot: the description of the schema names each.
const BEYOND_A_SCHEMA = [
  /ends before it begins/,
  /a date is wanted here/, // February 30
  /length of time is not between|a length of time is wanted here/, // 0 days, 101 years
  /longer than 256 bytes/, // in characters it was less
  /there is no such step|reached all before it/,
];

test('the schema is a schema of draft 2020-12', () => {
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.equal(ajv.validateSchema(schema), true, JSON.stringify(ajv.errors));
});

for (const [what, reads, isValid] of [['make', 'read', isCondition], ['values', 'read-values', isComputed]]) {
  test(`every random condition is one by schema and by parser (${what})`, () => {
    const trees = make(what, seed);
    read(reads, trees).forEach((said, i) => {
      assert.ok(said.startsWith('ok '), `seed ${seed}: ${said}`);
      assert.deepEqual(JSON.parse(said.slice(3)), trees[i], `seed ${seed}`);
      assert.ok(isValid(trees[i]), `seed ${seed}: ${JSON.stringify(trees[i])}\n${JSON.stringify(isValid.errors)}`);
    });
  });

  test(`a condition that was changed is one by schema and by parser, or by neither (${what})`, (t) => {
    const random = new Random(seed);
    const trees = make(what, seed);
    const changed = trees.flatMap((tree) => Array.from({ length: CHANGES }, () => change(random, tree, trees)));
    const told = read(reads, changed);
    const counts = { both: 0, neither: 0, parser: 0 };
    changed.forEach((tree, i) => {
      const accepted = told[i].startsWith('ok ');
      const valid = isValid(tree);
      const why = `seed ${seed}: ${JSON.stringify(tree)}\n${told[i]}\n${JSON.stringify(isValid.errors)}`;
      if (accepted) assert.ok(valid, `accepted, though not by the schema: ${why}`);
      if (valid && !accepted) {
        assert.ok(BEYOND_A_SCHEMA.some((reason) => reason.test(told[i])), `refused, though by the schema: ${why}`);
      }
      counts[accepted ? 'both' : valid ? 'parser' : 'neither'] += 1;
    });
    t.diagnostic(`${counts.both} by both, ${counts.neither} by neither, ${counts.parser} refused by the parser alone`);
    assert.ok(counts.both > changed.length / 50 && counts.neither > changed.length / 3);
  });
}

test('a planted fault is found: a schema that has forgotten a window', () => {
  const forgetful = structuredClone(schema);
  forgetful.$id = 'urn:dult:forgetful';
  delete forgetful.$defs.window.properties.during;
  const isValid = ajv.compile(forgetful);
  assert.ok(make('make', seed).some((tree) => !isValid(tree)), `seed ${seed}`);
});

// ---- changing a tree in one place ----

const ODD = [
  null, true, false, 0, 1, 3, 2.5, -1, 501, 36501, 1000001, 1e16, '', 'x', 'any', 'all', 'granted', 'today',
  'last week', '=', '>', 'in', 'between', 'contains', 'exists', 'does not exist', '2026-01-31', '2026-02-30',
  '2026-13-01', '2026-01-31T12:00:00Z', '2026-01-31 12:00', '2026-01-31T12:00:00+02:00', '30 days', '0 days',
  '1h', '2 moons', 'days', 'é'.repeat(200), 'x'.repeat(257), [], ['x'], [1, 2], ['b', 'a'], ['2026-01-01', '2026-02-01'],
  {}, { date: '2026-01-31' }, { ago: '30 days' }, { from_now: '1 day' }, { now: true }, { now: false },
  { days_from_today: 3 }, { days_from_today: 0.5 }, { anything: true }, { opened: 'any' }, { opened: 'any', by: 'anyone' },
  { received: { message: 'm' } }, { received: 'any', by: 'anyone' }, { entered: 'j' }, { everyone: true },
  { property: 'x', op: 'exists' }, { property: 'x', which: 'any', element: { property: 'y', op: '=', value: 1 } },
];

const MEMBERS = [
  'and', 'or', 'not', 'trait', 'property', 'which', 'op', 'value', 'values', 'for', 'element', 'did', 'then', 'then_no',
  'then_where', 'within', 'same', 'where', 'with', 'of', 'at_least', 'at_most', 'exactly', 'first_did', 'last_did',
  'in_the_last', 'not_in_the_last', 'since', 'before', 'between', 'since_entry', 'during', 'funnel', 'step', 'not_step',
  'day_of', 'anniversary_of', 'from_days', 'to_days', 'in_segment', 'in_list', 'in_stage', 'in_journey', 'at', 'consent',
  'to', 'by', 'share', 'seed', 'everyone', 'sum', 'average', 'least', 'greatest', 'distinct', 'count', 'days_between',
  'first', 'last', 'most_frequent', 'first_time', 'last_time', 'date', 'ago', 'now', 'days_from_today', 'misspelt',
];

const one = (random, list) => list[random.below(list.length)];

// Every object and array within a value, itself included.
function containers(value, found = []) {
  if (value === null || typeof value !== 'object') return found;
  found.push(value);
  for (const inner of Object.values(value)) containers(inner, found);
  return found;
}

function change(random, tree, others) {
  const copy = structuredClone(tree);
  const at = one(random, containers(copy));
  const keys = Object.keys(at);
  const part = () => (random.below(3) > 0 ? one(random, ODD) : one(random, containers(one(random, others))));
  switch (random.below(4)) {
    case 0:
      if (Array.isArray(at)) at.splice(random.below(at.length), 1);
      else delete at[one(random, keys)];
      break;
    case 1:
      if (Array.isArray(at)) at.push(part());
      else at[one(random, MEMBERS)] = part();
      break;
    case 2:
      at[one(random, keys)] = part();
      break;
    default:
      if (!Array.isArray(at) && keys.length > 0) {
        const key = one(random, keys);
        const value = at[key];
        delete at[key];
        at[one(random, MEMBERS)] = value;
      }
  }
  return copy;
}
