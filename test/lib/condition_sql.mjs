// A condition in the JSON form as plain SQL, over the rows of a Dult data folder and nothing else.
//
//     rowsOf(folder)      SQL that lays out what happened, by person, in temporary tables
//     peopleWhere(c, at)  SQL that lists the people for whom the condition holds at an instant
//
//     person (root, known)                       root: who the profiles became by merges; known: since
//                                                they did something or told a trait
//     ev     (root, at, seq, name)               what was done
//     said   (root, key, at, seq)                which record named which trait
//     val    (seq, key, listed, type, v, ms)     values under a key, each element of a list; ms: as a date
//     member (root, list, at, seq, joined)

const KEYS = {
  properties: ['revenue', 'colour', 'gift', 'tags', 'due', 'address.city', 'address.zip', 'products.category', 'products.price'],
  traits: ['plan', 'score', 'staff', 'tags', 'home.city', 'renewal'],
};

const quote = (text) => `'${String(text).replaceAll("'", "''")}'`;

// An element of a list counts for itself; an object's or a list's own member is a step of the path.
function valuesOf(part, key) {
  const steps = key.split('.');
  const path = `$.${part}.${steps.join('.')}`;
  const label = quote(`${part}.${key}`);
  if (steps[0] !== 'products') {
    const listed = `json_type(body, '${path}') = 'array'`;
    return `insert into val select seq, ${label}, ${listed}, j.type, j.value, null
      from rec, json_each(rec.body, '${path}') j where json_type(body, '${path}') is not null and j.type not in ('object', 'array')`;
  }
  return `insert into val select r.seq, ${label}, 1, j.type, j.value, null
    from rec r, json_each(r.body, '$.${part}.products') p, json_each(p.value, '$.${steps[1]}') j where j.type not in ('object', 'array')`;
}

const DATE = `update val set ms = case
  when type = 'text' and v glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    then cast(strftime('%s', substr(v, 1, 19)) as integer) * 1000 + cast(case when length(v) > 20 then substr(v, 21, 3) else '0' end as integer)
  when type in ('integer', 'real') then case when abs(v) < 100000000000 then cast(v * 1000 as integer) else v end end`;

export function rowsOf(folder) {
  return `pragma temp_store = memory; attach ${quote(`file:${folder}/dult.db?mode=ro`)} as d;
drop table if exists temp.person; drop table if exists temp.ev; drop table if exists temp.said;
drop table if exists temp.val; drop table if exists temp.member; drop table if exists temp.rec; drop table if exists temp.root;
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
create temp table ev as select root, at, seq, case kind when 3 then 'Page' when 4 then 'Screen' else name end as name from rec where kind <> 2;
create index temp.ev_root on ev(root, name, at, seq);
create temp table person as select root, min(at) as known from rec where kind <> 2
  or exists (select 1 from json_tree(body, '$.traits') where type not in ('object', 'array')) group by root;
create temp table val (seq integer, key text, listed integer, type text, v, ms integer);
${KEYS.properties.map((key) => valuesOf('properties', key)).join(';\n')};
${KEYS.traits.map((key) => valuesOf('traits', key)).join(';\n')};
${DATE};
create index temp.val_seq on val(seq, key, type, v);
analyze temp;
create temp table said as select distinct r.root, v.key, r.at, r.seq from rec r join val v on v.seq = r.seq where r.kind = 2;
create index temp.said_root on said(root, key, at, seq);
create temp table member as select r.root, n.text as list, x.at, x.seq, x.kind = 66 as joined
  from d.decision x join root r on r.profile = x.profile join d.name n on n.kind = 8 and n.id = x.subject where x.kind in (66, 67);
detach d`;
}

const UNITS = { hours: 3_600_000, days: 86_400_000 };

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
    return `select group_concat(root, ' ') from (select p.root from person p where p.known <= ${at} and ${this.condition(condition, at)} order by p.root)`;
  }

  name() {
    this.names += 1;
    return `t${this.names}`;
  }

  // ---- values ----

  passes(v, op, value) {
    if (typeof value === 'object') {
      const ms = Date.parse(value.date);
      return `coalesce(${v}.ms ${op} ${ms}, 0)`;
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
      default: return this.passes(v, op, value);
    }
  }

  compare(c, seq, key) {
    const v = this.name();
    const from = `select 1 from val ${v} where ${v}.seq = ${seq} and ${v}.key = ${quote(key)} and ${v}.type <> 'null'`;
    if (c.op === 'exists') return `exists (${from})`;
    if (c.op === 'does not exist') return `not exists (${from})`;
    const all = c.which === 'all' || (c.which === undefined && ['!=', 'not in'].includes(c.op));
    if (!all) return `exists (${from} and ${this.test(v, c)})`;
    return `(exists (${from}) and not exists (${from} and not ${this.test(v, c)}))`;
  }

  where(c, e) {
    if (c === undefined) return '1';
    if (c.not) return `not (${this.where(c.not, e)})`;
    for (const word of ['and', 'or']) if (c[word]) return `(${c[word].map((part) => this.where(part, e)).join(` ${word} `)})`;
    return this.compare(c, `${e}.seq`, `properties.${c.property}`);
  }

  // ---- behaviour ----

  span(x, c, at) {
    const last = this.mistake === 'window' ? '>=' : '>';
    if (c.in_the_last) return `${x} ${last} ${at - lengthOf(c.in_the_last)} and ${x} <= ${at}`;
    if (c.not_in_the_last) return `${x} <= ${at - lengthOf(c.not_in_the_last)}`;
    if (c.since) return `${x} >= ${Date.parse(c.since)} and ${x} <= ${at}`;
    if (c.before) return `${x} < ${Date.parse(c.before)} and ${x} <= ${at}`;
    if (c.between) return `${x} between ${Date.parse(c.between[0])} and ${Date.parse(c.between[1])} and ${x} <= ${at}`;
    return `${x} <= ${at}`;
  }

  events(e, event, where, when) {
    return `ev ${e} where ${e}.root = p.root and ${e}.name = ${quote(event)} and ${when} and ${this.where(where, e)}`;
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
      where ${e}.root = p.root and ${e}.name = ${quote(c.of)} and ${this.span(`${e}.at`, c, at)} and ${this.where(c.where, e)}`;
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
      `(${b}.at, ${b}.seq) > (${a}.at, ${a}.seq) and ${b}.at >= ${a}.at and ${b}.at <= ${a}.at + ${within} and ${b}.at <= ${at}`)})`;
    const first = `select 1 from ${this.events(a, c.did, c.where, this.span(`${a}.at`, c, at))}`;
    return c.then === undefined ? `exists (${first} and ${a}.at + ${within} <= ${at} and not ${next})` : `exists (${first} and ${next})`;
  }

  // ---- the tree ----

  trait(c, at) {
    const s = this.name();
    const key = `traits.${c.trait}`;
    const seq = `(select ${s}.seq from said ${s} where ${s}.root = p.root and ${s}.key = ${quote(key)} and ${s}.at <= ${at} order by ${s}.at desc, ${s}.seq desc limit 1)`;
    return this.compare(c, seq, key);
  }

  inList(list, at) {
    const m = this.name();
    return `coalesce((select ${m}.joined from member ${m} where ${m}.root = p.root and ${m}.list = ${quote(list)} and ${m}.at <= ${at} order by ${m}.at desc, ${m}.seq desc limit 1), 0)`;
  }

  condition(c, at) {
    for (const word of ['and', 'or']) if (c[word]) return `(${c[word].map((part) => this.condition(part, at)).join(` ${word} `)})`;
    if (c.not) return `not (${this.condition(c.not, at)})`;
    if (c.everyone) return '1';
    if (c.trait) return this.trait(c, at);
    if (c.in_list) return this.inList(c.in_list, at);
    if (c.in_segment) return `(${this.condition(this.segments[c.in_segment], at)})`;
    if (c.then || c.then_no) return this.then(c, at);
    if (c.did) return `(${this.did(c, at)})`;
    if (c.first_did || c.last_did) return this.firstOrLast(c, at);
    const fold = ['sum', 'average', 'least', 'greatest', 'distinct'].find((word) => c[word]);
    if (fold) return `(${this.fold(c, fold, at)})`;
    throw new Error(`no SQL for ${JSON.stringify(c)}`);
  }
}
