// `dult bounce` as a pipe and a shell use it: a line of JSON for each mail, in the order given.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { program, root, skipWithoutProgram as skip } from './lib/program.mjs';

const world = join(root, '../shared/data/bounces');
const MAIL = `From: MAILER-DAEMON@mx.example\r\nTo: hei@shop.example\r\n\r\n<ada@x.example>:\r\n`
  + '550 5.1.1 no such user\r\n';

const bounce = (argv, input = '') => spawnSync(program, ['bounce', ...argv],
  { input, encoding: 'utf8', maxBuffer: 1 << 26 });
const lines = (text) => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));

test('a mail on standard input is answered with one line', { skip }, () => {
  const { status, stdout } = bounce(['--json'], MAIL);
  assert.equal(status, 0);
  const [{ file, bounces }, ...more] = lines(stdout);
  assert.equal(more.length, 0);
  assert.equal(file, '-');
  const { said, ...told } = bounces[0];
  assert.deepEqual(told, { recipient: 'ada@x.example', status: '5.1.1', class: 'hard', reason: 'userunknown' });
  assert.match(said, /no such user/);
});

test('files are answered in their order, and one that is not there ends it with 4', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dult-bounce-'));
  try {
    const paths = ['b', 'a'].map((name) => join(folder, name));
    for (const path of paths) writeFileSync(path, MAIL);
    writeFileSync(paths[1], 'From: ada@x.example\nSubject: Re: Hi\n\nThank you!\n');
    const both = bounce(['--json', ...paths]);
    assert.deepEqual(lines(both.stdout).map(({ file, bounces }) => [file, bounces.length]),
      [[paths[0], 1], [paths[1], 0]]);
    assert.match(bounce(paths).stdout, /ada@x\.example {2}hard {2}userunknown 5\.1\.1\n.*no bounce and no complaint/);
    const absent = bounce(['--json', paths[0], join(folder, 'c')]);
    assert.equal(absent.status, 4);
    assert.equal(lines(absent.stdout).length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a whole mailbox of real bounces is answered, and hard is seldom said where another says soft',
  { skip: skip || existsSync(world) ? skip : `no ${world} beside this clone` }, () => {
    const names = readdirSync(world).filter((name) => name.endsWith('.eml'));
    const { status, stdout } = bounce(['--json', ...names.map((name) => join(world, name))]);
    assert.equal(status, 0);
    const told = new Map(lines(stdout).map(({ file, bounces }) => [file.slice(world.length + 1), bounces]));
    assert.equal(told.size, names.length);
    const wanted = lines(readFileSync(join(world, 'expected.jsonl'), 'utf8'));
    const pairs = wanted.flatMap(({ file, bounces }) => bounces.map((want) => [want,
      told.get(file).find(({ recipient }) => recipient === want.recipient.toLowerCase())]));
    const judged = pairs.filter(([want]) => !['feedback', 'delivered'].includes(want.reason));
    const share = (some, of) => some.length / of.length;
    assert.ok(share(pairs.filter(([, got]) => got), pairs) >= 0.97);
    assert.ok(share(judged.filter(([want, got]) => got?.class === (want.hard ? 'hard' : 'soft')), judged) >= 0.93);
    const soft = judged.filter(([want]) => !want.hard);
    assert.ok(share(soft.filter(([, got]) => got?.class === 'hard'), soft) <= 0.01);
  });
