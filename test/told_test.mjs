// `dult test FOLDER`: the stories beside the journeys, told without a data folder, a server or a clock.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { folder, program, removeFolder, root, skipWithoutProgram as skip } from './lib/program.mjs';

const dult = (...argv) => spawnSync(program, argv, { encoding: 'utf8' });

test('the demo\'s stories come true', { skip }, () => {
  const { status, stdout } = dult('test', '--verbose', join(root, 'demo/shop'));
  assert.equal(status, 0, stdout);
  assert.match(stdout, /passed {2}stories\/cart\.json: Who orders at once is not reminded\n/);
  assert.match(stdout, /^\d+ passed, 0 failed\n$/m);
});

describe('a shop whose journey is changed', { skip }, () => {
  let shop;
  const write = (name, text) => writeFileSync(join(shop, name), text);

  before(() => {
    shop = folder('stories');
    cpSync(join(root, 'demo/shop'), shop, { recursive: true });
  });
  after(() => removeFolder(shop));

  test('fails the story that says otherwise, with what happened instead', () => {
    const path = 'journeys/cart.json';
    const journey = readFileSync(join(shop, path), 'utf8');
    write(path, journey.replace('"exit_when": "did \\"Order Completed\\" since entry",', ''));
    const { status, stdout } = dult('test', shop);
    write(path, journey);
    assert.equal(status, 1);
    assert.match(stdout, /^failed {2}stories\/cart\.json: Who orders at once is not reminded\n/m);
    assert.match(stdout, /ada should get nothing, and got "cart" at 2026-01-05T09:01\./);
    assert.match(stdout, /2026-01-05T09:01 {2}message cart sent/);
    assert.match(stdout, /\n6 passed, 1 failed\n$/);
  });

  test('tells a program the same', () => {
    write('stories/odd.json', JSON.stringify({ stories: [{ story: 'odd', tell: [{ person: 'ada', event: 'X' }, { person: 'ada', expect: 'did "Y"' }] }] }));
    const { status, stdout } = dult('test', '--json', shop);
    const answer = JSON.parse(stdout);
    assert.deepEqual([status, answer.passed, answer.failed], [1, 7, 1]);
    assert.match(answer.stories.find(({ passed }) => !passed).said, /this does not hold for ada:\n\s+did "Y"/);
  });

  test('a file that cannot be told is named with its place and what to write', () => {
    write('stories/odd.json', '{"stories": [{"story": "odd", "tell": []}]}');
    const { status, stderr } = dult('test', shop);
    assert.equal(status, 3);
    assert.match(stderr, /stories\/odd\.json: stories\[0\]: The story tells nothing\./);
    write('stories/odd.json', '{"stories"');
    assert.match(dult('test', shop).stderr, /stories\/odd\.json/);
  });

  test('and so is a definition that is refused', () => {
    write('stories/odd.json', '{"stories": [{"story": "odd", "tell": [{"gets": []}]}]}');
    write('journeys/odd.json', '{"journey": "odd", "trigger": {"event": "X"}, "nodes": [{"id": "a", "email": "none"}]}');
    const { status, stderr } = dult('test', shop);
    assert.equal(status, 3);
    assert.match(stderr, /journeys\/odd\.json.*none/s);
  });

  test('a folder without stories says where they are written', () => {
    const bare = folder('no-stories');
    cpSync(join(root, 'demo/shop/workspace.json'), join(bare, 'workspace.json'));
    const { status, stderr } = dult('test', bare);
    removeFolder(bare);
    assert.equal(status, 4);
    assert.match(stderr, /stories\/NAME\.json/);
  });

  test('stories are left alone by check', () => {
    const clean = join(root, 'demo/shop');
    assert.equal(dult('check', clean).status, 0, dult('check', clean).stderr);
  });
});

describe('a folder of shops', { skip }, () => {
  let shops;
  before(() => {
    shops = folder('shops');
    for (const name of ['north', 'south']) cpSync(join(root, 'demo/shop'), join(shops, name), { recursive: true });
    writeFileSync(join(shops, 'README.md'), 'Two shops.');
  });
  after(() => removeFolder(shops));

  test('is told one after the other, each by its own files', () => {
    const path = join(shops, 'south/journeys/cart.json');
    const journey = readFileSync(path, 'utf8');
    writeFileSync(path, journey.replace('"exit_when": "did \\"Order Completed\\" since entry",', ''));
    const { status, stdout } = dult('test', shops);
    const answer = JSON.parse(dult('test', '--json', shops).stdout);
    writeFileSync(path, journey);
    assert.equal(status, 1);
    assert.match(stdout, /^north: 7 passed, 0 failed\nfailed {2}south\/stories\/cart\.json: Who orders at once/);
    assert.match(stdout, /\nsouth: 6 passed, 1 failed\n13 passed, 1 failed\n$/);
    assert.deepEqual([answer.passed, answer.failed, answer.stories[0].file], [13, 1, 'north/stories/cart.json']);
  });

  test('says which of them cannot be told', () => {
    writeFileSync(join(shops, 'south/stories/odd.json'), '{"stories": [{"story": "odd", "tell": []}]}');
    const { status, stderr } = dult('test', shops);
    assert.equal(status, 3);
    assert.match(stderr, /south\/stories\/odd\.json: stories\[0\]: The story tells nothing\./);
    removeFolder(join(shops, 'south/stories'));
    assert.match(dult('test', shops).stderr, /south\/.*There are no stories/);
  });

  test('and a folder without any is refused', () => {
    const bare = folder('no-shops');
    const { status, stderr } = dult('test', bare);
    removeFolder(bare);
    assert.notEqual(status, 0);
    assert.match(stderr, /Nothing of a workspace is in this folder/);
  });
});
