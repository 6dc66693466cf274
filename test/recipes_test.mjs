// Every recipe is ready: it checks clean, its stories come true, all of them live together in one
// workspace, and each template is whole in four languages, with all that is known and with the least.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { folder, program, removeFolder, root, skipWithoutProgram as skip } from './lib/program.mjs';

const LANGUAGES = ['en', 'nb', 'sv', 'nl'];
const FIELDS = ['recipe', 'for', 'events', 'traits', 'change_first', 'example'];
const recipes = join(root, 'recipes');
const names = readdirSync(recipes, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
const dult = (...argv) => spawnSync(program, argv, { encoding: 'utf8' });
const recipeOf = (name) => JSON.parse(readFileSync(join(recipes, name, 'recipe.json'), 'utf8'));
const listed = (name, shelf) => readdirSync(join(recipes, name, shelf)).sort();
const basesOf = (name) => listed(name, 'templates').filter((file) => file.split('.').length === 2).map((file) => file.replace('.email', ''));

// What a reader must never see: Liquid, a gap before a comma, a word of a program, a link to nowhere.
const GAPS = [/\{[{%]/, /[%}]\}/, /\w ,|,,| \.(\s|$)|\(\s*\)/, /\b(undefined|null|NaN|nil)\b/, /(href|src)=["']["']/, /<(p|li|h1)[^>]*>\s*<\//];

test('all stories of all recipes come true, told folder by folder', { skip }, () => {
  const { status, stdout, stderr } = dult('test', recipes);
  assert.equal(status, 0, stdout + stderr);
  for (const name of names) assert.match(stdout, new RegExp(`^${name}: ([3-9]|\\d\\d) passed, 0 failed$`, 'm'));
  assert.match(stdout, /\n\d+ passed, 0 failed\n$/);
});

test('no two recipes have one name for different things, so all can stand in one folder', () => {
  const seen = new Map();
  for (const name of names) {
    for (const path of readdirSync(join(recipes, name), { recursive: true }).filter((file) => /\.\w+$/.test(file) && file !== 'recipe.json')) {
      const bytes = readFileSync(join(recipes, name, path));
      assert.ok(!seen.has(path) || bytes.equals(seen.get(path).bytes), `${path} of ${name} and ${seen.get(path)?.name}`);
      seen.set(path, { name, bytes });
    }
  }
});

for (const name of names) {
  describe(`the recipe ${name}`, { skip }, () => {
    test('checks clean', () => {
      const { status, stdout, stderr } = dult('check', join(recipes, name));
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^\d+ files are in order\.$/m);
      assert.doesNotMatch(stderr, /(error|warning|note):/);
    });

    test('says what it is for, what it expects, and what to change first', () => {
      const told = recipeOf(name);
      assert.deepEqual(Object.keys(told).sort(), [...FIELDS].sort());
      assert.equal(told.recipe, name);
      const defined = ['journeys', 'segments', 'traits', 'templates', 'questions'].filter((shelf) => existsSync(join(recipes, name, shelf)))
        .flatMap((shelf) => listed(name, shelf).map((file) => readFileSync(join(recipes, name, shelf, file), 'utf8'))).join('\n');
      for (const event of Object.keys(told.events)) assert.ok(defined.includes(event), `nothing asks for ${event}`);
      assert.match(readFileSync(join(root, 'docs/recipes.md'), 'utf8'), new RegExp(`^\\| \`${name}\``, 'm'));
    });

    test('has each text in four languages, none of them another one\'s', () => {
      for (const base of basesOf(name)) {
        const texts = LANGUAGES.map((language) => readFileSync(join(recipes, name, 'templates', language === 'en' ? `${base}.email` : `${base}.${language}.email`), 'utf8'));
        const subjects = texts.map((text) => /^subject: (.*)$/m.exec(text)?.[1] ?? text);
        assert.equal(new Set(subjects).size, LANGUAGES.length, `${base}: ${subjects.join(' | ')}`);
      }
    });
  });
}

describe('all recipes in one workspace', { skip }, () => {
  let house;
  let shop;
  const ask = (template, body) => http('POST', `${house.server.origin}/api/v1/templates/${template}/preview`, {
    headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body,
  });

  before(async () => {
    shop = folder('all-recipes');
    for (const name of names) cpSync(join(recipes, name), shop, { recursive: true });
    house = await openHouse({ shop });
    const address = { street: 'Storgata 1', city: 'Oslo', postalCode: '0155', country: 'NO' };
    for (const language of LANGUAGES) {
      await house.client.send('/v1/identify', { messageId: `f-${language}`, userId: `full-${language}`,
        traits: { email: `full-${language}@x.example`, first_name: 'Kari', name: 'Kari Nordmann', language, currency: 'NOK', address, trial_ends: new Date(Date.now() + 110 * 86_400_000).toISOString().slice(0, 10) } });
      await house.client.send('/v1/track', { messageId: `o-${language}`, userId: `full-${language}`, event: 'Order Completed', properties: { revenue: 499, order_id: 'a1' } });
      await house.client.send('/v1/identify', { messageId: `l-${language}`, userId: `least-${language}`,
        traits: { email: `least-${language}@x.example`, language, address } });
    }
  });
  after(() => house?.close());

  for (const name of names) {
    for (const base of basesOf(name)) {
      test(`${base} of ${name} is whole, whoever reads it`, async () => {
        const { example } = recipeOf(name);
        for (const language of LANGUAGES) {
          for (const who of ['full', 'least']) {
            const { status, body, text } = await ask(base, { person: `${who}-${language}`, event: { name: example.event, properties: example[who] } });
            assert.equal(status, 200, text);
            const about = `${base} for ${who}-${language}: ${JSON.stringify({ missing: body.missing, faults: body.faults, held: body.held })}`;
            assert.deepEqual([body.missing, body.faults, body.held ?? ''], [[], [], ''], about);
            assert.equal(body.variant ?? base, language === 'en' ? base : `${base}.${language}`, about);
            for (const part of ['subject', 'text', 'html', 'front', 'back'])
              for (const gap of GAPS.slice(0, part === 'text' ? 4 : GAPS.length)) assert.doesNotMatch(body[part] ?? '', gap, `${about} ${part}`);
            assert.deepEqual((body.findings ?? []).filter(({ severity }) => severity !== 'note'), [], about);
          }
        }
      });
    }
  }
});

describe('a recipe that is taken', { skip }, () => {
  let shop;
  const take = (...words) => dult('recipe', ...words, '--from', recipes);
  const tree = () => readdirSync(shop, { recursive: true }).filter((file) => /\.\w+$/.test(file)).sort();

  before(() => { shop = join(folder('taken'), 'shop'); });
  after(() => removeFolder(join(shop, '..')));

  test('is found by the list, and told before', () => {
    const { status, stdout } = take('list');
    assert.equal(status, 0);
    for (const name of names) assert.match(stdout, new RegExp(`^${name}\n  \\S`, 'm'));
    assert.equal(dult('recipe', '--from', recipes, '--json').stdout.trim().split('\n').map((line) => JSON.parse(line).recipe).join(), names.join());
    assert.match(take('show', 'welcome').stdout, /Events\n {2}Signed Up: begins it\n[^]*Change first\n {2}1\. workspace\.json/);
  });

  test('is a workspace that checks clean and whose stories come true', () => {
    const { status, stdout, stderr } = take('copy', 'welcome', shop);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^copied {2}journeys\/welcome\.json$/m);
    assert.deepEqual(tree(), readdirSync(join(recipes, 'welcome'), { recursive: true }).filter((file) => /\.\w+$/.test(file) && file !== 'recipe.json').sort());
    assert.match(dult('test', shop).stdout, /^5 passed, 0 failed$/m);
    assert.equal(dult('check', shop).status, 0);
  });

  test('comes beside another, and the workspace stays as it is', () => {
    writeFileSync(join(shop, 'workspace.json'), readFileSync(join(shop, 'workspace.json'), 'utf8').replace('Your Shop', 'Tents'));
    writeFileSync(join(shop, 'snippets/shop.liquid'), 'https://tents.example');
    const { status, stdout, stderr } = take('copy', 'win-back', shop);
    assert.equal(status, 0, stderr);
    for (const file of ['snippets/shop.liquid', 'topics.json', 'workspace.json'])
      assert.ok(stdout.includes(`stays   ${file}\n`), stdout);
    assert.match(readFileSync(join(shop, 'workspace.json'), 'utf8'), /Tents/);
    assert.match(dult('test', shop).stdout, /^1\d passed, 0 failed$/m);
    assert.match(take('copy', 'win-back', shop).stdout, /^0 files copied/m);
  });

  test('overwrites nothing: one file of its name that says something else, and nothing is copied', () => {
    const mine = join(shop, 'journeys/trial.json');
    writeFileSync(mine, '{}');
    const before = tree();
    const { status, stderr } = take('copy', 'trial', shop);
    assert.equal(status, 3);
    assert.match(stderr, /journeys\/trial\.json: There is another file of this name\. Nothing was copied\./);
    assert.deepEqual(tree(), before);
    assert.equal(readFileSync(mine, 'utf8'), '{}');
  });

  test('a link that leads nowhere is something, too: nothing is copied', () => {
    const mine = join(shop, 'journeys/trial.json');
    rmSync(mine);
    symlinkSync(join(shop, 'nowhere.json'), mine);
    const before = tree();
    assert.notEqual(take('copy', 'trial', shop).status, 0);
    assert.deepEqual(tree(), before);
    rmSync(mine);
  });

  test('a folder without a recipe says so', () => {
    const { status, stderr } = dult('recipe', 'list', '--from', shop);
    assert.equal(status, 4);
    assert.match(stderr, /There is no recipe in this folder/);
  });

  test('is refused by name where there is none', () => {
    assert.equal(take('copy', 'nosuch', shop).status, 4);
    assert.equal(take('copy', '../recipes/welcome', shop).status, 4);
    assert.equal(take('copy', 'welcome').status, 2);
    assert.equal(dult('recipe', 'list', '--from', join(shop, 'nosuch')).status, 4);
  });
});
