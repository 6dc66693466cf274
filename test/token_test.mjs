// A service that lets in by a token of OAuth's client credentials, described in a data folder: it is
// asked for once, kept, and asked for again where it was taken back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder } from './lib/shop.mjs';

describe('a provider that gives tokens', { skip: skipWithoutProgram }, () => {
  let house, services, told = 0, given = 0, good = '', refuses = false;
  const described = () => ({ provider: 'oauthed', channel: 'sms',
    settings: [{ name: 'client', about: 'its id' }, { name: 'secret', secret: true, about: 'its secret' }],
    token: { request: { url: `${services.origin}/auth`, form: { grant_type: 'client_credentials',
      client_id: '{{ settings.client }}', client_secret: '{{ settings.secret }}' } }, value: 'access_token', seconds: 'expires_in',
    examples: { answers: [{ status: 200, body: { access_token: 'x', expires_in: 3600 }, is: 'sent' }] } },
    request: { url: `${services.origin}/send`, json: { text: '{{ message.text }}', to: '{{ message.to }}' }, auth: { bearer: '{{ token }}' } },
    answer: { id: 'id' } });
  const send = async () => {
    const number = ++told;
    await house.client.send('/v1/track', { userId: 'ada', event: 'Text', messageId: `t-${number}` });
  };
  const sent = (count) => eventually(`${count} are sent`, async () =>
    (await house.client.messages('ada')).filter((message) => message.state === 'sent').length === count);
  const tokens = () => services.of('/auth').length;

  before(async () => {
    services = await Services.listen();
    services.answer = (request) => {
      if (request.path === '/auth') {
        if (refuses) return { status: 400, body: { error: 'invalid_client' } };
        good = `token-${++given}`;
        return { body: { token_type: 'Bearer', access_token: good, expires_in: 43200 } };
      }
      return request.headers.authorization === `Bearer ${good}` ? { body: { id: 'm' } } : { status: 401, body: { error: 'expired' } };
    };
    house = await openHouse({ shop: shopFolder({
      'journeys/Text.json': { journey: 'Text', trigger: { event: 'Text' }, reentry: 'always', nodes: [{ id: 'm', message: 'text' }] },
      'templates/text.email': 'channel: sms\ntransactional: yes\n--- text\nHi\n' }),
    providers: { oauthed: described() }, secrets: { s: 'very secret' },
    ways: [{ name: 'o', provider: 'oauthed', inside: true, from: 'Tents', connections: 1, settings: { client: 'c-1', secret: { secret: 's' } } }] });
    await house.client.send('/v1/identify', { userId: 'ada', traits: { phone: '+4791234567' }, messageId: 'i' });
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('is asked for one, which serves many messages', async () => {
    for (let i = 0; i < 4; i++) await send();
    await sent(4);
    assert.equal(tokens(), 1);
    assert.deepEqual(services.of('/auth')[0].form, { grant_type: 'client_credentials', client_id: 'c-1', client_secret: 'very secret' });
    assert.deepEqual(services.of('/send').map((request) => request.headers.authorization), Array(4).fill('Bearer token-1'));
  });

  test('is asked for another one, once, where the old one was taken back', async () => {
    good = 'none';
    await send();
    await sent(5);
    assert.equal(tokens(), 2);
    assert.deepEqual(services.of('/send').slice(4).map((request) => request.headers.authorization), ['Bearer token-1', 'Bearer token-2']);
  });

  test('that gives none closes its way, and the secret is in no reason', async () => {
    good = 'none';
    refuses = true;
    await send();
    const waits = await eventually('it waits', async () => (await house.client.messages('ada')).find((message) => message.state === 'queued' && message.reason));
    assert.match(waits.reason, /they give no token: HTTP 400/);
    assert.doesNotMatch(JSON.stringify(waits) + house.server.said, /very secret|token-\d/);
  });
});
