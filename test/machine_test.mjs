// Programs that follow the links of mails: told from people by what they do, also when that shows only
// after their first steps; and the same in conditions, reports and on the timeline.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, patience, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const BROWSER = { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36' };
const WAIT = patience > 1 ? 4 : 2; // seconds: what is to be looked at together is asked for within them
const unescape = (text) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');

describe('a mail whose links are followed', { skip: skipWithoutProgram }, () => {
  let house;
  const mailTo = async (id) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
    await house.client.send('/v1/track', { userId: id, event: 'Paper' });
    const [mail] = await house.recorder.wait(`${id}@x.example`, 1);
    /* What is too soon is so after the sending, which is written down a little after the mail has come. */
    await eventually(`the mail to ${id} is sent`, async () => (await house.client.messages(id))[0].state === 'sent');
    const links = [...mail.html.matchAll(/https:\/\/go\.tents\.example\/([a-z])\/[^"]+/g)];
    const of = (letter) => links.filter((link) => link[1] === letter).map((link) => unescape(link[0]));
    return { clicks: of('c'), trap: of('h')[0], pixel: of('o')[0] };
  };
  const get = (url) => http('GET', house.local(url), { headers: BROWSER });
  const hits = async (id) => (await house.client.timeline(id))
    .filter((item) => ['Message Opened', 'Message Clicked'].includes(item.name));
  const judged = (id, count) => eventually(`${count} hits of ${id} are judged`, async () => {
    const all = await hits(id);
    return all.length >= count && all;
  });
  before(async () => {
    house = await openHouse({
      hitWait: WAIT,
      shop: shopFolder({
        'templates/paper.email': template({
          subject: 'paper', topic: 'newsletter',
          html: '<p><a href="https://a.example/">a</a> <a href="https://b.example/">b</a> <a href="https://c.example/">c</a></p>',
        }),
        'journeys/paper.json': { journey: 'paper', trigger: { event: 'Paper' }, nodes: [{ id: 'm', email: 'paper' }] },
      }),
    });
  });
  after(() => house?.close());

  test('by somebody who reads it, a while after it came, is followed by a person', async () => {
    const { clicks, pixel } = await mailTo('ada');
    await sleep(3500);
    await get(pixel);
    const answer = await get(clicks[0]);
    assert.deepEqual([answer.status, answer.headers.location], [302, 'https://a.example/'], 'led on at once');
    const all = await judged('ada', 2);
    assert.deepEqual(all.map((hit) => hit.properties.machine), [undefined, undefined]);
  });

  test('before anyone can have read it is followed by a program', async () => {
    const { clicks } = await mailTo('bob');
    await get(clicks[0]);
    const [hit] = await judged('bob', 1);
    assert.deepEqual([hit.properties.machine, hit.properties.sign], [true, 'too soon']);
  });

  test('all of it at once is followed by a program, the first link too', async () => {
    const { clicks, pixel } = await mailTo('cyd');
    await sleep(3500);
    await get(pixel);
    await Promise.all(clicks.map(get));
    const all = await judged('cyd', 4);
    const clicked = all.filter((hit) => hit.name === 'Message Clicked');
    assert.deepEqual(clicked.map((hit) => hit.properties.sign), ['burst', 'burst', 'burst']);
  });

  test('to the link that nobody sees is followed by a program, also for what it did a second before', async () => {
    const { clicks, trap } = await mailTo('dag');
    await sleep(3500);
    await get(clicks[1]);
    await sleep(700);
    assert.equal((await get(trap)).status, 404);
    const all = await judged('dag', 2);
    assert.deepEqual(all.map((hit) => hit.properties.sign), ['hidden link', 'hidden link']);
    await sleep(WAIT * 1000);
    await http('GET', house.local(clicks[0]), { headers: BROWSER });
    const more = await judged('dag', 3);
    assert.equal(more.filter((hit) => hit.properties.machine).length, 3, 'the same address is known for a while');
  });

  test('and conditions count as the timeline does', async () => {
    for (const [id, count] of [['ada', 2], ['bob', 1], ['cyd', 4], ['dag', 3]]) await judged(id, count);
    const count = async (condition) => (await http('POST', `${house.server.origin}/api/v1/segments/count`,
      { headers: { authorization: `Bearer ${house.client.apiKey}` }, body: JSON.stringify({ condition }) })).body.count;
    assert.equal(await count('clicked any message'), 1);
    assert.equal(await count('clicked any message by a machine'), 3);
    assert.equal(await count('clicked any message by anyone'), 4);
  });

  test('and a stop loses none of those that wait', async () => {
    const { clicks } = await mailTo('eve');
    await sleep(3500);
    await get(clicks[0]);
    await house.server.stop();
    await house.server.start();
    assert.equal((await hits('eve')).length, 1);
  });

  test('and kill -9 loses none of them either, nor counts one twice', async () => {
    const { clicks, trap } = await mailTo('fay');
    const { clicks: others } = await mailTo('gus');
    await sleep(3500);
    await get(clicks[0]);
    await sleep(WAIT * 1000 + 500); /* this one is recorded */
    await judged('fay', 1);
    await get(clicks[1]);
    await get(trap);
    await get(others[0]);
    house.server.child.kill('SIGKILL');
    await house.server.ended;
    await house.server.start();
    const fay = await judged('fay', 3);
    assert.deepEqual(fay.map((hit) => hit.properties.sign), ['hidden link', 'hidden link', undefined], 'the newest first; told from people as without the crash');
    assert.equal((await judged('gus', 1))[0].properties.machine, undefined);
    house.server.child.kill('SIGKILL');
    await house.server.ended;
    await house.server.start();
    await sleep(500);
    assert.deepEqual([(await hits('fay')).length, (await hits('gus')).length], [3, 1]);
  });
});

describe('an operator who knows a scanner of their own', { skip: skipWithoutProgram }, () => {
  let house;
  const text = (lines) => writeFileSync(join(house.data, 'scanners.txt'), lines.join('\n'));
  const clickFrom = async (id, address) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
    await house.client.send('/v1/track', { userId: id, event: 'Paper' });
    const [mail] = await house.recorder.wait(`${id}@x.example`, 1);
    const [url] = mail.html.match(/https:\/\/go\.tents\.example\/c\/[^"]+/);
    await http('GET', house.local(unescape(url)), { headers: { ...BROWSER, 'x-forwarded-for': address } });
    return eventually('the click is there', async () =>
      (await house.client.timeline(id)).find((item) => item.name === 'Message Clicked')?.properties);
  };
  before(async () => {
    house = await openHouse({
      args: ['--trusted-proxy', '127.0.0.1'],
      shop: shopFolder({
        'templates/paper.email': template({ subject: 'paper', topic: 'newsletter', html: '<p><a href="https://a.example/">a</a></p>' }),
        'journeys/paper.json': { journey: 'paper', trigger: { event: 'Paper' }, nodes: [{ id: 'm', email: 'paper' }] },
      }),
    });
    await house.server.stop();
  });
  after(() => house?.close());

  test('names its network in a file, and takes back one of ours', async () => {
    text(['from our gateway', '203.0.113.0/24', 'not 104.47.0.0/17']);
    await house.server.start();
    assert.equal((await clickFrom('ada', '203.0.113.7')).sign, 'network');
    assert.equal((await clickFrom('bob', '104.47.0.1')).machine, undefined);
    assert.equal((await clickFrom('cyd', '40.92.0.1')).sign, 'network');
    await house.server.stop();
  });

  test('is told the line that cannot be read, and nothing starts', async () => {
    text(['from our gateway', '203.0.113.0/99']);
    await assert.rejects(house.server.start(), (err) => err.message.includes('scanners.txt:2') && err.message.includes('no network'));
    text(['from our gateway']);
    await house.server.start();
  });
});
