// Mail by HTTP: what each provider is asked, beside what its own SDK asks; several ways out, with
// fallback, quotas and doubt.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import sendgridClient from '@sendgrid/client';
import sendgridMail from '@sendgrid/mail';
import FormData from 'form-data';
import Mailgun from 'mailgun.js';
import { ServerClient } from 'postmark';
import { simpleParser } from 'mailparser';
import { createHash, createHmac } from 'node:crypto';
import { Client, http } from './lib/api.mjs';
import { PUBLIC_URL, writeWays } from './lib/house.mjs';
import { createKey, dult, dultTry, eventually, folder, freePort, patience, removeFolder, Server, skipWithoutProgram, withinOneDay } from './lib/program.mjs';
import { partsOf, Service } from './lib/service.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const journey = (name, event) => ({
  journey: name, trigger: { event }, reentry: 'always',
  nodes: [{ id: 'mail', email: name }, { id: 'done', exit: true }],
});

const shop = () => shopFolder({
  'workspace.json': {
    name: 'Tents', address: 'Storgata 1, Oslo', topics: ['news'],
    sender: { name: 'Åda "of" Tents', email: 'ada@tents.example', reply_to: 'help@tents.example' },
  },
  'journeys/news.json': journey('news', 'Published'),
  'journeys/receipt.json': journey('receipt', 'Bought'),
  'templates/news.email': template({ subject: 'Nytt: "blåbær" & 1\\2', topic: 'news', html: '<p>Les <a href="https://tents.example/x?a=1&amp;b=2">mer</a> \u{1F347}</p>' }),
  'templates/receipt.email': template({ subject: 'Your receipt', topic: 'receipts', transactional: 'yes', html: '<p>Thank you.</p>' }),
});

// A running house with these ways out; `secrets` become files of its secrets folder.
async function openWays({ ways, secrets = {}, providers = {}, env = { MAILGUN_SENDING_KEY: 'mg-key' } }) {
  const data = folder('ways');
  const path = shop();
  writeWays(data, { ways, secrets, providers });
  const server = new Server({ data, env, args: ['--public-url', PUBLIC_URL, '--smtp-retry-first', '300ms'] });
  await dult('apply', '--data', data, path);
  await dult('live', '--yes', '--data', data);
  const writeKey = await createKey(data, 'write', 'shop');
  const apiKey = await createKey(data, 'api', 'test', 'read,write,messages:write');
  await server.start();
  const client = new Client(server, { writeKey, apiKey });
  let number = 0;
  return {
    data,
    server,
    client,
    async know(user) {
      await client.send('/v1/identify', { userId: user, traits: { email: `${user}@people.example`, first_name: 'Eve' }, messageId: `i-${user}` });
    },
    async happens(user, event) {
      number += 1;
      await client.send('/v1/track', { userId: user, event, messageId: `e-${number}` });
    },
    stats: () => client.get('/api/v1/stats'),
    async way(name) {
      const { ways: list } = await client.get('/api/v1/stats');
      return list.find((item) => item.name === name);
    },
    async close() {
      try {
        await server.stop();
      } finally {
        removeFolder(data);
        removeFolder(path);
      }
    },
  };
}

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

// What a service gets of ours: one newsletter.
async function asked(way, secrets, answer) {
  const service = await Service.listen(answer);
  const house = await openWays({ ways: [{ inside: true, ...way(service) }], secrets });
  try {
    await house.know('eve');
    await house.happens('eve', 'Published');
    await eventually('the service is asked', () => service.requests.length > 0);
    await eventually('it counts as sent', async () => (await house.way('out')).sent === 1);
    assert.equal(service.requests.length, 1);
    const message = await eventually('its message is sent', async () => {
      const { items } = await house.client.get('/api/v1/messages?limit=5');
      return items[0]?.state === 'sent' && items[0]; // the way counts before the person's record is written
    });
    return { request: service.requests[0], message, said: house.server.said };
  } finally {
    await house.close();
    await service.close();
  }
}

// What the service gets of its SDK.
async function askedBySdk(call, answer) {
  const service = await Service.listen(answer);
  try {
    await call(service);
    return service.requests[0];
  } finally {
    await service.close();
  }
}

describe('what providers are asked', { skip: skipWithoutProgram }, () => {
  test('Amazon SES gets the whole message, signed as its SDK signs', async () => {
    const answer = () => ({ status: 200, body: { MessageId: 'ses-1' } });
    const { request, said } = await asked((service) => ({
      name: 'out', provider: 'ses',
      settings: { region: 'eu-west-1', access_key: 'AKIDEXAMPLE', secret_key: { secret: 'ses' }, configuration_set: 'main', endpoint: service.origin },
    }), { ses: SECRET }, answer);
    const raw = Buffer.from(request.json.Content.Raw.Data, 'base64');
    const mail = await simpleParser(raw);
    assert.equal(mail.subject, 'Nytt: "blåbær" & 1\\2');
    assert.equal(mail.from.value[0].name, 'Åda "of" Tents');
    assert.match(raw.toString('latin1'), /^DKIM-Signature: /m);
    assert.match(raw.toString('latin1'), /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
    const sdk = await askedBySdk(async (service) => {
      const client = new SESv2Client({ region: 'eu-west-1', endpoint: service.origin, credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET } });
      await client.send(new SendEmailCommand({
        Destination: { ToAddresses: ['eve@people.example'] }, Content: { Raw: { Data: raw } }, ConfigurationSetName: 'main',
      }));
      client.destroy();
    }, answer);
    assert.equal(request.method, sdk.method);
    assert.equal(request.path, sdk.path);
    assert.deepEqual(request.json, sdk.json);
    // The same formula gives the SDK's signature of its request and ours of ours.
    for (const each of [sdk, request]) assert.equal(each.headers.authorization, authorization(each));
    assert.ok(!said.includes(SECRET));
  });

  test('SendGrid gets the parts that its SDK would send', async () => {
    const answer = () => ({ status: 202, headers: { 'x-message-id': 'sg-77' } });
    const { request } = await asked((service) => ({
      name: 'out', provider: 'sendgrid', settings: { api_key: { secret: 'sg' }, endpoint: service.origin },
    }), { sg: 'SG.key' }, answer);
    const ours = request.json;
    assert.equal(request.headers.authorization, 'Bearer SG.key');
    assert.deepEqual(ours.from, { email: 'ada@tents.example', name: 'Åda "of" Tents' });
    assert.equal(ours.subject, 'Nytt: "blåbær" & 1\\2');
    assert.deepEqual(ours.content.map((part) => part.type), ['text/plain', 'text/html']);
    assert.match(ours.content[1].value, /go\.tents\.example\/c\//);
    assert.match(ours.content[1].value, /\u{1F347}/u);
    assert.match(ours.headers['List-Unsubscribe'], /^<https:\/\/go\.tents\.example\/u\//);
    const sdk = await askedBySdk(async (service) => {
      sendgridMail.setClient(sendgridClient);
      sendgridMail.setApiKey('SG.key');
      sendgridClient.setDefaultRequest('baseUrl', `${service.origin}/`); // the key sets it, too
      await sendgridMail.send({
        to: 'eve@people.example', from: ours.from, replyTo: { email: 'help@tents.example' }, subject: ours.subject,
        text: ours.content[0].value, html: ours.content[1].value, headers: ours.headers,
        customArgs: ours.personalizations[0].custom_args,
        trackingSettings: {
          clickTracking: { enable: false, enableText: false }, openTracking: { enable: false }, subscriptionTracking: { enable: false },
        },
      });
    }, answer);
    assert.equal(request.path, sdk.path);
    assert.equal(request.headers.authorization, sdk.headers.authorization);
    const { personalizations, ...rest } = ours;
    const { personalizations: theirs, headers, custom_args: args, ...sdkRest } = sdk.json;
    assert.deepEqual(rest, { headers: headers ?? theirs[0].headers, ...sdkRest });
    assert.deepEqual(personalizations[0].to.map((to) => to.email), theirs[0].to.map((to) => to.email));
    assert.deepEqual(personalizations[0].custom_args, args ?? theirs[0].custom_args);
  });

  test('Mailgun gets the message as a file, in the parts of its SDK', async () => {
    const answer = () => ({ status: 200, body: { id: '<mg-1@tents.example>', message: 'Queued. Thank you.' } });
    const { request } = await asked((service) => ({
      name: 'out', provider: 'mailgun', settings: { domain: 'mg.tents.example', api_key: { env: 'MAILGUN_SENDING_KEY' }, endpoint: service.origin },
    }), {}, answer);
    const parts = partsOf(request);
    const file = parts.find((part) => part.name === 'message');
    const mail = await simpleParser(Buffer.from(file.value, 'latin1'));
    assert.equal(mail.to.text, 'eve@people.example');
    assert.match(file.value, /^DKIM-Signature: /m);
    const sdk = await askedBySdk(async (service) => {
      const client = new Mailgun(FormData).client({ username: 'api', key: 'mg-key', url: service.origin });
      await client.messages.create('mg.tents.example', { to: 'eve@people.example', 'o:tracking': 'no', message: Buffer.from(file.value, 'latin1') });
    }, answer);
    const theirs = partsOf(sdk);
    assert.equal(request.method, sdk.method);
    assert.equal(request.path, sdk.path);
    assert.equal(request.headers.authorization, sdk.headers.authorization);
    for (const name of ['to', 'o:tracking', 'message']) {
      assert.equal(parts.find((part) => part.name === name).value, theirs.find((part) => part.name === name).value);
    }
    assert.ok(file.file && theirs.find((part) => part.name === 'message').file);
  });

  test('Postmark gets the parts that its SDK would send', async () => {
    const answer = () => ({ status: 200, body: { MessageID: 'pm-1', ErrorCode: 0, Message: 'OK', To: 'x', SubmittedAt: 'x' } });
    const { request, message } = await asked((service) => ({
      name: 'out', provider: 'postmark', settings: { server_token: { secret: 'pm' }, stream: 'broadcast', endpoint: service.origin },
    }), { pm: 'pm-token' }, answer);
    assert.match(JSON.stringify(message), /pm-1/);
    assert.equal(request.json.From, '"Åda \\"of\\" Tents" <ada@tents.example>');
    assert.equal(request.json.ReplyTo, 'help@tents.example');
    const header = (name) => request.json.Headers.find((item) => item.Name === name)?.Value;
    assert.match(header('Message-ID'), /^<.+@tents\.example>$/);
    assert.match(header('List-Unsubscribe'), /^</);
    const sdk = await askedBySdk(async (service) => {
      const client = new ServerClient('pm-token', { requestHost: `127.0.0.1:${service.port}`, useHttps: false });
      await client.sendEmail(request.json);
    }, answer);
    assert.equal(request.path, sdk.path);
    assert.deepEqual(request.json, sdk.json);
    for (const name of ['x-postmark-server-token', 'accept']) assert.equal(request.headers[name], sdk.headers[name]);
  });
});

// Of a request as it came, by Amazon's description, with the headers that it names as signed.
function authorization({ method, path, headers, bytes }) {
  const sha = (data) => createHash('sha256').update(data).digest('hex');
  const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
  const [, scope, names] = /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(headers.authorization);
  const [day, region, service] = scope.split('/');
  const canonical = [method, path, '', ...names.split(';').map((name) => `${name}:${headers[name]}`), '', names, sha(bytes)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha(canonical)].join('\n');
  const key = ['aws4_request'].reduce(hmac, [region, service].reduce(hmac, hmac(`AWS4${SECRET}`, day)));
  return `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${hmac(key, toSign).toString('hex')}`;
}

// A service of one's own, described in the data folder.
const own = {
  provider: 'own', title: 'Ours', settings: [{ name: 'url' }, { name: 'key', secret: true }],
  request: { url: '{{ settings.url }}/send', form: { to: '{{ message.to }}', about: '{{ message.subject }}', none: '{{ message.nothing }}' }, auth: { bearer: '{{ settings.key }}' } },
  answer: { rules: [{ when: { 'result.code': ['full', 'closed'] }, is: 'quota' }], id: 'result.id', error: ['result.why'] },
};
const ownWay = (name, service, more = {}) => ({
  name, provider: 'own', inside: true, settings: { url: service.origin, key: { secret: 'own' } }, ...more,
});
const fine = () => ({ status: 200, body: { result: { id: 'x-1' } } });

describe('files of a message', { skip: skipWithoutProgram }, () => {
  for (const [provider, settings, pick] of [
    ['postmark', { server_token: { secret: 'k' } }, (json) => json.Attachments.map((f) => [f.Name, f.ContentType, f.Content])],
    ['sendgrid', { api_key: { secret: 'k' } }, (json) => json.attachments.map((f) => [f.filename, f.type, f.content])],
    ['ses', { region: 'eu-west-1', access_key: 'AKIDEXAMPLE', secret_key: { secret: 'k' } }, undefined],
  ]) {
    test(`go with it by ${provider}`, async () => {
      const service = await Service.listen(() => ({ status: 200, body: { ErrorCode: 0, MessageID: 'x' } }));
      const house = await openWays({ ways: [{ name: 'out', provider, inside: true, settings: { ...settings, endpoint: service.origin } }], secrets: { k: SECRET } });
      try {
        const content = Buffer.from('%PDF-1.4 \u0000 a file').toString('base64');
        const { status, text } = await http('POST', `${house.server.origin}/api/v1/messages`, {
          headers: { authorization: `Bearer ${house.client.apiKey}` },
          body: JSON.stringify({ template: 'receipt', to: 'eve@people.example', attachments: [{ name: 'bill \u00e5.pdf', type: 'application/pdf', content }] }),
        });
        assert.equal(status, 202, text);
        await eventually('it is asked', () => service.requests.length === 1);
        const { json } = service.requests[0];
        const found = pick
          ? pick(json)
          : (await simpleParser(Buffer.from(json.Content.Raw.Data, 'base64'))).attachments.map((f) => [f.filename, f.contentType, f.content.toString('base64')]);
        assert.deepEqual(found, [['bill \u00e5.pdf', 'application/pdf', content]]);
      } finally {
        await house.close();
        await service.close();
      }
    });
  }
});

describe('several ways out', { skip: skipWithoutProgram }, () => {
  test('a description in the data folder is a provider, and what it renders to nothing is left out', async () => {
    const service = await Service.listen(fine);
    const house = await openWays({ ways: [ownWay('own', service)], secrets: { own: 'k' }, providers: { own } });
    try {
      await house.know('eve');
      await house.happens('eve', 'Bought');
      await eventually('it is asked', () => service.requests.length === 1);
      assert.equal(service.requests[0].body, 'to=eve%40people.example&about=Your%20receipt');
      assert.equal(service.requests[0].headers.authorization, 'Bearer k');
    } finally {
      await house.close();
      await service.close();
    }
  });

  test('who asks to wait is left alone for as long, and the second way takes over until then', async () => {
    const pause = 3 * patience; /* seconds: the other nine messages go meanwhile */
    const first = await Service.listen((request, n) => (n === 2 ? { status: 429, headers: { 'retry-after': String(pause) }, body: { result: { why: 'slowly' } } } : fine()));
    const second = await Service.listen(fine);
    const house = await openWays({
      ways: [ownWay('first', first, { connections: 1 }), ownWay('second', second)], secrets: { own: 'k' }, providers: { own },
    });
    try {
      await house.know('eve');
      for (let i = 0; i < 12; i += 1) await house.happens('eve', 'Published');
      await eventually('all are sent', async () => (await house.way('first')).sent + (await house.way('second')).sent === 12);
      const closed = await house.way('first');
      assert.equal(closed.open, false);
      assert.match(closed.error, /429.*slowly/);
      assert.ok(closed.opens);
      const asked429 = first.requests[2].at;
      await eventually('the first is open again', async () => (await house.way('first')).open);
      assert.ok(Date.now() - asked429 >= pause * 1000 - 100, 'not before its time');
      await house.happens('eve', 'Published');
      await eventually('it sends again', async () => (await house.way('first')).sent === 3);
      assert.equal(first.requests.length, 4);
      const to = [...first.requests.filter((r, i) => i !== 2), ...second.requests];
      assert.equal(to.length, 13);
    } finally {
      await house.close();
      await first.close();
      await second.close();
    }
  });

  test('a service that is away, or does not let us in, costs nobody a message', async () => {
    const port = await freePort();
    const closed = await Service.listen(() => ({ status: 401, body: { result: { why: 'wrong key' } } }));
    const last = await Service.listen(fine);
    const house = await openWays({
      ways: [ownWay('away', { origin: `http://127.0.0.1:${port}` }), ownWay('closed', closed), ownWay('last', last)], secrets: { own: 'k' }, providers: { own },
    });
    let away;
    try {
      await house.know('eve');
      for (let i = 0; i < 10; i += 1) await house.happens('eve', 'Published');
      await eventually('all are sent', async () => (await house.way('last')).sent === 10);
      assert.match((await house.way('closed')).error, /401.*wrong key/);
      const doctor = await dultTry('doctor', '--data', house.data, '--listen', `127.0.0.1:${house.server.port}`);
      assert.match(doctor.out, /wrong\s+way\s+closed is closed until .*wrong key/);
      assert.match(doctor.out, /ok\s+way\s+last is open and has sent 10/);
      assert.equal((await house.stats()).messages.deferred ?? 0, 0);
      away = await Service.listen(fine, port);
      await eventually('the first is found again', async () => (await house.way('away')).open);
      await house.happens('eve', 'Published');
      await eventually('and sends', async () => (await house.way('away')).sent === 1);
    } finally {
      await house.close();
      await Promise.all([away?.close(), closed.close(), last.close()]);
    }
  });

  test('what was asked for whole and not answered is unknown, goes by no other way, and is asked again with a key', async () => {
    const doubtful = await Service.listen((request, n) => (n === 0 ? 'drop' : fine()));
    const second = await Service.listen(fine);
    const house = await openWays({ ways: [ownWay('first', doubtful), ownWay('second', second)], secrets: { own: 'k' }, providers: { own } });
    try {
      await house.know('eve');
      await house.happens('eve', 'Bought');
      await eventually('it is unknown', async () => (await house.stats()).messages.unknown === 1);
      await sleep(1500);
      assert.equal(doubtful.requests.length + second.requests.length, 1);
    } finally {
      await house.close();
      await doubtful.close();
      await second.close();
    }
    const keyed = await Service.listen((request, n) => (n < 2 ? 'drop' : fine()));
    const other = await openWays({
      ways: [ownWay('first', keyed)], secrets: { own: 'k' },
      providers: { own: { ...own, idempotency: { header: 'Idempotency-Key', value: '{{ message.id }}' } } },
    });
    try {
      await other.know('eve');
      await other.happens('eve', 'Bought');
      await eventually('it is sent', async () => (await other.way('first')).sent === 1);
      assert.equal(keyed.requests.length, 3);
      const keys = new Set(keyed.requests.map((request) => request.headers['idempotency-key']));
      assert.equal(keys.size, 1);
      assert.equal((await other.stats()).messages.unknown ?? 0, 0);
    } finally {
      await other.close();
      await keyed.close();
    }
  });

  // One that remembers keys for so many hours.
  const keyed = (hours) => ({ ...own, idempotency: { header: 'Idempotency-Key', value: '{{ message.id }}', hours } });

  test('after kill -9 what was being asked for is asked for again with its key, as long as that is remembered', async () => {
    for (const [hours, states, requests] of [[1, 'sent', 2], [0.0003, 'unknown', 1], [undefined, 'unknown', 1]]) {
      let quiet = true;
      const service = await Service.listen(() => (quiet ? 'stall' : fine()));
      const house = await openWays({ ways: [ownWay('first', service)], secrets: { own: 'k' }, providers: { own: keyed(hours) } });
      try {
        await house.know('eve');
        await house.happens('eve', 'Bought');
        await eventually('it is asked for', () => service.requests.length === 1);
        await house.server.kill();
        quiet = false;
        if (hours < 0.01) await sleep(1500);
        await house.server.start();
        await eventually(`${hours}: it is ${states}`, async () => (await house.client.messages('eve'))[0].state === states);
        await sleep(300);
        assert.equal(service.requests.length, requests);
        assert.equal(new Set(service.requests.map((request) => request.headers['idempotency-key'])).size, 1);
      } finally {
        await house.close();
        await service.close();
      }
    }
  });

  test('a lost answer is asked for again of nobody else, and by another account never', async () => {
    let quiet = true;
    const first = await Service.listen(() => (quiet ? 'stall' : fine()));
    const second = await Service.listen(fine);
    const ways = [ownWay('first', first), ownWay('second', second)];
    const house = await openWays({ ways, secrets: { own: 'k' }, providers: { own: keyed(1) } });
    try {
      await house.know('eve');
      await house.happens('eve', 'Bought');
      await eventually('it is asked for', () => first.requests.length === 1);
      await house.server.kill();
      await house.server.start(); // it is silent still: the message waits for it
      await eventually('it is asked for again', () => first.requests.length === 2);
      await house.server.kill();
      writeWays(house.data, { ways, secrets: { own: 'another account' }, providers: { own: keyed(1) } });
      quiet = false;
      await house.server.start();
      await eventually('it is unknown', async () => (await house.client.messages('eve'))[0].state === 'unknown');
      assert.deepEqual([first.requests.length, second.requests.length], [2, 0]);
      await house.happens('eve', 'Bought');
      await eventually('the next is sent', () => first.requests.length === 3);
    } finally {
      await house.close();
      await first.close();
      await second.close();
    }
  });

  test('a warm-up gives the rest to the next way, and a start does not begin the day anew', async () => {
    const young = await Service.listen(fine);
    const old = await Service.listen(fine);
    await withinOneDay(20_000);
    const today = new Date().toISOString().slice(0, 10);
    const house = await openWays({
      ways: [ownWay('young', young, { warm_up: { from: today, first_day: 5, grow: 2 } }), ownWay('old', old)], secrets: { own: 'k' }, providers: { own },
    });
    try {
      await house.know('eve');
      for (let i = 0; i < 9; i += 1) await house.happens('eve', 'Published');
      await eventually('all are sent', async () => (await house.way('young')).sent + (await house.way('old')).sent === 9);
      const way = await house.way('young');
      assert.deepEqual([way.sent, way.today, way.todayMost, way.open], [5, 5, 5, false]);
      await house.server.kill();
      await house.server.start();
      for (let i = 0; i < 3; i += 1) await house.happens('eve', 'Published');
      await eventually('the old one sends them', async () => (await house.way('old')).sent === 3);
      assert.equal(young.requests.length, 5);
    } finally {
      await house.close();
      await young.close();
      await old.close();
    }
  });

  test('a secret in the file, an unknown setting and an open secret are refused with the remedy', async () => {
    const cases = [
      [{ name: 'a', provider: 'postmark', settings: { server_token: 'plain' } }, /secrets\/NAME/],
      [{ name: 'a', provider: 'postmark', settings: {} }, /needs the setting "server_token"/],
      [{ name: 'a', provider: 'postmark', settings: { server_token: { secret: 'no' } } }, /no secret "no"/],
      [{ name: 'a', provider: 'pigeon' }, /no provider "pigeon"/],
      [{ name: 'a', smtp: 'smtp://u:plain@mail.example' }, /password stands in the file/],
      [{ name: 'a', smtp: 'smtp://mail.example', rate: 3 }, /"rate" is unknown/],
      [{ name: 'a' }, /one of smtp, provider and outbox/],
    ];
    for (const [way, words] of cases) {
      const data = folder('ways');
      writeFileSync(join(data, 'ways.json'), JSON.stringify({ ways: [way] }));
      const { status, err } = await dultTry('serve', '--data', data, '--public-url', PUBLIC_URL, '--listen', '127.0.0.1:1');
      assert.notEqual(status, 0);
      assert.match(err, words);
      assert.ok(!err.includes('plain@'));
      removeFolder(data);
    }
  });
});
