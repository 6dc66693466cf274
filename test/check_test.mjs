// `dult check` and `dult apply` tell what would hurt a template's mails, and what is broken for every
// reader changes nothing.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { folder, program, removeFolder, root, skipWithoutProgram as skip } from './lib/program.mjs';

const BROKEN = `subject: Hi
preheader: p
--- html
<p>Hello</p>
<a href="www.x.example">x</a> <a href="https://x.example/a b">y</a>
{% render 'foot' %}
--- text
Hello
`;
const MENDED = BROKEN.replace('www.', 'https://www.');

describe('a template that would hurt', { skip }, () => {
  let shop;
  let data;
  const dult = (...argv) => spawnSync(program, argv, { encoding: 'utf8' });
  const write = (name, text) => writeFileSync(join(shop, name), text);

  before(() => {
    shop = folder('check');
    data = folder('check-data');
    mkdirSync(join(shop, 'templates'));
    mkdirSync(join(shop, 'snippets'));
    write('snippets/foot.liquid', '<a href="{{ links.unsubscribe }}">stop</a>');
  });
  after(() => [shop, data].forEach(removeFolder));

  test('is refused by apply with file, line and remedy where it is broken, and nothing is changed', () => {
    write('templates/mail.email', BROKEN);
    const { status, stderr } = dult('apply', '--data', data, shop);
    assert.equal(status, 3);
    assert.match(stderr, /templates\/mail\.email:5: error: This link has no scheme: www\.x\.example\n +Begin it with/);
    assert.match(stderr, /Nothing was changed/);
    const json = dult('check', '--json', shop);
    assert.equal(json.status, 3);
    assert.deepEqual(JSON.parse(json.stderr).findings.map(({ path, line, severity, about }) =>
      [path, line, severity, about]), [['templates/mail.email', 5, 'error', 'link'],
      ['templates/mail.email', 5, 'warning', 'link']]);
  });

  test('is applied with a warning where only some readers lose', () => {
    write('templates/mail.email', MENDED);
    const { status, stdout, stderr } = dult('apply', '--data', data, shop);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /mail\.email:5: warning: There is a space in this link/);
    assert.match(stdout, /new +templates\/mail\.email/);
  });

  test('is checked by itself with the snippets of its folder', () => {
    const file = join(shop, 'templates/mail.email');
    assert.match(dult('check', file).stdout, /^2 files are in order, with warnings\.$/m);
    write('mail.email', MENDED);
    assert.match(dult('check', join(shop, 'mail.email')).stderr, /there is no snippet 'foot'/);
    assert.equal(dult('check', join(shop, 'nosuch.email')).status, 4);
  });
});

describe('a journey whose drawing hides something', { skip }, () => {
  let shop;
  before(() => {
    shop = folder('tangled');
    cpSync(join(root, 'demo/shop'), shop, { recursive: true });
    writeFileSync(join(shop, 'journeys/odd.json'), `{
  "journey": "odd",
  "trigger": { "event": "Signed Up" },
  "nodes": [
    { "id": "first", "email": "welcome" },
    { "id": "second", "email": "guide", "next": "done" },
    { "id": "lost", "wait": "3 days" },
    { "id": "done", "exit": true }
  ]
}
`);
  });
  after(() => removeFolder(shop));

  test('is told with the line of the node, the other journey and what to do, and refuses nothing', () => {
    const { status, stderr } = spawnSync(program, ['check', shop], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stderr, /journeys\/odd\.json:7: warning: "lost": Nobody can reach this node.*\n +Let a node's `next`/);
    assert.match(stderr, /odd\.json:5: warning: "first": "first" and "second" can reach somebody at the same instant\./);
    assert.match(stderr, /welcome\.json:6: warning: "hello": The journey "odd" begins by the same and writes "first" on the same day\./);
  });

  test('and nothing is told of the demo', () => {
    const { stderr } = spawnSync(program, ['check', join(root, 'demo/shop')], { encoding: 'utf8' });
    assert.doesNotMatch(stderr, /journeys\//);
  });
});
