// A story: what crosses the whole program, told in lines that anybody can read.
//
//     apply   shops/welcome                                     a folder beside the stories
//     smtp    listen mx.example                                 the far side; all mail goes there
//     serve                                                     start (apply and smtp come before)
//     post    /v1/track {"userId":"ada","event":"E"}   -> 200   as a client library would
//     get     /api/v1/stats                            -> 200   as a program with a key would
//     expect  smtp count 1                                      mails taken so far, and no more
//     expect  smtp to ada@x.example count 1
//     expect  event ada "Signed Up" count 1                     on ada's timeline
//     expect  answer contains "text"                            the last answer's text
//     wait    2 seconds
//     kill                                                      kill -9, then start again
//     restart                                                   in order
//
// '#' begins a comment. {{now}} is the present instant, {{ago 2 days}} one that long past.
// "expect" of a count waits for it to be reached, then looks once more that it is not passed.

import assert from 'node:assert/strict';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countEvents, http } from './api.mjs';
import { openHouse } from './house.mjs';
import { eventually, patience } from './program.mjs';

const SETTLE_MS = 400; /* how long a count must hold that could still be passed */
const UNITS_MS = { millisecond: 1, second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

const VERBS = [
  ['apply', /^(?<folder>\S+)$/],
  ['smtp', /^listen(?: (?<name>\S+))?$/],
  ['serve', /^$/],
  ['post', /^(?<path>\S+)\s+(?<body>\S.*?)\s+->\s*(?<status>\d{3})$/],
  ['get', /^(?<path>\S+)\s+->\s*(?<status>\d{3})$/],
  ['expect', /^smtp(?: to (?<address>\S+))? count (?<mails>\d+)$/],
  ['expect', /^event (?<person>\S+) "(?<event>[^"]+)" count (?<times>\d+)$/],
  ['expect', /^answer contains "(?<text>[^"]+)"$/],
  ['wait', /^(?<amount>\d+) (?<unit>millisecond|second|minute|hour|day)s?$/],
  ['kill', /^$/],
  ['restart', /^$/],
];

const NUMBERS = ['status', 'mails', 'times', 'amount'];

export function readStory(text) {
  const steps = [];
  text.split('\n').forEach((raw, index) => {
    const told = raw.replace(/(^|\s)#.*$/, '').trim();
    if (told === '') return;
    const [, verb, rest] = /^(\S+)\s*(.*)$/.exec(told);
    const match = VERBS.filter(([name]) => name === verb).map(([, shape]) => shape.exec(rest)).find(Boolean);
    if (!match) throw new Error(`line ${index + 1}: this means nothing here: ${told}`);
    const args = { ...match.groups };
    for (const key of NUMBERS) if (args[key] !== undefined) args[key] = Number(args[key]);
    steps.push({ verb, args, told, line: index + 1 });
  });
  return steps;
}

function withTimes(text) {
  return text.replaceAll('{{now}}', new Date().toISOString())
    .replace(/\{\{ago (\d+) (\w+?)s?\}\}/g, (_, amount, unit) => (
      new Date(Date.now() - Number(amount) * UNITS_MS[unit]).toISOString()));
}

async function holds(what, count, wanted) {
  await eventually(`${what} ${wanted} (is ${await count()})`, async () => (await count()) >= wanted);
  await sleep(SETTLE_MS * patience);
  assert.equal(await count(), wanted, what);
}

const ACTS = {
  async post({ path, body, status }, { house, told }) {
    told.answer = await house.client.post(path, withTimes(body));
    assert.equal(told.answer.status, status, told.answer.text);
  },
  async get({ path, status }, { house, told }) {
    const headers = { authorization: `Bearer ${house.client.apiKey}` };
    told.answer = await http('GET', house.server.origin + path, { headers });
    assert.equal(told.answer.status, status, told.answer.text);
  },
  async expect({ address, mails, person, event, times, text }, { house, told }) {
    if (text !== undefined) assert.ok(told.answer?.text.includes(text), `${told.answer?.text}\ndoes not contain ${text}`);
    else if (event !== undefined) {
      await holds(`"${event}" of ${person}`, async () => countEvents(await house.client.timeline(person), event), times);
    } else {
      const { recorder } = house;
      await holds(`mails${address ? ` to ${address}` : ''}`,
        () => (address ? recorder.to(address) : recorder.mails).length, mails);
    }
  },
  async wait({ amount, unit }) {
    await sleep(amount * UNITS_MS[unit]);
  },
  async kill(_, { house }) {
    await house.server.kill();
    await house.server.start();
  },
  async restart(_, { house }) {
    await house.server.restart();
  },
};

// Tells one story; a step that does not come true fails with its line.
export async function tellStory(text, path) {
  const steps = readStory(text);
  const told = {};
  let house;
  let shop;
  try {
    for (const { verb, args, told: words, line } of steps) {
      try {
        if (verb === 'apply') shop = resolve(dirname(path), args.folder);
        else if (verb === 'serve') house = await openHouse({ keepShop: true, shop });
        else if (verb !== 'smtp') await ACTS[verb](args, { house, told });
      } catch (error) {
        error.message = `${path}:${line}: ${words}\n${error.message}`;
        throw error;
      }
    }
  } finally {
    await house?.close();
  }
}
