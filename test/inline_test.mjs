// A mail's style rules land in the same elements, with the same values, as juice puts them there,
// over mails of the demo and random styles over random elements.
//
// inlined (test/inlined.c) is our side; what is compared is each element's style, property by
// property, for how the attribute is written differs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseDocument } from 'htmlparser2';
import juice from 'juice';
import { program, root } from './lib/program.mjs';
import { Random } from './lib/random.mjs';

const seed = Number(process.env.DULT_SEED ?? Date.now() % 2 ** 31);
const MAILS = 400;

const ours = (mails) => execFileSync(join(dirname(program), 'inlined'), {
  input: mails.map((mail) => `${mail}\0`).join(''), encoding: 'utf8', maxBuffer: 1 << 28,
}).split('\0').slice(0, -1);

const theirs = (mail) => juice(mail, { applyWidthAttributes: false, applyHeightAttributes: false });

// Declarations by property, the last of each; quotes and white space are one. juice takes !important
// out of an element's own style, ours leaves what was written.
function declarations(style) {
  const said = new Map();
  for (const [, name, value] of (style ?? '').matchAll(/([-\w]+)\s*:\s*((?:"[^"]*"|'[^']*'|[^;"'])+)/g)) {
    const clean = value.replace(/\s*!\s*important/i, '').replaceAll('"', "'").replace(/\s+/g, ' ').replace(/\s*,\s*/g, ', ').trim();
    said.delete(name.toLowerCase());
    said.set(name.toLowerCase(), clean);
  }
  return Object.fromEntries([...said].sort());
}

const SILENT = new Set(['html', 'head', 'style', 'title', 'meta', 'link', 'base', 'script', 'noscript']);

function styles(html) {
  const found = [];
  const walk = (node, path) => {
    if (node.attribs && !SILENT.has(node.name)) {
      found.push([`${path}${node.name}`, declarations(node.attribs.style)]);
    }
    for (const child of node.children ?? []) walk(child, `${path}${node.name ?? ''} `);
  };
  walk(parseDocument(html), '');
  return found;
}

function same(mails) {
  ours(mails).forEach((inlined, i) => {
    assert.deepEqual(styles(inlined), styles(theirs(mails[i])), `seed ${seed}, mail ${i}\n${mails[i]}\n-> ${inlined}`);
  });
}

const templates = join(root, 'demo/shop/templates');

test('the mails of the demo', () => {
  const mails = readdirSync(templates).filter((name) => name.endsWith('.email'))
    .map((name) => readFileSync(join(templates, name), 'utf8').split('--- html\n')[1].split('--- text')[0]);
  assert.ok(mails.length > 0);
  same(mails.map((mail) => `<style>p { margin: 0 } td > p, a { color: #333 } table p a { color: red }
    h1 { font-family: "Open Sans", Arial !important } body a[href] { padding: 1px 2px }
    @media (max-width: 600px) { p { margin: 9px !important } } a:hover { color: blue }</style>${mail}`));
});

const others = join(root, 'test/corpora/html_fuzz');

test('the mails of others', () => {
  const mails = readdirSync(others).map((name) => readFileSync(join(others, name), 'utf8'));
  assert.ok(mails.length >= 6);
  same(mails);
});

test('what is left for mail programs to read is what juice leaves', () => {
  const [left] = ours([`<style>p { color: red } a:hover { color: blue }
    @media (max-width: 9px) { p { color: green } } @font-face { font-family: x; src: url(y) }</style><p>a`]);
  assert.match(left, /a:hover \{ color: blue \}/);
  assert.match(left, /@media \(max-width: 9px\) \{ p \{ color: green \} \}/);
  assert.match(left, /@font-face/);
  assert.doesNotMatch(left.split('</style>')[0], /color: red/);
});

// ---- at random ----

const random = new Random(seed);
const one = (list) => list[random.below(list.length)];
const TAGS = ['div', 'p', 'td', 'table', 'tr', 'a', 'span', 'b', 'h1'];
const INSIDE = { div: ['div', 'p', 'table', 'h1', 'span', 'a'], p: ['a', 'span', 'b'], h1: ['span', 'b'],
  span: ['b', 'span'], a: ['b', 'span'], b: ['span'], td: ['p', 'div', 'table', 'span'] };
const PROPERTIES = ['color', 'margin', 'padding', 'font-size', 'width', 'font-family'];
const VALUES = ['red', '0', '1px 2px', '50%', '"Open Sans", Arial', 'url(x.png?a=1)', '#fff'];

function attributes() {
  return (random.below(2) ? ` class="${one(['k', 'l', 'k l', 'm'])}"` : '')
    + (random.below(6) ? '' : ` id="${one(['i', 'j'])}"`)
    + (random.below(4) ? '' : ` lang="${one(['nb', 'nb-NO', 'en'])}"`)
    + (random.below(4) ? '' : ` style="${one(['color:blue', 'margin: 3px;', 'width:1px; color: green'])}"`);
}

function element(tag, depth) {
  const inner = tag === 'table' ? `<tr${attributes()}>${element('td', depth)}${element('td', depth)}</tr>`
    : Array.from({ length: depth > 4 ? 0 : random.below(4) }, () => element(one(INSIDE[tag]), depth + 1)).join('');
  return `<${tag}${attributes()}>x${inner}</${tag}>`;
}

function compound() {
  const text = (random.below(3) ? one(TAGS) : '')
    + (random.below(3) ? '' : `.${one(['k', 'l', 'm', 'n'])}`)
    + (random.below(8) ? '' : `#${one(['i', 'j'])}`)
    + (random.below(8) ? '' : one(['[lang]', '[lang=nb]', '[lang|="nb"]', '[class~=l]', '[lang^=n]', '[lang$="n"]',
      '[lang*=b]']));
  return text === '' ? one(TAGS) : text;
}

const selector = () => Array.from({ length: 1 + random.below(3) }, compound)
  .reduce((whole, part) => `${whole}${one([' ', ' ', ' > ', '>'])}${part}`);

function rule() {
  const declared = Array.from({ length: 1 + random.below(3) }, () =>
    `${one(PROPERTIES)}: ${one(VALUES)}${random.below(8) ? '' : ' !important'}`);
  const selectors = Array.from({ length: 1 + random.below(2) }, selector);
  return `${selectors.join(', ')} { ${declared.join('; ')} }`;
}

test('random styles over random elements', () => {
  same(Array.from({ length: MAILS }, () => {
    const rules = Array.from({ length: 1 + random.below(8) }, rule).join('\n');
    return `<html><head><style>\n${rules}\n</style></head><body>${element('div', 0)}</body></html>`;
  }));
});
