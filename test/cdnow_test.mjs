// Real history: 69,659 purchases of 23,570 people at a music shop. Conditions asked as of a moment
// give exactly what plain SQL over the same rows gives.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
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
create index buy_person on buy(person, at);
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

const WEEK_1 = seconds('1997-01-06T00:00:00Z'); /* a Monday */
const FIRST_WEEK = [1662, 74, 105, 72, 82, 67, 52, 64, 51, 46, 49, 36];

async function ask(house, report, body) {
  const answer = await http('POST', `${house.server.origin}/api/v1/reports/${report}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' },
    body: { at: '1998-07-01T00:00:00Z', ...body },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

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

  test('of whom first bought in a week, as many come back in each week after as by SQL', async () => {
    const answer = await ask(house, 'retention', { event: 'Order Completed', interval: 'week', from: '1997-01-06', to: '1997-03-30' });
    const rows = sql(`with first as (select person, min(at) as at from buy group by person),
      x as (select distinct person, (f.at - ${WEEK_1}) / ${7 * DAY} as born, (b.at - ${WEEK_1}) / ${7 * DAY} - (f.at - ${WEEK_1}) / ${7 * DAY} as later
        from buy b join first f using (person) where f.at >= ${WEEK_1} and b.at < ${WEEK_1 + 84 * DAY} and f.at < ${WEEK_1 + 84 * DAY})
      select born, later, count(*) from x group by born, later order by born, later`).split('\n').map((line) => line.split('\t').map(Number));
    const back = answer.rows.map((row) => row.back);
    assert.deepEqual(back.flatMap((counts, born) => counts.map((count, later) => [born, later, count])), rows);
    assert.deepEqual(back[0], FIRST_WEEK);
    assert.deepEqual(answer.rows.map(({ born }) => born), back.map(([first]) => first));
  });

  test('the average order value of each week is as by SQL', async () => {
    const answer = await ask(house, 'trends', { event: 'Order Completed', sum: 'revenue', interval: 'week', from: '1997-01-06', to: '1997-03-30' });
    const rows = sql(`select (at - ${WEEK_1}) / ${7 * DAY} as week, count(*), avg(revenue) from buy
      where at >= ${WEEK_1} and at < ${WEEK_1 + 84 * DAY} group by week order by week`).split('\n').map((line) => line.split('\t').map(Number));
    assert.equal(rows.length, 12);
    assert.deepEqual(answer.rows[0].events, rows.map(([, count]) => count));
    for (const [week, , average] of rows) {
      assert.ok(Math.abs(answer.rows[0].average[week] - average) < 1e-6, `week ${week}: ${answer.rows[0].average[week]}, SQL ${average}`);
    }
  });

  test('from the first purchase to the second it takes as long as by SQL, for as many', async () => {
    const answer = await ask(house, 'spread', { event: 'Order Completed', from: '1997-01-01', to: '1998-06-30' });
    const took = sql(`select (second - first) from (select person, min(at) as first, (select at from buy b where b.person = a.person order by at limit 1 offset 1) as second
      from buy a group by person) where second is not null`).split('\n').map((text) => Number(text) * 1000);
    assert.equal(answer.people, 23570);
    assert.equal(answer.never, BOUGHT[0]);
    assert.equal(answer.followed, took.length);
    for (const { from_ms: from, to_ms: to = Infinity, count: people } of answer.buckets) {
      assert.equal(people, took.filter((ms) => ms >= from && ms < to).length, `${from} to ${to}`);
    }
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
