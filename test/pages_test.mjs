// The pages that people see who follow a link of a mail, in a real browser, in every language.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openBrowser, skipWithoutBrowser, walk } from './lib/browser.mjs';
import { openHouse } from './lib/house.mjs';
import { skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const LANGUAGES = Object.keys(JSON.parse(readFileSync(new URL('../src/run/pages/words.json', import.meta.url))));

const TOPICS = {
  topics: [
    { id: 'news', channels: ['email', 'sms'], confirm: ['form'],
      texts: { en: { name: 'News', description: 'Once a month, with what is new.' }, nb: { name: 'Nyheter', description: 'En gang i måneden.' } } },
    { id: 'offers', channels: ['email'],
      texts: { en: { name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenangebote & "bargains"', description: 'A very long name must not be cut off.' } } },
  ],
};

const shop = () => shopFolder({
  'topics.json': TOPICS,
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
      await walk(browser, 'nowhere', `${house.server.origin}/u/nothing`, { language });

      await house.client.send('/v1/identify', { userId: `new-${language}`, traits: { email: `new-${language}@x.example`, language } });
      const { status } = await http('POST', `${house.server.origin}/api/v1/profiles/new-${language}/consent`, {
        headers: { authorization: `Bearer ${house.client.apiKey}` },
        body: { topic: 'news', state: 'subscribed', source: 'form' } });
      assert.equal(status, 200);
      const [asked] = await house.recorder.wait(`new-${language}@x.example`, 1);
      await walk(browser, 'confirm', linkIn(asked, 's'), { language, steps: ['confirm'] });
    });

  test('a mail is shown in a browser as it was mailed', async () => {
    const mail = await person('viewer', 'en');
    await walk(browser, 'view', linkIn(mail, 'v'), { mail: true });
  });
});
