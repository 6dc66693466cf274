// Files that mails hand out, over the running program: real mails, the page and its button, the bytes
// whole and in ranges, what scanners do, links that end, and kills within an upload.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, eventually, folder, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { DOWNLOAD, FILE, opened, sealed } from './lib/sealed.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0' };
const GUIDE = randomBytes(300_000);
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

const SHOP = {
  'files/guide.pdf': GUIDE,
  'files/guide.json': { filename: 'Telt – en "guide".pdf', days: 20 },
  'files/once.txt': 'only once\n',
  'files/once.json': { downloads: 1 },
  'segments/readers.segment': 'did "File Downloaded" where file = "guide"',
  'templates/gift.email': template({ subject: 'gift', html: '<html><body><p><a href="{{ files.guide.link }}">{{ files.guide.filename }}</a> '
    + '<a href="{{ files.guide.pinned_link }}">pinned</a> <a href="{{ files.once.link }}">once</a></p></body></html>' }),
  'journeys/gift.json': { journey: 'gift', trigger: { event: 'gift' }, reentry: 'always', nodes: [{ id: 'm', email: 'gift' }] },
};

const linksIn = (html) => [...html.matchAll(/href="(https:\/\/go\.tents\.example\/g\/[^"]*)"/g)].map((m) => m[1].replaceAll('&amp;', '&'));

describe('files in mail', { skip: skipWithoutProgram }, () => {
  let house;
  const open = (url, headers = {}, method = 'GET') => http(method, house.local(url), { headers: { ...BROWSER, ...headers } });
  const press = (url, headers = {}) => http('POST', house.local(url),
    { headers: { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: 'action=download' });
  // As a browser: the button, then where it leads.
  const behind = (url, answer) => new URL(answer.headers.location, house.local(url)).href;
  const api = (method, path, body, headers = {}) => http(method, `${house.server.origin}${path}`,
    { headers: { authorization: `Bearer ${house.client.apiKey}`, ...headers }, ...(body === undefined ? {} : { body }) });
  const gift = async (id, count = 1, traits = {}) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example`, ...traits } });
    await house.client.send('/v1/track', { userId: id, event: 'gift' });
    return linksIn((await house.recorder.wait(`${id}@x.example`, count)).at(-1).html);
  };
  const events = async (id, name) => (await house.client.all(`/api/v1/profiles/${id}/timeline?limit=200`))
    .filter((one) => one.name === name || one.event === name).map((one) => one.properties ?? one.body?.properties ?? one);
  const downloads = (id) => events(id, 'File Downloaded');

  before(async () => { house = await openHouse({ shop: shopFolder(SHOP) }); });
  after(() => house?.close());

  test('the link opens a page, its button hands out the file whole, with a name and a type, and is one event', async () => {
    const [link] = await gift('ada', 1, { language: 'nb' });
    const page = await open(link);
    assert.equal(page.status, 200);
    assert.match(page.text, /<html lang="nb">.*<h1>Filen din er klar<\/h1>/s);
    assert.match(page.text, /Telt – en &quot;guide&quot;\.pdf/);
    assert.match(page.text, /300 KB/);
    assert.doesNotMatch(page.text, /<script|https?:\/\//);
    assert.deepEqual(await downloads('ada'), [], 'looking is no download');
    const pressed = await press(link);
    assert.equal(pressed.status, 303);
    const file = await open(behind(link, pressed));
    assert.equal(file.status, 200);
    assert.equal(sha(file.bytes), sha(GUIDE));
    assert.equal(file.headers['content-type'], 'application/pdf');
    assert.equal(file.headers['content-disposition'], `attachment; filename="Telt _ en _guide_.pdf"; filename*=UTF-8''Telt%20%E2%80%93%20en%20%22guide%22.pdf`);
    assert.equal(file.headers['x-content-type-options'], 'nosniff');
    assert.match(file.headers['content-security-policy'], /default-src 'none'; sandbox/);
    assert.match(file.headers['cache-control'], /private/);
    const [event, ...more] = await downloads('ada');
    assert.deepEqual(more, []);
    assert.deepEqual([event.file, event.filename, event.template, event.journey, event.machine], ['guide', 'Telt – en "guide".pdf', 'gift', 'gift', undefined]);
    assert.equal(event.version, (await house.client.get('/api/v1/files')).items.find((one) => one.name === 'guide').version);
    assert.equal((await house.client.get('/api/v1/segments/count?segment=readers')).count, 1);
  });

  test('every link fetched by programs downloads nothing and uses nothing up', async () => {
    const links = await gift('scan');
    for (const link of links) {
      for (const headers of [{ 'user-agent': 'Barracuda Sentinel' }, { 'sec-purpose': 'prefetch' }, {}])
        assert.equal((await open(link, headers)).status, 200);
      assert.equal((await open(link, {}, 'HEAD')).status, 200);
    }
    assert.deepEqual(await downloads('scan'), []);
    const clicks = await eventually('clicks', async () => {
      const found = await events('scan', 'Message Clicked');
      return found.length === 12 ? found : undefined;
    });
    assert.equal(clicks.filter((one) => !one.machine).length, 3);
    assert.equal((await press(links[2])).status, 303, 'it is still to be had');
    const [, robot] = [await press(links[0], { 'user-agent': 'curl/8.5.0' }), ...await downloads('scan')];
    assert.deepEqual([robot.file, robot.machine, robot.sign], ['guide', true, 'agent'], 'a program that presses is told apart');
  });

  test('a download that broke off goes on where it was; HEAD and ranges count nothing more', async () => {
    const [link] = await gift('range');
    const url = behind(link, await press(link));
    const head = await open(url, {}, 'HEAD');
    assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '300000', 0]);
    const { etag } = head.headers;
    const part = async (range, more = {}) => open(url, { range, ...more });
    const first = await part('bytes=0-99999');
    assert.deepEqual([first.status, first.headers['content-range']], [206, 'bytes 0-99999/300000']);
    const rest = await part('bytes=100000-', { 'if-range': etag });
    assert.equal(rest.status, 206);
    assert.equal(sha(Buffer.concat([first.bytes, rest.bytes])), sha(GUIDE));
    assert.equal((await part('bytes=-5')).bytes.equals(GUIDE.subarray(-5)), true);
    assert.deepEqual([(await part('bytes=300000-')).status, (await part('bytes=300000-')).headers['content-range']], [416, 'bytes */300000']);
    assert.equal((await part('bytes=5-', { 'if-range': '"other"' })).status, 200);
    assert.equal((await part('bytes=0-1,5-6')).status, 200);
    assert.equal((await downloads('range')).length, 1);
  });

  test('a link may hand its file out so often and not again, however many press at once', async () => {
    const [, , once] = await gift('max');
    const all = await Promise.all([1, 2, 3, 4].map(() => press(once)));
    assert.ok(all.every((one) => one.status === 303 || one.status === 410), all.map((one) => one.status).join());
    assert.equal((await downloads('max')).length, 1);
    const again = await press(once);
    assert.equal(again.status, 410);
    assert.match(again.text, /used up/);
    assert.equal((await open(once)).status, 410);
    const [, , next] = await gift('max', 2);
    assert.equal((await press(next)).status, 303, 'another mail is another link');
  });

  test('a link ends at its second, the page\'s and that of the bytes', async () => {
    const link = new URL((await gift('late', 1, { language: 'fr' }))[0]);
    const { profile, message } = opened(link.pathname.split('/').at(-1));
    const { version } = (await house.client.get('/api/v1/files')).items.find((one) => one.name === 'guide');
    const at = (letter, purpose, pinned, seconds) => {
      const query = `f=guide&v=${pinned}&e=${Math.floor(Date.now() / 1000) + seconds}`;
      return `https://go.tents.example/${letter}/${sealed(house.data, purpose, profile, message, query)}?${query}`;
    };
    assert.equal((await open(at('g', FILE, 0, 60))).status, 200);
    for (const answer of [await open(at('g', FILE, 0, -2)), await press(at('g', FILE, 0, -2)), await open(at('d', DOWNLOAD, version, -2))]) {
      assert.equal(answer.status, 410);
      assert.doesNotMatch(answer.headers['content-type'], /pdf/);
    }
    assert.match((await open(at('g', FILE, 0, -2))).text, /Ce lien est trop ancien/);
    assert.equal((await open(at('d', DOWNLOAD, version, 60))).status, 200);
    assert.deepEqual(await downloads('late'), []);
  });

  test('an address that was bent leads nowhere, and the page\'s token fetches no bytes', async () => {
    const [link] = await gift('mal');
    const url = behind(link, await press(link));
    const bent = [link.replace('f=guide', 'f=once'), link.replace(/e=(\d)/, 'e=9$1'), link.replace('v=0', 'v=1'), link.replace('/g/', '/q/'),
      link.replace('f=guide', 'f=..%2F..%2Fdult.db'), link.replace(/\/g\/..../, '/g/AAAA'), link.split('?')[0]];
    for (const one of bent) {
      assert.equal((await open(one)).status, 404, one);
      assert.equal((await press(one)).status, 404, one);
    }
    assert.equal((await open(house.local(link).replace('/g/', '/d/'))).status, 404);
    assert.equal((await open(url.replace(/e=(\d)/, 'e=9$1'))).status, 404);
    assert.equal((await open(url.replace('f=guide', 'f=once'))).status, 404);
    assert.equal((await downloads('mal')).length, 1);
  });

  test('a link leads to the newest version, a pinned one to that of its mail, and both end with the file', async () => {
    const newer = randomBytes(1000);
    const put = async (bytes, query = '') => api('PUT', `/api/v1/files/book${query}`, bytes, { 'content-type': 'application/epub+zip' });
    const first = await put(Buffer.from('first'), '?filename=Book.epub&days=5');
    assert.equal(first.status, 200, first.text);
    assert.deepEqual([first.body.filename, first.body.type, first.body.bytes, first.body.sha256, first.body.days], ['Book.epub', 'application/epub+zip', 5, sha('first'), 5]);
    assert.equal((await put(Buffer.from('first'))).body.changed, false);
    await api('PUT', '/api/v1/templates/gift', SHOP['templates/gift.email'].replaceAll('guide', 'book'));
    const [link, pinned] = await gift('ver');
    const second = await put(newer);
    assert.deepEqual([second.body.changed, second.body.days, second.body.filename], [true, 5, 'Book.epub'], 'what is not said stays');
    const fetch = async (one) => (await open(behind(one, await press(one)))).bytes;
    assert.ok((await fetch(link)).equals(newer));
    assert.equal((await fetch(pinned)).toString(), 'first');
    assert.deepEqual((await downloads('ver')).map((one) => one.version), [first.body.version, second.body.version]);
    assert.ok((await api('GET', '/api/v1/files/book/content')).bytes.equals(newer));
    assert.equal((await api('GET', `/api/v1/files/book/content?version=${first.body.version}`)).text, 'first');
    const under = behind(link, await press(link));
    assert.equal((await api('DELETE', '/api/v1/files/book')).status, 200);
    for (const one of [await open(link), await open(pinned), await press(link), await open(under)]) {
      assert.equal(one.status, 410);
      assert.match(one.text, /too old/);
    }
    assert.ok(!readdirSync(join(house.data, 'files')).includes(sha(newer)), 'its bytes are gone');
    await api('PUT', '/api/v1/templates/gift', SHOP['templates/gift.email']);
  });

  test('whoever is erased has no link any more', async () => {
    const [link] = await gift('sam');
    const under = behind(link, await press(link));
    assert.equal((await api('DELETE', '/api/v1/profiles/sam')).status, 202);
    await eventually('the page is gone', async () => (await open(link)).status === 404 || undefined);
    assert.equal((await press(link)).status, 404);
    assert.equal((await open(under)).status, 404);
  });

  test('names, sizes and types are judged, and nothing is written outside', async () => {
    const put = (name, body = 'x', query = '', type = 'text/plain') => api('PUT', `/api/v1/files/${name}${query}`, body, { 'content-type': type });
    for (const name of ['..', '..%2Fx', '%2e%2e%2fx', '.hidden', 'a%00b', 'a%2Fb', 'a%5Cb', '-x', 'x'.repeat(65), '%C3%A5'])
      assert.ok([400, 404].includes((await put(name)).status), name);
    assert.equal((await put('ok', 'x', '?filename=..%2F..%2Fetc%2Fpasswd')).status, 400);
    assert.equal((await put('ok', 'x', '?filename=a%0d%0ab')).status, 400);
    assert.equal((await put('ok', 'x', '?days=0')).status, 400);
    assert.equal((await put('ok', 'x', '?downloads=-1')).status, 400);
    assert.equal((await put('ok', 'x', '', 'no type')).status, 400);
    assert.equal((await put('ok', '')).status, 400);
    assert.equal((await api('GET', '/api/v1/files/ok')).status, 404);
    assert.equal((await http('PUT', `${house.server.origin}/api/v1/files/ok`, { body: 'x' })).status, 401);
    const large = await put('large', Buffer.alloc(50 * 1024 * 1024 + 1)).catch((error) => error);
    assert.ok(large.status === 413 || /EPIPE|ECONNRESET/.test(large.code), 'more than 50 MB');
  });

  test('bytes and settings put at the same moment are both there', async () => {
    const put = (body, query = '') => api('PUT', `/api/v1/files/both${query}`, body, { 'content-type': 'text/plain' });
    assert.equal((await put('first')).status, 200);
    for (let i = 1; i <= 20; i += 1) {
      const answers = await Promise.all([put(`bytes ${i}`), put('', `?days=${i}`)]);
      assert.deepEqual(answers.map((one) => one.status), [200, 200]);
      const file = (await api('GET', '/api/v1/files')).body.items.find((one) => one.name === 'both');
      assert.deepEqual([file.bytes, file.days], [`bytes ${i}`.length, i]);
      assert.equal((await api('GET', '/api/v1/files/both/content')).bytes.toString(), `bytes ${i}`);
    }
    const [deleted, changed] = await Promise.all([api('DELETE', '/api/v1/files/both'), put('', '?days=50')]);
    assert.equal(deleted.status, 200);
    assert.ok([200, 400].includes(changed.status));
    assert.equal((await api('GET', '/api/v1/files/both/content')).status, 404);
  });

  test('from the command line: put, list, show, delete; a folder with a file that has no good name is refused', async () => {
    const dir = folder('files');
    writeFileSync(join(dir, 'Deck.pptx'), 'slides');
    assert.match(await dult('files', 'put', 'deck', join(dir, 'Deck.pptx'), '--downloads', '3', '--data', house.data), /deck\s+Deck\.pptx\s+6 bytes\s+30 days\s+3 downloads/);
    assert.match(await dult('files', '--data', house.data), /guide.*300000 bytes\s+20 days/);
    assert.match(await dult('files', 'show', 'deck', '--data', house.data), /"type":"application\/vnd\.openxml/);
    await dult('files', 'delete', 'deck', '--data', house.data);
    assert.equal((await dultTry('files', 'show', 'deck', '--data', house.data)).status, 4);
    removeFolder(dir);
    const shop = shopFolder(SHOP);
    assert.equal((await dultTry('diff', '--data', house.data, shop)).status, 0, 'what was applied is the same');
    writeFileSync(join(shop, 'files', 'guide.pdf'), 'changed');
    assert.equal((await dultTry('diff', '--data', house.data, shop)).status, 1);
    mkdirSync(join(shop, 'files'), { recursive: true });
    writeFileSync(join(shop, 'files', 'å b.pdf'), 'x');
    assert.match((await dultTry('check', shop)).err, /could not name this file/);
    removeFolder(shop);
  });

  test('a kill within an upload leaves the old file whole, and no half of a new one for long', async () => {
    const old = randomBytes(200_000);
    assert.equal((await api('PUT', '/api/v1/files/kept?filename=k.bin', old)).status, 200);
    let expected = old;
    for (let round = 0; round < 8; round++) {
      const bytes = randomBytes(2_000_000 + round);
      const call = request(`${house.server.origin}/api/v1/files/kept`, { method: 'PUT', headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-length': bytes.length } });
      let status;
      call.on('error', () => {});
      call.on('response', (answer) => { status = answer.statusCode; answer.resume(); });
      if (round % 2 === 0) call.write(bytes.subarray(0, 1_000_000));
      else call.end(bytes);
      await sleep(round % 2 === 0 ? 30 : 5 * round);
      await house.server.kill();
      call.destroy();
      await house.server.start();
      const now = (await api('GET', '/api/v1/files/kept/content')).bytes;
      assert.ok(now.equals(expected) || now.equals(bytes), `round ${round}: neither the old file nor the new one`);
      if (status === 200) assert.ok(now.equals(bytes), 'what was answered is kept');
      if (round % 2 === 0) assert.ok(now.equals(expected));
      expected = now;
    }
    assert.equal((await api('PUT', '/api/v1/files/kept', randomBytes(10))).status, 200);
    const left = readdirSync(join(house.data, 'files'));
    assert.deepEqual(left.filter((name) => !/^[0-9a-f]{64}$/.test(name)), []);
    for (const name of left) assert.equal(sha(readFileSync(join(house.data, 'files', name))), name);
  });

  test('an upload is not held in memory while it comes, and one that is cut leaves nothing behind', async () => {
    const { pid } = house.server.child;
    const own = () => Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    const spilled = () => readdirSync(`/proc/${pid}/fd`)
      .filter((fd) => { try { return /\(deleted\)$/.test(readlinkSync(`/proc/${pid}/fd/${fd}`)); } catch { return false; } });
    const names = () => readdirSync(house.data).concat(readdirSync(join(house.data, 'files'))).sort();
    const before = { own: own(), spilled: spilled().length, names: names() };
    const bytes = randomBytes(45_000_000);
    const call = request(`${house.server.origin}/api/v1/files/cut`, { method: 'PUT',
      headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-length': bytes.length } });
    call.on('error', () => {});
    await new Promise((resolve) => { call.write(bytes.subarray(0, 40_000_000), resolve); });
    await eventually('it lies in a file', () => spilled().length === before.spilled + 1);
    await sleep(200);
    /* The thread sanitizer keeps four bytes of its own for each that is written, the file's too. */
    const shadow = /-tsan\//.test(process.env.DULT_PROGRAM ?? '') ? 5 * 40 : 0;
    assert.ok(own() - before.own < 15 + shadow, `${own() - before.own} MB`);
    assert.deepEqual(names(), before.names, 'the file has no name');
    call.destroy();
    await eventually('nothing is left', () => spilled().length === before.spilled);
    assert.deepEqual(names(), before.names);
    assert.equal((await api('PUT', '/api/v1/files/cut', bytes)).status, 200);
    assert.equal(sha((await api('GET', '/api/v1/files/cut/content')).bytes), sha(bytes));
  });

  test('a file is served without being held in memory', async () => {
    const bytes = randomBytes(4_000_000);
    assert.equal((await api('PUT', '/api/v1/files/guide', bytes)).status, 200);
    const [link] = await gift('big');
    const url = behind(link, await press(link));
    const all = await Promise.all(Array.from({ length: 4 }, () => open(url)));
    assert.deepEqual([...new Set(all.map((one) => sha(one.bytes)))], [sha(bytes)]);
    const stopped = await new Promise((resolve) => {
      const call = request(url, { headers: BROWSER }, (answer) => { answer.once('data', () => { call.destroy(); resolve(true); }); });
      call.end();
    });
    assert.ok(stopped);
    assert.equal((await open(url)).status, 200, 'somebody who leaves takes nothing with them');
  });
});
