// What a message says, and proof before it can hurt: variants and blocks in real mails, the same in a
// browser, previews and gaps against real people, and what the DNS says of the sender.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse, PUBLIC_URL } from './lib/house.mjs';
import { dultTry, patience, program, removeFolder, skipWithoutProgram as skip } from './lib/program.mjs';
import { header, links } from './lib/recorder.mjs';
import { shopFolder, template, WORKSPACE } from './lib/shop.mjs';

const BODY = (words, link) => `<html><body><p>${words} {{ event.plan }}</p>
{% if when.loyal %}<p>LOYAL</p>{% endif %}{% if person.segments contains "vip" %}<p>VIP</p>{% endif %}
<a href="${link}">start</a> <a href="{{ links.view }}">view</a> <a href="{{ links.unsubscribe }}">out</a></body></html>`;

const withHead = (text, ...lines) => `${lines.join('\n')}\n${text}`;
const LOYAL = 'when loyal: sum of amount of "Order Completed" >= 100';

const shopFiles = {
  'workspace.json': {
    ...WORKSPACE,
    language: 'en',
    senders: [{ id: 'nb', name: 'Telt og tur', email: 'hei@telt.example', languages: ['nb'] }],
    utm: { source: 'dult', campaign: '{{ template.name }}', domains: ['tents.example'] },
  },
  'segments/vip.segment': 'plan = "pro"',
  'templates/welcome.email': withHead(template({
    subject: 'Welcome, {{ person.first_name }}', html: BODY('Hello', 'https://tents.example/start?a=1'),
  }), LOYAL),
  'templates/welcome.nb.email': withHead(template({
    subject: 'Velkommen', html: BODY('Hei', 'https://www.tents.example/'),
  }), LOYAL),
  'journeys/welcome.json': {
    journey: 'welcome', trigger: { event: 'Signed Up' }, reentry: 'always', nodes: [{ id: 'hello', email: 'welcome' }],
  },
};

// Nothing is there: every name is answered so.
async function emptyDns() {
  const socket = createSocket('udp4');
  socket.on('message', (asked, from) => {
    const answer = Buffer.from(asked);
    answer.writeUInt16BE(0x8583, 2);
    answer.writeUInt16BE(0, 10);
    socket.send(answer.subarray(0, asked.indexOf(0, 12) + 5), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('what a message says', { skip }, () => {
  let house;
  let shop;
  let dns;
  const dult = (...argv) => spawnSync(program, argv, { encoding: 'utf8' });
  const call = (method, path, body) => http(method, house.server.origin + path, {
    headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body,
  });
  let events = 0;
  async function person(who, traits, ...orders) {
    await house.client.send('/v1/identify', { messageId: `i-${who}`, userId: who, traits: { email: `${who}@x.example`, ...traits } });
    for (const amount of orders) {
      events += 1;
      await house.client.send('/v1/track', { messageId: `o${events}`, userId: who, event: 'Order Completed', properties: { amount } });
    }
    events += 1;
    await house.client.send('/v1/track', { messageId: `s${events}`, userId: who, event: 'Signed Up', properties: { plan: 'gold' } });
  }

  before(async () => {
    shop = shopFolder(shopFiles);
    dns = await emptyDns();
    house = await openHouse({ shop, keepShop: true, env: { DULT_DNS_SERVERS: `127.0.0.1:${dns.address().port}` } });
  });
  after(async () => {
    await house?.close();
    dns?.close();
    removeFolder(shop);
  });

  test('is in the reader\'s language, from the sender of that language, with the blocks that are theirs', async () => {
    await person('kari', { language: 'nb-NO', plan: 'pro', first_name: 'Kari' });
    await person('ann', { first_name: 'Ann' }, 60, 50);
    const [kari] = await house.recorder.wait('kari@x.example', 1);
    assert.equal(kari.subject, 'Velkommen');
    assert.match(kari.html, /Hei gold/);
    assert.match(kari.html, /<p>VIP<\/p>/);
    assert.doesNotMatch(kari.html, /<p>LOYAL<\/p>/);
    assert.match(header(kari, 'from') ?? kari.from.text, /hei@telt\.example/);
    const [ann] = await house.recorder.wait('ann@x.example', 1);
    assert.equal(ann.subject, 'Welcome, Ann');
    assert.match(ann.html, /<p>LOYAL<\/p>/);
    assert.doesNotMatch(ann.html, /<p>VIP<\/p>/);
    assert.match(ann.from.text, /hello@tents\.example/);
  });

  test('says in its links where a visit came from, and never in ours', async () => {
    const [ann] = await house.recorder.wait('ann@x.example', 1);
    const targets = links(ann.html).map((url) => decodeURIComponent(url));
    assert.ok(targets.some((url) => url.includes('https://tents.example/start?a=1&utm_source=dult&utm_campaign=welcome')), targets.join('\n'));
    assert.ok(links(ann.html).filter((url) => url.startsWith(`${PUBLIC_URL}/u/`)).every((url) => !url.includes('utm_')));
  });

  test('is told with its variant and why, and is the same in a browser after all has changed', async () => {
    const [message] = await house.client.messages('kari');
    assert.equal(message.template, 'welcome');
    assert.equal(message.variant, 'welcome.nb');
    assert.equal(message.variant_why, 'language nb-NO (trait)');
    await house.client.send('/v1/identify', { messageId: 'i2', userId: 'kari', traits: { language: 'en', plan: 'free' } });
    const [kari] = await house.recorder.wait('kari@x.example', 1);
    const view = links(kari.html).find((url) => url.startsWith(`${PUBLIC_URL}/v/`));
    const page = await http('GET', house.local(view));
    assert.equal(page.status, 200);
    assert.match(page.text, /Hei gold/);
    assert.match(page.text, /<p>VIP<\/p>/);
    assert.match(page.text, /www\.tents\.example\/\?utm_source=dult/);
  });

  test('is shown before it is sent, for any person, and sends nothing', async () => {
    await person('liv', { language: 'nb' });
    await house.recorder.wait('liv@x.example', 1);
    const shown = dult('preview', '--data', house.data, '--person', 'liv', '--event', '{"properties":{"plan":"tin"}}', 'welcome');
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stdout, /subject +Velkommen/);
    assert.match(shown.stdout, /variant +welcome\.nb/);
    assert.match(shown.stdout, /Hei tin/);
    const { body } = await call('POST', '/api/v1/templates/welcome/preview', { person: 'liv' });
    assert.match(body.html, /Hei gold/, 'the person\'s own last event');
    assert.equal(body.from, 'hei@telt.example');
    assert.ok(body.headers.some(({ name }) => name === 'List-Unsubscribe-Post'));
    const file = join(shop, 'templates/draft.email');
    writeFileSync(file, 'subject: Draft {{ person.shoe }}\n--- html\n<p>x</p>\n');
    const draft = dult('preview', '--data', house.data, '--person', 'liv', file);
    assert.equal(draft.status, 1);
    assert.match(draft.stdout, /missing.* person\.shoe \(subject, line 1\)/);
    assert.equal(dult('preview', '--data', house.data, '--person', 'nobody', 'welcome').status, 4);
    assert.equal(house.recorder.to('liv@x.example').length, 1);
  });

  test('is tried with real people: who lacks what is counted before anything is sent', async () => {
    await person('ole', {});
    const file = join(shop, 'templates/welcome.email');
    const tried = dult('check', '--data', house.data, '--people', '100', file);
    assert.equal(tried.status, 1, tried.stderr);
    assert.match(tried.stderr, /welcome\.email:2: warning: Missing person\.first_name for 2 of 4 people, such as p\d+, p\d+\./);
    assert.match(tried.stderr, /note: Rendered for 4 people: 2 complete, 2 would be held back\./);
    const named = await call('POST', '/api/v1/templates/welcome/people', { text: 'subject: {{ person.first_name }}\n--- text\nx', people: ['ole', 'ann'] });
    assert.deepEqual([named.body.looked, named.body.complete, named.body.missing[0].path], [2, 1, 'person.first_name']);
    const saved = await call('PUT', '/api/v1/templates/welcome?dry=1', shopFiles['templates/welcome.email']);
    assert.ok(saved.body.findings.some(({ about, what }) => about === 'person' && /for 2 of 4 people/.test(what)), saved.text);
  });

  test('a segment or a sender that is not there is told when the text is saved', async () => {
    const put = (text) => call('PUT', '/api/v1/templates/x?dry=1', text);
    assert.match((await put('subject: s\n--- html\n{% if person.segments contains "vop" %}x{% endif %}')).text, /There is no segment \\"vop\\"/);
    assert.match((await put('subject: s\nwhen a: in segment "vop"\n--- html\nx')).text, /vop/);
    const found = await put('subject: s\nsender: nobody\n--- html\n<p>{% for s in person.segments %}x{% endfor %}');
    assert.deepEqual(found.body.findings.filter(({ severity }) => severity === 'error').map(({ about }) => about), ['segments', 'sender']);
    const refused = await call('PUT', '/api/v1/workspace', { ...WORKSPACE, senders: [{ id: 'a' }] });
    assert.equal(refused.status, 400);
  });

  test('the DNS is asked of each sender, what is missing is told to the letter, and saving says so', async () => {
    const told = await dultTry('domains', '--data', house.data); /* the DNS answers in this process */
    assert.equal(told.status, 1, told.err + told.out);
    assert.match(told.out, /^tents\.example$/m);
    assert.match(told.out, /^telt\.example$/m);
    assert.match(told.out, /missing +dkim +\S+_domainkey\.tents\.example/);
    assert.match(told.out, /_domainkey\.telt\.example\. IN TXT \( "v=DKIM1; k=rsa; p=/);
    assert.match(told.out, /tents\.example\. IN TXT "v=spf1 .*~all"/);
    assert.match(told.out, /_dmarc\.tents\.example\. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@tents\.example"/);
    const saved = await call('PUT', '/api/v1/journeys/welcome?dry=1', shopFiles['journeys/welcome.json']);
    assert.match(saved.body.findings[0].what, /No sender authentication for the From domain: tents\.example/);
  });

  test('a link into a private network is refused and not asked, by whatever name', () => {
    const file = join(shop, 'templates/draft.email');
    writeFileSync(file, 'subject: s\n--- html\n<p>words enough to be no picture, and more of them.</p><a href="http://localtest.invalid/">x</a>\n');
    const tried = dult('check', '--links', file);
    assert.equal(tried.status, 1, tried.stderr);
    assert.match(tried.stderr, /warning: This link does not answer: http:\/\/localtest\.invalid\//);
  });

  test('where no server of names answers, all is unknown, soon', async () => {
    const begun = Date.now();
    const deaf = createSocket('udp4');
    deaf.bind(0, '127.0.0.1');
    await once(deaf, 'listening');
    await house.server.stop();
    const told = spawnSync(program, ['domains', '--data', house.data], {
      encoding: 'utf8', env: { ...process.env, DULT_DNS_SERVERS: `127.0.0.1:${deaf.address().port}` },
    });
    deaf.close();
    assert.equal(told.status, 0, told.stderr);
    assert.match(told.stdout, /unknown +spf/);
    assert.doesNotMatch(told.stdout, /missing/);
    assert.ok(Date.now() - begun < 25_000 * patience);
  });
});
