// Channels beside e-mail, over the running program: what is asked of each service is recorded and
// compared with what the service documents; what it tells us back is signed as it signs.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse, PUBLIC_URL } from './lib/house.mjs';
import { dult, dultTry, eventually, folder, removeFolder, skipWithoutProgram, withinOneDay } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const TOKEN = 'twilio-auth-token';
const LOB_SECRET = 'lob-webhook-secret';

const journey = (name, message) => ({ journey: name, trigger: { event: name }, reentry: 'always',
  nodes: [{ id: 'm', message }] });

const shop = () => shopFolder({
  'workspace.json': { name: 'Tents', address: 'Storgata 1, Oslo', topics: ['newsletter', 'offers'],
    sender: { name: 'Tents', email: 'hello@tents.example' } },
  'journeys/Text.json': journey('Text', 'text'),
  'journeys/Code.json': journey('Code', 'code'),
  'journeys/Hook.json': journey('Hook', 'hook'),
  'journeys/Chat.json': journey('Chat', 'chat'),
  'journeys/Tell.json': journey('Tell', 'tell'),
  'journeys/Card.json': journey('Card', 'card'),
  'journeys/Mail.json': journey('Mail', 'mail'),
  'templates/text.email': 'channel: sms\ntopic: offers\n--- text\nHi {{ person.name }}, a tent & 10 % off\n',
  'templates/code.email': 'channel: sms\ntransactional: yes\n--- text\nYour code is {{ event.code }}\n',
  'templates/hook.email': 'channel: webhook\nmethod: PUT\nurl: SERVICES/crm/{{ person.id }}?plan={{ event.plan | url_encode }}\n'
    + '--- headers\nX-Key: abc\nContent-Type: application/json\n--- body\n{"plan": {{ event.plan | json }}}\n',
  'templates/chat.email': 'channel: staff\nto: slack\n--- text\n{{ person.name }} bought "{{ event.what }}"\n',
  'templates/tell.email': 'channel: staff\nto: sales@tents.example\nsubject: {{ person.name }}\n--- text\nA big order\n',
  'templates/card.email': 'channel: post\ntopic: offers\nsize: 6x9\n--- front\n<h1>{{ person.name }}</h1>\n--- back\n<p>10 % off</p>\n',
  'templates/mail.email': template({ subject: 'Offers', html: '<p>Hello</p>', topic: 'offers' }),
});

describe('a message that is no e-mail', { skip: skipWithoutProgram }, () => {
  let house, services, ways;
  const call = (method, where, body, headers = {}) => http(method, `${house.server.origin}${where}`,
    { headers: { authorization: `Bearer ${house.client.apiKey}`, ...headers }, ...(body ? { body } : {}) });
  let told = 0;
  const tell = async (id, event, properties = {}) => {
    told++;
    await house.client.send('/v1/track', { userId: id, event, properties, messageId: `t-${told}` });
  };
  const know = (id, traits) => house.client.send('/v1/identify', { userId: id, traits, messageId: `i-${++told}` });
  const timeline = async (id, name) => (await house.client.timeline(id)).filter((item) => item.name === name);
  const once = (id, name, count = 1) => eventually(`${id}: ${name}`, async () => {
    const found = await timeline(id, name);
    return found.length >= count && found;
  });
  const properties = (item) => item.properties ?? item.body?.properties ?? item;

  // As Twilio signs: the URL it was given, then the sorted parameters.
  const twilio = (where, parameters) => {
    const signed = `${PUBLIC_URL}${where}` + Object.keys(parameters).sort().map((key) => key + parameters[key]).join('');
    return call('POST', where, new URLSearchParams(parameters).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': createHmac('sha1', TOKEN).update(signed).digest('base64'),
    });
  };
  let sids = 0;
  const answers = (request) => {
    if (request.path.includes('/Messages.json')) {
      if (request.form.To === '+4790000001')
        return { status: 400, body: { code: 21211, message: "The 'To' number is not valid", status: 400 } };
      if (request.form.To === '+4790000002') return undefined;
      return { status: 201, body: { sid: `SM${++sids}`, status: 'queued', error_code: null } };
    }
    if (request.path.includes('/v1/postcards')) return { body: { id: `psc_${++sids}`, object: 'postcard' } };
    if (request.path.includes('/crm/')) return { status: 202, body: { lead: 17 } };
    return { body: 'ok', headers: { 'content-type': 'text/plain' } };
  };

  before(async () => {
    await withinOneDay(60_000); /* cards are counted by months */
    services = await Services.listen();
    services.answer = answers;
    ways = {
      ways: [
        { name: 'twilio', provider: 'twilio', inside: true, settings: { endpoint: services.origin, account: 'AC1', token: { secret: 'twilio' } },
          from: { NO: 'Tents', default: '+15550100' }, price: { currency: 'EUR', NO: 0.05, default: 0.1 } },
        { name: 'chat', provider: 'slack', inside: true, settings: { url: { secret: 'slack' } } },
        { name: 'lob', provider: 'lob', inside: true, per_month: 2, price: { currency: 'USD', default: 0.9 },
          settings: { endpoint: services.origin, key: { secret: 'lob' }, from: 'adr_1', webhook_secret: { secret: 'lob-hook' } } },
        { name: 'hooks', provider: 'webhook', inside: true },
      ],
      secrets: { twilio: TOKEN, slack: `${services.origin}/services/T/B/X`, lob: 'test_k', 'lob-hook': LOB_SECRET },
      answers: { help: { en: 'Tents, help@tents.example', nb: 'Tents, hjelp@tents.example' } },
    };
    const files = shop();
    const hook = join(files, 'templates/hook.email');
    writeFileSync(hook, readFileSync(hook, 'utf8').replace('SERVICES', services.origin));
    house = await openHouse({ shop: files, ...ways });
    await know('ada', { name: 'Ada', phone: '912 34 567', country: 'NO', email: 'ada@x.example', language: 'nb' });
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('goes to Twilio in the form that it documents, from the sender of the country', async () => {
    await tell('ada', 'Text');
    const [sent] = await once('ada', 'Message Sent');
    const [request] = services.of('/Messages.json');
    assert.equal(request.method, 'POST');
    assert.equal(request.path, '/2010-04-01/Accounts/AC1/Messages.json');
    assert.equal(request.headers.authorization, `Basic ${Buffer.from(`AC1:${TOKEN}`).toString('base64')}`);
    assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded');
    const { StatusCallback: back, ...form } = request.form;
    assert.deepEqual(form, { To: '+4791234567', From: 'Tents', Body: 'Hi Ada, a tent & 10 % off' });
    assert.match(back, new RegExp(`^${PUBLIC_URL}/api/v1/receipts/twilio\\?m=`));
    const is = properties(sent);
    assert.deepEqual([is.channel, is.parts, is.price, is.currency, is.service_id], ['sms', 1, 0.05, 'EUR', 'SM1']);
  });

  test('is counted and priced before it is sent', async () => {
    const answer = await call('POST', '/api/v1/channels/sms/measure', JSON.stringify({ text: 'x’'.repeat(40), to: '912 34 567', country: 'NO' }));
    const { left, ...is } = JSON.parse(answer.text);
    assert.deepEqual(is, { to: '+4791234567', parts: 2, encoding: 'UCS-2', characters: 80, culprit: '’', sms_from: 'Tents', price: 0.1, currency: 'EUR' });
    const saved = await call('PUT', '/api/v1/templates/text', 'channel: sms\ntopic: offers\n--- text\nHi {{ person.name }}, a tent & 10 % off\n');
    assert.match(saved.text, /As written it is 1 part, GSM-7/);
  });

  test('is delivered when a signed receipt says so, once, and never by an unsigned one', async () => {
    const where = services.of('/Messages.json')[0].form.StatusCallback.replace(PUBLIC_URL, '');
    const receipt = { MessageSid: 'SM1', MessageStatus: 'delivered', To: '+4791234567', From: 'Tents', AccountSid: 'AC1' };
    const forged = await call('POST', where, new URLSearchParams(receipt).toString(),
      { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA' });
    assert.equal(forged.status, 403);
    for (const status of ['sent', 'delivered', 'delivered']) {
      const answer = await twilio(where, { ...receipt, MessageStatus: status });
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, /<Response><\/Response>/);
    }
    assert.equal((await once('ada', 'Message Delivered')).length, 1);
  });

  test('is not sent again to a number that its receipt calls dead', async () => {
    await know('eve', { name: 'Eve', phone: '+4799999999' });
    await tell('eve', 'Text');
    await once('eve', 'Message Sent');
    const where = services.of('/Messages.json').at(-1).form.StatusCallback.replace(PUBLIC_URL, '');
    await twilio(where, { MessageSid: 'SM2', MessageStatus: 'undelivered', ErrorCode: '30005', To: '+4799999999' });
    assert.equal(properties((await once('eve', 'Message Bounced'))[0]).class, 'hard');
    const before = services.of('/Messages.json').length;
    await tell('eve', 'Code', { code: '1' });
    await eventually('held back', async () => (await house.client.messages('eve'))
      .some((message) => /suppressed/.test(JSON.stringify(message))));
    assert.equal(services.of('/Messages.json').length, before);
  });

  test('to a number that Twilio refuses bounces, and the number is suppressed', async () => {
    await know('bad', { phone: '+4790000001', name: 'Bad' });
    await tell('bad', 'Text');
    assert.equal(properties((await once('bad', 'Message Bounced'))[0]).recipient, '+4790000001');
    const { status } = await call('GET', `/api/v1/suppressions/${encodeURIComponent('+4790000001')}`);
    assert.equal(status, 200);
  });

  test('of which nobody knows whether it was heard is not sent again', async () => {
    await know('may', { phone: '+4790000002', name: 'May' });
    await tell('may', 'Text');
    await eventually('unknown', async () => (await house.client.messages('may')).some((message) => message.state === 'unknown'));
    assert.equal(services.of('/Messages.json').filter((request) => request.form.To === '+4790000002').length, 1);
  });

  test('that says STOP is obeyed by text message and leaves e-mail alone; START takes it back', async () => {
    const say = (text, id) => twilio('/api/v1/receipts/twilio', { MessageSid: id, SmsStatus: 'received', From: '+4791234567', To: '+15550100', Body: text });
    assert.equal((await say('Stopp!', 'SMin1')).status, 200);
    assert.equal(properties((await once('ada', 'Message Replied'))[0]).word, 'stop');
    const said = (await house.client.get('/api/v1/profiles/ada/consent')).said[0].detail;
    assert.deepEqual([said.channel, said.state, said.how, said.proof.text.text],
      ['sms', 'unsubscribed', 'sms STOP', 'Stopp!']);
    const before = services.of('/Messages.json').length;
    await tell('ada', 'Text');
    await tell('ada', 'Mail');
    await eventually('the mail', () => house.recorder.mails.some((mail) => mail.to.includes('ada@x.example')));
    await eventually('held back', async () => (await house.client.messages('ada'))
      .some((message) => /unsubscribed/.test(JSON.stringify(message))));
    assert.equal(services.of('/Messages.json').length, before);
    await tell('ada', 'Code', { code: '4711' }); // asked for: a receipt goes all the same
    await eventually('the code', () => services.of('/Messages.json').some((request) => request.form.Body === 'Your code is 4711'));
    await say('START', 'SMin2');
    await tell('ada', 'Text');
    await eventually('again', () => services.of('/Messages.json').length === before + 2);
  });

  test('that says HELP is answered in the language of whoever asks', async () => {
    const answer = await twilio('/api/v1/receipts/twilio', { MessageSid: 'SMin3', SmsStatus: 'received', From: '+4791234567', To: '+15550100', Body: 'HJELP' });
    assert.match(answer.text, /<Response><Message>Tents, hjelp@tents.example<\/Message><\/Response>/);
    const stranger = await twilio('/api/v1/receipts/twilio', { MessageSid: 'SMin4', SmsStatus: 'received', From: '+447911123456', To: '+15550100', Body: 'help' });
    assert.match(stranger.text, /Tents, help@tents.example/);
  });

  test('to a webhook has its method, headers and body, and the answer is kept', async () => {
    await tell('ada', 'Hook', { plan: 'pro & more' });
    const [sent] = await once('ada', 'Notice Sent');
    const [request] = services.of('/crm/');
    assert.deepEqual([request.method, request.path, request.headers['x-key'], request.body],
      ['PUT', '/crm/ada?plan=pro+%26+more', 'abc', '{"plan": "pro & more"}']);
    assert.match(request.headers['idempotency-key'], /^dult-\d+-./);
    const is = properties(sent);
    assert.deepEqual([is.channel, is.status, is.answer], ['webhook', 202, '{"lead":17}']);
    assert.equal((await timeline('ada', 'Message Sent')).some((item) => properties(item).channel === 'webhook'), false);
  });

  test('to the chat of the staff is what Slack takes', async () => {
    await tell('ada', 'Chat', { what: 'a <tent>' });
    const [request] = await eventually('the chat', () => services.of('/services/T/B/X').length > 0 && services.of('/services/T/B/X'));
    assert.deepEqual(JSON.parse(request.body), { text: 'Ada bought "a &lt;tent&gt;"' });
  });

  test('to the staff by e-mail goes to them, whatever the person refused', async () => {
    await tell('ada', 'Tell');
    await eventually('the mail', () => house.recorder.mails.some((mail) => mail.to.includes('sales@tents.example')));
  });

  test('on paper is what Lob takes, to an address that is complete', async () => {
    await tell('ada', 'Card');
    await eventually('held back', async () => (await house.client.messages('ada'))
      .some((message) => /no postal address/.test(JSON.stringify(message))));
    await know('ada', { address: { street: '1 Harbour Road', city: 'Bergen', postal_code: '5003', country: 'Norway' } });
    await tell('ada', 'Card');
    const [request] = await eventually('the card', () => services.of('/v1/postcards').length > 0 && services.of('/v1/postcards'));
    const { metadata, ...card } = JSON.parse(request.body);
    assert.equal(request.headers.authorization, `Basic ${Buffer.from('test_k:').toString('base64')}`);
    assert.deepEqual(card, {
      to: { name: 'Ada', address_line1: '1 Harbour Road', address_city: 'Bergen', address_zip: '5003', address_country: 'NO' },
      from: 'adr_1', front: '<h1>Ada</h1>', back: '<p>10 % off</p>', size: '6x9', use_type: 'marketing' });
    const sent = await eventually('the card is sent', async () => (await timeline('ada', 'Message Sent')).map(properties)
      .find((is) => is.channel === 'post'));
    assert.deepEqual([sent.price, sent.currency], [0.9, 'USD']);

    const shown = async (name) => JSON.parse((await call('POST', `/api/v1/templates/${name}/preview`, JSON.stringify({ person: 'ada' }))).text);
    const side = await shown('card');
    assert.deepEqual([side.channel, side.front, side.back, side.size, side.price, side.to],
      ['post', '<h1>Ada</h1>', '<p>10 % off</p>', '6x9', 0.9, '1 Harbour Road, 5003 Bergen, NO']);
    const short = await shown('text');
    assert.deepEqual([short.text, short.parts, short.sms_from, short.price, short.to],
      ['Hi Ada, a tent & 10 % off', 1, 'Tents', 0.05, '+4791234567']);

    const body = JSON.stringify({ id: 'evt_1', event_type: { id: 'postcard.returned_to_sender', resource: 'postcards' }, body: { id: 'psc_1', metadata } });
    const at = String(Date.now());
    const headers = { 'content-type': 'application/json', 'lob-signature-timestamp': at,
      'lob-signature': createHmac('sha256', LOB_SECRET).update(`${at}.${body}`).digest('hex') };
    assert.equal((await call('POST', '/api/v1/receipts/lob', body, headers)).status, 200);
    const back = await eventually('it came back', async () => (await timeline('ada', 'Message Bounced')).map(properties)
      .find((is) => is.channel === 'post'));
    assert.equal(back.recipient, '1 Harbour Road, 5003 Bergen, NO');
  });

  test('on paper waits when the month has its number, also after a start', async () => {
    await know('bob', { name: 'Bob', address: { street: '2 Hill', city: 'Oslo', postal_code: '0155', country: 'NO' } });
    await tell('bob', 'Card');
    await eventually('the second card', async () => services.of('/v1/postcards').length === 2
      && (await house.client.messages('bob')).some((message) => message.state === 'sent'));
    const { items } = await house.client.get('/api/v1/channels');
    assert.deepEqual(items.find((item) => item.channel === 'post'),
      { channel: 'post', way: 'lob', service: 'lob', price: 0.9, currency: 'USD', monthly_max: 2, this_month: 2, open: false });
    await house.server.stop();
    await house.server.start();
    await tell('bob', 'Card');
    await eventually('it waits', async () => (await house.client.messages('bob')).some((message) => message.state === 'queued'));
    assert.equal(services.of('/v1/postcards').length, 2);
  });
});

describe('a webhook that never answers', { skip: skipWithoutProgram }, () => {
  test('holds up no mail, however many of its kind there are', async () => {
    const services = await Services.listen();
    services.answer = () => 'silence';
    let house;
    try {
      house = await openHouse({ shop: shopFolder({
        'journeys/Hook.json': journey('Hook', 'hook'), 'templates/hook.email': `channel: webhook\nurl: ${services.origin}/\n--- body\nx\n`,
        'journeys/Mail.json': journey('Mail', 'mail'), 'templates/mail.email': template({ subject: 'Hi', html: '<p>Hi</p>' }),
      }), ways: [{ name: 'hooks', provider: 'webhook', inside: true }] });
      await house.client.send('/v1/identify', { userId: 'ada', traits: { email: 'ada@x.example' }, messageId: 'i' });
      for (let i = 0; i < 20; i++) await house.client.send('/v1/track', { userId: 'ada', event: 'Hook', messageId: `h${i}` });
      await eventually('all places of mail would be taken', () => services.requests.length >= 8);
      await house.client.send('/v1/track', { userId: 'ada', event: 'Mail', messageId: 'm' });
      await eventually('the mail', () => house.recorder.mails.length > 0);
    } finally {
      await services.close();
      await house?.close();
    }
  });
});

describe('a house whose mail server is down', { skip: skipWithoutProgram }, () => {
  test('sends text messages all the same, by a service that the operator described', async () => {
    const services = await Services.listen();
    services.answer = () => ({ body: { ok: true, number: 17 } });
    const mine = { provider: 'mine', channel: 'sms', settings: [{ name: 'key', secret: true }, { name: 'nothing', needed: false }],
      request: { method: 'PUT', url: `${services.origin}/send/{{ message.to | url_encode }}`, headers: { 'X-Key': '{{ settings.key }}' },
        json: { text: '{{ message.text }}', none: '{{ settings.nothing }}', deep: { from: '{{ message.from }}', flash: false } } },
      answer: { id: 'number' } };
    let house;
    try {
      house = await openHouse({ shop: shopFolder({
        'journeys/Text.json': journey('Text', 'text'), 'templates/text.email': 'channel: sms\n--- text\nHi "{{ person.name }}"\n',
        'journeys/Mail.json': journey('Mail', 'mail'), 'templates/mail.email': template({ subject: 'Hi', html: '<p>Hi</p>' }),
      }), args: ['--smtp', 'smtp://127.0.0.1:1'], providers: { mine }, secrets: { k: 'k' },
      ways: [{ name: 'mine', provider: 'mine', inside: true, from: 'Tents', settings: { key: { secret: 'k' } } }] });
      await house.client.send('/v1/identify', { userId: 'ada', traits: { phone: '+4791234567', name: 'Ada', email: 'ada@x.example' }, messageId: 'i' });
      await house.client.send('/v1/track', { userId: 'ada', event: 'Mail', messageId: 'm' });
      await eventually('the mail waits', async () => (await house.client.messages('ada')).some((message) => message.attempts > 0));
      await house.client.send('/v1/track', { userId: 'ada', event: 'Text', messageId: 't' });
      const [request] = await eventually('the text', () => services.requests.length > 0 && services.requests);
      assert.deepEqual([request.method, request.path, request.headers['x-key'], JSON.parse(request.body)],
        ['PUT', '/send/%2B4791234567', 'k', { text: 'Hi "Ada"', deep: { from: 'Tents', flash: false } }]);
      await eventually('sent', async () => (await house.client.messages('ada')).some((message) => message.state === 'sent'));
    } finally {
      await house?.close();
      await services.close();
    }
  });
});

describe('several ways for text messages and post', { skip: skipWithoutProgram }, () => {
  const texts = () => shopFolder({
    'workspace.json': { name: 'Tents', address: 'Storgata 1, Oslo', sender: { name: 'Tents', email: 'hello@tents.example' } },
    'journeys/Text.json': journey('Text', 'text'), 'templates/text.email': 'channel: sms\n--- text\nHi {{ person.name }}\n',
    'journeys/Card.json': journey('Card', 'card'), 'templates/card.email': 'channel: post\n--- front\n<p>1</p>\n--- back\n<p>2</p>\n',
  });
  const twilio = (service, name, more = {}) => ({ name, provider: 'twilio', inside: true, from: 'Tents',
    settings: { endpoint: service.origin, account: name, token: { secret: 't' } }, ...more });
  const say = (house, user, event, number) => house.client.send('/v1/track', { userId: user, event, messageId: `${event}${number}` });

  test('what the first service does not take now goes by the second, each country by the way that is for it', async () => {
    const services = await Services.listen();
    services.answer = (request) => request.path.includes('/first/') ? { status: 429, headers: { 'retry-after': '60' }, body: { code: 20429, message: 'slowly' } }
      : { status: 201, body: { sid: 'SM' } };
    let house;
    try {
      house = await openHouse({ shop: texts(), secrets: { t: TOKEN }, ways: [twilio(services, 'sweden', { countries: ['SE'] }), twilio(services, 'first'), twilio(services, 'second')] });
      await house.client.send('/v1/identify', { userId: 'ada', traits: { phone: '+4791234567', name: 'Ada' }, messageId: 'i1' });
      await house.client.send('/v1/identify', { userId: 'eve', traits: { phone: '+46701234567', name: 'Eve' }, messageId: 'i2' });
      await say(house, 'ada', 'Text', 0);
      await eventually('the first of them is sent', () => services.of('/second/').length === 1);
      for (let i = 1; i < 5; i++) await say(house, 'ada', 'Text', i);
      await say(house, 'eve', 'Text', 'e');
      await eventually('all are sent', () => services.of('/second/').length === 5 && services.of('/sweden/').length === 1);
      assert.equal(services.of('/first/').length, 1, 'who asked for peace is left in peace');
      assert.deepEqual(services.of('/sweden/').map((request) => request.form.To), ['+46701234567']);
      const ways = await eventually('their answers were heard', async () => { // they were asked for before that
        const { ways: now } = await house.client.get('/api/v1/stats');
        return now.reduce((sum, way) => sum + way.sent, 0) === 6 && now;
      });
      assert.deepEqual(ways.map((way) => [way.name, way.sent]), [['sweden', 1], ['first', 0], ['second', 5], ['webhooks', 0], ['smtp', 0]]);
      assert.match(ways[1].error, /429 20429: slowly/);
    } finally {
      await house?.close();
      await services.close();
    }
  });

  test('a month that was counted before ways were is counted on', async () => {
    await withinOneDay(20_000);
    const services = await Services.listen();
    services.answer = () => ({ body: { id: 'psc_1' } });
    let house;
    try {
      house = await openHouse({ shop: texts(), live: false, secrets: { k: 'k' }, ways: [{ name: 'lob', provider: 'lob', inside: true, per_month: 4,
        settings: { endpoint: services.origin, key: { secret: 'k' } } }] });
      await house.server.stop();
      writeFileSync(join(house.data, 'post-count'), `${new Date().toISOString().slice(0, 7)} 3\n`);
      await dult('live', '--yes', '--data', house.data);
      await house.server.start();
      await house.client.send('/v1/identify', { userId: 'ada', messageId: 'i', traits: { name: 'Ada', address: { street: '1 Road', city: 'Oslo', postal_code: '0155', country: 'NO' } } });
      for (let i = 0; i < 3; i++) await say(house, 'ada', 'Card', i);
      await eventually('one is sent and two wait', async () => {
        const states = (await house.client.messages('ada')).map((message) => message.state).sort();
        return JSON.stringify(states) === '["queued","queued","sent"]';
      });
      assert.equal(services.requests.length, 1);
    } finally {
      await house?.close();
      await services.close();
    }
  });

  test('a file of channels is refused with the remedy', async () => {
    const data = folder('data');
    writeFileSync(join(data, 'channels.json'), '{}', { mode: 0o600 });
    const { status, err } = await dultTry('serve', '--data', data, '--channels', join(data, 'channels.json'), '--listen', '127.0.0.1:1');
    assert.notEqual(status, 0);
    assert.match(err, /ways of ways\.json[\s\S]*docs\/providers\.md/);
    removeFolder(data);
  });
});
