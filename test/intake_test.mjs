// What strangers send: right, wrong, twice, squeezed and too large.

import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { basic, countEvents, http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';

describe('the event API', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => { house = await openHouse(); });
  after(() => house?.close());

  const stands = (person, event, times) => eventually(`"${event}" ${times} times for ${person}`,
    async () => countEvents(await house.client.timeline(person), event) === times);

  for (const route of ['/v1/track', '/v1/t']) {
    test(`an event is taken at ${route}`, async () => {
      await house.client.send(route, { userId: 'routes', event: `At ${route}`, messageId: `at${route}` });
      await stands('routes', `At ${route}`, 1);
    });
  }

  test('a batch squeezed with gzip is read, whatever type it claims', async () => {
    const batch = { batch: [{ type: 'track', userId: 'zip', event: 'Squeezed', messageId: 'z1' }] };
    const answer = await house.client.post('/v1/batch', gzipSync(JSON.stringify(batch)),
      { 'content-encoding': 'gzip', 'content-type': 'application/x-www-form-urlencoded' });
    assert.equal(answer.status, 200, answer.text);
    await stands('zip', 'Squeezed', 1);
  });

  test('the write key may stand in the body, as browsers send it', async () => {
    const answer = await http('POST', `${house.server.origin}/v1/t`, {
      headers: { 'content-type': 'text/plain' },
      body: { writeKey: house.client.writeKey, userId: 'browser', event: 'Seen', messageId: 'b1' },
    });
    assert.equal(answer.status, 200, answer.text);
    await stands('browser', 'Seen', 1);
  });

  test('a browser may ask from any page', async () => {
    const answer = await http('OPTIONS', `${house.server.origin}/v1/t`, {
      headers: { origin: 'https://tents.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], 'https://tents.example');
    assert.match(answer.headers['access-control-allow-headers'], /authorization/i);
  });

  test('analytics.js finds its settings', async () => {
    const answer = await http('GET', `${house.server.origin}/v1/projects/${house.client.writeKey}/settings`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.integrations['Segment.io'].apiKey, house.client.writeKey);
  });

  const BROKEN = ['{"event":', '', '[]', '{"batch":7}', '{"userId":"a","event":"x"}trailing', '\u0000'];
  for (const body of BROKEN) {
    test(`a body that cannot be read is refused whole: ${JSON.stringify(body)}`, async () => {
      const path = body.includes('batch') ? '/v1/batch' : '/v1/track';
      const answer = await house.client.post(path, body);
      assert.equal(answer.status, 400, answer.text);
    });
  }

  test('a broken gzip body is refused whole', async () => {
    const answer = await house.client.post('/v1/batch', Buffer.from('no gzip at all'), { 'content-encoding': 'gzip' });
    assert.equal(answer.status, 400, answer.text);
  });

  test('a body that is too large is refused whole, also when it is small until it is inflated', async () => {
    const large = JSON.stringify({ batch: [{ type: 'track', userId: 'large', event: 'E', properties: { x: 'y'.repeat(30 << 20) } }] });
    const answer = await house.client.post('/v1/batch', large).catch((error) => error);
    assert.ok(answer.status === 413 || /EPIPE|ECONNRESET/.test(answer.code), `${answer.status} ${answer.message}`);
    const bomb = await house.client.post('/v1/batch', gzipSync(large), { 'content-encoding': 'gzip' });
    assert.equal(bomb.status, 413, bomb.text);
    assert.equal(await house.client.profile('large'), undefined);
  });

  test('a body nested without end is refused, and the server goes on', async () => {
    const deep = `{"userId":"deep","event":"E","properties":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`;
    const answer = await house.client.post('/v1/track', deep);
    assert.ok(answer.status === 400 || answer.status === 413, String(answer.status));
    assert.equal((await http('GET', `${house.server.origin}/healthz`)).status, 200);
  });

  test('one bad event in a good batch is listed with field, reason and remedy, and the good are taken', async () => {
    const answer = await house.client.post('/v1/batch', { batch: [
      { type: 'track', userId: 'mixed', event: 'Good One', messageId: 'g1' },
      { type: 'track', event: 'Of Nobody', messageId: 'bad1' },
      { type: 'track', userId: 'mixed', event: 'Good Two', messageId: 'g2' },
    ] });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /bad1|"?1"?/);
    await stands('mixed', 'Good One', 1);
    await stands('mixed', 'Good Two', 1);
    const listed = await eventually('bad1 in the rejected list',
      async () => (await house.client.rejected()).find(({ messageId }) => messageId === 'bad1'));
    for (const key of ['field', 'reason', 'remedy']) assert.ok(listed[key], `${key} in ${JSON.stringify(listed)}`);
  });

  test('an unknown key, or none, is refused', async () => {
    const body = { userId: 'thief', event: 'E' };
    for (const authorization of [basic('nosuchkey'), `Bearer ${house.client.apiKey}`, undefined]) {
      const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) };
      const answer = await http('POST', `${house.server.origin}/v1/track`, { headers, body });
      assert.equal(answer.status, 401, `${authorization}: ${answer.text}`);
    }
    assert.equal(await house.client.profile('thief'), undefined);
  });

  test('a write key opens no door of the admin API', async () => {
    for (const authorization of [basic(house.client.writeKey), `Bearer ${house.client.writeKey}`, undefined]) {
      const answer = await http('GET', `${house.server.origin}/api/v1/profiles/mixed`, { headers: authorization ? { authorization } : {} });
      assert.ok(answer.status === 401 || answer.status === 403, String(answer.status));
    }
  });

  test('a request with two lengths is refused', async () => {
    const answer = await http('POST', `${house.server.origin}/v1/track`, {
      headers: { authorization: basic(house.client.writeKey), 'transfer-encoding': 'chunked', 'content-length': '5' },
      body: '{"a":1}',
    }).catch((error) => error);
    assert.ok(answer.status === 400 || answer.code !== undefined, String(answer.status));
  });

  test('a message told again is taken once: in a batch, in another request, after a crash and after a restart', async () => {
    const event = { type: 'track', userId: 'echo', event: 'Told', messageId: 'same' };
    await house.client.send('/v1/batch', { batch: [event, event] });
    await house.client.send('/v1/track', event);
    await stands('echo', 'Told', 1);
    await house.server.kill();
    await house.server.start();
    await house.client.send('/v1/track', event);
    await house.server.restart();
    await house.client.send('/v1/track', event);
    await house.client.send('/v1/track', { ...event, messageId: 'other', event: 'Told Later' });
    await stands('echo', 'Told Later', 1);
    assert.equal(countEvents(await house.client.timeline('echo'), 'Told'), 1);
  });

  test('a client\'s wrong clock is corrected by when it says it sent', async () => {
    const wrong = Date.now() - 3 * 3_600_000;
    await house.client.send('/v1/batch', {
      sentAt: new Date(wrong).toISOString(),
      batch: [{ type: 'track', userId: 'skewed', event: 'Skewed', messageId: 'k1', timestamp: new Date(wrong - 5000).toISOString() }],
    });
    await stands('skewed', 'Skewed', 1);
    const item = (await house.client.timeline('skewed')).find(({ event, name }) => [event, name].includes('Skewed'));
    const ago = Date.now() - Date.parse(item.at);
    assert.ok(ago >= 5000 && ago < 60_000, `${ago} ms ago`);
  });

  test('what can be asked is described, and what is described answers', async () => {
    const { body: openapi } = await http('GET', `${house.server.origin}/api/v1/openapi.json`);
    assert.match(openapi.openapi, /^3\.1/);
    const headers = { authorization: `Bearer ${house.client.apiKey}` };
    const plain = Object.entries(openapi.paths).filter(([path, verbs]) => verbs.get && !path.includes('{'));
    assert.ok(plain.length > 3, 'several paths to ask');
    for (const [path] of plain) {
      const answer = await http('GET', house.server.origin + path, { headers });
      assert.ok(answer.status < 500 && answer.status !== 404, `${path}: ${answer.status}`);
    }
  });

  test('metrics are told as Prometheus reads them', async () => {
    const answer = await http('GET', `${house.server.origin}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/plain/);
    for (const line of answer.text.trim().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{[^}]*\})? [-+\d.eInfNa]+)$/);
    }
  });
});
