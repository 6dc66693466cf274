// A postal address checked by Lob before anything is printed: what is asked is compared with what
// Lob documents, and what it answers decides whether a card is asked for.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder } from './lib/shop.mjs';

describe('an address that Lob checks first', { skip: skipWithoutProgram }, () => {
  let house, services, told = 0, silent = 0;
  const address = { street: '210 King St', city: 'San Francisco', state: 'CA', postal_code: '94107', country: 'US' };
  const know = (userId, more = {}) => house.client.send('/v1/identify', { userId, messageId: `i-${++told}`,
    traits: { name: userId, address: { ...address, ...more } } });
  const tell = (userId) => house.client.send('/v1/track', { userId, event: 'Card', messageId: `t-${++told}` });
  const messages = (userId) => house.client.messages(userId);
  const is = (userId, state) => eventually(`${userId} is ${state}`, async () => (await messages(userId)).find((message) => message.state === state));
  const checks = () => services.of('/v1/us_verifications').map((request) => JSON.parse(request.body));
  const cards = () => services.of('/v1/postcards').map((request) => JSON.parse(request.body).to.name);

  before(async () => {
    services = await Services.listen();
    services.answer = (request) => {
      if (request.path === '/v1/postcards') return { body: { id: `psc_${services.requests.length}`, object: 'postcard' } };
      const { recipient } = JSON.parse(request.body);
      if (recipient === 'mute' && silent++ === 0) return undefined;
      return { body: { id: 'us_ver_1', object: 'us_verification', recipient,
        deliverability: recipient === 'eve' ? 'undeliverable' : 'deliverable' } };
    };
    const shop = shopFolder({
      'journeys/Card.json': { journey: 'Card', trigger: { event: 'Card' }, reentry: 'always', nodes: [{ id: 'm', message: 'card' }] },
      'templates/card.email': 'channel: post\ntopic: newsletter\nsize: 4x6\n--- front\n<h1>Hi</h1>\n--- back\n<p>You</p>\n' });
    house = await openHouse({ shop, secrets: { lob: 'test_k' }, ways: [{ name: 'cards', provider: 'lob', inside: true, per_month: 9,
      settings: { endpoint: services.origin, key: { secret: 'lob' }, verify: 'yes' } }] });
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('is asked about as Lob documents, and then printed', async () => {
    await know('ada');
    await tell('ada');
    await is('ada', 'sent');
    assert.deepEqual(checks(), [{ recipient: 'ada', primary_line: '210 King St', city: 'San Francisco', state: 'CA', zip_code: '94107' }]);
    const [check] = services.of('/v1/us_verifications');
    assert.equal(check.method, 'POST');
    assert.equal(check.headers.authorization, `Basic ${Buffer.from('test_k:').toString('base64')}`);
    assert.equal(check.headers['idempotency-key'], undefined);
    assert.deepEqual(cards(), ['ada']);
  });

  test('is never printed to where nothing can be delivered, and the reason is kept', async () => {
    await know('eve', { street: '1 Nowhere St' });
    await tell('eve');
    const failed = await is('eve', 'failed');
    assert.match(JSON.stringify(failed), /checked before: HTTP 200: undeliverable/);
    await tell('eve');
    await is('eve', 'held'); // the address is suppressed
    assert.deepEqual([checks().length, cards()], [2, ['ada']]);
    const { items } = await house.client.get('/api/v1/channels');
    assert.equal(items.find((item) => item.way === 'cards').this_month, 1, 'what was not printed does not count');
  });

  test('is not asked about abroad', async () => {
    await know('ola', { street: 'Storgata 1', city: 'Oslo', state: '', postal_code: '0155', country: 'NO' });
    await tell('ola');
    await is('ola', 'sent');
    assert.deepEqual([checks().length, cards()], [2, ['ada', 'ola']]);
  });

  test('is asked about again where no answer came: nothing was printed yet', async () => {
    await know('mute');
    await tell('mute');
    await is('mute', 'sent');
    assert.deepEqual([checks().filter((asked) => asked.recipient === 'mute').length, cards().filter((name) => name === 'mute').length], [2, 1]);
  });

  // The question is answered when `answer` is called.
  const asked = async (userId) => {
    let answer;
    const before = services.answer;
    services.answer = (request) => (request.path === '/v1/us_verifications'
      ? new Promise((resolve) => { answer = () => resolve({ body: { id: 'us_ver_2', object: 'us_verification', deliverability: 'deliverable' } }); })
      : before(request));
    await know(userId);
    await tell(userId);
    await eventually('it is asked about', () => answer);
    services.answer = before;
    return answer;
  };

  test('is not printed to when its person unsubscribes while it is asked about', async () => {
    const answer = await asked('rue');
    const said = await http('POST', `${house.server.origin}/api/v1/profiles/rue/consent`, { headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' },
      body: { topic: 'newsletter', state: 'unsubscribed', source: 'api' } });
    assert.equal(said.status, 200, JSON.stringify(said.body));
    answer();
    await is('rue', 'held');
    assert.equal(cards().includes('rue'), false);
  });

  test('is in no doubt when all ends while it is asked about: nothing was printed yet', async () => {
    await asked('kim');
    await house.server.kill();
    await house.server.start();
    await is('kim', 'sent');
    assert.equal(cards().filter((name) => name === 'kim').length, 1);
  });
});

describe('an address abroad that Lob checks first', { skip: skipWithoutProgram }, () => {
  let house, services, told = 0;
  const know = (userId, address) => house.client.send('/v1/identify', { userId, messageId: `i-${++told}`, traits: { name: userId, address } });
  const tell = (userId) => house.client.send('/v1/track', { userId, event: 'Card', messageId: `t-${++told}` });
  const is = (userId, state) => eventually(`${userId} is ${state}`, async () => (await house.client.messages(userId)).find((message) => message.state === state));
  const asked = (path) => services.of(path).map((request) => JSON.parse(request.body));
  const cards = () => asked('/v1/postcards').map((card) => card.to.name);

  before(async () => {
    services = await Services.listen();
    services.answer = (request) => {
      if (request.path === '/v1/postcards') return { body: { id: `psc_${services.requests.length}`, object: 'postcard' } };
      const { recipient } = JSON.parse(request.body);
      const deliverability = { eve: 'undeliverable', may: 'no_match' }[recipient] ?? 'deliverable';
      return { body: { id: 'intl_ver_1', object: 'intl_verification', recipient, deliverability } };
    };
    const shop = shopFolder({
      'journeys/Card.json': { journey: 'Card', trigger: { event: 'Card' }, reentry: 'always', nodes: [{ id: 'm', message: 'card' }] },
      'templates/card.email': 'channel: post\ntopic: newsletter\nsize: 4x6\n--- front\n<h1>Hi</h1>\n--- back\n<p>You</p>\n' });
    house = await openHouse({ shop, secrets: { lob: 'test_k' }, ways: [{ name: 'cards', provider: 'lob', inside: true, per_month: 9,
      settings: { endpoint: services.origin, key: { secret: 'lob' }, verify: 'all' } }] });
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('is asked about as Lob documents for all the world but the US', async () => {
    await know('ola', { street: '370 Water St', city: 'Summerside', state: 'PE', postal_code: 'C1N 1C4', country: 'CA' });
    await tell('ola');
    await is('ola', 'sent');
    assert.deepEqual(asked('/v1/intl_verifications'),
      [{ recipient: 'ola', primary_line: '370 Water St', city: 'Summerside', state: 'PE', postal_code: 'C1N 1C4', country: 'CA' }]);
    assert.equal(services.of('/v1/us_verifications').length, 0);
    await know('rico', { street: '1 Calle Sol', city: 'San Juan', state: 'PR', postal_code: '00901', country: 'PR' });
    await tell('rico');
    await is('rico', 'sent');
    assert.deepEqual(asked('/v1/us_verifications'),
      [{ recipient: 'rico', primary_line: '1 Calle Sol', city: 'San Juan', state: 'PR', zip_code: '00901' }]);
    assert.deepEqual(cards(), ['ola', 'rico']);
  });

  test('is never printed to where nothing can be delivered; one that Lob does not know is', async () => {
    await know('eve', { street: 'Nergata 1', city: 'Oslo', postal_code: '0150', country: 'NO' });
    await tell('eve');
    assert.match(JSON.stringify(await is('eve', 'failed')), /checked before: HTTP 200: undeliverable/);
    await know('may', { street: 'Nergata 2', city: 'Oslo', postal_code: '0150', country: 'NO' });
    await tell('may');
    await is('may', 'sent');
    assert.deepEqual(cards(), ['ola', 'rico', 'may']);
  });

  test('is asked nobody about where its postal code is none of its country', async () => {
    const before = services.requests.length;
    await know('kim', { street: 'Nergata 3', city: 'Oslo', postal_code: '150', country: 'NO' });
    await tell('kim');
    assert.match(JSON.stringify(await is('kim', 'held')), /Norwegian postal codes have 4 digits: 0150/);
    assert.equal(services.requests.length, before);
  });
});
