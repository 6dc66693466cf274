// See bench/liquid. A reminder of an order: 3 KB of HTML, a loop of three items and six variables, read
// once and rendered over and over. Each round asks every engine in turn; a figure is the median of
// the rounds, with the lowest and highest beside it. All of them escape, and their outputs are equal to
// the byte, or nothing is measured.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.env.LIQUID_ROUNDS ?? 5);
const seconds = Number(process.env.LIQUID_SECONDS ?? 2);
const root = fileURLToPath(new URL('..', import.meta.url));
const ours = process.env.TEMPLATE_BENCH ?? join(root, 'build/template_bench');

const SOURCE_BYTES = 3072;
const FILLER = '<p style="margin:0 0 12px;font:14px sans-serif">We keep it for you for some days.</p>\n';

const data = {
  person: { first_name: 'Ada', email: 'ada@tents.example' },
  order: {
    number: 10042, total: 149.5, currency: 'EUR', free: true,
    items: [
      { title: 'Socks & shoes', quantity: 2, price: 49.5 },
      { title: 'Hat', quantity: 1, price: 30 },
      { title: 'Scarf', quantity: 1, price: 20.5 },
    ],
  },
  links: { unsubscribe: 'https://tents.example/u/abc' },
};

// The same mail in both languages.
const words = {
  liquid: { each: '{% for item in order.items %}', item: 'item.', end: '{% endfor %}', if: '{% if order.free %}', fi: '{% endif %}' },
  handlebars: { each: '{{#each order.items}}', item: '', end: '{{/each}}', if: '{{#if order.free}}', fi: '{{/if}}' },
};

function mail({ each, item, end, if: on, fi }) {
  const head = `<html><body><h1>Hello {{person.first_name}}</h1>
<p>Your order {{order.number}} is still waiting for you.</p>
<table>${each}<tr><td>{{${item}title}}</td><td>{{${item}quantity}}</td><td>{{${item}price}}</td></tr>
${end}</table>
${on}<p>Delivery is free.</p>${fi}
<p>Total {{order.total}} {{order.currency}}, for {{person.email}}.</p>
`;
  const tail = '<p><a href="{{links.unsubscribe}}">Unsubscribe</a></p></body></html>\n';
  return head + FILLER.repeat(Math.ceil((SOURCE_BYTES - head.length - tail.length) / FILLER.length)) + tail;
}

const home = mkdtempSync(join(tmpdir(), 'dult-liquid-'));
const file = (name, text) => {
  writeFileSync(join(home, name), text);
  return join(home, name);
};
const files = {
  data: file('data.json', JSON.stringify(data)),
  liquid: file('mail.liquid', mail(words.liquid)),
  handlebars: file('mail.handlebars', mail(words.handlebars)),
};
const out = join(home, 'out');
const peer = join(root, 'bench/liquid_peer.mjs');

const engines = {
  dult: () => [ours, files.liquid, files.data, String(seconds), out],
  liquidjs: () => [process.execPath, peer, 'liquidjs', files.liquid, files.data, String(seconds), out],
  handlebars: () => [process.execPath, peer, 'handlebars', files.handlebars, files.data, String(seconds), out],
};

const rates = { dult: [], liquidjs: [], handlebars: [] };
let expected;
for (let round = 0; round < rounds; round++) {
  for (const [name, argv] of Object.entries(engines)) {
    const [program, ...rest] = argv();
    const { renders_per_s: rate } = JSON.parse(execFileSync(program, rest, { encoding: 'utf8' }));
    const output = readFileSync(out, 'utf8');
    expected ??= output;
    if (output !== expected) throw new Error(`${name} renders something else`);
    rates[name].push(rate);
  }
}
rmSync(home, { recursive: true });

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const whole = (n) => Math.round(n).toLocaleString('en');
console.log(`${rounds} rounds of ${seconds} s each, interleaved, one thread; ${expected.length} bytes out, equal in all`);
for (const [name, list] of Object.entries(rates)) {
  const ratio = median(rates.dult) / median(list);
  console.log(`${name.padEnd(12)}${whole(median(list)).padStart(10)} renders/s  (${whole(Math.min(...list))} to ${whole(Math.max(...list))})  dult is ${ratio.toFixed(1)} times that`);
}
