// Parts of text messages and telephone numbers, as libraries that others trust see them.

import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { program } from './lib/program.mjs';
import { Random } from './lib/random.mjs';

const seed = Number(process.env.DULT_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`sms: DULT_SEED=${seed} replays`);

const require = createRequire(import.meta.url);
const { split } = require('split-sms');
const { SegmentedMessage } = require('sms-segments-calculator');
const { parsePhoneNumberFromString, getCountries } = require('libphonenumber-js/max');
const examples = require('libphonenumber-js/examples.mobile.json');

function measured(rows) {
  const ran = spawnSync(program, ['sms', '--lines'],
    { input: rows.map((row) => JSON.stringify(row) + '\n').join(''), encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}

const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const LETTERS = [...BASIC].filter((letter) => letter !== '\r');
const EXTENSION = '\f^{}\\[~]|€';
const OTHER = ['’', '“', '…', 'ç', 'ê', 'ø'.repeat(1), 'я', '漢', '😀', '🛑', 'ő', '–', '`'];

function texts(count) {
  const dice = new Random(seed);
  const roll = (count) => dice.below(count);
  const pick = (all) => all[roll(all.length)];
  return Array.from({ length: count }, () => {
    const length = roll(500);
    const kind = roll(4); // basic only; with extension; with a few others; all mixed
    let text = '';
    for (let i = 0; i < length; i++) {
      const chance = roll(100);
      text += kind >= 2 && chance < (kind === 3 ? 30 : 1) ? pick(OTHER)
        : kind >= 1 && chance < 20 ? pick([...EXTENSION]) : pick(LETTERS);
    }
    return text;
  });
}

describe('a text message', () => {
  const all = ['', 'a'.repeat(160), 'a'.repeat(161), ...[...BASIC], ...[...EXTENSION], ...texts(3000)];
  const ours = measured(all.map((text) => ({ text })));

  test('has as many parts as split-sms makes of it', () => {
    for (const [i, text] of all.entries()) {
      if (text === '') continue;
      const theirs = split(text);
      assert.deepEqual({ parts: ours[i].parts, gsm: ours[i].encoding === 'GSM-7' },
        { parts: theirs.parts.length, gsm: theirs.characterSet === 'GSM' }, JSON.stringify(text));
    }
  });

  test('has as many parts as Twilio counts', () => {
    let compared = 0;
    for (const [i, text] of all.entries()) {
      if (text === '' || /[\r]/.test(text)) continue; // it takes CR LF for one sign
      const theirs = new SegmentedMessage(text);
      compared++;
      assert.deepEqual({ parts: ours[i].parts, encoding: ours[i].encoding },
        { parts: theirs.segmentsCount, encoding: theirs.encodingName }, JSON.stringify(text));
    }
    assert.ok(compared > 1000, `${compared} compared`);
  });
});

describe('a telephone number', () => {
  // Written with a sign that is dialled only within the country, which shape alone cannot tell.
  const OTHERWISE = new Set(['AR', 'BY', 'MX']);
  const rows = [];
  for (const country of getCountries()) {
    if (examples[country] === undefined) continue;
    const number = parsePhoneNumberFromString(examples[country], country);
    for (const to of [number.formatNational(), number.formatInternational(), number.number,
      number.format('RFC3966').replace('tel:', ''), number.nationalNumber])
      rows.push({ text: '', to, country, wanted: number.number });
  }
  const answers = measured(rows);

  test('is the one that libphonenumber makes of it, in every country but where mobiles are written otherwise', () => {
    const wrong = rows.filter((row, i) => answers[i].to !== row.wanted);
    assert.deepEqual([...new Set(wrong.map((row) => row.country))].filter((c) => !OTHERWISE.has(c)), [],
      JSON.stringify(wrong.slice(0, 10)));
    assert.ok(rows.length > 1100, `${rows.length} numbers`);
  });

  test('of a mobile, made of random digits, is read as libphonenumber reads it in 97 of 100', () => {
    const dice = new Random(seed + 1);
    const roll = (count) => dice.below(count);
    const made = Array.from({ length: 20000 }, () => {
      const countries = getCountries();
      const country = countries[roll(countries.length)];
      return { text: '', country, to: Array.from({ length: 2 + roll(14) }, () => roll(10)).join('') };
    });
    const answered = measured(made);
    let refused = 0, mobiles = 0, same = 0;
    for (const [i, row] of made.entries()) {
      const theirs = parsePhoneNumberFromString(row.to, row.country);
      if (answered[i].to === null) refused++;
      // Islands leave their area's code out; only the metadata knows it.
      if (theirs?.getType() !== 'MOBILE' || OTHERWISE.has(row.country) ||
        row.to.length < theirs.nationalNumber.length || row.to.startsWith('00')) continue;
      mobiles++;
      same += answered[i].to === theirs.number;
    }
    assert.ok(same >= 0.97 * mobiles, `${same} of ${mobiles}`);
    assert.ok(refused > 300 && mobiles > 100, `${refused} refused, ${mobiles} compared`);
  });
});
