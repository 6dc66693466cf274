// The engines that Dult is measured beside: each has the same rows in a table sorted by person and
// time, and is asked each question in several forms, of which its fastest counts.
//
//     rows     person, ts (seconds), name (0..39), cents
//     answers  {three: n, funnel: [n, n, n], retention: 12 rows of 12, idle: n}

import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Sqlite } from '../test/lib/sqlite.mjs';

const DAY = 86_400;
const WEEK = 7 * DAY;
const WEEKS = 12;

// The names that are asked about, by their numbers in bench/history.c.
export const ASKED = { three: [9, 10], funnel: [6, 8, 9] };

export const QUESTIONS = ['three', 'funnel', 'retention', 'idle'];

function moments(end) {
  return { month: end - 30 * DAY, from: end - WEEKS * WEEK, zero: end - 26 * WEEK };
}

// One row a cohort: its week, of 26, and how many came back in each of twelve weeks from then on.
// Cohorts are those of the last twelve weeks, so half of the table lies in the future and is 0.
function retentionOf(rows) {
  const table = Array.from({ length: WEEKS }, () => Array(WEEKS).fill(0));
  for (const [week, ...counts] of rows) table[Number(week) - 14] = counts.map(Number);
  return table;
}

const ages = [...Array(WEEKS).keys()];

const single = (rows) => Number(rows[0][0]);
const funnelOf = (rows) => rows[0].map(Number);
const read = { three: single, funnel: funnelOf, retention: retentionOf, idle: single };

function formsOfDuck(end) {
  const { month, from, zero } = moments(end);
  const [a, b] = ASKED.three;
  const [f1, f2, f3] = ASKED.funnel;
  const within = WEEK;
  return {
    three: [
      `select count(*) from (select person from e where name = ${a} and ts > ${month} group by person having count(*) >= 3) t
         anti join (select person from e where name = ${b}) n using (person)`,
      `select count(*) from (select person from e where name in (${a}, ${b}) group by person
         having count(*) filter (name = ${a} and ts > ${month}) >= 3 and not bool_or(name = ${b}))`,
      `select count(*) from (select person from e group by person
         having count(*) filter (name = ${a} and ts > ${month}) >= 3 and count(*) filter (name = ${b}) = 0)`,
    ],
    funnel: [
      `with a as (select person, ts from e where name = ${f1}),
            b as (select b.person, b.ts, a.ts as began from (select person, ts from e where name = ${f2}) b
                    asof join a on a.person = b.person and a.ts <= b.ts where b.ts - a.ts <= ${within}),
            c as (select c.person from (select person, ts from e where name = ${f3}) c
                    asof join b on b.person = c.person and b.ts <= c.ts where c.ts - b.began <= ${within})
         select (select count(distinct person) from a), (select count(distinct person) from b), (select count(distinct person) from c)`,
      `with x as (select person, ts, name, max(case when name = ${f1} then ts end) over w as first
                    from e where name in (${f1}, ${f2}, ${f3}) window w as (partition by person order by ts rows unbounded preceding)),
            y as (select person, ts, name, max(case when name = ${f2} and ts - first <= ${within} then first end) over w as second
                    from x window w as (partition by person order by ts rows unbounded preceding)),
            z as (select person, bool_or(name = ${f1}) as one, bool_or(second is not null) as two,
                         bool_or(name = ${f3} and ts - second <= ${within}) as three from y group by person)
         select count(*) filter (one), count(*) filter (two), count(*) filter (three) from z`,
    ],
    retention: [
      `with x as (select person, min(ts) as first, bit_or(1::uinteger << ((ts - ${zero}) // ${WEEK})::utinyint) as weeks from e group by person),
            y as (select (first - ${zero}) // ${WEEK} as born, weeks from x where first >= ${from})
         select born, ${ages.map((n) => `sum(weeks >> (born + ${n})::utinyint & 1)`).join(', ')} from y group by born`,
      `with x as (select distinct person, (ts - ${zero}) // ${WEEK} as week from e),
            y as (select person, min(ts) as first from e group by person having first >= ${from}),
            z as (select (first - ${zero}) // ${WEEK} as born, week - (first - ${zero}) // ${WEEK} as age from x join y using (person))
         select born, ${ages.map((n) => `count(*) filter (age = ${n})`).join(', ')} from z group by born`,
    ],
    idle: [
      `select count(*) from (select person from e group by person having max(ts) <= ${month})`,
      `select (select count(*) from p) - (select count(distinct person) from e where ts > ${month})`,
      `select count(*) from p anti join (select person from e where ts > ${month}) x using (person)`,
    ],
  };
}

function formsOfClickHouse(end) {
  const { month, from, zero } = moments(end);
  const [a, b] = ASKED.three;
  const [f1, f2, f3] = ASKED.funnel;
  const steps = `windowFunnel(${WEEK})(ts, name = ${f1}, name = ${f2}, name = ${f3})`;
  const people = `select min(ts) as first, groupBitOr(bitShiftLeft(toUInt32(1), intDiv(ts - ${zero}, ${WEEK}))) as weeks
                    from e group by person having first >= ${from}`;
  return {
    three: [
      `select count() from (select person from e group by person having countIf(name = ${a} and ts > ${month}) >= 3 and countIf(name = ${b}) = 0)`,
      `select count() from (select person from e where name in (${a}, ${b}) group by person
         having countIf(name = ${a} and ts > ${month}) >= 3 and countIf(name = ${b}) = 0)`,
      `select count() from (select person from e where name = ${a} and ts > ${month} group by person having count() >= 3)
         where person not in (select person from e where name = ${b})`,
      `with busy as (select person from e where name = ${a} and ts > ${month} group by person having count() >= 3)
         select count() from busy where person not in (select person from e where name = ${b} and person in busy)`,
    ],
    funnel: [
      `select countIf(s >= 1), countIf(s >= 2), countIf(s >= 3) from (select ${steps} as s from e where name in (${f1}, ${f2}, ${f3}) group by person)`,
      `select countIf(s >= 1), countIf(s >= 2), countIf(s >= 3) from (select ${steps} as s from e group by person)`,
      `select countIf(s >= 1), countIf(s >= 2), countIf(s >= 3) from (select ${steps} as s from e prewhere name in (${f1}, ${f2}, ${f3}) group by person)`,
    ],
    retention: [
      `select intDiv(first - ${zero}, ${WEEK}) as born, ${ages.map((n) => `sum(bitAnd(bitShiftRight(weeks, born + ${n}), 1))`).join(', ')} from (${people}) group by born`,
      `select born, ${ages.map((n) => `countIf(has(weeks, born + ${n}))`).join(', ')} from
         (select intDiv(min(ts) - ${zero}, ${WEEK}) as born, groupUniqArray(intDiv(ts - ${zero}, ${WEEK})) as weeks, min(ts) as first
            from e group by person having first >= ${from}) group by born`,
    ],
    idle: [
      `select count() from (select person from e group by person having max(ts) <= ${month})`,
      `select (select count() from p) - (select count() from (select person from e where ts > ${month} group by person))`,
      `select (select count() from p) - (select uniqExact(person) from e where ts > ${month})`,
      `select count() from p where person not in (select person from e where ts > ${month})`,
    ],
  };
}

function formsOfSqlite(end) {
  const { month, from, zero } = moments(end);
  const [a, b] = ASKED.three;
  const [f1, f2, f3] = ASKED.funnel;
  const two = `exists (select 1 from e b where b.name = ${f2} and b.person = a.person and b.ts > a.ts and b.ts <= a.ts + ${WEEK})`;
  const three = `exists (select 1 from e c where c.name = ${f3} and c.person = a.person and c.ts <= a.ts + ${WEEK}
    and c.ts > (select min(ts) from e b where b.name = ${f2} and b.person = a.person and b.ts > a.ts))`;
  const cohort = `select person, (select min(ts) from e where e.person = p.person) as first from p`;
  return {
    three: [
      `select count(*) from (select person from e where name = ${a} and ts > ${month} group by person having count(*) >= 3) t
         where not exists (select 1 from e where name = ${b} and e.person = t.person)`,
    ],
    funnel: [
      `select count(*), sum(two), sum(three) from (select max(1), max(${two}) as two, max(${three}) as three from e a where name = ${f1} group by person)`,
      `select count(*), sum(two), sum(two and three) from (select person, max(two) as two, max(two and three) as three from
         (select person, ${two} as two, case when ${two} then ${three} else 0 end as three from e a where name = ${f1}) group by person)`,
    ],
    retention: [
      `select (first - ${zero}) / ${WEEK} as born, ${ages.map((n) => `sum(exists (select 1 from e where e.person = y.person
           and ts >= ${zero} + (((first - ${zero}) / ${WEEK}) + ${n}) * ${WEEK} and ts < ${zero} + (((first - ${zero}) / ${WEEK}) + ${n + 1}) * ${WEEK}))`).join(', ')}
         from (${cohort}) y where first >= ${from} group by born`,
    ],
    idle: [
      `select count(*) from (select person from e group by person having max(ts) <= ${month})`,
      `select count(*) from p where not exists (select 1 from e where e.person = p.person and ts > ${month})`,
    ],
  };
}

class Peer {
  constructor(folder, end, forms) {
    Object.assign(this, { folder, forms, best: {} });
    this.end = end;
  }

  // Milliseconds, checked against the answers that are known to be right.
  async time(question, form, right) {
    const began = performance.now();
    const rows = await this.ask(this.forms[question][form]);
    const took = performance.now() - began;
    const answer = JSON.stringify(read[question](rows));
    if (answer !== JSON.stringify(right[question])) {
      throw new Error(`${this.name}, ${question}, form ${form}: ${answer.slice(0, 300)} is not ${JSON.stringify(right[question]).slice(0, 300)}`);
    }
    return took;
  }

  // Tries every form twice; the faster second time counts.
  async choose(question, right) {
    const times = [];
    for (let form = 0; form < this.forms[question].length; form += 1) {
      await this.time(question, form, right);
      times.push(await this.time(question, form, right));
    }
    this.best[question] = times.indexOf(Math.min(...times));
    return times;
  }

  round(question, right) {
    return this.time(question, this.best[question], right);
  }
}

class Duck extends Peer {
  name = 'DuckDB';

  static async open(folder, end) {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const peer = new Duck(folder, end, formsOfDuck(end));
    const path = join(folder, 'duck.db');
    const fresh = !existsSync(path);
    if (fresh) rmSync(`${path}.new`, { force: true });
    peer.instance = await DuckDBInstance.create(fresh ? `${path}.new` : path);
    peer.connection = await peer.instance.connect();
    if (fresh) {
      await peer.ask('create table e (person uinteger, ts uinteger, name utinyint, cents uinteger)');
      await peer.ask(`insert into e select * from read_csv('${join(folder, 'rows.csv')}', header = false, columns = {person: 'uinteger', ts: 'uinteger', name: 'utinyint', cents: 'uinteger'}) order by person, ts`);
      await peer.ask('create table p as select distinct person from e order by person');
      await peer.ask('checkpoint');
      peer.connection.closeSync();
      peer.instance.closeSync();
      renameSync(`${path}.new`, path);
      return Duck.open(folder, end);
    }
    peer.version = (await peer.ask('select version()'))[0][0];
    return peer;
  }

  async ask(sql) {
    return (await this.connection.runAndReadAll(sql)).getRows();
  }

  async threads(count) {
    await this.ask(`set threads = ${count}`);
  }

  close() {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

class ClickHouse extends Peer {
  name = 'ClickHouse';

  settings = '';

  static async open(folder, end) {
    const { Session } = await import('chdb');
    const peer = new ClickHouse(folder, end, formsOfClickHouse(end));
    const path = join(folder, 'clickhouse');
    const fresh = !existsSync(path);
    if (fresh) rmSync(`${path}.new`, { recursive: true, force: true });
    peer.session = new Session(fresh ? `${path}.new` : path);
    if (fresh) {
      peer.run('create database b engine = Atomic');
      peer.run('create table b.e (person UInt32, ts UInt32, name UInt8, cents UInt32) engine = MergeTree order by (person, ts)');
      peer.run(`insert into b.e select * from file('${join(folder, 'rows.csv')}', 'CSV', 'person UInt32, ts UInt32, name UInt8, cents UInt32')`);
      peer.run('optimize table b.e final');
      peer.run('create table b.p (person UInt32) engine = MergeTree order by person');
      peer.run('insert into b.p select distinct person from b.e');
      peer.run('optimize table b.p final');
      peer.session.close?.();
      renameSync(`${path}.new`, path);
      return ClickHouse.open(folder, end);
    }
    peer.run('use b');
    peer.version = JSON.parse(peer.run('select version() as v', 'JSONCompact')).data[0][0];
    return peer;
  }

  run(sql, format = 'CSV') {
    return this.session.query(sql, format);
  }

  async ask(sql) {
    return JSON.parse(this.run(`${sql} settings optimize_aggregation_in_order = 1, ${this.settings}`, 'JSONCompact')).data;
  }

  async threads(count) {
    this.settings = `max_threads = ${count}`;
  }

  close() {
    this.session.close?.();
  }
}

// The system's own, which has one thread.
class SqlitePeer extends Peer {
  name = 'SQLite';

  static async open(folder, end) {
    const peer = new SqlitePeer(folder, end, formsOfSqlite(end));
    const path = join(folder, 'sqlite.db');
    if (!existsSync(path)) {
      rmSync(`${path}.new`, { force: true });
      peer.shell = new Sqlite(`${path}.new`);
      await peer.ask(`pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -4000000;
create table e (person integer, ts integer, name integer, cents integer);
.import --csv '${join(folder, 'rows.csv')}' e
create index by_name on e (name, person, ts);
create index by_person on e (person, ts, name);
create table p (person integer primary key);
insert into p select distinct person from e order by person;
analyze`);
      await peer.close();
      renameSync(`${path}.new`, path);
    }
    peer.shell = new Sqlite(path);
    await peer.ask('pragma cache_size = -4000000; pragma mmap_size = 8000000000');
    peer.version = (await peer.ask('select sqlite_version()'))[0][0];
    return peer;
  }

  ask(sql) {
    return this.shell.ask(sql);
  }

  get pid() {
    return this.shell.child.pid;
  }

  async threads() {}

  close() {
    return this.shell.close();
  }
}

export const openPeers = async (folder, end) =>
  [await Duck.open(folder, end), await ClickHouse.open(folder, end), await SqlitePeer.open(folder, end)];
