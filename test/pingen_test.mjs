// Letters by Pingen: the three requests as Pingen's own clients make them, the PDF read back by
// poppler, what each of them may be refused with, and what Pingen tells later.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dultTry, eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const ORG = 'b85c7b52-debb-4b15-b5db-d86b0a4e9bbf';
const SECRET = 'webhook secret';

const hasPoppler = () => {
  try {
    execFileSync('pdftotext', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

// Pingen as far as a sender sees it. `trouble` may answer a request instead: an answer, 'hang up' or nothing.
class Pingen {
  constructor() {
    Object.assign(this, { tokens: 0, good: '', uploads: new Map(), letters: [], keys: new Map(), asked: [], trouble: () => undefined });
  }

  async listen() {
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', async () => {
        const kept = { method: request.method, path: request.url, headers: request.headers, bytes: Buffer.concat(chunks) };
        kept.name = this.name(kept);
        this.asked.push(kept);
        const answer = (await this.trouble(kept)) ?? this[kept.name](kept);
        if (answer === 'hang up') return request.socket.destroy();
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/vnd.api+json', ...answer.headers });
        return response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
      });
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  name({ method, path }) {
    if (method === 'POST' && path === '/auth/access-tokens') return 'token';
    if (method === 'GET' && path === '/file-upload') return 'upload';
    if (method === 'PUT' && path.startsWith('/bucket/')) return 'put';
    return method === 'POST' && path === `/organisations/${ORG}/deliveries/letters` ? 'letter' : 'unknown';
  }

  token() {
    this.good = `token-${++this.tokens}`;
    return { body: { token_type: 'Bearer', expires_in: 43200, access_token: this.good } };
  }

  refusal({ headers }) {
    return headers.authorization === `Bearer ${this.good}` ? undefined : { status: 401, body: { errors: [{ code: 'access_denied', title: 'Unauthenticated' }] } };
  }

  upload(request) {
    const url = `${this.origin}/bucket/${this.uploads.size}?X-Amz-Signature=a%2Fb&x=1`;
    const url_signature = `$2y$10$${this.uploads.size}`;
    const refused = this.refusal(request);
    if (!refused) this.uploads.set(url, { url_signature });
    return refused ?? { body: { data: { id: 'xx', type: 'file_uploads', attributes: { url, url_signature, expires_at: '2099-01-01T00:00:00+0100' } } } };
  }

  put({ path, headers, bytes }) {
    assert.equal(headers.authorization, undefined, 'the store of files is not told the token');
    Object.assign(this.uploads.get(this.origin + path), { bytes, type: headers['content-type'] });
    return { status: 200 };
  }

  letter(request) {
    const refused = this.refusal(request);
    if (refused) return refused;
    const key = request.headers['idempotency-key'];
    if (this.keys.has(key)) return { status: 201, headers: { 'idempotent-replayed': 'true' }, body: this.keys.get(key) };
    const { attributes, type } = JSON.parse(request.bytes).data;
    const file = this.uploads.get(attributes.file_url);
    if (type !== 'letters' || file?.url_signature !== attributes.file_url_signature || !file.bytes)
      return { status: 422, body: { errors: [{ code: 'invalid', title: 'The given data was invalid', detail: 'file_url' }] } };
    const letter = { id: `cccccccc-1111-2222-3333-${String(this.letters.length).padStart(12, '0')}`, type: 'letters',
      attributes: { status: 'validating', ...attributes, price_currency: 'EUR', price_value: 1.63 } };
    this.letters.push({ ...letter, key, file, headers: request.headers });
    this.keys.set(key, { data: letter });
    return { status: 201, body: { data: letter } };
  }

  unknown() {
    return { status: 404, body: {} };
  }

  of(name) {
    return this.asked.filter((request) => request.name === name);
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

const read = (bytes, ...args) => {
  const folder = mkdtempSync(join(tmpdir(), 'dult-letter-'));
  try {
    writeFileSync(join(folder, 'letter.pdf'), bytes);
    return { text: execFileSync('pdftotext', [...args, join(folder, 'letter.pdf'), '-'], { encoding: 'utf8' }),
      info: execFileSync('pdfinfo', [join(folder, 'letter.pdf')], { encoding: 'utf8' }),
      fonts: execFileSync('pdffonts', [join(folder, 'letter.pdf')], { encoding: 'utf8' }) };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const crc32 = (bytes) => {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};

// A PNG of one colour.
const png = (width, height, rgb) => {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const line = Buffer.from([0, ...Array.from({ length: width }, () => rgb).flat()]);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(Array.from({ length: height }, () => line)))), chunk('IEND', Buffer.alloc(0))]);
};

// A page as it is seen, a dot a millimetre: where is it of that colour?
const look = (bytes, page) => {
  const folder = mkdtempSync(join(tmpdir(), 'dult-letter-'));
  try {
    writeFileSync(join(folder, 'letter.pdf'), bytes);
    const ppm = execFileSync('pdftoppm', ['-r', '25.4', '-f', String(page), '-l', String(page), join(folder, 'letter.pdf')], { maxBuffer: 1 << 24 });
    const [head, width] = /^P6\s(\d+)\s\d+\s255\s/.exec(ppm.subarray(0, 40).toString('latin1'));
    const images = execFileSync('pdfimages', ['-list', join(folder, 'letter.pdf')], { encoding: 'utf8' }).trim().split('\n').length - 2;
    return { images, where: (rgb) => {
      const dots = [];
      for (let at = head.length, i = 0; at < ppm.length; at += 3, i++)
        if (rgb.every((part, k) => Math.abs(ppm[at + k] - part) <= 12)) dots.push([i % width, Math.floor(i / width)]);
      const side = (k) => [Math.min(...dots.map((dot) => dot[k])), Math.max(...dots.map((dot) => dot[k]))];
      return { count: dots.length, x: side(0), y: side(1) };
    } };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe('letters by Pingen', { skip: skipWithoutProgram || (!hasPoppler() && 'poppler-utils is not here') }, () => {
  let house, pingen, shop, told = 0, houses = 0;
  const know = (userId, more = {}) => house.client.send('/v1/identify', { userId, messageId: `i-${++told}`,
    traits: { name: `${userId} Ærlig-Øverås`, address: { street: `Storgata ${++houses}`, city: 'Bergen', postal_code: '5003', country: 'NO', ...more } } });
  const tell = (userId, event = 'Letter') => house.client.send('/v1/track', { userId, event, messageId: `t-${++told}` });
  const messages = (userId) => house.client.messages(userId);
  const is = (userId, state, count = 1) => eventually(`${userId} is ${state}`, async () => {
    const found = (await messages(userId)).filter((message) => message.state === state);
    return found.length >= count && found[0];
  });
  const api = (method, path, body) => http(method, house.server.origin + path, { headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'application/json' }, body });
  const events = async (userId, name) => (await house.client.timeline(userId)).filter((item) => item.name === name)
    .map(({ properties }) => (typeof properties === 'string' ? JSON.parse(properties) : properties));
  const lettersTo = (name) => pingen.letters.filter(({ file }) => read(file.bytes).text.includes(name));
  const hook = (type, letter, { secret = SECRET, attributes = {} } = {}) => {
    const body = JSON.stringify({ data: { id: `event-${++told}`, type, attributes: { url: 'https://x.example', created_at: '2026-11-19T09:42:48+0100', ...attributes },
      relationships: { letter: { data: { id: letter.id, type: 'letters' } } } },
    included: [{ type: 'organisations', id: ORG, attributes: { name: 'Tents' } }, { type: 'letters', id: letter.id, attributes: letter.attributes }] });
    return http('POST', `${house.server.origin}/api/v1/receipts/pingen`, { headers: { 'content-type': 'application/vnd.api+json',
      signature: createHmac('sha256', secret).update(body).digest('hex') }, body });
  };

  before(async () => {
    pingen = new Pingen();
    await pingen.listen();
    shop = shopFolder({
      'journeys/Letter.json': { journey: 'Letter', trigger: { event: 'Letter' }, reentry: 'always', nodes: [{ id: 'm', message: 'letter' }] },
      'journeys/Plain.json': { journey: 'Plain', trigger: { event: 'Plain' }, reentry: 'always', nodes: [{ id: 'm', message: 'plain' }] },
      'templates/plain.email': 'channel: post\ntopic: newsletter\n--- front\n<img src="a.png" alt="Telt">\n--- back\n',
      'journeys/Order.json': { journey: 'Order', trigger: { event: 'Order' }, reentry: 'always', nodes: [{ id: 'm', message: 'order' }] },
      'files/logo.png': png(60, 20, [200, 30, 60]),
      'files/terms.pdf': '%PDF-1.4 no image',
      'templates/order.email': `channel: post
topic: newsletter
--- front
<style>.head th { background: #0F6E7C; color: #ffffff }</style>
<p><a href="https://tents.example/"><img src="{{ files.logo.image }}" width="160" alt="Tents"></a></p>
<table style="width: 100%; border-collapse: collapse">
<tr class="head"><th>Article</th><th align="right">kr</th></tr>
{% for i in (1..40) %}<tr><td style="padding: 4px; border-bottom: 1px solid #cccccc">Tent-{{ i }}<br>for-{{ i }}</td><td align="right">sum-{{ i }}</td></tr>
{% endfor %}</table>
<div style="background: #FFF4D6; padding: 20px"><b>Free returns</b></div>
--- back
<p style="text-align: center"><img src="data:image/png;base64,${png(4, 4, [20, 90, 120]).toString('base64')}" style="width: 50%"></p>
`,
      'templates/letter.email': `channel: post
topic: newsletter
--- front
<h1>Kjære {{ person.name }}</h1>
<p>Vi har <b>nye telt</b> &amp; soveposer:<br>kom innom!</p>
<ul><li>Rondane</li><li>Jotunheimen</li></ul>
<p><a href="https://tents.example/vår">Se dem</a></p>
--- back
<p>Smakelijk, smörgåsbord, façade.</p>
<table><tr><th>Telt</th><td>kr 1999</td></tr></table>
` });
    house = await openHouse({ shop, secrets: { pingen: 'client secret', hook: SECRET }, ways: [{ name: 'letters', provider: 'pingen', inside: true,
      per_month: 40, per_second: 100, price: { currency: 'EUR', default: 1.5 },
      settings: { organisation: ORG, client_id: 'c-1', client_secret: { secret: 'pingen' }, webhook_secret: { secret: 'hook' },
        endpoint: pingen.origin } }] });
  });
  after(async () => {
    await house?.close();
    await pingen?.close();
  });

  test('are shown before anything is sent: both sides, the PDF, its pages and the price', async () => {
    await know('ada');
    const { body } = await api('POST', '/api/v1/templates/letter/preview', { person: 'ada' });
    const shown = typeof body === 'string' ? JSON.parse(body) : body;
    assert.deepEqual([shown.channel, shown.price, shown.currency, shown.letter.pages, shown.letter.way], ['post', 1.5, 'EUR', 2, 'letters']);
    const { text } = read(Buffer.from(shown.letter.pdf, 'base64'));
    assert.match(text, /Kjære ada Ærlig-Øverås/);
    const plain = await api('POST', '/api/v1/templates/plain/preview', { person: 'ada' });
    assert.equal((typeof plain.body === 'string' ? JSON.parse(plain.body) : plain.body).letter.not_shown, 'images');
    assert.match((await dultTry('check', shop)).err, /plain\.email:4: note: Printed as a letter .* without images\./);
    assert.equal(pingen.asked.length, 0);
  });

  test('are sent by the requests that Pingen documents', async () => {
    await tell('ada');
    const message = await is('ada', 'sent');
    assert.deepEqual(pingen.asked.map(({ name }) => name), ['token', 'upload', 'put', 'letter']);
    const [token, upload, put] = pingen.asked;
    assert.deepEqual(Object.fromEntries(new URLSearchParams(token.bytes.toString())),
      { grant_type: 'client_credentials', client_id: 'c-1', client_secret: 'client secret' });
    assert.equal(upload.headers.authorization, 'Bearer token-1');
    assert.equal(put.headers['content-type'], 'application/pdf');
    const [letter] = pingen.letters;
    assert.equal(letter.headers['content-type'], 'application/vnd.api+json');
    assert.match(letter.key, /^dult-\d+-[\w-]+$/);
    assert.ok(letter.key.length <= 64);
    const { file_original_name, file_url, file_url_signature, ...rest } = letter.attributes;
    assert.deepEqual(rest, { status: 'validating', address_position: 'left', auto_send: true, delivery_product: 'cheap', print_mode: 'simplex',
      print_spectrum: 'grayscale', price_currency: 'EUR', price_value: 1.63 });
    assert.match(file_original_name, /^[\w-]+\.pdf$/);
    assert.ok(pingen.uploads.get(file_url).url_signature === file_url_signature);
    assert.ok(message);
    const [sent] = await events('ada', 'Message Sent');
    assert.deepEqual([sent.price, sent.currency, sent.service_id], [1.63, 'EUR', letter.id]);
  });

  test('are A4 with embedded fonts, the words of all languages, and the address alone in its window', () => {
    const { text, info, fonts } = read(pingen.letters[0].file.bytes);
    assert.match(info, /Page size:\s+595\.\d+ x 841\.\d+ pts \(A4\)/);
    assert.match(info, /Pages:\s+2/);
    for (const line of fonts.trim().split('\n').slice(2)) assert.match(line, /\byes yes yes\b/, line);
    for (const words of ['Kjære ada Ærlig-Øverås', 'nye telt & soveposer:\nkom innom!', 'Rondane', 'Se dem (tents.example/vår)', 'Smakelijk, smörgåsbord, façade.'])
      assert.ok(text.includes(words), `${words} in ${text}`);
    assert.match(text, /Telt\s+kr 1999/);
    for (const words of ['kr 1999', 'Se dem', 'Rondane']) assert.equal(text.split(words).length, 2, `${words} is there once`);
    const boxes = [...read(pingen.letters[0].file.bytes, '-f', '1', '-l', '1', '-bbox').text
      .matchAll(/<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]*)</g)]
      .map(([, x, y, right, bottom, word]) => ({ word, box: [x, y, right, bottom].map((points) => Number(points) * 25.4 / 72) }));
    const within = boxes.filter(({ box: [x, y, right, bottom] }) => x >= 22 && y >= 60 && right <= 107.5 && bottom <= 85.5).map(({ word }) => word);
    assert.deepEqual(within, ['ada', 'Ærlig-Øverås', 'Storgata', '1', '5003', 'Bergen', 'NORWAY']);
    for (const { word, box: [x, y, right, bottom] } of boxes) {
      if (within.length > 0 && y < 85.5) assert.ok(within.includes(word) && y >= 60, `${word} is above the text`);
      assert.ok(x >= 5 && right <= 205 && y >= 5 && bottom <= 292, `${word} is at the border`);
    }
  });

  test('that came back are an event, and nothing more is posted there', async () => {
    const [letter] = pingen.letters;
    assert.equal((await hook('webhook_undeliverable', letter, { secret: 'another' })).status, 403);
    assert.equal((await hook('webhook_sent', letter)).status, 200);
    assert.deepEqual(await events('ada', 'Message Bounced'), []);
    assert.equal((await hook('webhook_undeliverable', letter, { attributes: { reason: 'Recipient could not be determined.' } })).status, 200);
    const bounced = await eventually('it came back', async () => (await events('ada', 'Message Bounced'))[0]);
    assert.equal(bounced.class, 'hard');
    assert.match(JSON.stringify(bounced), /Recipient could not be determined/);
    await tell('ada');
    await is('ada', 'held');
    assert.equal(pingen.letters.length, 1);
  });

  test('that arrived are Message Delivered', async () => {
    await know('bob');
    await tell('bob');
    await is('bob', 'sent');
    assert.equal((await hook('webhook_delivered', pingen.letters.at(-1))).status, 200);
    await eventually('it arrived', async () => (await events('bob', 'Message Delivered')).length === 1);
  });

  test('have the pictures, colours and tables of their HTML, on the preview as on the paper', async () => {
    await know('eva');
    const { body } = await api('POST', '/api/v1/templates/order/preview', { person: 'eva' });
    const { letter } = typeof body === 'string' ? JSON.parse(body) : body;
    assert.deepEqual([letter.fault, letter.not_shown], [undefined, undefined]);
    await tell('eva', 'Order');
    await is('eva', 'sent');
    for (const bytes of [Buffer.from(letter.pdf, 'base64'), pingen.letters.at(-1).file.bytes]) {
      const { text, info } = read(bytes);
      assert.match(info, /Pages:\s+4/);
      assert.doesNotMatch(text, /tents\.example/, 'a picture does not say where it leads');
      const front = look(bytes, 1);
      assert.equal(front.images, 2);
      const logo = front.where([200, 30, 60]);
      assert.ok(logo.x[0] >= 19 && logo.x[0] <= 21 && Math.abs(logo.x[1] - logo.x[0] - 42) <= 2, `160 pixels are 42 mm: ${logo.x}`);
      assert.ok(logo.y[0] >= 95 && Math.abs(logo.y[1] - logo.y[0] - 14) <= 2, `below the address: ${logo.y}`);
      const head = front.where([0x0f, 0x6e, 0x7c]);
      assert.ok(head.x[0] <= 21 && head.x[1] >= 188 && head.count > 300, `the row is as wide as the text: ${head.x}`);
      assert.equal(front.where([0xff, 0xf4, 0xd6]).count, 0);
      const [box, back] = [look(bytes, 3).where([0xff, 0xf4, 0xd6]), look(bytes, 4).where([20, 90, 120])];
      assert.ok(box.count > 1000 && box.y[0] > 19, `the box is on the third page: ${box.count}`);
      assert.ok(Math.abs(back.x[1] - back.x[0] - 85) <= 2 && Math.abs(back.x[0] + back.x[1] - 210) <= 3, `half as wide, in the middle: ${back.x}`);
      const pages = text.split('\f');
      for (let i = 1; i <= 40; i++) {
        const on = ['Tent', 'for', 'sum'].map((word) => pages.findIndex((page) => new RegExp(`\\b${word}-${i}\\b`).test(page)));
        assert.ok(on[0] >= 0 && on.every((page) => page === on[0]), `row ${i} is whole: ${on}`);
      }
    }
  });

  test('whose image is not there are told of before', async () => {
    const post = (front) => `channel: post\ntopic: newsletter\n--- front\n<p>Hei</p>${front}\n--- back\n`;
    const check = async (front) => (await dultTry('check', shopFolder({ 'templates/x.email': post(front) }))).err;
    assert.match(await check('<img src="data:image/png;base64,AAAA">'), /x\.email:\d+: error: an image of the letter is no PNG/);
    assert.match(await check('<img src="{{ files.logo.image }}">'), /note: Images of files\/ show on letters alone/);
    assert.match(await check('<img src="https://tents.example/logo.png">'), /note: Printed as a letter .* without images/);
    const preview = async (front) => {
      const { body } = await api('POST', '/api/v1/templates/order/preview', { person: 'eva', text: post(front) });
      return typeof body === 'string' ? JSON.parse(body) : body;
    };
    const gone = await preview(`<img src="file:${'0'.repeat(64)}">`);
    assert.match(gone.letter.fault, /is not here any more/);
    assert.match(gone.letter.remedy, /Put it into files\//);
    assert.match((await preview('<img src="file:../../etc/passwd">')).letter.fault, /named by hand/);
    const none = await preview('<img src="{{ files.terms.image }}">');
    assert.match(JSON.stringify(none), /files\.terms\.image/, 'a PDF is no image');
  });

  // Once, at the request of that name; what it answers there.
  const once = (name, answer) => {
    let left = 1;
    pingen.trouble = (request) => (request.name === name && left-- > 0 ? answer : undefined);
  };

  for (const [name, answer, expected] of [
    ['upload', 'hang up', { upload: 2, put: 1, letter: 1 }],
    ['put', 'hang up', { upload: 1, put: 2, letter: 1 }],
    ['letter', 'hang up', { upload: 1, put: 1, letter: 2 }],
    ['upload', { status: 401, body: {} }, { token: 1, upload: 2, put: 1, letter: 1 }],
    ['letter', { status: 401, body: {} }, { token: 1, upload: 1, put: 1, letter: 2 }],
    ['upload', { status: 429, body: {}, headers: { 'retry-after': '1' } }, { upload: 2, put: 1, letter: 1 }],
    ['letter', { status: 429, body: {}, headers: { 'retry-after': '1' } }, { upload: 2, put: 2, letter: 2 }],
  ]) {
    test(`are one letter where ${name} is answered ${answer.status ?? answer}`, async () => {
      const userId = `p${++told}`;
      await know(userId);
      const from = pingen.asked.length;
      once(name, answer);
      await tell(userId);
      await is(userId, 'sent');
      const count = (what) => pingen.asked.slice(from).filter((request) => request.name === what).length;
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map((what) => [what, count(what)])), expected);
      assert.equal(lettersTo(`${userId} `).length, 1);
      const keys = new Set(pingen.asked.slice(from).filter((request) => request.name === 'letter').map((request) => request.headers['idempotency-key']));
      assert.equal(keys.size, 1, 'the same key each time');
    });
  }

  test('that Pingen made though its answer was lost are asked for again as they were, and are one', async () => {
    let left = 1;
    pingen.trouble = (request) => {
      if (request.name !== 'letter' || left-- <= 0) return undefined;
      pingen.letter(request);
      return 'hang up';
    };
    await know('lost');
    await tell('lost');
    await is('lost', 'sent');
    assert.equal(lettersTo('lost ').length, 1);
    const [one, two] = pingen.of('letter').slice(-2);
    assert.deepEqual([one.bytes.toString(), one.headers['idempotency-key']], [two.bytes.toString(), two.headers['idempotency-key']]);
  });

  for (const [name, answer, reason] of [
    ['put', { status: 413, body: '<Error><Code>EntityTooLarge</Code></Error>' }, /file before: HTTP 413/],
    ['letter', { status: 422, body: { errors: [{ code: 'invalid', title: 'The given data was invalid', detail: 'address_position' }] } }, /HTTP 422 invalid: address_position/],
  ]) {
    test(`are failed with the reason where ${name} is refused for good`, async () => {
      const userId = `f${++told}`;
      await know(userId);
      once(name, answer);
      await tell(userId);
      const failed = await is(userId, 'failed');
      assert.match(JSON.stringify(failed), reason);
      assert.equal(lettersTo(`${userId} `).length, 0);
    });
  }

  for (const [name, answer, reason] of [
    ['upload', { status: 200, body: '<html>busy</html>' }, /upload before: its answer has no data\.attributes\.url$/],
    ['upload', { status: 200, body: { data: { attributes: { url: 'http://127.0.0.1:9/x' } } } }, /upload before: its answer has no data\.attributes\.url_signature/],
    ['put', { status: 400, body: '<Error><Code>RequestTimeout</Code></Error>' }, /HTTP 400/],
  ]) {
    test(`are put off where ${name} is answered ${answer.status} and not as it should`, async () => {
      const userId = `d${++told}`;
      await know(userId);
      once(name, answer);
      await tell(userId);
      await eventually('it waits for its next try', async () => {
        const [message] = await messages(userId);
        return message.state === 'waiting' && message.attempts === 1 && reason.test(message.reason);
      });
      assert.equal(lettersTo(`${userId} `).length, 0);
    });
  }

  test('whose address does not fit the window are failed, and nothing is asked', async () => {
    const from = pingen.asked.length;
    await know('long', { street: 'A street whose name is so long that no window of any envelope could ever show the whole of it to a postman' });
    await tell('long');
    assert.match(JSON.stringify(await is('long', 'failed')), /does not fit into the envelope's window/);
    assert.deepEqual(pingen.asked.slice(from).map(({ name }) => name), []);
  });

  test('of a month are counted: what was not printed is not', async () => {
    const { items } = await house.client.get('/api/v1/channels');
    const way = items.find((item) => item.way === 'letters');
    assert.deepEqual([way.service, way.price, way.monthly_max, way.this_month], ['pingen', 1.5, 40, pingen.letters.length]);
  });

  // The request is held until all has ended.
  const killedAt = async (name, userId) => {
    let held;
    if (name === 'token') { // it is kept in memory alone
      await house.server.stop();
      await house.server.start();
    }
    pingen.trouble = (request) => (request.name === name ? new Promise((resolve) => { held = () => resolve('hang up'); }) : undefined);
    await know(userId);
    await tell(userId);
    await eventually(`${name} is asked`, () => held);
    await house.server.kill();
    pingen.trouble = () => undefined;
    held();
    await house.server.start();
  };

  for (const name of ['token', 'upload', 'put']) {
    test(`are in no doubt when all ends at ${name}, and are one letter`, async () => {
      const userId = `k-${name}`;
      await killedAt(name, userId);
      await is(userId, 'sent');
      assert.equal(lettersTo(`${userId} `).length, 1);
    });
  }

  test('are in doubt, and not asked for again, when all ends while the letter itself is asked for', async () => {
    await killedAt('letter', 'k-letter');
    await is('k-letter', 'unknown');
    assert.equal(lettersTo('k-letter ').length, 0);
  });
});

describe('letters by two accounts', { skip: skipWithoutProgram || (!hasPoppler() && 'poppler-utils is not here') }, () => {
  test('go on by the second, printed for its window, where the first lets nobody in', async () => {
    const pingen = new Pingen();
    await pingen.listen();
    pingen.trouble = ({ name, bytes }) => (name === 'token' && bytes.toString().includes('c-1') ? { status: 401, body: {} } : undefined);
    const way = (name, client_id, window) => ({ name, provider: 'pingen', inside: true, settings: { organisation: ORG, client_id, window,
      client_secret: { secret: 'pingen' }, endpoint: pingen.origin } });
    const shop = shopFolder({
      'journeys/Letter.json': { journey: 'Letter', trigger: { event: 'Letter' }, reentry: 'always', nodes: [{ id: 'm', message: 'letter' }] },
      'templates/letter.email': 'channel: post\ntopic: newsletter\n--- front\n<p>Hei\n--- back\n' });
    const house = await openHouse({ shop, secrets: { pingen: 'x' }, ways: [way('first', 'c-1', 'left'), way('second', 'c-2', 'right')] });
    try {
      await house.client.send('/v1/identify', { userId: 'ada', messageId: 'i',
        traits: { name: 'Ada', address: { street: 'Storgata 1', city: 'Bergen', postal_code: '5003', country: 'NO' } } });
      await house.client.send('/v1/track', { userId: 'ada', event: 'Letter', messageId: 't' });
      await eventually('sent', async () => (await house.client.messages('ada'))[0]?.state === 'sent');
      assert.equal(pingen.letters.length, 1);
      assert.equal(pingen.letters[0].attributes.address_position, 'right');
      const [, x] = /<word xMin="([\d.]+)"[^>]*>Storgata</.exec(read(pingen.letters[0].file.bytes, '-bbox').text);
      assert.ok(Number(x) * 25.4 / 72 > 110, `${x} points`);
      const ways = (await house.client.get('/api/v1/stats')).ways;
      assert.deepEqual([ways.find(({ name }) => name === 'first').passedOn, ways.find(({ name }) => name === 'second').sent], [1, 1]);
    } finally {
      await house.close();
      await pingen.close();
    }
  });
});
