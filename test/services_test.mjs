// Text messages, postcards and the chat of the staff: what each service is asked, beside what its own
// client asks.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { openHouse, PUBLIC_URL } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder } from './lib/shop.mjs';

const require = createRequire(import.meta.url);
const TEXT = 'Blåbær & 10 % “off”';

const shop = (head) => shopFolder({
  'workspace.json': { name: 'Tents', address: 'Storgata 1, Oslo', sender: { name: 'Tents', email: 'hello@tents.example' } },
  'journeys/Go.json': { journey: 'Go', trigger: { event: 'Go' }, reentry: 'always', nodes: [{ id: 'm', message: 'go' }] },
  'templates/go.email': head,
});

// What the service gets of us: one message to Ada.
async function asked(head, way, secrets, answer) {
  const services = await Services.listen();
  services.answer = () => answer;
  let house;
  try {
    house = await openHouse({ shop: shop(head), ways: [{ name: 'out', inside: true, ...way(services) }], secrets });
    await house.client.send('/v1/identify', { userId: 'ada', messageId: 'i', traits: { name: 'Ada', phone: '+4791234567',
      address: { street: '1 Harbour Road', city: 'Bergen', postal_code: '5003', country: 'NO' } } });
    await house.client.send('/v1/track', { userId: 'ada', event: 'Go', messageId: 'g' });
    await eventually('it is sent', async () => (await house.client.messages('ada')).some((message) => message.state === 'sent'));
    assert.equal(services.requests.length, 1);
    return services.requests[0];
  } finally {
    await house?.close();
    await services.close();
  }
}

async function askedByClient(call, answer) {
  const services = await Services.listen();
  services.answer = () => answer;
  try {
    await call(services);
    return services.requests[0];
  } finally {
    await services.close();
  }
}

const alike = (ours, theirs) => {
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
};

describe('what services are asked', { skip: skipWithoutProgram }, () => {
  test('Twilio gets the form of its client', async () => {
    const answer = { status: 201, body: { sid: 'SM1', status: 'queued' } };
    const ours = await asked(`channel: sms\n--- text\n${TEXT}\n`, (services) => ({ provider: 'twilio', from: 'Tents',
      settings: { endpoint: services.origin, account: 'AC00000000000000000000000000000000', token: { secret: 't' } } }), { t: 'token' }, answer);
    const twilio = require('twilio');
    const theirs = await askedByClient(async (services) => {
      const base = new twilio.RequestClient();
      const client = twilio('AC00000000000000000000000000000000', 'token', {
        httpClient: { request: (options) => base.request({ ...options, uri: options.uri.replace('https://api.twilio.com', services.origin) }) } });
      await client.messages.create({ to: '+4791234567', from: 'Tents', body: TEXT, statusCallback: ours.form.StatusCallback });
    }, answer);
    alike(ours, theirs);
    assert.deepEqual(ours.form, theirs.form);
    assert.match(ours.form.StatusCallback, new RegExp(`^${PUBLIC_URL}/api/v1/receipts/out\\?m=`));
  });

  test('Vonage gets the JSON of its client', async () => {
    const answer = { body: { 'message-count': '1', messages: [{ to: '4791234567', 'message-id': '0A', status: '0', 'remaining-balance': '1', 'message-price': '0.1', network: '24201' }] } };
    const ours = await asked(`channel: sms\n--- text\n${TEXT}\n`, (services) => ({ provider: 'vonage', from: 'Tents',
      settings: { endpoint: services.origin, key: 'k', secret: { secret: 's' } } }), { s: 'secret' }, answer);
    const { SMS } = require('@vonage/sms');
    const json = JSON.parse(ours.body);
    const theirs = await askedByClient(async (services) => {
      await new SMS({ apiKey: 'k', apiSecret: 'secret' }, { restHost: services.origin })
        .send({ to: '4791234567', from: 'Tents', text: TEXT, type: 'unicode', clientRef: json['client-ref'], callback: json.callback });
    }, answer);
    alike(ours, theirs);
    assert.deepEqual(json, JSON.parse(theirs.body));
  });

  test('Lob gets what its client tells, with a key of its own for each card', async () => {
    const answer = { body: { id: 'psc_1', object: 'postcard', url: 'https://lob.example/1' } };
    const ours = await asked('channel: post\nsize: 6x9\n--- front\n<h1>{{ person.name }}</h1>\n--- back\n<p>&amp; b</p>\n', (services) => ({ provider: 'lob',
      settings: { endpoint: services.origin, key: { secret: 'k' }, from: 'adr_1' } }), { k: 'test_k' }, answer);
    const card = JSON.parse(ours.body);
    const theirs = await askedByClient(async (services) => {
      const lob = require('lob')('test_k', { host: `${services.origin}/v1/` });
      await lob.postcards.create(card, { 'Idempotency-Key': ours.headers['idempotency-key'] });
    }, answer);
    alike(ours, theirs);
    assert.equal(ours.headers['idempotency-key'], theirs.headers['idempotency-key']);
    const flat = {};
    const put = (value, name) => { // as a form tells it
      if (typeof value === 'object') for (const [key, each] of Object.entries(value)) put(each, name ? `${name}[${key}]` : key);
      else flat[name] = String(value);
    };
    put(card, '');
    assert.deepEqual(flat, theirs.form);
    assert.equal(card.front, '<h1>Ada</h1>');
  });

  test('Slack gets the text of its client', async () => {
    const answer = { body: 'ok', headers: { 'content-type': 'text/plain' } };
    let url;
    const ours = await asked(`channel: staff\nto: slack\n--- text\n{{ person.name }} bought ${TEXT}\n`, (services) => {
      url = `${services.origin}/services/T/B/X`;
      process.env.SLACK_URL_OF_TEST = url;
      return { provider: 'slack', settings: { url: { env: 'SLACK_URL_OF_TEST' } } };
    }, {}, answer);
    delete process.env.SLACK_URL_OF_TEST;
    const { IncomingWebhook } = require('@slack/webhook');
    const theirs = await askedByClient(async (services) => {
      await new IncomingWebhook(`${services.origin}/services/T/B/X`).send({ text: `Ada bought ${TEXT.replace('&', '&amp;')}` });
    }, answer);
    alike(ours, theirs);
    assert.deepEqual(JSON.parse(ours.body), JSON.parse(theirs.body));
  });
});
