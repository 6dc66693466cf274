// Questions in mail over the running program: real mails, the real page, and that only the button
// answers, once, for the person whose mail it was.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dultTry, eventually, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { opened, QUESTION, sealed } from './lib/sealed.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0' };
const TOPICS = { topics: [{ id: 'offers', channels: ['email'], opt_in: true, texts: { en: { name: 'Offers' }, nb: { name: 'Tilbud' } } }] };

const NPS = {
  kind: 'nps', comment: true,
  texts: {
    en: { question: 'Would you <recommend> us?', low: 'never', high: 'gladly', thanks: 'We read every word.' },
    nb: { question: 'Vil du anbefale oss?' },
  },
  then: [
    { answers: [9, 10], redirect: 'https://www.trustpilot.com/review/tents.example', thanks: { en: 'Tell others, too.' } },
    { answers: ['0', '1'], trait: { name: 'unhappy', value: true } },
    { trait: { name: 'nps' } },
  ],
};
const OFFERS = {
  kind: 'yes_no', change: false,
  texts: { en: { question: 'May we send you offers?' }, nb: { question: 'Kan vi sende deg tilbud?' } },
  then: [
    { answers: ['yes'], consent: { topic: 'offers', channel: 'email', state: 'granted' } },
    { answers: ['no'], consent: { topic: 'offers', channel: 'email', state: 'refused' } },
  ],
};
const LETTERS = { ...OFFERS, change: true, texts: { en: { question: 'May we write to you?' } } };
const WHY = {
  kind: 'choice', choices: [{ id: 'price', score: 1 }, { id: 'service' }],
  texts: { en: { question: 'What matters most?', answers: { price: 'The price & more', service: 'The service' } } },
};
const STARS = { kind: 'stars', texts: { en: { question: 'How was the tent?' } } };

const mailing = (event, html, text) => ({
  [`templates/${event}.email`]: template({ subject: event, html, text }),
  [`journeys/${event}.json`]: { journey: event, trigger: { event }, reentry: 'always', nodes: [{ id: 'm', email: event }] },
});
const SHOP = {
  'topics.json': TOPICS,
  'questions/nps.json': NPS, 'questions/offers.json': OFFERS, 'questions/letters.json': LETTERS, 'questions/why.json': WHY, 'questions/stars.json': STARS,
  'segments/promoters.segment': 'did "Question Answered" where (question = "nps" and score >= 9)',
  ...mailing('ask', '<html><body>{{ questions.nps.html }}<p><a href="{{ questions.offers.link }}">offers</a></p></body></html>',
    '{{ questions.nps.text }}\n{{ questions.offers.text }}\n'),
  ...mailing('ask why', '<html><body>{% for a in questions["why"].answers %}<a href="{{ a.link }}">{{ a.text }}</a> {% endfor %}'
    + '<a href="{{ questions.stars.answers[3].link }}">4</a></body></html>'),
  ...mailing('ask twice', '<html><body><a href="{{ questions.letters.link }}">letters</a> <a href="{{ questions.offers.link }}">offers</a></body></html>'),
  ...mailing('thank', '<html><body><p>thanks</p></body></html>'),
  'journeys/thank.json': { journey: 'thank', trigger: { event: 'Question Answered', where: 'question = "nps" and score >= 9' }, reentry: 'always', nodes: [{ id: 'm', email: 'thank' }] },
};

const unescape = (text) => text.replaceAll('&amp;', '&');
const linksIn = (html, letter = 'q') => [...html.matchAll(new RegExp(`href="(https://go\\.tents\\.example/${letter}/[^"]*)"`, 'g'))].map((m) => unescape(m[1]));

describe('questions in mail', { skip: skipWithoutProgram }, () => {
  let house;
  const open = (url, headers = {}, method = 'GET') => http(method, house.local(url), { headers: { ...BROWSER, ...headers } });
  const versions = new Map(); // of each question, as its page showed it
  const versionOn = (page) => /name="version" value="(\d+)"/.exec(page.text)?.[1];
  const press = async (url, fields) => {
    const name = new URL(url).searchParams.get('q');
    if (!versions.has(name)) versions.set(name, versionOn(await open(url)));
    const body = new URLSearchParams({ version: versions.get(name), ...fields }).toString();
    return http('POST', house.local(url), { headers: { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded' }, body });
  };
  const api = (method, path, body) => http(method, `${house.server.origin}${path}`,
    { headers: { authorization: `Bearer ${house.client.apiKey}` }, ...(body === undefined ? {} : { body }) });
  const person = (id, traits = {}) => house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example`, ...traits } });
  const mail = async (id, event, count = 1) => {
    await house.client.send('/v1/track', { userId: id, event });
    return (await house.recorder.wait(`${id}@x.example`, count)).at(-1);
  };
  const events = async (id, name) => (await house.client.all(`/api/v1/profiles/${id}/timeline?limit=200`))
    .filter((one) => one.name === name || one.event === name).map((one) => one.properties ?? one.body?.properties ?? one);
  const answers = (id) => events(id, 'Question Answered');
  const standing = async (id) => (await house.client.get(`/api/v1/profiles/${id}/consent`)).topics.find((one) => one.topic === 'offers' && one.channel === 'email');

  before(async () => { house = await openHouse({ shop: shopFolder(SHOP) }); });
  after(() => house?.close());

  test('a mail has a link for each answer, in its html and its text, and none of them is wrapped', async () => {
    await person('ada');
    const { html, text } = await mail('ada', 'ask');
    const links = linksIn(html);
    assert.deepEqual(links.map((link) => new URL(link).searchParams.get('a')), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '']);
    assert.match(html, /Would you &lt;recommend&gt; us\?/);
    assert.doesNotMatch(html, /&lt;table/, 'the block is HTML');
    assert.match(text, /Would you <recommend> us\?\nhttps:\/\/go\.tents\.example\/q\/\S+a=&e=\d+/);
    assert.match(text, /Yes: https:\/\/go\.tents\.example\/q\/\S+a=yes&e=/);
  });

  test('every link fetched by anything answers nothing, and a look is a click', async () => {
    await person('scan');
    const { html } = await mail('scan', 'ask');
    for (const link of linksIn(html)) {
      assert.equal((await open(link, { 'user-agent': 'Barracuda Sentinel' })).status, 200);
      assert.equal((await open(link, {}, 'HEAD')).status, 200);
      assert.equal((await open(link, { 'sec-purpose': 'prefetch' })).status, 200);
    }
    assert.equal((await open(linksIn(html)[3])).status, 200);
    assert.deepEqual(await answers('scan'), []);
    const clicks = await eventually('clicks are recorded', async () => {
      const found = await events('scan', 'Message Clicked');
      return found.length >= 37 ? found : undefined;
    });
    const human = clicks.filter((one) => !one.machine);
    assert.deepEqual(human.map((one) => one.url), ['question:nps:3']);
    assert.equal((await house.client.get('/api/v1/profiles/scan')).traits.nps, undefined);
  });

  test('the page is the person\'s language, with the answer of the link chosen, a comment box and one button', async () => {
    await person('bob', { language: 'nb' });
    const { html } = await mail('bob', 'ask');
    const page = await open(linksIn(html)[7]);
    assert.match(page.text, /<html lang="nb">/);
    assert.match(page.text, /<fieldset[^>]*><legend><h1>Vil du anbefale oss\?<\/h1><\/legend>/);
    assert.deepEqual([...page.text.matchAll(/<input type="radio" name="answer" value="(\d+)" required( checked)?>/g)].filter((m) => m[2]).map((m) => m[1]), ['7']);
    assert.match(page.text, /<label class="above" for="comment">Vil du si hvorfor\?<\/label><textarea id="comment"/);
    assert.equal((page.text.match(/<button/g) ?? []).length, 1);
    assert.doesNotMatch(page.text, /<script|https?:\/\//, 'no script, no other host');
    assert.match(page.headers['content-security-policy'], /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/);
    assert.equal(page.headers['cache-control'], 'no-store');
  });

  test('the button answers once: with score, comment and where it came from; pressed twice it is one answer, another is a second', async () => {
    await person('eve');
    const { html } = await mail('eve', 'ask');
    const link = linksIn(html)[9];
    const done = await press(link, { answer: '9', comment: 'Good "tents"\r\nand <b>more</b>', action: 'answer' });
    assert.equal(done.status, 200, done.text);
    assert.match(done.text, /Tell others, too\./);
    assert.equal(done.headers.refresh, '0; url=https://www.trustpilot.com/review/tents.example');
    assert.match(done.text, /<a class="button" href="https:\/\/www\.trustpilot\.com\/review\/tents\.example">Go on to www\.trustpilot\.com<\/a>/);
    const both = await Promise.all([1, 2, 3].map(() => press(link, { answer: '9', comment: 'Good "tents"\r\nand <b>more</b>' })));
    assert.deepEqual(both.map((one) => one.status), [200, 200, 200]);
    const [first, ...more] = await answers('eve');
    assert.deepEqual(more, []);
    assert.deepEqual([first.question, first.answer, first.score, first.comment, first.template, first.journey, first.channel],
      ['nps', '9', 9, 'Good "tents"\nand <b>more</b>', 'ask', 'ask', 'email']);
    assert.equal(typeof first.message, 'number');
    assert.equal((await house.client.get('/api/v1/profiles/eve')).traits.nps, 9);
    const promoters = async () => (await house.client.all('/api/v1/segments/promoters/members')).length;
    assert.equal(await promoters(), 1);
    assert.equal((await house.recorder.wait('eve@x.example', 2)).at(-1).subject, 'thank', 'an answer triggers a journey');

    assert.match((await open(link)).text, /Good &quot;tents&quot;/, 'what was said is shown again');
    assert.equal((await press(link, { answer: '1' })).status, 200);
    assert.deepEqual((await answers('eve')).map((one) => one.answer), ['1', '9']);
    const traits = (await house.client.get('/api/v1/profiles/eve')).traits;
    assert.deepEqual([traits.nps, traits.unhappy], [1, true]);
  });

  test('many presses at the same moment are one answer', async () => {
    await person('race');
    const { html } = await mail('race', 'ask');
    const all = await Promise.all(Array.from({ length: 12 }, () => press(linksIn(html)[5], { answer: '5' })));
    assert.deepEqual([...new Set(all.map((one) => one.status))], [200]);
    assert.equal((await answers('race')).length, 1);
  });

  test('nothing chosen, or an answer that is none, is asked for again and changes nothing', async () => {
    await person('dan');
    const { html } = await mail('dan', 'ask');
    for (const fields of [{}, { answer: '11' }, { answer: 'x' }, { answer: '' }]) {
      const page = await press(linksIn(html)[2], { comment: 'kept', ...fields });
      assert.equal(page.status, 422);
      assert.match(page.text, /role="alert">Please choose/);
      assert.match(page.text, /kept<\/textarea>/);
    }
    assert.deepEqual(await answers('dan'), []);
  });

  test('an answer may change consent, with the text that was read as its proof; what may not be changed stands', async () => {
    await person('kim', { language: 'nb' });
    const { html } = await mail('kim', 'ask');
    const link = linksIn(html).at(-1);
    const page = await open(link);
    assert.match(page.text, /Med dette svaret sier du ja til: Tilbud, E-post/);
    assert.equal((await standing('kim')).state, 'unknown', 'looking changes nothing');
    const done = await press(link, { answer: 'yes' });
    assert.match(done.text, /href="\.\.\/p\//, 'a way to all choices');
    assert.deepEqual([(await standing('kim')).state, (await standing('kim')).mayBeSent], ['subscribed', true]);
    const { said } = await house.client.get('/api/v1/profiles/kim/consent');
    const { detail } = said[0];
    assert.deepEqual([detail.how, detail.proof.by, detail.proof.text.language], ['question', 'person', 'nb']);
    assert.equal(detail.proof.text.text, 'Kan vi sende deg tilbud? | Ja | Med dette svaret sier du ja til: Tilbud, E-post');
    assert.equal(typeof detail.proof.message, 'number');
    assert.match((await press(link, { answer: 'no' })).text, /allerede svart/);
    assert.match((await open(link)).text, /allerede svart/);
    assert.equal((await standing('kim')).state, 'subscribed');
    assert.equal((await answers('kim')).length, 1);
  });

  test('the same answer again says again what follows from it, and is no second answer', async () => {
    await person('ole');
    const [letters, offers] = linksIn((await mail('ole', 'ask twice')).html);
    await press(letters, { answer: 'no' });
    assert.equal((await standing('ole')).state, 'unsubscribed');
    await press(offers, { answer: 'yes' });
    assert.equal((await standing('ole')).state, 'subscribed');
    await press(letters, { answer: 'no' });
    assert.equal((await standing('ole')).state, 'unsubscribed');
    assert.equal((await answers('ole')).length, 2);
  });

  test('of yes and no at the same moment the first stands, and only what follows from it', async () => {
    for (let i = 0; i < 6; i += 1) {
      await person(`both${i}`);
      const [, offers] = linksIn((await mail(`both${i}`, 'ask twice')).html);
      await Promise.all(['yes', 'no', 'yes', 'no', 'no', 'yes'].map((answer) => press(offers, { answer })));
      const [said, ...more] = await answers(`both${i}`);
      assert.deepEqual(more, []);
      assert.equal((await standing(`both${i}`)).state, said.answer === 'yes' ? 'subscribed' : 'unsubscribed');
      assert.equal((await house.client.get(`/api/v1/profiles/both${i}/consent`)).said.length, 1);
    }
  });

  test('an answer to a text that has changed meanwhile answers nothing, and is asked for again', async () => {
    await person('ulv');
    const [letters] = linksIn((await mail('ulv', 'ask twice')).html);
    const version = versionOn(await open(letters));
    const changed = { ...LETTERS, texts: { en: { question: 'May we and our friends write to you?' } } };
    assert.equal((await api('PUT', '/api/v1/questions/letters', JSON.stringify(changed))).status, 200);
    const page = await press(letters, { answer: 'yes', version });
    assert.equal(page.status, 409);
    assert.match(page.text, /role="alert">This question has been changed/);
    assert.match(page.text, /our friends/);
    assert.equal((await press(letters, { answer: 'yes', version: '' })).status, 409);
    assert.deepEqual(await answers('ulv'), []);
    assert.equal((await standing('ulv')).state, 'unknown');
    versions.set('letters', versionOn(page));
    assert.equal((await press(letters, { answer: 'yes' })).status, 200);
    assert.equal((await standing('ulv')).state, 'subscribed');
  });

  test('an address that was bent, taken from another mail or made longer asks nobody', async () => {
    await person('mal');
    const { html } = await mail('mal', 'ask');
    const link = linksIn(html)[4];
    const bent = [
      link.replace('q=nps', 'q=offers'), link.replace(/a=\d+/, 'a=10'), link.replace(/e=(\d)/, 'e=9$1'),
      link.replace('/q/', '/g/'), link.replace(/\/q\/..../, '/q/AAAA'), link.replace('&e=', '&x='), link.split('?')[0],
      link.replace('q=nps', 'q=../nps'),
    ];
    for (const url of bent) {
      assert.equal((await open(url)).status, 404, url);
      assert.equal((await press(url, { answer: '3' })).status, 404, url);
    }
    assert.equal((await press(`${link}&utm_source=x`, { answer: '3' })).status, 200, 'what others hang on is no matter');
    assert.equal((await answers('mal')).length, 1);
  });

  test('a link leads to its page until its second has come, and then to one that says so', async () => {
    await person('old', { language: 'de' });
    const { html } = await mail('old', 'ask');
    const link = new URL(linksIn(html)[4]);
    const { profile, message } = opened(link.pathname.split('/').at(-1));
    const days = (Number(link.searchParams.get('e')) - Date.now() / 1000) / 86400;
    assert.ok(days > 59.9 && days <= 60, `${days} days`);
    const at = (seconds) => {
      const query = `q=nps&a=4&e=${Math.floor(Date.now() / 1000) + seconds}`;
      return `https://go.tents.example/q/${sealed(house.data, QUESTION, profile, message, query)}?${query}`;
    };
    assert.equal((await open(at(60))).status, 200);
    const over = await open(at(-2));
    assert.equal(over.status, 410);
    assert.match(over.text, /<html lang="de">.*Dieser Link ist zu alt/s);
    assert.equal((await press(at(-2), { answer: '4' })).status, 410);
    assert.deepEqual(await answers('old'), []);
    assert.equal((await press(at(60), { answer: '4' })).status, 200);
  });

  test('choices have their own texts and scores, stars go to five', async () => {
    await person('may');
    const { html } = await mail('may', 'ask why');
    assert.match(html, />The price &amp; more<\/a>/);
    const links = linksIn(html);
    await press(links[1], { answer: 'service' });
    await press(links[0], { answer: 'price' });
    await press(links[2], { answer: '4' });
    assert.deepEqual((await answers('may')).map((one) => [one.question, one.answer, one.score]).reverse(),
      [['why', 'service', undefined], ['why', 'price', 1], ['stars', '4', 4]]);
  });

  test('a question that is deleted, or a person that is erased, has no page any more', async () => {
    await person('sam');
    const { html } = await mail('sam', 'ask why');
    const [why, , stars] = linksIn(html);
    assert.equal((await api('DELETE', '/api/v1/questions/why')).status, 200);
    const gone = await open(why);
    assert.equal(gone.status, 410);
    assert.match(gone.text, /no longer open/);
    assert.equal((await press(why, { answer: 'price' })).status, 410);
    assert.equal((await open(stars)).status, 200);
    assert.equal((await api('DELETE', '/api/v1/profiles/sam')).status, 202);
    await eventually('sam is gone', async () => (await open(stars)).status === 404 || undefined);
    assert.equal((await press(stars, { answer: '4' })).status, 404);
  });

  test('answers outlive kill -9, and are still no second ones', async () => {
    await person('kay');
    const { html } = await mail('kay', 'ask');
    assert.equal((await press(linksIn(html)[6], { answer: '6' })).status, 200);
    await house.server.kill();
    await house.server.start();
    assert.equal((await press(linksIn(html)[6], { answer: '6' })).status, 200);
    assert.equal((await answers('kay')).length, 1);
  });

  test('what is wrong with a question is said with its place, and an unknown one in a template is an error', async () => {
    const wrong = async (text) => (await api('PUT', '/api/v1/questions/x?dry=1', JSON.stringify(text))).body.error;
    assert.match((await wrong({ ...NPS, kind: 'slider' })).what, /no such kind/);
    assert.match((await wrong({ ...NPS, then: [{ redirect: 'http://a.example' }] })).where, /then\[0\]/);
    assert.match((await wrong({ ...NPS, then: [{ answers: ['11'] }] })).what, /no answer "11"/);
    const shop = shopFolder({ 'questions/nps.json': NPS, 'templates/x.email': template({ subject: 's', html: '<p>\n{{ questions.nsp.html }}</p>' }) });
    const checked = await dultTry('check', shop);
    removeFolder(shop);
    assert.match(`${checked.out}${checked.err}`, /x\.email:6.*There is no question "nsp"/s);
  });

  test('a preview shows the question, and its links lead to a page that says it was a test', async () => {
    await person('pat');
    const shown = await api('POST', '/api/v1/templates/ask/preview', JSON.stringify({ person: 'pat' }));
    assert.equal(shown.status, 200, shown.text);
    const link = linksIn(shown.body.html)[0];
    const page = await open(link);
    assert.equal(page.status, 200);
    assert.match(page.text, /This is a test mail/);
    assert.equal((await press(link, { answer: '0' })).status, 200);
    assert.deepEqual(await answers('pat'), []);
  });
});
