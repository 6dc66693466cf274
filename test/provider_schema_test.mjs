// The published schema of descriptions and the program agree: by a validator of JSON Schema, over the
// descriptions built in and over what becomes of them when something in them is changed.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import { dult, dultTry, folder, removeFolder, skipWithoutProgram } from './lib/program.mjs';

const root = fileURLToPath(new URL('../providers', import.meta.url));
const all = readdirSync(root).map((name) => [name.replace('.json', ''), JSON.parse(readFileSync(join(root, name), 'utf8'))]);
const clone = (value) => JSON.parse(JSON.stringify(value));

// What a person may write wrong; each is refused by both.
const wrong = {
  'a member that is unknown': (d) => { d.colour = 'red'; },
  'no request': (d) => { delete d.request; },
  'no address': (d) => { delete d.request.url; },
  'no name': (d) => { delete d.provider; },
  'a channel that is none': (d) => { d.channel = 'pigeon'; },
  'two bodies': (d) => { d.request.json = {}; d.request.form = {}; },
  'a verdict that is none': (d) => { d.answer = { rules: [{ is: 'fine' }] }; },
  'a status that is none': (d) => { d.answer = { rules: [{ status: '6xx', is: 'sent' }] }; },
  'a header that is no text': (d) => { d.request.headers = { 'X-A': 1 }; },
  'too many paths': (d) => { d.answer = { id: ['a', 'b', 'c', 'd', 'e'] }; },
  'a key without its header': (d) => { d.idempotency = { value: 'x' }; },
  'receipts without a proof': (d) => { d.receipts = { id: 'x' }; },
  'a proof of no kind': (d) => { d.receipts = { proof: { by: 'magic', setting: 'x' } }; },
  'a kind of receipt that is none': (d) => { d.receipts = { proof: d.receipts?.proof ?? {}, rules: [{ is: 'sent' }] }; },
};

test('descriptions are what the schema and the program both take', { skip: skipWithoutProgram }, async () => {
  const { out } = await dultTry('providers', '--schema');
  const is = new Ajv2020({ strict: false, allErrors: true }).compile(JSON.parse(out));
  const data = folder('schema');
  const path = join(data, 'p.json');
  try {
    for (const [name, description] of all) {
      assert.equal(description.provider, name);
      assert.ok(is(description), `${name}: ${JSON.stringify(is.errors)}`);
      await dult('providers', '--check', join(root, `${name}.json`));
    }
    for (const [what, change] of Object.entries(wrong)) {
      for (const [name, description] of all.filter(([each]) => ['twilio', 'lob'].includes(each))) {
        const changed = clone(description);
        change(changed);
        writeFileSync(path, JSON.stringify(changed));
        assert.ok(!is(changed), `${name} with ${what} passes the schema`);
        assert.notEqual((await dultTry('providers', '--check', path)).status, 0, `${name} with ${what} passes the program`);
      }
    }
    const twilio = clone(all.find(([name]) => name === 'twilio')[1]);
    twilio.examples.answers[1].is = 'sent';
    writeFileSync(path, JSON.stringify(twilio));
    assert.match((await dultTry('providers', '--check', path)).err, /examples\.answers\.1: by the rules it is recipient/);
  } finally {
    removeFolder(data);
  }
});
