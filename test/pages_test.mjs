// The pages that people see who follow a link of a mail, in a real browser, in every language.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openBrowser, skipWithoutBrowser, walk } from './lib/browser.mjs';
import { openHouse } from './lib/house.mjs';
import { skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template, WORKSPACE } from './lib/shop.mjs';

const LANGUAGES = Object.keys(JSON.parse(readFileSync(new URL('../src/run/pages/words.json', import.meta.url))));

const TOPICS = {
  topics: [
    { id: 'news', channels: ['email', 'sms'], confirm: ['form'],
      texts: { en: { name: 'News', description: 'Once a month, with what is new.' }, nb: { name: 'Nyheter', description: 'En gang i måneden.' } } },
    { id: 'offers', channels: ['email'],
      texts: { en: { name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenangebote & "bargains"', description: 'A very long name must not be cut off.' } } },
  ],
};

const LONG = 'How likely is it, all in all, that you would recommend the tents of Tents & Co to a friend?';
const QUESTIONS = {
  nps: { kind: 'nps', comment: true, texts: { en: { question: LONG, low: 'not at all likely', high: 'extremely likely', thanks: 'We read every word.' },
    nb: { question: 'Hvor sannsynlig er det at du vil anbefale teltene våre til en venn eller kollega?', low: 'lite', high: 'svært' } } },
  stars: { kind: 'stars', texts: { en: { question: 'How was the tent?' } } },
  offers: { kind: 'yes_no', change: false, texts: { en: { question: 'May we send you offers?' } },
    then: [{ answers: ['yes'], consent: { topic: 'offers', channel: 'email', state: 'granted' } },
      { answers: ['no'], consent: { topic: 'offers', channel: 'email', state: 'refused' } }] },
  why: { kind: 'choice', choices: [{ id: 'price' }, { id: 'service' }],
    texts: { en: { question: 'What matters most?', answers: { price: 'The price, the delivery & what it costs to send it back', service: 'The service' } } } },
  moving: { kind: 'stars', texts: { en: { question: 'How was it?' } } },
  gone: { kind: 'stars', texts: { en: { question: 'How was it?' } } },
};
const asking = Object.keys(QUESTIONS);

const shop = () => shopFolder({
  'workspace.json': { ...WORKSPACE, forms: [{ id: 'footer', topics: ['news'] }] },
  'topics.json': TOPICS,
  ...Object.fromEntries(asking.map((name) => [`questions/${name}.json`, QUESTIONS[name]])),
  'files/guide.pdf': 'a guide to tents\n',
  'files/guide.json': { filename: 'Donaudampfschifffahrtsgesellschaftskapitänshandbuch – en "guide" & more.pdf' },
  'files/once.txt': 'only once\n',
  'files/once.json': { downloads: 1 },
  'files/old.txt': 'to be taken away\n',
  'templates/ask.email': template({ subject: 'Ask', topic: 'news', html: `<html><body>${asking.map((name) => `<a href="{{ questions.${name}.link }}">${name}</a>`).join(' ')}`
    + ' <a href="{{ files.guide.link }}">guide</a> <a href="{{ files.once.link }}">once</a> <a href="{{ files.old.link }}">old</a></body></html>' }),
  'journeys/ask.json': { journey: 'ask', trigger: { event: 'ask' }, reentry: 'always', nodes: [{ id: 'm', email: 'ask' }] },
  'templates/paper.email': template({ subject: 'Paper', topic: 'news', html: '<html lang="en"><head><title>Paper</title></head><body><h1>Paper</h1>'
    + '<p><a href="{{ links.preferences }}">choices</a> <a href="{{ links.unsubscribe }}">leave</a> <a href="{{ links.view }}">view</a></p></body></html>' }),
  'journeys/paper.json': { journey: 'paper', trigger: { event: 'paper' }, reentry: 'always', nodes: [{ id: 'm', email: 'paper' }] },
});

describe('the pages behind links', { skip: skipWithoutProgram || skipWithoutBrowser }, () => {
  let house, browser;
  before(async () => {
    browser = await openBrowser();
    house = await openHouse({ shop: shop() });
  });
  after(async () => {
    await browser?.close();
    await house?.close();
  });

  const linkIn = (mail, letter) => house.local(new RegExp(`https://go\\.tents\\.example/${letter}/[A-Za-z0-9_-]+`).exec(mail.html)[0]);
  const person = async (id, language) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example`, language } });
    await house.client.send('/v1/track', { userId: id, event: 'paper' });
    return (await house.recorder.wait(`${id}@x.example`, 1))[0];
  };

  for (const language of LANGUAGES)
    test(`can be read and used by everyone, in ${language}`, async () => {
      const mail = await person(`reader-${language}`, language);
      await walk(browser, 'preferences', linkIn(mail, 'p'), { language, steps: ['all', 'undo'] });
      await walk(browser, 'unsubscribe', linkIn(mail, 'u'), { language, steps: ['unsubscribe', 'undo'] });
      await walk(browser, 'nowhere', `${house.server.origin}/u/nothing`, { language, status: 404 });

      await house.client.send('/v1/identify', { userId: `new-${language}`, traits: { email: `new-${language}@x.example`, language } });
      const { status } = await http('POST', `${house.server.origin}/api/v1/profiles/new-${language}/consent`, {
        headers: { authorization: `Bearer ${house.client.apiKey}` },
        body: { topic: 'news', state: 'subscribed', source: 'form' } });
      assert.equal(status, 200);
      const [asked] = await house.recorder.wait(`new-${language}@x.example`, 1);
      await walk(browser, 'confirm', linkIn(asked, 's'), { language, steps: ['confirm'] });
    });

  // Links of the mail that asks, by the name of what they lead to.
  const asked = async (id, language) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example`, language } });
    await house.client.send('/v1/track', { userId: id, event: 'ask' });
    const [mail] = await house.recorder.wait(`${id}@x.example`, 1);
    return Object.fromEntries([...mail.html.matchAll(/<a href="([^"]*)"[^>]*>(\w+)<\/a>/g)]
      .map(([, url, name]) => [name, house.local(url.replaceAll('&amp;', '&'))]));
  };
  const choose = (answer) => (page) => page.check(`input[value="${answer}"]`);
  const remove = async (path) => {
    const { status } = await http('DELETE', `${house.server.origin}/api/v1/${path}`, { headers: { authorization: `Bearer ${house.client.apiKey}` } });
    assert.ok(status === 200 || status === 204, `${path}: ${status}`);
  };
  const says = (selector) => async (page) => assert.ok(await page.isVisible(selector), `${selector} is seen`);
  // The answers stand clear of what is asked, however many lines it has.
  const isClear = async (page) => {
    const [lines, gap] = await page.evaluate(() => {
      const heading = document.querySelector('h1').getBoundingClientRect();
      const line = parseFloat(getComputedStyle(document.querySelector('h1')).lineHeight);
      return [Math.round(heading.height / line), document.querySelector('.scale, .list').getBoundingClientRect().top - heading.bottom];
    });
    assert.ok(lines >= 2, `the question has ${lines} line`);
    assert.ok(gap >= 8, `the answers begin ${gap} pixels below it`);
  };

  for (const language of LANGUAGES)
    test(`questions and files are for everyone, too, in ${language}`, async () => {
      const links = await asked(`asked-${language}`, language);
      await walk(browser, 'nps', links.nps, { language, after: isClear, steps: [
        { press: 'answer', name: 'nothing chosen', status: 422, after: says('[role=alert]'),
          before: (page) => page.evaluate(() => document.querySelectorAll('[required]').forEach((one) => { one.required = false; })) },
        { press: 'answer', before: choose('9'), after: says('[role=status]') }] });
      await walk(browser, 'stars', links.stars, { language, steps: [{ press: 'answer', before: choose('4') }] });
      await walk(browser, 'offers', links.offers, { language, after: says('.more'), steps: [{ press: 'answer', before: choose('yes') }] });
      await walk(browser, 'answered', links.offers, { language });
      await walk(browser, 'why', links.why, { language, steps: [{ press: 'answer', before: choose('price') }] });
      await walk(browser, 'guide', links.guide, { language });
      await http('POST', links.once, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0', 'content-type': 'application/x-www-form-urlencoded' }, body: 'action=download' });
      await walk(browser, 'used up', links.once, { language, status: 410 });
      await walk(browser, 'sign-up', `${house.server.origin}/u/nothing`, { language, status: 404, steps: [{ press: 'join', before: (page) => page.evaluate((email) => {
        document.querySelector('main').insertAdjacentHTML('beforeend', '<form method="post" action="/f/footer"><input name="email"><button name="b" value="join">Join</button></form>');
        document.querySelector('[name=email]').value = email;
      }, `joins-${language}@x.example`) }] });
    });

  test('a question that changed under its page, and what was taken away, say so to everyone', async () => {
    const links = await asked('late', 'en');
    await walk(browser, 'changed', links.moving, { steps: [{ press: 'answer', name: 'changed', status: 409, after: says('[role=alert]'), before: async (page) => {
      await choose('4')(page);
      const { status } = await http('PUT', `${house.server.origin}/api/v1/questions/moving`, {
        headers: { authorization: `Bearer ${house.client.apiKey}` }, body: { kind: 'stars', texts: { en: { question: 'How was the tent in the rain?' } } } });
      assert.equal(status, 200);
    } }] });
    await remove('questions/gone');
    await walk(browser, 'closed', links.gone, { status: 410 });
    await remove('files/old');
    await walk(browser, 'taken away', links.old, { status: 410 });
  });

  test('a mail is shown in a browser as it was mailed', async () => {
    const mail = await person('viewer', 'en');
    await walk(browser, 'view', linkIn(mail, 'v'), { mail: true });
  });
});
