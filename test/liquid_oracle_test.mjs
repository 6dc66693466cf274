// Our Liquid and Shopify's own program agree about random templates over data of every kind.
//
// Debian 12 has ruby-liquid 5.4.0 (of 2022), which lacks some filters and differs from today's in
// what is left out below. DULT_SEED replays, DULT_LIQUID_CASES=100000 for a night.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folder, program, removeFolder, root, skipWithoutProgram } from './lib/program.mjs';
import { data, Liquid, snippets } from './lib/liquid_random.mjs';
import { Random } from './lib/random.mjs';

const seed = Number(process.env.DULT_SEED ?? Date.now() % 2 ** 31);
const CASES = Number(process.env.DULT_LIQUID_CASES ?? 2000);

const hasOracle = spawnSync('ruby', ['-e', "require 'liquid'"]).status === 0;
const skip = skipWithoutProgram || (hasOracle ? false : 'ruby-liquid is not installed');

// Not in 5.4.0, or another answer there than in 5.13.
const NEWER = ['has', 'find', 'find_index', 'reject', 'sum', 'squish', 'first', 'last', 'text ends',
  'broken comments', 'interrupts in tables', 'blank', 'nested brackets'];

const home = folder('liquid');
after(() => removeFolder(home));

function ask(templates) {
  const tests = templates.map((template, i) => ({ name: `case ${i}`, template, data, templates: snippets }));
  const said = spawnSync('ruby', [join(root, 'test/lib/liquid_oracle.rb')], {
    input: JSON.stringify({ tests }), encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, TZ: 'UTC' },
  });
  assert.equal(said.status, 0, said.stderr);
  const cases = JSON.parse(said.stdout);
  cases.tests = cases.tests.filter(isBounded);
  return cases;
}

// Where work, a value or the output explodes we stop at our bounds, and Ruby goes on: 1,000,000 steps, 1 MiB, 4 MiB.
const isBounded = ({ result, why, work, largest }) => !/^Timeout/.test(why ?? '') && (result ?? '').length < 100_000
  && work < 100_000 && largest < 500_000;

function agree(cases) {
  const file = join(home, 'cases.json');
  writeFileSync(file, JSON.stringify(cases));
  return spawnSync(program, ['liquid', '--cases', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

function first(cases, output) {
  const name = /^FAIL (.*)$/m.exec(output)?.[1];
  const failed = cases.tests.find((each) => each.name === name);
  return `${JSON.stringify(failed?.template)}\n${output.slice(0, 2000)}`;
}

test('random templates render as in ruby-liquid', { skip }, (t) => {
  const liquid = new Liquid(new Random(seed), NEWER);
  const cases = ask(Array.from({ length: CASES }, () => liquid.template()));
  assert.ok(cases.tests.length > CASES * 0.98, `seed ${seed}: ${cases.tests.length} of ${CASES} are within bounds`);
  const { status, stdout } = agree(cases);
  t.diagnostic(`seed ${seed}, ruby-liquid ${cases.version}: ${stdout.trim().split('\n').at(-1)}, `
    + `${cases.tests.filter((each) => each.invalid).length} refused by both`);
  assert.equal(status, 0, `seed ${seed}: ${first(cases, stdout)}`);
});

test('what grows beyond our bounds is not compared, whether it is shown or not', { skip }, () => {
  const grows = (times) => `{% for i in (1..${times}) %}{% capture t %}{{ t }}{{ t }}0123456789{% endcapture %}{% endfor %}fine`;
  assert.deepEqual(ask([grows(5), grows(17)]).tests.map(({ template }) => template), [grows(5)]);
});

test('an answer that is not ours is found', { skip }, () => {
  const cases = ask(["{{ 'a' | upcase }}", '{{ 1 | plus: 1 }}']);
  cases.tests[1].result = '3';
  const { status, stdout } = agree(cases);
  assert.notEqual(status, 0);
  assert.match(stdout, /^FAIL case 1$/m);
  assert.match(stdout, /^1 passed, 1 failed$/m);
});
