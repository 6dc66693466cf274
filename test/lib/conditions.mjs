// Random histories, and random conditions about them in the JSON form of the language.
//
// Everything lies on whole hours and comes from few values, so that windows often begin at the very
// instant of an event, values are often equal, and conditions hold for some people and not for others.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const EVENTS = ['A', 'B', 'C', 'Order Completed', 'Cart Viewed'];
const COLOURS = ['red', 'green', 'blue', 'Red', 'gr'];
const PLANS = ['free', 'pro', 'team'];
const LISTS = ['vip', 'news'];
const BIRTHDAYS = ['1990-11-10', '1992-02-29', '1985-11-20'];
const CALENDAR = ['today', 'yesterday', 'this week', 'last week', 'this month', 'last month', 'this year'];
const PATTERNS = ['^gr', 'e+n?$', '[Rr]ed', 'l.e', 'pro|team', '^.{3}$'];

export const HISTORY_DAYS = 20;

export class Maker {
  constructor(random, now) {
    Object.assign(this, { random, now, messages: 0 });
    this.begin = Math.floor(now / HOUR) * HOUR - HISTORY_DAYS * DAY;
  }

  one(list) {
    return list[this.random.below(list.length)];
  }

  chance(percent) {
    return this.random.below(100) < percent;
  }

  instant() {
    return this.begin + this.random.below(HISTORY_DAYS * 24) * HOUR;
  }

  text(at) {
    return new Date(at).toISOString();
  }

  // ---- what happens ----

  number() {
    return this.chance(30) ? this.random.below(40) - 5 : (this.random.below(4000) - 500) / 100;
  }

  odd(value) {
    if (!this.chance(8)) return value;
    return this.one([null, 'red', 7, true, '12', ['red', 3], []]);
  }

  when() {
    const at = this.instant();
    return this.one([this.text(at), Math.floor(at / 1000), at, this.text(at).slice(0, 10), 'soon']);
  }

  product() {
    return { category: this.odd(this.one(['tent', 'boot', 'map'])), price: this.odd(this.number()) };
  }

  properties() {
    const some = (value) => (this.chance(70) ? value : undefined);
    return {
      revenue: some(this.odd(this.number())),
      colour: some(this.odd(this.one(COLOURS))),
      gift: some(this.odd(this.chance(50))),
      tags: some(Array.from({ length: this.random.below(4) }, () => this.one(COLOURS))),
      due: some(this.when()),
      address: some({ city: this.odd(this.one(['Oslo', 'Bergen'])), zip: this.random.below(5) }),
      products: some(Array.from({ length: this.random.below(4) }, () => this.product())),
    };
  }

  traits() {
    const some = (value) => (this.chance(50) ? value : undefined);
    return {
      plan: some(this.odd(this.one(PLANS))),
      score: some(this.odd(this.number())),
      staff: some(this.odd(this.chance(50))),
      tags: some(Array.from({ length: 1 + this.random.below(3) }, () => this.one(COLOURS))),
      home: some({ city: this.one(['Oslo', 'Bergen']) }),
      renewal: some(this.when()),
      birthday: some(this.odd(this.one(BIRTHDAYS.concat(this.text(this.instant()).slice(0, 10).replace(/^..../, '1988'))))),
    };
  }

  // One message about one of `people` persons: known, anonymous, or (rarely) what makes two one.
  message(people, at = this.instant()) {
    const person = this.random.below(people);
    const base = { messageId: `m${this.messages += 1}`, timestamp: this.text(at) };
    const user = { userId: `u${person}` };
    const device = { anonymousId: `d${this.random.below(people)}` };
    const drawn = this.random.below(100);
    if (drawn < 2) return { ...base, type: 'identify', ...user, ...device, traits: this.traits() };
    if (drawn < 3) return { ...base, type: 'alias', userId: `u${person}`, previousId: `u${this.random.below(people)}` };
    const who = this.chance(70) ? user : device;
    if (drawn < 18) return { ...base, type: 'identify', ...who, traits: this.traits() };
    if (drawn < 24) return { ...base, type: 'page', ...who, properties: this.properties() };
    return { ...base, type: 'track', ...who, event: this.one(EVENTS), properties: this.properties() };
  }

  // ---- what is asked ----

  at() {
    const drawn = this.random.below(10);
    if (drawn === 0) return this.now + this.random.below(5 * 24) * HOUR;
    return this.instant() + (drawn < 3 ? this.random.below(HOUR) : 0);
  }

  hours() {
    const hours = 1 + this.one([1, 5, 24, 72, 24 * HISTORY_DAYS].map((most) => this.random.below(most)));
    return `${hours} hours`;
  }

  // An instant, or a day.
  date() {
    const text = this.text(this.instant());
    return this.chance(40) ? text.slice(0, 10) : text;
  }

  moment() {
    switch (this.random.below(8)) {
      case 0: return { ago: this.hours() };
      case 1: return { from_now: this.hours() };
      case 2: return { now: true };
      case 3: return { days_from_today: this.random.below(12) - 8 };
      default: return { date: this.date() };
    }
  }

  window() {
    switch (this.random.below(9)) {
      case 0: case 1: return { in_the_last: this.hours() };
      case 2: return { not_in_the_last: this.hours() };
      case 3: return { since: this.date() };
      case 4: return { before: this.date() };
      case 5: return { between: [this.date(), this.date()].sort() };
      case 6: return { during: this.one(CALENDAR) };
      default: return {};
    }
  }

  literal(key) {
    if (/revenue|price|score|zip/.test(key)) return this.number();
    if (/gift|staff/.test(key)) return this.chance(50);
    if (/due|renewal|birthday/.test(key)) return this.moment();
    if (/category/.test(key)) return this.one(['tent', 'boot', 'map']);
    if (/city/.test(key)) return this.one(['Oslo', 'Bergen', 'Os']);
    if (/plan/.test(key)) return this.one(PLANS);
    return this.one(COLOURS);
  }

  compare(subject, keys) {
    const key = this.one(keys);
    const which = this.chance(25) ? { which: this.one(['any', 'all']) } : {};
    const head = { [subject]: key, ...which };
    const value = this.chance(5) ? this.literal('revenue') : this.literal(key);
    if (this.chance(10)) return { [subject]: key, op: this.one(['exists', 'does not exist']) };
    if (typeof value === 'boolean') return { ...head, op: this.one(['=', '!=']), value };
    if (this.chance(20)) return { ...head, op: this.one(['in', 'not in']), values: [value, ...Array.from({ length: this.random.below(3) }, () => this.literal(key))].filter((one) => typeof one === typeof value) };
    if (typeof value === 'string') return { ...head, ...this.one([{ op: '=', value }, { op: '!=', value }, { op: 'contains', value }, { op: 'starts with', value }, { op: 'ends with', value }, { op: 'matches', value: this.one(PATTERNS) }]) };
    if (typeof value === 'number' && this.chance(15)) return { ...head, op: 'between', values: [value, this.number()].sort((a, b) => a - b) };
    return { ...head, op: this.one(['=', '!=', '>', '>=', '<', '<=']), value };
  }

  // Whether a trait has been so for a while: of those whose answer time alone does not change.
  been() {
    const compared = this.compare('trait', ['plan', 'score', 'staff', 'tags', 'home.city']);
    return /exist/.test(compared.op) ? compared : { ...compared, for: this.hours() };
  }

  day() {
    const from = this.random.below(12) - 6;
    const days = { from_days: from, to_days: from + this.random.below(5) };
    return this.chance(50) ? { day_of: 'renewal', ...days } : { anniversary_of: 'birthday', ...days };
  }

  where(depth = 2) {
    const keys = ['revenue', 'colour', 'gift', 'tags', 'due', 'address.city', 'address.zip', 'products.category', 'products.price'];
    if (this.chance(12)) return this.element();
    if (depth === 0 || this.chance(65)) return this.compare('property', keys);
    if (this.chance(25)) return { not: this.where(depth - 1) };
    return { [this.one(['and', 'or'])]: [this.where(depth - 1), this.where(depth - 1)] };
  }

  // What one product is like: any of them, or all.
  element() {
    const one = () => this.compare('property', ['category', 'price']);
    const inner = this.chance(50) ? one() : { [this.one(['and', 'or'])]: [one(), one()] };
    return { property: 'products', which: this.one(['any', 'all']), element: inner };
  }

  happening() {
    return this.chance(12) ? { anything: true } : this.one(EVENTS.concat('Page'));
  }

  same() {
    return this.chance(30) ? { same: 'address.zip' } : {};
  }

  maybe(member) {
    return this.chance(40) ? { [member]: this.where() } : {};
  }

  did() {
    const times = this.one([{}, { at_least: 2 }, { at_least: 1 + this.random.below(5) }, { at_most: this.random.below(4) }, { exactly: this.random.below(4) }]);
    return { did: this.happening(), ...times, ...this.window(), ...this.maybe('where') };
  }

  fold() {
    const fold = this.one(['sum', 'average', 'least', 'greatest', 'distinct']);
    const key = this.one(fold === 'distinct' ? ['colour', 'tags', 'revenue', 'products.category'] : ['revenue', 'products.price', 'address.zip']);
    const value = fold === 'distinct' ? this.random.below(6) : fold === 'sum' ? this.random.below(200) : this.number();
    return { [fold]: key, of: this.one(EVENTS), ...this.window(), ...this.maybe('where'), op: this.one(['=', '!=', '>', '>=', '<', '<=']), value };
  }

  // Folds over events alone, and those that give a value instead of a number.
  otherFold() {
    const rest = { of: this.happening(), ...this.window(), ...this.maybe('where') };
    const op = this.one(['=', '!=', '>', '>=', '<', '<=']);
    switch (this.random.below(5)) {
      case 0: return { count: true, ...rest, op, value: this.random.below(6) };
      case 1: return { count: this.one(['tags', 'products.price']), ...rest, op, value: this.random.below(8) };
      case 2: return { days_between: true, ...rest, op, value: this.random.below(40) / 8 };
      case 3: return { [this.one(['first_time', 'last_time'])]: true, ...rest, op, value: this.moment() };
      default: {
        const fold = this.one(['first', 'last', 'most_frequent']);
        const { property, which, ...test } = this.compare('property', fold === 'most_frequent' ? ['address.zip'] : ['revenue', 'colour', 'address.city']);
        return { [fold]: property, ...rest, ...test };
      }
    }
  }

  funnel() {
    const steps = Array.from({ length: 2 + this.random.below(3) }, () => ({ did: this.happening(), ...this.maybe('where') }));
    const step = 1 + this.random.below(steps.length);
    const not = step < steps.length && this.chance(40) ? { not_step: step + 1 + this.random.below(steps.length - step) } : {};
    return { funnel: steps, step, ...not, within: this.hours(), ...(this.chance(30) ? { same: 'address.zip' } : {}), ...this.window() };
  }

  then() {
    const no = this.chance(40);
    return { did: this.happening(), ...this.window(), ...this.maybe('where'), [no ? 'then_no' : 'then']: this.happening(), ...this.maybe('then_where'), ...this.same(), within: this.hours() };
  }

  condition(depth = 3) {
    const drawn = this.random.below(100);
    if (depth > 0 && drawn < 12) return { and: [this.condition(depth - 1), this.condition(depth - 1)] };
    if (depth > 0 && drawn < 22) return { or: [this.condition(depth - 1), this.condition(depth - 1), ...(this.chance(30) ? [this.condition(depth - 1)] : [])] };
    if (depth > 0 && drawn < 28) return { not: this.condition(depth - 1) };
    if (drawn < 50) return this.did();
    if (drawn < 58) return this.fold();
    if (drawn < 64) return this.otherFold();
    if (drawn < 72) return this.then();
    if (drawn < 76) return this.funnel();
    if (drawn < 82) return { [this.one(['first_did', 'last_did'])]: this.one(EVENTS), ...this.window(), ...this.maybe('where') };
    if (drawn < 86) return { in_list: this.one(LISTS) };
    if (drawn < 90) return { in_segment: this.one(SEGMENTS) };
    if (drawn < 91) return { everyone: true };
    if (drawn < 94) return this.been();
    if (drawn < 96) return this.day();
    return this.compare('trait', ['plan', 'score', 'staff', 'tags', 'home.city', 'renewal', 'birthday']);
  }

  list() {
    return this.one(LISTS);
  }
}

export const SEGMENTS = ['s0', 's1', 's2'];
