// A condition in the JSON form as plain SQL, over the rows of a Dult data folder and nothing else.
//
//     rowsOf(folder, kept)  SQL that lays out what happened, by person, in temporary tables; what is
//                         kept no longer is left out: { rest, by_event: { name: days } }, 0 for ever
//     peopleWhere(c, at)  SQL that lists the people for whom the condition holds at an instant
//
//     person (root, known)                       root: who the profiles became by merges; known: since they
//                                                came, or did or were told to be something before
//     ev     (root, at, seq, name)               what was done
//     said   (root, key, at, seq)                which record named which trait
//     val    (seq, key, listed, type, v, ms, over)  values under a key, each element of a list; as a date it
//                                                takes [ms, over)
//     member (root, list, at, seq, joined)

const DAY = 86_400_000;
const KEYS = {
  properties: ['revenue', 'colour', 'gift', 'tags', 'due', 'address.city', 'address.zip', 'products.category', 'products.price'],
  traits: ['plan', 'score', 'staff', 'tags', 'home.city', 'renewal', 'birthday'],
};

// What Dult says of somebody and nobody did.
const TOLD = ['Score Crossed', 'Journey Entry Requested', 'Journey Exit Requested', 'Code Redeemed'];
const quote = (text) => `'${String(text).replaceAll("'", "''")}'`;

// An element of a list counts for itself; an object's or a list's own member is a step of the path.
function valuesOf(part, key) {
  const steps = key.split('.');
  const path = `$.${part}.${steps.join('.')}`;
  const label = quote(`${part}.${key}`);
  if (steps[0] !== 'products') {
    const listed = `json_type(body, '${path}') = 'array'`;
    return `insert into val select seq, ${label}, ${listed}, j.type, j.value, null, null, null
      from rec, json_each(rec.body, '${path}') j where json_type(body, '${path}') is not null and j.type not in ('object', 'array')`;
  }
  return `insert into val select r.seq, ${label}, 1, j.type, j.value, null, null, p.key
    from rec r, json_each(r.body, '$.${part}.products') p, json_each(p.value, '$.${steps[1]}') j where j.type not in ('object', 'array')`;
}

const DATE = `update val set ms = case
  when type = 'text' and v glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    then cast(strftime('%s', substr(v, 1, 19)) as integer) * 1000 + cast(case when length(v) > 20 then substr(v, 21, 3) else '0' end as integer)
  when type in ('integer', 'real') then case when abs(v) < 100000000000 then cast(v * 1000 as integer) else v end end;
update val set over = ms + case when type = 'text' and length(v) = 10 then 86400000 else 1 end`;

// Whole days of UTC: with 5 days, all from before the day that was 5 days ago never happened.
function gone(kept, today) {
  const before = (days) => (days === 0 ? 'at < 0' : `at < ${(today - days) * DAY}`);
  const each = Object.entries(kept.by_event).map(([name, days]) => `when name = ${quote(name)} then ${before(days)}`);
  return `delete from rec where kind <> 2 and case ${each.join(' ')} else ${before(kept.rest)} end;\n`;
}

export function rowsOf(folder, kept, now = Date.now()) {
  return `pragma temp_store = memory; attach ${quote(`file:${folder}/dult.db?mode=ro`)} as d;
drop table if exists temp.person; drop table if exists temp.ev; drop table if exists temp.said;
drop table if exists temp.val; drop table if exists temp.member; drop table if exists temp.rec; drop table if exists temp.root; drop table if exists temp.element;
create temp table root as
  with recursive
    merge as (select m.subject + 1 as profile, m.profile as into_ from d.decision m where m.kind = 2
              and not exists (select 1 from d.decision u where u.kind = 3 and u.object = m.id)),
    climb(profile, up) as (select distinct profile, profile from d.decision where kind = 1
              union all select climb.profile, merge.into_ from climb join merge on merge.profile = climb.up)
  select profile, up as root from climb where up not in (select profile from merge);
create unique index temp.root_profile on root(profile);
create temp table rec as select e.seq, e.at, e.kind, r.root, n.text as name, e.body
  from d.event e join root r on r.profile = e.profile left join d.name n on n.kind = 1 and n.id = e.name where e.kind in (1, 2, 3, 4);
${kept ? gone(kept, Math.floor(now / DAY)) : ''}create temp table ev as select root, at, seq, case kind when 3 then 'Page' when 4 then 'Screen' else name end as name from rec where kind <> 2;
create index temp.ev_root on ev(root, name, at, seq);
create temp table person as select root, min(at) as known from (select root, at from rec where kind <> 2
  or exists (select 1 from json_tree(body, '$.traits') where type not in ('object', 'array'))
  union all select r.root, x.at from d.decision x join root r on r.profile = x.profile where x.kind = 1) group by root;
create temp table val (seq integer, key text, listed integer, type text, v, ms integer, over integer, element integer);
${KEYS.properties.map((key) => valuesOf('properties', key)).join(';\n')};
${KEYS.traits.map((key) => valuesOf('traits', key)).join(';\n')};
${DATE};
create temp table element as select r.seq, p.key as element from rec r, json_each(r.body, '$.properties.products') p;
create index temp.element_seq on element(seq);
create index temp.val_seq on val(seq, key, type, v);
analyze temp;
create temp table said as select distinct r.root, v.key, r.at, r.seq from rec r join val v on v.seq = r.seq where r.kind = 2;
create index temp.said_root on said(root, key, at, seq);
create temp table member as select r.root, n.text as list, x.at, x.seq, x.kind = 66 as joined
  from d.decision x join root r on r.profile = x.profile join d.name n on n.kind = 8 and n.id = x.subject where x.kind in (66, 67);
detach d`;
}

const UNITS = { hours: 3_600_000, days: DAY };

export function lengthOf(text) {
  const [count, unit] = text.split(' ');
  return Number(count) * UNITS[unit];
}

// The mistake that the harness must find: a window that includes its first instant.
export class Translator {
  constructor(segments, { mistake } = {}) {
    Object.assign(this, { segments, mistake, names: 0 });
  }

  peopleWhere(condition, at) {
    this.at = at;
    return `select group_concat(root, ' ') from (select p.root from person p where p.known <= ${at} and ${this.condition(condition, at)} order by p.root)`;
  }

  name() {
    this.names += 1;
    return `t${this.names}`;
  }

  // ---- time ----

  // What a date takes of time, [from, to): an instant, or the day in UTC.
  stretch(value) {
    const day = (start) => [start, start + DAY];
    const instant = (at) => [at, at + 1];
    if (value.now) return instant(this.at);
    if (value.ago) return instant(this.at - lengthOf(value.ago));
    if (value.from_now) return instant(this.at + lengthOf(value.from_now));
    if (value.days_from_today !== undefined) return day((Math.floor(this.at / DAY) + value.days_from_today) * DAY);
    return value.date.length === 10 ? day(Date.parse(value.date)) : instant(Date.parse(value.date));
  }

  // The unit of the calendar that the instant lies in, or the one before, [from, to).
  calendar(words) {
    const now = new Date(this.at);
    const [year, month, date] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
    const monday = date - ((now.getUTCDay() + 6) % 7);
    const back = /last|yesterday/.test(words) ? 1 : 0;
    if (/day$/.test(words)) return [0, 1].map((n) => Date.UTC(year, month, date - back + n));
    if (/week$/.test(words)) return [0, 7].map((n) => Date.UTC(year, month, monday - 7 * back + n));
    if (/month$/.test(words)) return [0, 1].map((n) => Date.UTC(year, month - back + n));
    return [0, 1].map((n) => Date.UTC(year - back + n, 0));
  }

  // ---- values ----

  passes(v, op, value) {
    if (typeof value === 'object') {
      const [from, to] = this.stretch(value);
      const orders = {
        '=': `${v}.over > ${from} and ${v}.ms < ${to}`,
        '>': `${v}.ms >= ${to}`, '>=': `${v}.over > ${from}`, '<': `${v}.over <= ${from}`, '<=': `${v}.ms < ${to}`,
      };
      return `coalesce(${orders[op]}, 0)`;
    }
    if (typeof value === 'boolean') return `(${v}.type = '${value}')`;
    if (typeof value === 'number') return `(${v}.type in ('integer', 'real') and ${v}.v ${op} ${value})`;
    return `(${v}.type = 'text' and ${v}.v ${op} ${quote(value)})`;
  }

  test(v, { op, value, values, which }) {
    const text = typeof value === 'string' ? quote(value) : '';
    switch (op) {
      case '=': return this.passes(v, '=', value);
      case '!=': return `not ${this.passes(v, '=', value)}`;
      case 'in': return `(${values.map((one) => this.passes(v, '=', one)).join(' or ')})`;
      case 'not in': return `not (${values.map((one) => this.passes(v, '=', one)).join(' or ')})`;
      case 'between': return `(${this.passes(v, '>=', values[0])} and ${this.passes(v, '<=', values[1])})`;
      case 'contains': return which === undefined
        ? `(${v}.type = 'text' and case when ${v}.listed then ${v}.v = ${text} else instr(${v}.v, ${text}) > 0 end)`
        : `(${v}.type = 'text' and instr(${v}.v, ${text}) > 0)`;
      case 'starts with': return `(${v}.type = 'text' and substr(${v}.v, 1, ${value.length}) = ${text})`;
      case 'ends with': return `(${v}.type = 'text' and substr(${v}.v, -${value.length}) = ${text})`;
      case 'matches': return `(${v}.type = 'text' and ${v}.v regexp ${text})`;
      default: return this.passes(v, op, value);
    }
  }

  compare(c, seq, key, narrower = '1') {
    const v = this.name();
    const from = `select 1 from val ${v} where ${v}.seq = ${seq} and ${v}.key = ${quote(key)} and ${v}.type <> 'null' and ${narrower.replace('element =', `${v}.element =`)}`;
    if (c.op === 'exists') return `exists (${from})`;
    if (c.op === 'does not exist') return `not exists (${from})`;
    const all = c.which === 'all' || (c.which === undefined && ['!=', 'not in'].includes(c.op));
    if (!all) return `exists (${from} and ${this.test(v, c)})`;
    return `(exists (${from}) and not exists (${from} and not ${this.test(v, c)}))`;
  }

  // Below `element` a property is one of element `x`.
  where(c, e, x) {
    if (c === undefined) return '1';
    if (c.not) return `not (${this.where(c.not, e, x)})`;
    for (const word of ['and', 'or']) if (c[word]) return `(${c[word].map((part) => this.where(part, e, x)).join(` ${word} `)})`;
    if (c.element) return this.element(c, e);
    if (x) return this.compare(c, `${e}.seq`, `properties.products.${c.property}`, `element = ${x}.element`);
    return this.compare(c, `${e}.seq`, `properties.${c.property}`);
  }

  element(c, e) {
    const x = this.name();
    const from = `select 1 from element ${x} where ${x}.seq = ${e}.seq`;
    const inner = this.where(c.element, e, x);
    return c.which === 'all' ? `(exists (${from}) and not exists (${from} and not ${inner}))` : `exists (${from} and ${inner})`;
  }

  // ---- behaviour ----

  span(x, c, at) {
    const last = this.mistake === 'window' ? '>=' : '>';
    if (c.in_the_last) return `${x} ${last} ${at - lengthOf(c.in_the_last)} and ${x} <= ${at}`;
    if (c.not_in_the_last) return `${x} <= ${at - lengthOf(c.not_in_the_last)}`;
    if (c.during) return `${x} >= ${this.calendar(c.during)[0]} and ${x} < ${this.calendar(c.during)[1]} and ${x} <= ${at}`;
    if (c.since) return `${x} >= ${Date.parse(c.since)} and ${x} <= ${at}`;
    if (c.before) return `${x} < ${Date.parse(c.before)} and ${x} <= ${at}`;
    if (c.between) return `${x} >= ${Date.parse(c.between[0])} and ${x} < ${this.stretch({ date: c.between[1] })[1]} and ${x} <= ${at}`;
    return `${x} <= ${at}`;
  }

  is(e, event) {
    const deed = `${e}.name not in (${TOLD.map(quote).join(', ')})`;
    return `${e}.root = p.root and ${event.anything ? deed : `${e}.name = ${quote(event)}`}`;
  }

  // Both events have one value in common under the key.
  same(c, a, b) {
    if (!c.same) return '1';
    const [x, y] = [this.name(), this.name()];
    const kind = (v) => `case when ${v}.type in ('integer', 'real') then 'n' else ${v}.type end`;
    return `exists (select 1 from val ${x} join val ${y} on ${y}.seq = ${b}.seq and ${y}.key = ${x}.key and ${y}.v = ${x}.v and ${kind(x)} = ${kind(y)}
      where ${x}.seq = ${a}.seq and ${x}.key = ${quote(`properties.${c.same}`)} and ${x}.type <> 'null')`;
  }

  events(e, event, where, when) {
    return `ev ${e} where ${this.is(e, event)} and ${when} and ${this.where(where, e)}`;
  }

  did(c, at) {
    const e = this.name();
    const count = `(select count(*) from ${this.events(e, c.did, c.where, this.span(`${e}.at`, c, at))})`;
    if (c.at_most !== undefined) return `${count} <= ${c.at_most}`;
    if (c.exactly !== undefined) return `${count} = ${c.exactly}`;
    return `${count} >= ${c.at_least ?? 1}`;
  }

  firstOrLast(c, at) {
    const e = this.name();
    const edge = c.first_did === undefined ? 'max' : 'min';
    const found = `(select ${edge}(${e}.at) from ${this.events(e, c.first_did ?? c.last_did, c.where, `${e}.at <= ${at}`)})`;
    return `coalesce(${this.span(found, c, at)}, 0)`;
  }

  fold(c, fold, at) {
    const e = this.name();
    const v = this.name();
    const rows = `from ev ${e} cross join val ${v} on ${v}.seq = ${e}.seq and ${v}.key = ${quote(`properties.${c[fold]}`)}
      where ${this.is(e, c.of)} and ${this.span(`${e}.at`, c, at)} and ${this.where(c.where, e)}`;
    const numbers = `${rows} and ${v}.type in ('integer', 'real')`;
    const millionths = `cast(round(${v}.v * 1000000) as integer)`;
    const wanted = Math.round(c.value * 1e6);
    switch (fold) {
      case 'sum': return `(select coalesce(sum(${millionths}), 0) ${numbers}) ${c.op} ${wanted}`;
      case 'average': return `coalesce((select sum(${millionths}) ${c.op} ${wanted} * count(*) ${numbers}), 0)`;
      case 'least': return `coalesce((select min(${millionths}) ${numbers}) ${c.op} ${wanted}, 0)`;
      case 'greatest': return `coalesce((select max(${millionths}) ${numbers}) ${c.op} ${wanted}, 0)`;
      default: return `(select count(distinct case when ${v}.type in ('integer', 'real') then 'n' || (${v}.v * 1.0) else ${v}.type || ${v}.v end) ${rows} and ${v}.type <> 'null') ${c.op} ${c.value}`;
    }
  }

  then(c, at) {
    const a = this.name();
    const b = this.name();
    const within = lengthOf(c.within);
    const next = `exists (select 1 from ${this.events(b, c.then ?? c.then_no, c.then_where,
      `(${b}.at, ${b}.seq) > (${a}.at, ${a}.seq) and ${b}.at >= ${a}.at and ${b}.at <= ${a}.at + ${within} and ${b}.at <= ${at} and ${this.same(c, a, b)}`)})`;
    const first = `select 1 from ${this.events(a, c.did, c.where, this.span(`${a}.at`, c, at))}`;
    if (c.then === undefined && c.same) { /* without a value an event is none that counts */
      const x = this.name();
      return `exists (${first} and ${a}.at + ${within} <= ${at} and not ${next}
        and exists (select 1 from val ${x} where ${x}.seq = ${a}.seq and ${x}.key = ${quote(`properties.${c.same}`)} and ${x}.type <> 'null'))`;
    }
    return c.then === undefined ? `exists (${first} and ${a}.at + ${within} <= ${at} and not ${next})` : `exists (${first} and ${next})`;
  }

  // Folds over events, and those that give a value: a value's own test, of one row.
  otherFold(c, fold, at) {
    const e = this.name();
    const v = this.name();
    const of = `from ev ${e} where ${this.is(e, c.of)} and ${this.span(`${e}.at`, c, at)} and ${this.where(c.where, e)}`;
    const values = `from ev ${e} cross join val ${v} on ${v}.seq = ${e}.seq and ${v}.key = ${quote(`properties.${c[fold]}`)} and ${v}.type <> 'null'
      where ${this.is(e, c.of)} and ${this.span(`${e}.at`, c, at)} and ${this.where(c.where, e)}`;
    if (fold === 'count') return `(select count(*) ${c.count === true ? of : values}) ${c.op} ${c.value}`;
    if (fold === 'days_between') return `coalesce((select case when count(*) > 1 then (max(${e}.at) - min(${e}.at)) * 1000000 end ${c.op} ${Math.round(c.value * 1e6)} * ${DAY} * (count(*) - 1) ${of}), 0)`;
    if (/_time$/.test(fold)) {
      const edge = fold === 'first_time' ? 'min' : 'max';
      return `coalesce((select ${this.test('o', c)} from (select m as ms, m + 1 as over from (select ${edge}(${e}.at) as m ${of}) where m is not null) o), 0)`;
    }
    if (fold !== 'most_frequent') {
      const order = fold === 'first' ? `${e}.at, ${e}.seq` : `${e}.at desc, ${e}.seq desc`;
      return this.compare(c, `(select ${e}.seq ${values} order by ${order} limit 1)`, `properties.${c[fold]}`);
    }
    const kind = `case when ${v}.type in ('integer', 'real') then 'n' else ${v}.type end`;
    const chosen = `select ${v}.type, ${v}.v, ${v}.listed, ${v}.ms, ${v}.over, count(*) as times, max(${e}.at * 1000000 + ${e}.seq) as latest ${values} group by ${kind}, ${v}.v order by times desc, latest desc limit 1`;
    if (c.op === 'exists') return `exists (${chosen})`;
    if (c.op === 'does not exist') return `not exists (${chosen})`;
    return `coalesce((select ${this.test('o', c)} from (${chosen}) o), 0)`;
  }

  // Step n after another, all within the length of the first; with `same`, all have one value of its.
  reached(c, count, at) {
    const names = c.funnel.slice(0, count).map(() => this.name());
    const within = lengthOf(c.within);
    const x = this.name();
    const kind = (v) => `case when ${v}.type in ('integer', 'real') then 'n' else ${v}.type end`;
    const key = quote(`properties.${c.same}`);
    const equal = (e) => {
      const y = this.name();
      return c.same ? `exists (select 1 from val ${y} where ${y}.seq = ${e}.seq and ${y}.key = ${key} and ${y}.v = ${x}.v and ${kind(y)} = ${kind(x)})` : '1';
    };
    const deep = (index) => {
      if (index === count) return '1';
      const [first, before, e] = [names[0], names[index - 1], names[index]];
      const when = `(${e}.at, ${e}.seq) > (${before}.at, ${before}.seq) and ${e}.at >= ${before}.at and ${e}.at <= ${first}.at + ${within} and ${e}.at <= ${at} and ${equal(e)}`;
      return `exists (select 1 from ${this.events(e, c.funnel[index].did, c.funnel[index].where, when)} and ${deep(index + 1)})`;
    };
    const rest = c.same ? `exists (select 1 from val ${x} where ${x}.seq = ${names[0]}.seq and ${x}.key = ${key} and ${x}.type <> 'null' and ${deep(1)})` : deep(1);
    return `exists (select 1 from ${this.events(names[0], c.funnel[0].did, c.funnel[0].where, this.span(`${names[0]}.at`, c, at))} and ${rest})`;
  }

  funnel(c, at) {
    return `(${this.reached(c, c.step, at)}${c.not_step ? ` and not ${this.reached(c, c.not_step, at)}` : ''})`;
  }

  // ---- the tree ----

  trait(c, at) {
    const s = this.name();
    const key = `traits.${c.trait}`;
    const seq = `(select ${s}.seq from said ${s} where ${s}.root = p.root and ${s}.key = ${quote(key)} and ${s}.at <= ${at} order by ${s}.at desc, ${s}.seq desc limit 1)`;
    return this.compare(c, seq, key);
  }

  // So at the beginning, and with each change since; of changes at one instant the last counts.
  been(c, at) {
    const s = this.name();
    const later = this.name();
    const key = quote(`traits.${c.trait}`);
    const from = at - lengthOf(c.for);
    const changes = `select 1 from said ${s} where ${s}.root = p.root and ${s}.key = ${key} and ${s}.at > ${from} and ${s}.at <= ${at}
      and not exists (select 1 from said ${later} where ${later}.root = p.root and ${later}.key = ${key} and ${later}.at = ${s}.at and ${later}.seq > ${s}.seq)`;
    return `(${this.trait(c, from)} and not exists (${changes} and not ${this.compare(c, `${s}.seq`, `traits.${c.trait}`)}))`;
  }

  // The day of a trait, so many days from today; or that day of a year after.
  day(c, at) {
    const s = this.name();
    const v = this.name();
    const trait = c.day_of ?? c.anniversary_of;
    const key = quote(`traits.${trait}`);
    const seq = `(select ${s}.seq from said ${s} where ${s}.root = p.root and ${s}.key = ${key} and ${s}.at <= ${at} order by ${s}.at desc, ${s}.seq desc limit 1)`;
    const today = Math.floor(at / DAY);
    const days = Array.from({ length: c.to_days - c.from_days + 1 }, (_, index) => new Date((today + c.from_days + index) * DAY).toISOString().slice(0, 10));
    const isLeap = (year) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    const day = `strftime('%Y-%m-%d', ${v}.ms / 1000, 'unixepoch')`;
    const is = c.day_of
      ? `${day} in (${days.map(quote).join(', ')})`
      : days.map((text) => {
        const dates = text.endsWith('02-28') && !isLeap(Number(text.slice(0, 4))) ? ['02-28', '02-29'] : [text.slice(5)];
        return `(substr(${day}, 6) in (${dates.map(quote).join(', ')}) and substr(${day}, 1, 4) < ${quote(text.slice(0, 4))})`;
      }).join(' or ');
    return `exists (select 1 from val ${v} where ${v}.seq = ${seq} and ${v}.key = ${key} and ${v}.ms is not null and (${is}))`;
  }

  inList(list, at) {
    const m = this.name();
    return `coalesce((select ${m}.joined from member ${m} where ${m}.root = p.root and ${m}.list = ${quote(list)} and ${m}.at <= ${at} order by ${m}.at desc, ${m}.seq desc limit 1), 0)`;
  }

  condition(c, at) {
    for (const word of ['and', 'or']) if (c[word]) return `(${c[word].map((part) => this.condition(part, at)).join(` ${word} `)})`;
    if (c.not) return `not (${this.condition(c.not, at)})`;
    if (c.everyone) return '1';
    if (c.trait && c.for) return this.been(c, at);
    if (c.trait) return this.trait(c, at);
    if (c.day_of || c.anniversary_of) return this.day(c, at);
    if (c.in_list) return this.inList(c.in_list, at);
    if (c.in_segment) return `(${this.condition(this.segments[c.in_segment], at)})`;
    if (c.then || c.then_no) return this.then(c, at);
    if (c.did) return `(${this.did(c, at)})`;
    if (c.first_did || c.last_did) return this.firstOrLast(c, at);
    const fold = ['sum', 'average', 'least', 'greatest', 'distinct'].find((word) => c[word]);
    if (fold) return `(${this.fold(c, fold, at)})`;
    if (c.funnel) return this.funnel(c, at);
    const other = ['count', 'days_between', 'first', 'last', 'most_frequent', 'first_time', 'last_time'].find((word) => c[word]);
    if (other) return `(${this.otherFold(c, other, at)})`;
    throw new Error(`no SQL for ${JSON.stringify(c)}`);
  }
}
