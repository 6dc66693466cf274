// Random Liquid templates over data of every kind, half of it sensible and half of it not.

const DATA = {
  name: 'Ada Lovelace', empty_text: '', spaces: '  \t ', lines: 'one\r\ntwo\n\nthree', wide: 'Grüße an Æsop ñ',
  html: "<p class='a'>Fish & chips</p><script>x</script> &lt; &amp;", digits: '12', decimal: '3.50', words: 'a b  c d e f g',
  csv: 'x,y,,z,,', slug: 'Hello-World', zero: 0, one: 1, seven: 7, minus: -3, big: 1234567890, half: 0.5, price: 19.99,
  whole: 4.0, tiny: 0.00001, yes: true, no: false, nothing: null, list: [3, 1, 2], texts: ['pear', 'Apple', 'fig', 'banana'],
  mixed: [1, 'two', null, true, 2.5], nested: [[1, 2], [3, [4]]], none: [], box: { a: 1, b: 'two', c: [1, 2] }, hollow: {},
  items: [
    { title: 'Tent', price: 100, tags: ['red', 'big'], on: true, n: 2 },
    { title: 'lamp', price: 9.5, tags: [], on: false, n: 1 },
    { title: 'Cup', price: 9.75, tags: ['red'], on: true },
    { title: null, price: 3, n: 3 },
  ],
  day: '2026-03-14', at: '2026-03-14T15:04:05Z', size: 'L', first: 'F', key: 'a', index: 1,
};
export const data = DATA;

const NAMES = Object.keys(DATA);
const MEMBERS = ['size', 'first', 'last', 'title', 'price', 'a', 'b', 'c', 'tags', 'n', 'missing'];
const LOOP = ['index', 'index0', 'rindex', 'rindex0', 'first', 'last', 'length'];
const FORMATS = ['%Y-%m-%d', '%d.%m.%y', '%B %-d, %Y', '%a %b %e', '%H:%M:%S', '%I:%M %p', '%j %U %W %u %w', '%s', '%%', '%^a %3d', '%A'];
const COMPARE = ['==', '!=', '<>', '<', '>', '<=', '>=', 'contains'];

// Each filter with what it may be given; what `args` gives is text.
const FILTERS = {
  text: {
    upcase: 0, downcase: 0, capitalize: 0, strip: 0, lstrip: 0, rstrip: 0, squish: 0, strip_html: 0, strip_newlines: 0,
    newline_to_br: 0, escape: 0, escape_once: 0, url_encode: 0, url_decode: 0, base64_encode: 0, base64_url_safe_encode: 0,
    append: 'x', prepend: 'x', remove: 't', remove_first: 't', remove_last: 't', split: 't', truncate: 'n?', truncatewords: 'n?',
    replace: 'tt', replace_first: 'tt', replace_last: 'tt', slice: 'in?', size: 0,
  },
  number: {
    plus: 'n', minus: 'n', times: 'n', divided_by: 'z', modulo: 'z', abs: 0, ceil: 0, floor: 0, round: 'i?', at_least: 'n', at_most: 'n',
  },
  list: {
    join: 't?', first: 0, last: 0, reverse: 0, sort: 0, sort_natural: 0, uniq: 'p?', compact: 'p?', concat: 'l', map: 'p',
    where: 'px?', size: 0, sum: 'p?', has: 'px?', find: 'px?', find_index: 'px?', reject: 'px?',
  },
  other: { default: 'x' },
};

export class Liquid {
  // `without`: names of filters and features that are left out, as those an oracle lacks.
  constructor(random, without = []) {
    this.random = random;
    this.without = new Set(without);
    this.members = MEMBERS.filter((each) => this.may('text ends') || !['first', 'last'].includes(each));
    this.bound = [];
    this.depth = 0;
    this.inCase = 0;
    this.inTable = 0;
  }

  chance(of) { return this.random.below(of) === 0; }
  pick(list) { return list[this.random.below(list.length)]; }
  may(what) { return !this.without.has(what); }

  quoted() {
    return this.pick(["'a'", '"b c"', "''", "' '", "','", "'e'", "'an'", "'Hello World'", '"x"', "'<b>'", "'2'", "'1.5'", "'ß'", "'\n'"]);
  }

  integer() { return String(this.pick([0, 1, 2, 3, -1, -2, 5, 10, 40])); }
  number() { return this.chance(3) ? this.pick(['1.5', '0.1', '-2.25', '10.0', '2.675', '0.05']) : this.integer(); }

  path() {
    let text = this.chance(3) && this.bound.length > 0 ? this.pick(this.bound) : this.pick(this.chance(20) ? ['missing'] : NAMES);
    if (text === 'forloop') return `forloop.${this.pick(LOOP)}`;
    while (this.chance(3)) {
      if (this.chance(2)) text += `.${this.pick(this.members)}`;
      else text += `[${this.chance(2) ? this.pick(['0', '1', '-1', '-9', '"a"', "'title'", 'key', 'index']) : this.inBrackets()}]`;
    }
    return text;
  }

  inBrackets() {
    const text = this.simple();
    return text.includes('[') && !this.may('nested brackets') ? 'key' : text;
  }

  range() { return `(${this.pick(['1', '0', '-1', 'one', 'seven', "'2'"])}..${this.pick(['3', '5', '1', 'list.size', 'seven', 'one'])})`; }

  simple() {
    const kind = this.random.below(10);
    if (kind < 5) return this.path();
    if (kind < 7) return this.quoted();
    if (kind < 9) return this.number();
    return this.pick(['true', 'false', 'nil', 'empty', this.may('blank') ? 'blank' : 'empty', 'null']);
  }

  value() { return this.chance(15) ? this.range() : this.simple(); }

  argument(kind) {
    switch (kind) {
      case 't': return this.chance(8) ? this.simple() : this.quoted();
      case 'n': return this.chance(8) ? this.simple() : this.number();
      case 'z': return this.pick(['1', '2', '-3', '0.5', '2.5', '10']); // a decimal by zero: docs/liquid.md
      case 'i': return this.chance(12) ? this.simple() : this.integer();
      case 'p': return this.chance(10) ? this.simple() : this.pick(["'title'", "'price'", "'tags'", "'on'", "'n'", "'a'"]);
      case 'l': return this.pick(['list', 'texts', 'mixed', 'none', 'nested', 'items', 'name']);
      case 'd': return `'${this.pick(FORMATS)}'`;
      default: return this.simple();
    }
  }

  filter() {
    const family = FILTERS[this.pick(['text', 'text', 'number', 'list', 'list', 'other'])];
    const name = this.pick(Object.keys(family).filter((each) => this.may(each)));
    const args = [];
    const kinds = String(family[name] || '').match(/\w\??/g) ?? [];
    for (const kind of kinds) {
      if (kind.endsWith('?') && this.chance(2)) break;
      args.push(this.argument(kind[0]));
    }
    return args.length > 0 ? `${name}: ${args.join(', ')}` : name;
  }

  filtered() {
    if (this.chance(12)) return `${this.pick(['day', 'at', "'2026-03-14 10:00'", "'March 3, 2024'", 'seven', 'big'])} | date: ${this.argument('d')}`;
    // What is equal is in no certain order after Ruby's sort, so the keys here are all different.
    if (this.chance(20)) return `items | ${this.pick(['sort', 'sort_natural'])}: ${this.pick(["'price'", "'title'"])} | map: ${this.pick(["'price'", "'title'"])} | join: '/'`;
    let text = this.value();
    while (this.chance(2)) text += ` | ${this.filter()}`;
    return text;
  }

  test() {
    let text = this.value();
    if (this.chance(2)) text += ` ${this.pick(COMPARE)} ${this.value()}`;
    if (this.chance(4)) text += ` ${this.pick(['and', 'or'])} ${this.test()}`;
    return text;
  }

  open(word, rest = '') {
    const left = this.chance(6) ? '-' : '', right = this.chance(6) ? '-' : '';
    return `{%${left} ${word}${rest === '' ? '' : ` ${rest}`} ${right}%}`;
  }

  within(names, make) {
    this.bound.push(...names);
    const made = make();
    this.bound.length -= names.length;
    return made;
  }

  loop() {
    const name = this.pick(['i', 'item', 'x', 'name']);
    const over = this.pick(['list', 'items', 'texts', 'nested', 'box', 'none', 'name', 'nothing', 'mixed', 'items[0].tags', this.range(), this.range()]);
    let more = this.chance(4) ? ' reversed' : '';
    if (this.chance(4)) more += ` limit: ${this.pick(['2', '0', '1', 'one', "'2'", 'nothing'])}`;
    if (this.chance(4)) more += ` offset: ${this.pick(['1', '0', 'continue', 'one', '5'])}`;
    const body = this.within([name, 'forloop'], () => this.body());
    const otherwise = this.chance(4) ? this.open('else') + this.body() : '';
    return this.open('for', `${name} in ${over}${more}`) + body + otherwise + this.open('endfor');
  }

  table() {
    const over = this.pick(['list', 'items', 'texts', 'none', '(1..5)', 'box']);
    let more = this.chance(2) ? ` cols: ${this.pick(['2', '3', '1', 'one'])}` : '';
    if (this.chance(4)) more += ` limit: ${this.pick(['2', '3'])}`;
    if (this.chance(4)) more += ` offset: ${this.pick(['1', '0'])}`;
    this.inTable++;
    const body = this.within(['i'], () => this.body());
    this.inTable--;
    return `${this.open('tablerow', `i in ${over}${more}`)}${body}{{ tablerowloop.${this.pick(['col', 'row', more.includes('cols') || this.may('text ends') ? 'col_last' : 'col0', 'index', 'first', 'last'])} }}${this.open('endtablerow')}`;
  }

  cases() {
    let text = this.open('case', this.value()) + this.pick(['', ' ', '\n']);
    this.inCase++;
    for (let n = 1 + this.random.below(3); n > 0; n--) {
      const values = [this.simple()];
      while (this.chance(3)) values.push(this.simple());
      text += this.open('when', values.join(this.pick([', ', ' or ']))) + this.body();
    }
    if (this.chance(2)) text += this.open('else') + this.body();
    this.inCase--;
    return text + this.open('endcase');
  }

  branches() {
    const word = this.pick(['if', 'if', 'unless']);
    let text = this.open(word, this.test()) + this.body();
    while (this.chance(3)) text += this.open('elsif', this.test()) + this.body();
    if (this.chance(2)) text += this.open('else') + this.body();
    return text + this.open(`end${word}`);
  }

  script() {
    const lines = [`assign t = ${this.filtered()}`, `echo ${this.filtered()}`, `if ${this.test()}`, `  echo ${this.filtered()}`, 'endif', '# a remark'];
    return `{% liquid\n${lines.join('\n')}\n%}`;
  }

  piece() {
    switch (this.random.below(18)) {
      case 0: case 1: case 2: return this.pick(['text', ' ', '\n', ' a ', '\t<b>', '% }', '}']);
      case 3: return this.open('assign', `${this.pick(['t', 'u', 'name', 'list'])} = ${this.filtered()}`);
      case 4: return this.depth > 2 ? '' : this.branches();
      case 5: return this.depth > 2 ? '' : this.loop();
      case 6: return this.depth > 2 ? '' : this.cases();
      case 7: return this.depth > 1 ? '' : this.table();
      case 8: return this.open('capture', this.pick(['t', 'u'])) + this.body() + this.open('endcapture');
      case 9: return this.open(this.pick(['increment', 'decrement']), this.pick(['t', 'c', 'seven']));
      case 10: return this.open('cycle', this.pick(["'a', 'b'", "1, 2, 3", "'g': 'x', 'y'", 'name, seven', 'key: 1, 2']));
      case 11: return this.pick(['{% raw %}{{ a }}{% if %}{% endraw %}', this.may('broken comments') ? '{% comment %}{{ x {% if %}{% endcomment %}' : '{% comment %}{{ x }} text{% endcomment %}', '{% # remark %}', '{%- assign q = 1 -%} ', ...this.interrupts()]);
      case 12: return this.open('ifchanged') + this.body() + this.open('endifchanged');
      case 13: return this.script();
      case 14: return this.call();
      default: return `{{${this.chance(8) ? '-' : ''} ${this.filtered()} ${this.chance(8) ? '-' : ''}}}`;
    }
  }

  // An interrupt in a `case` lets the reference go on with the next `when`: nobody means that.
  interrupts() { return this.inCase > 0 || (this.inTable > 0 && !this.may('interrupts in tables')) ? [] : ['{% break %}', '{% continue %}']; }

  call() {
    const name = this.pick(["'card'", "'row'", "'parts/note'"]);
    const how = this.pick(['render', 'render', 'include']);
    const rest = this.pick(['', ` with ${this.path()}`, ` for ${this.pick(['items', 'list', 'box', 'none', 'name'])}`, ` with ${this.path()} as it`, ` for items as it`, `, card: ${this.simple()}, it: ${this.simple()}`]);
    return this.open(how, name + rest);
  }

  body() {
    this.depth++;
    let text = '';
    for (let n = this.random.below(4); n >= 0; n--) text += this.piece();
    this.depth--;
    return text;
  }

  template() {
    this.bound = ['t', 'u'];
    this.depth = 0;
    let text = '';
    for (let n = 1 + this.random.below(5); n > 0; n--) text += this.piece();
    return text;
  }
}

export const snippets = {
  card: '[{{ card }}{{ card.title }}|{{ it }}{{ forloop.index }}{{ t }}{% assign t = 5 %}]',
  row: '({{ row }}{{ it.title }}{{ name }}{% increment c %}{% if forloop.first %}!{% endif %})',
  'parts/note': '<{{ note }}{% cycle 1, 2 %}{{ u }}>',
};
