// Consent over the running program, with the real mails and the real pages: a yes that is confirmed,
// the preference page, undo, and that no GET changes anything.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0' };

const TOPICS = {
  topics: [
    { id: 'news', channels: ['email', 'sms'], confirm: ['form'],
      texts: { en: { name: 'News', description: 'Once a month.' }, nb: { name: 'Nyheter', description: 'En gang i måneden.' } } },
    { id: 'offers', channels: ['email'], opt_in: true,
      texts: { en: { name: 'Offers & "bargains"' }, de: { name: 'Angebote' } } },
  ],
};

const mailing = (name, topic) => ({
  [`templates/${name}.email`]: template({
    subject: name, topic,
    html: `<p>${name}</p><p><a href="{{ links.preferences }}">choices</a> <a href="{{ links.unsubscribe }}">leave</a></p>`,
  }),
  [`journeys/${name}.json`]: { journey: name, trigger: { event: name }, reentry: 'always', nodes: [{ id: 'm', email: name }] },
});

// What a browser would send when the button is pressed: every field of the form that has it.
const unescape = (text) => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
function fieldsOf(page, action, { tick = [], untick = [] } = {}) {
  const form = page.split('<form').find((part) => part.includes(`value="${action}"`));
  assert.ok(form, `a form with the button ${action} in ${page}`);
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)[1];
    const value = unescape(/value="([^"]*)"/.exec(input)[1]);
    const ticked = (input.includes(' checked') || tick.includes(value)) && !untick.includes(value);
    if (!input.includes('checkbox') || ticked) fields.append(name, value);
  }
  fields.append('action', action);
  return fields.toString();
}

describe('consent', { skip: skipWithoutProgram }, () => {
  let house;
  const api = (method, path, body) => http(method, `${house.server.origin}${path}`,
    { headers: { authorization: `Bearer ${house.client.apiKey}` }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const open = (url, headers = {}) => http('GET', house.local(url), { headers: { ...BROWSER, ...headers } });
  const press = (url, body) => http('POST', house.local(url),
    { headers: { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded' }, body });
  const person = async (id, traits = {}) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example`, ...traits } });
    return `${id}@x.example`;
  };
  const standing = async (id, topic, channel = 'email') => (await house.client.get(`/api/v1/profiles/${id}/consent`))
    .topics.find((one) => one.topic === topic && one.channel === channel);
  const mailAfter = async (id, event, count) => {
    await house.client.send('/v1/track', { userId: id, event });
    return (await house.recorder.wait(`${id}@x.example`, count)).at(-1);
  };
  const linkIn = (mail, letter) => new RegExp(`https://go\\.tents\\.example/${letter}/[A-Za-z0-9_-]+`)
    .exec(mail.html ?? mail.text ?? '')[0];
  const heldBack = (id) => eventually(`a message to ${id} is held back`, async () => {
    const messages = await house.client.messages(id);
    return messages.find((one) => one.state === 'held');
  });

  before(async () => {
    house = await openHouse({
      shop: shopFolder({ 'topics.json': TOPICS, ...mailing('paper', 'news'), ...mailing('deal', 'offers') }),
    });
  });
  after(() => house?.close());

  test('a yes by a form counts only once the button of the mailed page was pressed, with the proof of both steps', async () => {
    await person('ada', { language: 'nb' });
    const said = await api('POST', '/api/v1/profiles/ada/consent', { topic: 'news', state: 'subscribed', source: 'form',
      how: 'footer form', ip: '203.0.113.9', agent: 'Safari', text: { version: 1, language: 'nb' } });
    assert.equal(said.status, 200, said.text);
    const [mail] = await house.recorder.wait('ada@x.example', 1);
    assert.equal(mail.subject, 'Bekreft at du vil ha e-post fra oss');
    assert.match(mail.html, /Nyheter/);
    assert.equal((await standing('ada', 'news')).state, 'pending');
    assert.deepEqual([(await standing('ada', 'news')).mayBeSent, (await standing('ada', 'news')).because], [false, 'not confirmed yet']);
    await house.client.send('/v1/track', { userId: 'ada', event: 'paper' });
    await heldBack('ada');

    const url = linkIn(mail, 's');
    const page = await open(url);
    assert.equal(page.status, 200);
    assert.match(page.text, /<html lang="nb">/);
    assert.match(page.text, /e-poster om <strong>Nyheter<\/strong>/);
    assert.equal((page.text.match(/<button/g) ?? []).length, 1);
    assert.equal((await standing('ada', 'news')).state, 'pending', 'looking changes nothing');
    const done = await press(url, fieldsOf(page.text, 'confirm'));
    assert.match(done.text, /Takk/);
    assert.deepEqual([(await standing('ada', 'news')).state, (await standing('ada', 'news')).mayBeSent], ['subscribed', true]);

    const { said: words } = await house.client.get('/api/v1/profiles/ada/consent');
    const [second, first] = words.map((word) => word.detail);
    assert.deepEqual([first.state, first.how, first.proof.ip, first.proof.text], ['pending', 'footer form', '203.0.113.9', { version: 1, language: 'nb' }]);
    assert.deepEqual([second.state, second.how, second.proof.by, second.proof.ip], ['subscribed', 'confirmation', 'person', '127.0.0.1']);
    assert.equal(second.proof.text.language, 'nb');
    assert.equal((await mailAfter('ada', 'paper', 2)).subject, 'paper');
    assert.match((await open(url)).text, /ikke mer å bekrefte/);
  });

  test('the link of somebody else, bent by one letter, confirms nobody', async () => {
    await person('eve');
    await api('POST', '/api/v1/profiles/eve/consent', { topic: 'news', state: 'subscribed', source: 'form' });
    const [mail] = await house.recorder.wait('eve@x.example', 1);
    const url = linkIn(mail, 's');
    const bent = `${url.slice(0, -6)}${url.at(-6) === 'A' ? 'B' : 'A'}${url.slice(-5)}`;
    assert.equal((await press(bent, 'action=confirm')).status, 404);
    assert.equal((await press(url.replace('/s/', '/u/'), 'action=unsubscribe')).status, 404);
    assert.equal((await standing('eve', 'news')).state, 'pending');
  });

  test('the preference page shows every topic by channel in the person\'s language, and saves only what was changed', async () => {
    await person('bob', { language: 'de' });
    const mail = await mailAfter('bob', 'paper', 1);
    const url = linkIn(mail, 'p');
    const page = await open(url);
    assert.match(page.text, /<html lang="de">/);
    assert.match(page.text, /<legend>Angebote<\/legend>/);
    assert.deepEqual([...page.text.matchAll(/<input type="checkbox"[^>]*value="([^"]*)"( checked)?/g)].map((m) => [m[1], Boolean(m[2])]),
      [['email news', true], ['sms news', true], ['email offers', false]]);
    assert.doesNotMatch(page.text, /<script|https?:\/\//, 'no script, no other host');
    assert.match(page.headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/);
    for (const [label] of page.text.matchAll(/<label>.*?<\/label>/g)) assert.match(label, /<span>[^<]+/, 'each box has a name');

    const saved = await press(url, fieldsOf(page.text, 'save', { tick: ['email offers'], untick: ['sms news'] }));
    assert.match(saved.text, /Gespeichert/);
    assert.equal((await standing('bob', 'offers')).state, 'subscribed');
    assert.equal((await standing('bob', 'news', 'sms')).state, 'unsubscribed');
    assert.equal((await standing('bob', 'news')).state, 'unknown', 'what was left alone is no word');
    assert.equal((await mailAfter('bob', 'deal', 2)).subject, 'deal');

    const undone = await press(url, fieldsOf(saved.text, 'undo'));
    assert.match(undone.text, /Alles ist wie zuvor/);
    assert.equal((await standing('bob', 'offers')).state, 'unknown');
    assert.equal((await standing('bob', 'news', 'sms')).state, 'unknown');
  });

  test('who ends everything and then wants one thing gets that one thing', async () => {
    await person('cyd');
    const url = linkIn(await mailAfter('cyd', 'paper', 1), 'p');
    const all = await press(url, fieldsOf((await open(url)).text, 'all'));
    assert.match(all.text, /unsubscribed from everything/);
    assert.equal((await standing('cyd', 'offers')).state, 'unsubscribed');
    const page = await open(url);
    assert.doesNotMatch(page.text, / checked/);
    await press(url, fieldsOf(page.text, 'save', { tick: ['email news'] }));
    assert.deepEqual([(await standing('cyd', 'news')).mayBeSent, (await standing('cyd', 'news', 'sms')).mayBeSent,
      (await standing('cyd', 'offers')).mayBeSent], [true, false, false]);
    assert.equal((await mailAfter('cyd', 'paper', 2)).subject, 'paper');
  });

  test('the end of everything is undone by its own button', async () => {
    await person('dag');
    const url = linkIn(await mailAfter('dag', 'paper', 1), 'p');
    const all = await press(url, fieldsOf((await open(url)).text, 'all'));
    await press(url, fieldsOf(all.text, 'undo'));
    assert.equal((await standing('dag', 'news')).mayBeSent, true);
    assert.equal((await house.client.timeline('dag')).filter((item) => item.name === 'Message Unsubscribed').length, 1);
  });

  test('no GET and no HEAD of any link changes a consent, whoever follows it', async () => {
    await person('fay');
    const mail = await mailAfter('fay', 'paper', 1);
    const links = [...mail.html.matchAll(/https:\/\/go\.tents\.example\/[a-z]\/[^"]+/g)].map((m) => unescape(m[0]));
    assert.ok(links.length >= 4);
    for (const url of links) {
      await open(url);
      if (!url.includes('/h/')) await http('HEAD', house.local(url), { headers: BROWSER });
    }
    const { said } = await house.client.get('/api/v1/profiles/fay/consent');
    assert.deepEqual(said, []);
    assert.equal((await standing('fay', 'news')).mayBeSent, true);
  });

  test('why somebody may not be written to is explained with what they said', async () => {
    const why = await house.client.get('/api/v1/profiles/cyd/explain?topic=offers');
    assert.deepEqual([why.consent.state, why.consent.because], ['unsubscribed', 'unsubscribed']);
    assert.ok(why.said.some((word) => word.detail.how === 'preference page'));
  });

  test('a browser that says Global Privacy Control refuses sale and sharing, once, and no mail', async () => {
    for (const [messageId, gpc] of [['g0', '0'], ['g1', '1'], ['g2', '1']]) {
      const taken = await house.client.post('/v1/track', { userId: 'gil', event: 'Visit', messageId }, { 'sec-gpc': gpc });
      assert.equal(taken.status, 200);
      const { said: words } = await house.client.get('/api/v1/profiles/gil/consent');
      assert.deepEqual(words.map(({ detail }) => [detail.topic, detail.state, detail.how]),
        gpc === '1' ? [['sale or sharing', 'unsubscribed', 'Global Privacy Control']] : []);
    }
    const { body } = await api('POST', '/api/v1/segments/count', { condition: 'consent to "sale or sharing" is refused' });
    assert.equal(body.count, 1);
    assert.equal((await standing('gil', 'news')).mayBeSent, true);
  });

  test('what was said is the same after a restart', async () => {
    const before_ = await house.client.get('/api/v1/profiles/cyd/consent');
    await house.server.stop();
    await house.server.start();
    assert.deepEqual(await house.client.get('/api/v1/profiles/cyd/consent'), before_);
  });
});
