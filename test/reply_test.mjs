// Mails that people write back: handed in by the mail server, or by a program, they take people off a
// topic where they ask for it, and stand on the timeline where they do not.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import nodemailer from 'nodemailer';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, freePort, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder, template } from './lib/shop.mjs';

describe('a reply', { skip: skipWithoutProgram }, () => {
  let house;
  let port;
  const mailTo = async (id, count = 1) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
    await house.client.send('/v1/track', { userId: id, event: 'Paper' });
    return (await house.recorder.wait(`${id}@x.example`, count)).at(-1);
  };
  const head = (mail, name) => new RegExp(`^${name}: ([^\\r\\n]*(\\r?\\n[ \\t][^\\r\\n]*)*)`, 'mi').exec(mail.raw.toString('latin1'))[1];
  const reply = (id, mail, { subject = 'Re: paper', text, more = '' }) => [
    `From: <${id}@x.example>`, 'To: help@tents.example', `Subject: ${subject}`, `In-Reply-To: ${head(mail, 'Message-ID')}`,
    `Message-ID: <${id}.1@x.example>`, ...(more ? [more] : []), 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '', text, ''].join('\r\n');
  const handIn = (mail) => http('POST', `${house.server.origin}/api/v1/bounces`,
    { headers: { authorization: `Bearer ${house.client.apiKey}`, 'content-type': 'text/plain' }, body: mail });
  const said = async (id) => (await house.client.get(`/api/v1/profiles/${id}/consent`)).said.map((word) => word.detail);
  const events = async (id, name) => (await house.client.timeline(id)).filter((item) => item.name === name);

  before(async () => {
    port = await freePort();
    house = await openHouse({
      args: ['--return-domain', 'bounce.tents.example', '--bounce-listen', `127.0.0.1:${port}`],
      shop: shopFolder({
        'topics.json': { topics: [{ id: 'news' }] },
        'templates/paper.email': template({ subject: 'paper', topic: 'news', html: '<p>paper</p>' }),
        'journeys/paper.json': { journey: 'paper', trigger: { event: 'Paper' }, reentry: 'always', nodes: [{ id: 'm', email: 'paper' }] },
      }),
    });
  });
  after(() => house?.close());

  test('that asks to be left alone, in one of six languages, ends the topic, with its proof', async () => {
    for (const [id, text] of [['ada', 'Unsubscribe'], ['nora', 'Meld meg av, takk.'], ['sven', 'Avsluta prenumerationen'],
      ['jan', 'Graag uitschrijven'], ['uta', 'Bitte abmelden\r\n\r\nAm Montag schrieb Tents:\r\n> paper'], ['luc', 'Me désabonner']]) {
      const mail = await mailTo(id);
      const answer = await handIn(reply(id, mail, { text }));
      assert.deepEqual([answer.status, answer.body.reply], [200, 'unsubscribed'], text);
      const [word] = await said(id);
      assert.deepEqual([word.topic, word.state, word.how, word.proof.by], ['news', 'unsubscribed', 'reply', 'person']);
      assert.equal((await events(id, 'Message Unsubscribed')).length, 1);
    }
  });

  test('that says anything else is an event, once, and no consent', async () => {
    const mail = await mailTo('bob');
    const text = reply('bob', mail, { subject: 'Re: paper ☂', text: 'When do you open?\r\n> unsubscribe' });
    assert.equal((await handIn(text)).body.reply, 'replied');
    await handIn(text);
    const replied = await events('bob', 'Message Replied');
    assert.deepEqual(replied.map((event) => [event.properties.template, event.properties.subject]), [['paper', 'Re: paper ☂']]);
    assert.deepEqual(await said('bob'), []);
  });

  test('that a program wrote while somebody is away is nothing', async () => {
    const mail = await mailTo('cyd');
    const answer = await handIn(reply('cyd', mail, { text: 'unsubscribe', more: 'Auto-Submitted: auto-replied' }));
    assert.equal(answer.body.reply, undefined);
    assert.deepEqual([await said('cyd'), await events('cyd', 'Message Replied')], [[], []]);
  });

  test('to a message that we never sent changes nobody', async () => {
    const mail = await mailTo('dag');
    const forged = reply('dag', mail, { text: 'unsubscribe' }).replace(/In-Reply-To: <(.)/, (_, c) => `In-Reply-To: <${c === 'A' ? 'B' : 'A'}`);
    assert.equal((await handIn(forged)).body.reply, undefined);
    assert.deepEqual(await said('dag'), []);
  });

  test('to the address in List-Unsubscribe, whatever it says, is handed in by the mail server and ends the topic', async () => {
    const mail = await mailTo('eve');
    const address = /<mailto:(u-[a-z2-7]+@bounce\.tents\.example)\?subject=unsubscribe>/.exec(head(mail, 'List-Unsubscribe').replace(/\s+/g, ' '))[1];
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
    try {
      const { response } = await transport.sendMail({ envelope: { from: 'eve@x.example', to: [address.toUpperCase()] }, raw: 'From: eve@x.example\r\nSubject: unsubscribe\r\n\r\n\r\n' });
      assert.match(response, /^250/);
    } finally {
      transport.close();
    }
    const [word] = await said('eve');
    assert.deepEqual([word.state, word.how], ['unsubscribed', 'reply']);
    await house.client.send('/v1/track', { userId: 'eve', event: 'Paper' });
    await eventually('the next is held back', async () => (await house.client.messages('eve'))[0].state === 'held');
  });
});
