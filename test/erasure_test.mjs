// Erasing a person: marks in every place that a string can reach, then no file of the data folder has
// one; also when the process is killed on the way.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, folder, patience, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { links } from './lib/recorder.mjs';
import { shopFolder, template, welcomeShop } from './lib/shop.mjs';

const WAIT_MS = 3000 * patience; /* until the journey's second mail */
const INDEX_MS = 65_000; /* a base is made for an erasure at most once a minute */

// Files with the mark, and what stands there. A file that was listed and is gone or renamed: all is read anew.
function marksIn(data, mark) {
  for (let tries = 1; ; tries += 1) {
    try {
      return readdirSync(data, { recursive: true }).flatMap((entry) => {
        const path = join(data, entry);
        if (!statSync(path).isFile()) return [];
        const bytes = readFileSync(path);
        const at = bytes.indexOf(mark);
        return at >= 0 ? [`${entry} at ${at}: ${bytes.subarray(at, at + 30)}`] : [];
      });
    } catch (error) {
      if (error.code !== 'ENOENT' || tries === 50) throw error;
    }
  }
}

const erase = (house, who, query = '') => http('DELETE',
  `${house.server.origin}/api/v1/profiles/${encodeURIComponent(who)}${query}`,
  { headers: { authorization: `Bearer ${house.client.apiKey}` } });

const done = (house, number) => eventually(`erasure ${number} is done`, async () => {
  const { state } = await house.client.get(`/api/v1/erasures/${number}`);
  return state === 'done';
}, INDEX_MS);

// Someone whose every word is marked: known by a device, an id, an external id and an earlier id.
async function markedPerson(house, mark) {
  const user = `${mark}-user`;
  const context = { ip: '203.0.113.7', timezone: `${mark}/Zone`, locale: `${mark}-locale`,
    externalIds: [{ id: `${mark}-external`, type: 'crm' }] };
  const send = (path, body) => house.client.send(path, { messageId: `${mark}-${Math.random()}`, ...body });
  await send('/v1/track', { anonymousId: `${mark}-device`, event: 'Visit', properties: { page: `${mark}-page` }, context });
  await send('/v1/identify', { userId: user, anonymousId: `${mark}-device`, context,
    traits: { email: `${mark}@x.example`, first_name: `${mark}-name`, address: { city: `${mark}-city` } } });
  await send('/v1/alias', { userId: user, previousId: `${mark}-before` });
  await send('/v1/track', { userId: user, event: 'Order', properties: { list: [{ sku: `${mark}-sku` }], note: `${mark}-note` } });
  await send('/v1/group', { userId: user, groupId: `${mark}-group`, traits: { name: `${mark}-group-name` } });
  await send('/v1/track', { userId: user, event: 'Signed Up', properties: { plan: `${mark}-plan` } });
  await house.client.post('/v1/track', { messageId: `${mark}-bad`, userId: user, properties: { bad: `${mark}-bad` } });
  return user;
}

// A recorder that answers the last dot of a marked person's mail only when it is told what.
function holding(mark) {
  const held = { count: 0 };
  held.script = ({ phase, address }) => {
    if (phase !== 'end' || !address.startsWith(mark)) return undefined;
    held.count += 1;
    return new Promise((resolve) => { held.say = resolve; });
  };
  return held;
}

describe('a mail that is under way when its person is erased', { skip: skipWithoutProgram }, () => {
  const mark = 'MARKSND';
  const outcomes = {
    'was taken': undefined,
    'was refused, in words that name the person': { code: 550, text: `nobody is called ${mark} here` },
    'was put off, in words that name the person': { code: 451, text: `${mark} is busy` },
    'was cut off': 'drop',
  };
  const lost = async ({ data, client }, user, number) => {
    assert.equal(await client.profile(user), undefined);
    await done({ client }, number);
    assert.deepEqual(marksIn(data, mark), []);
    assert.ok((await client.all('/api/v1/messages')).every((message) => !JSON.stringify(message).includes(mark)));
  };

  for (const [what, word] of Object.entries(outcomes)) {
    test(`${what}: nothing of the person comes back with the answer`, async () => {
      const held = holding(mark);
      const house = await openHouse({ shop: welcomeShop({ wait: '1 day' }), recorder: { script: held.script } });
      try {
        const user = await markedPerson(house, mark);
        await eventually('the mail waits for its answer', () => held.say !== undefined);
        const { body } = await erase(house, user);
        assert.equal(await house.client.profile(user), undefined);
        held.say(word);
        await lost(house, user, body.erasure);
        await house.server.restart();
        await lost(house, user, body.erasure);
        assert.equal(held.count, 1, 'nothing is sent again');
      } finally {
        await house.close();
      }
    });
  }

  test('was refused after all was done: nothing of the person comes back either', async () => {
    const held = holding(mark);
    const house = await openHouse({ shop: welcomeShop({ wait: '1 day' }), recorder: { script: held.script } });
    try {
      const user = await markedPerson(house, mark);
      await eventually('the mail waits for its answer', () => held.say !== undefined);
      const { body } = await erase(house, user);
      await lost(house, user, body.erasure);
      held.say({ code: 550, text: `nobody is called ${mark} here` });
      await house.server.stop(); /* what was answered by then is on disk */
      assert.deepEqual(marksIn(house.data, mark), []);
      await house.server.start();
      await lost(house, user, body.erasure);
      assert.equal(held.count, 1);
    } finally {
      await house.close();
    }
  });

  test('was never answered, for the process was killed: it is not in doubt either', async () => {
    const held = holding(mark);
    const house = await openHouse({ shop: welcomeShop({ wait: '1 day' }), recorder: { script: held.script } });
    try {
      const user = await markedPerson(house, mark);
      await eventually('the mail waits for its answer', () => held.say !== undefined);
      const { body } = await erase(house, user);
      await house.server.kill();
      await house.server.start();
      await lost(house, user, body.erasure);
      assert.equal(held.count, 1);
    } finally {
      held.say?.('drop');
      await house.close();
    }
  });
});

// Everything beside the events: a yes not confirmed, a program's message with its file, deferred and never told of,
// a click that waits for judgement, a text that was mailed on trial.
describe('erasing a person of whom other places know', { skip: skipWithoutProgram }, () => {
  const shop = () => shopFolder({
    'topics.json': { topics: [{ id: 'newsletter', channels: ['email'], confirm: ['form'], texts: { en: { name: 'News' } } }] },
    'templates/receipt.email': template({ subject: 'Receipt for {{ person.first_name }}', transactional: 'yes', topic: 'orders',
      html: '<p>{{ event.note }} <a href="https://tents.example/of/{{ person.first_name }}">yours</a></p>' }),
  });
  const api = (house, path, body) => http('POST', house.server.origin + path,
    { headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body });
  const ask = async (house, mark, note) => {
    const { status, text } = await api(house, '/api/v1/messages', { template: 'receipt', person: `${mark}-user`, key: `${mark}-${note}`,
      data: { note: `${mark}-${note}` }, reply_to: `${mark}-reply@x.example`,
      attachments: [{ name: `${mark}-${note}.txt`, type: 'text/plain', content: Buffer.from(`${mark}-content`).toString('base64') }] });
    assert.equal(status, 202, text);
  };
  const introduce = (house, mark) => house.client.send('/v1/identify',
    { userId: `${mark}-user`, messageId: `${mark}-i`, traits: { email: `${mark}@x.example`, first_name: `${mark}-name` } });

  test('leaves nothing in queues, files of messages, waiting clicks and words not told yet', async () => {
    const mark = 'MARKNEW';
    let busy = false;
    const house = await openHouse({ shop: shop(), hitWait: 3, args: ['--status-url', 'http://127.0.0.1:9/status', '--status-secret', 'x'.repeat(32)],
      recorder: { script: ({ phase }) => (busy && phase === 'rcpt' ? { code: 451, text: 'later' } : undefined) } });
    let others;
    try {
      await introduce(house, mark);
      await introduce(house, 'KEPT');
      await ask(house, mark, 'first');
      await ask(house, 'KEPT', 'first');
      const clicks = await Promise.all([mark, 'KEPT'].map(async (one) => {
        const [mail] = await house.recorder.wait(`${one}@x.example`, 1);
        return house.local(links(mail.html).find((url) => url.includes('/c/')));
      }));
      busy = true;
      await ask(house, mark, 'second');
      await api(house, `/api/v1/profiles/${mark}-user/consent`, { topic: 'newsletter', state: 'subscribed', source: 'form', how: `${mark}-how`, ip: '203.0.113.9' });
      await eventually('the second waits', async () => (await house.client.messages(`${mark}-user`)).some(({ state }) => state === 'waiting'));
      const agent = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0' };
      await http('GET', clicks[0], { headers: agent });
      others = setInterval(() => http('GET', clicks[1], { headers: agent }).catch(() => {}), 500); /* some click waits at every moment */
      const places = marksIn(house.data, mark).join('\n');
      assert.match(places, /hits\.\d at/);
      assert.notDeepEqual(marksIn(house.data, `${mark}-content`), [], 'the file waits with its message');

      const { body } = await erase(house, `${mark}-user`);
      await done(house, body.erasure);
      assert.deepEqual(marksIn(house.data, mark), []);
      assert.notDeepEqual(marksIn(house.data, 'KEPT'), []);
      assert.equal((await http('GET', clicks[0], { headers: agent })).status, 302, 'an old link leads on, and tells nothing');
      assert.deepEqual(marksIn(house.data, mark), []);
      busy = false;
      await house.server.restart();
      assert.deepEqual(marksIn(house.data, mark), []);
    } finally {
      clearInterval(others);
      await house.close();
    }
  });

  test('takes what was kept of them in the outbox of a trial, and leaves the others\' there', async () => {
    const mark = 'MARKTRY';
    const house = await openHouse({ shop: shop(), live: false });
    try {
      await introduce(house, mark);
      await introduce(house, 'KEPT');
      await ask(house, mark, 'first');
      await ask(house, 'KEPT', 'first');
      const kept = () => readdirSync(join(house.data, 'outbox/new')).length;
      await eventually('both are kept', async () => kept() === 2 && (await house.client.get('/api/v1/messages/summary')).sent === 2);
      const { body } = await erase(house, `${mark}-user`);
      await done(house, body.erasure);
      assert.deepEqual(marksIn(house.data, mark), []);
      assert.equal(kept(), 1);
    } finally {
      await house.close();
    }
  });
});

describe('an import that runs while a person of its file is erased', { skip: skipWithoutProgram }, () => {
  const mark = 'MARKIMP';
  const OWN = 40;
  const ROWS = 30_000;
  const mapping = { mapping: 'rows', format: 'ndjson', each_row: { type: 'track', event: 'Visit', userId: '{user}', messageId: '{id}', timestamp: { column: 'at' } } };

  // The person's rows come first; nobody knows how far the file is when the power goes.
  function fileOf(folderPath) {
    const rows = Array.from({ length: ROWS }, (_, i) => JSON.stringify({
      user: i < OWN ? mark : `o${i % 50}`, id: `row${i}`, at: new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString(),
    }));
    writeFileSync(join(folderPath, 'rows.ndjson'), `${rows.join('\n')}\n`);
    writeFileSync(join(folderPath, 'rows.json'), JSON.stringify(mapping));
    return ['import', '--mapping', join(folderPath, 'rows.json'), join(folderPath, 'rows.ndjson')];
  }

  const visits = async ({ server, client }) => {
    const { body } = await http('POST', `${server.origin}/api/v1/reports/trends`, {
      headers: { authorization: `Bearer ${client.apiKey}`, 'content-type': 'application/json' },
      body: { event: 'Visit', interval: 'month', from: '2026-01-01', to: '2026-12-31' },
    });
    return body.rows[0].total.events;
  };

  test('killed with it, it leaves nothing of the person; the file told again makes somebody new', async () => {
    const files = folder('rows');
    const house = await openHouse({ shop: welcomeShop() });
    try {
      const words = [...fileOf(files), '--data', house.data];
      const running = dultTry(...words);
      const was = await eventually('the person has come', () => house.client.profile(mark));
      const { body } = await erase(house, mark);
      await house.server.kill();
      await running;
      await house.server.start();
      assert.equal(await house.client.profile(mark), undefined);
      await done(house, body.erasure);
      assert.deepEqual(marksIn(house.data, mark), []);

      await house.server.restart(); /* until then what was erased may be taken for known */
      await dult(...words);
      const again = await house.client.profile(mark);
      assert.notEqual(again.id, was.id);
      assert.equal((await house.client.timeline(mark)).filter((one) => JSON.stringify(one).includes('"Visit"')).length, OWN);
      assert.equal(await visits(house), ROWS, 'everyone is told once');
    } finally {
      await house.close();
      removeFolder(files);
    }
  });
});

describe('erasing a person', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => {
    house = await openHouse({ shop: welcomeShop({ wait: `${WAIT_MS / 1000} seconds` }) });
  });
  after(() => house?.close());

  test('leaves nothing of them in any file, and sends them nothing more', async () => {
    const mark = 'MARKADA';
    await markedPerson(house, 'KEPTBOB');
    const user = await markedPerson(house, mark);
    const mails = () => house.recorder.to(`${mark}@x.example`).length;
    await eventually('the welcome has come', () => mails() === 1);
    assert.ok(marksIn(house.data, mark).length > 0);

    const dry = await erase(house, user, '?dry=1');
    assert.equal(dry.status, 200);
    assert.ok(dry.body.profiles >= 2 && dry.body.events >= 5 && dry.body.messages === 1, dry.text);
    assert.ok(await house.client.profile(user));

    const answer = await erase(house, user);
    assert.equal(answer.status, 202, answer.text);
    assert.equal(await house.client.profile(user), undefined);
    assert.equal(await house.client.profile(`anonymous:${mark}-device`), undefined);
    assert.equal(await house.client.profile(dry.body.profile), undefined);
    assert.equal((await erase(house, user)).status, 404);
    await done(house, answer.body.erasure);
    assert.deepEqual(marksIn(house.data, mark), []);
    assert.notDeepEqual(marksIn(house.data, 'KEPTBOB'), []);

    const known = await house.client.get(`/api/v1/erasures/${answer.body.erasure}`);
    assert.ok(Date.parse(known.done) >= Date.parse(known.asked), JSON.stringify(known));
    await eventually('the other is reminded', () => house.recorder.to('KEPTBOB@x.example').length === 2, 30_000);
    assert.equal(mails(), 1);
    assert.deepEqual(marksIn(house.data, mark), []);

    await house.client.send('/v1/identify', { messageId: 'again', userId: user, traits: { email: `${mark}@x.example` } });
    const again = await house.client.profile(user);
    assert.notEqual(again.id, dry.body.profile);
    assert.deepEqual(again.traits, { email: `${mark}@x.example` });
  });

  test('goes on after the process was killed, and the command line says so', async () => {
    const mark = 'MARKEVE';
    const user = await markedPerson(house, mark);
    const answer = await erase(house, user);
    assert.equal(answer.status, 202, answer.text);
    await house.server.kill();
    await house.server.start();
    assert.equal(await house.client.profile(user), undefined);
    await done(house, answer.body.erasure);
    assert.deepEqual(marksIn(house.data, mark), []);

    const other = await markedPerson(house, 'MARKLIN');
    const asked = await dultTry('erase', '--data', house.data, other);
    assert.notEqual(asked.status, 0); /* nobody is there to ask */
    assert.ok(await house.client.profile(other));
    const said = await dult('erase', '--data', house.data, '--yes', other);
    assert.match(said, /Nothing of MARKLIN-user is left/);
    assert.deepEqual(marksIn(house.data, 'MARKLIN'), []);
  });
});
