// Real history: 69,659 purchases of 23,570 people at a music shop. Conditions asked as of a moment
// give exactly what plain SQL over the same rows gives.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, root, skipWithoutProgram } from './lib/program.mjs';

const master = resolve(root, '../shared/data/cdnow/CDNOW_master.txt');
const mapping = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*cdnow.json'], { cwd: root, encoding: 'utf8' }).split('\n')[0];
const skip = skipWithoutProgram || (existsSync(master) ? false : `no purchase data at ${master}`);

const DAY = 86_400;

// A table of the same rows in plain SQL: person, at (seconds), quantity, revenue.
function sql(query) {
  const script = `.mode tabs
create temp table line(text);
.import ${master} line
create temp table buy as select cast(substr(text, 2, 5) as integer) as person,
  cast(strftime('%s', substr(text, 8, 4) || '-' || substr(text, 12, 2) || '-' || substr(text, 14, 2)) as integer) as at,
  cast(substr(text, 17, 2) as integer) as quantity, cast(trim(substr(text, 19)) as real) as revenue
  from line where text not like '%customer_id%';
${query};`;
  return execFileSync('sqlite3', [':memory:'], { input: script, encoding: 'utf8' }).trim();
}

const seconds = (text) => Date.parse(text) / 1000;

const at97 = seconds('1997-06-30T00:00:00Z');
const at98 = seconds('1998-06-30T00:00:00Z');

// How many bought exactly once, twice, ... and whose last purchase lies at most so many days back:
// the file's own figures, so that a mistake in both is seen.
const BOUGHT = [11908, 4079, 2217, 1441, 995, 635];
const RECENT = [[30, 1506], [90, 3301], [180, 5360], [365, 8332]];

const CONDITIONS = [
  ['did "Order Completed" at least 3 times', '1998-06-30T00:00:00Z',
    `select count(*) from (select person from buy where at <= ${at98} group by person having count(*) >= 3)`],
  ['never did "Order Completed" since 1998-01-01', '1998-06-30T00:00:00Z',
    `select count(distinct person) from buy where at <= ${at98} and person not in
       (select person from buy where at >= ${seconds('1998-01-01')} and at <= ${at98})`],
  ['sum of revenue of "Order Completed" in the last 90 days > 100', '1997-06-30T00:00:00Z',
    `select count(*) from (select person from buy where at > ${at97 - 90 * DAY} and at <= ${at97}
       group by person having sum(revenue) > 100)`, 916],
  ...BOUGHT.map((known, index) => [`did "Order Completed" exactly ${index + 1} ${index === 0 ? 'time' : 'times'}`, '1998-06-30T00:00:00Z',
    `select count(*) from (select person from buy group by person having count(*) = ${index + 1})`, known]),
  ...RECENT.map(([days, known]) => [`last did "Order Completed" in the last ${days} days`, '1998-06-30T00:00:00Z',
    `select count(*) from (select person from buy group by person having max(at) > ${at98 - days * DAY})`, known]),
  ...RECENT.map(([days, known]) => [`did "Order Completed" and never did "Order Completed" in the last ${days} days`, '1998-06-30T00:00:00Z',
    `select count(*) from (select person from buy group by person having max(at) <= ${at98 - days * DAY})`, 23570 - known]),
];

async function count(data, condition, at) {
  const out = await dult('segment', 'count', '--data', data, '--at', at, condition);
  const [first] = out.split('\n');
  assert.match(first, /^\d+$/, out);
  return Number(first);
}

describe('the music shop\'s history', { skip }, () => {
  let house;
  before(async () => {
    house = await openHouse();
    await house.server.stop();
    await dult('import', '--data', house.data, '--mapping', join(root, mapping), master);
  });
  after(() => house?.close());

  test('plain SQL over the same rows sees the whole file', () => {
    assert.equal(sql('select count(*), count(distinct person), sum(quantity), printf(\'%.2f\', sum(revenue)) from buy'),
      '69659\t23570\t167881\t2500315.63');
  });

  for (const [condition, at, query, known] of CONDITIONS) {
    test(`${condition}, as of ${at}, agrees with SQL without a server`, async () => {
      const expected = Number(sql(query));
      if (known !== undefined) assert.equal(expected, known);
      assert.equal(await count(house.data, condition, at), expected);
    });
  }

  test('the same file imported again adds nothing', async () => {
    await dult('import', '--data', house.data, '--mapping', join(root, mapping), master);
    const [condition, at, query] = CONDITIONS[0];
    assert.equal(await count(house.data, condition, at), Number(sql(query)));
  });

  test('the answers are the same beside a running server', async () => {
    await house.server.start();
    for (const [condition, at, query] of CONDITIONS) {
      assert.equal(await count(house.data, condition, at), Number(sql(query)), condition);
    }
    assert.equal((await house.client.stats()).profiles, 23570);
  });

  test('a condition that cannot be read is refused with the place and a remedy', async () => {
    const { status, err } = await dultTry('segment', 'count', '--data', house.data, '--at', '1998-01-01', 'did "Order Completed" at leest 3 times');
    assert.notEqual(status, 0);
    assert.match(err, /leest/);
  });

  test('nobody was mailed for what they bought long ago', () => {
    assert.equal(house.recorder.mails.length, 0);
  });
});
