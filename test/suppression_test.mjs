// Returned mail and the list of suppressions, over the running program: a mail server's refusal, a
// delivery report handed in, a complaint, a hand; and that a start changes nothing of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import nodemailer from 'nodemailer';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, eventually, freePort, program, skipWithoutProgram } from './lib/program.mjs';
import { welcomeShop } from './lib/shop.mjs';

const script = ({ phase, address }) => {
  if (phase === 'rcpt' && address === 'gone@x.example') return { code: 550, text: '5.1.1 User unknown' };
  if (phase === 'rcpt' && address === 'full@x.example') return { code: 552, text: '5.2.2 Mailbox full' };
  if (phase === 'end' && address === 'spam@x.example') return { code: 554, text: '5.7.1 Spam message rejected' };
  return undefined;
};

const report = ({ to, recipient, status = '5.1.1', words = 'User unknown', returned = '' }) => [
  'From: MAILER-DAEMON@mx.example', `To: ${to}`, 'Subject: Undelivered Mail', 'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b', '',
  '--b', 'Content-Type: text/plain', '', 'It failed.',
  '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.example', '',
  `Final-Recipient: rfc822; ${recipient}`, 'Action: failed', `Status: ${status}`,
  `Diagnostic-Code: smtp; 550 ${status} ${words}`,
  '--b', 'Content-Type: text/rfc822-headers', '', returned, '--b--', ''].join('\r\n');

const complaint = ({ returned }) => [
  'From: fbl@mx.example', 'To: abuse@tents.example', 'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=feedback-report; boundary=b', '',
  '--b', 'Content-Type: text/plain', '', 'A complaint.',
  '--b', 'Content-Type: message/feedback-report', '', 'Feedback-Type: abuse', 'User-Agent: x/1', 'Version: 1', '',
  '--b', 'Content-Type: message/rfc822', '', returned, '--b--', ''].join('\r\n');

// A service's own key, as its dashboard shows the public half.
const sendgrid = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const sendgridKey = sendgrid.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

const tell = (house, mail) => spawnSync(program, ['bounce', '--tell', '--data', house.data, '--json'],
  { input: mail, encoding: 'utf8' });

const headerOf = (mail, name) => new RegExp(`^${name}: (.*)$`, 'mi').exec(mail.raw.toString('latin1'))[0].trim();

describe('an address that cannot be reached', { skip: skipWithoutProgram }, () => {
  let house;
  let port;
  const call = (method, path, body) => http(method, `${house.server.origin}${path}`,
    { headers: { authorization: `Bearer ${house.client.apiKey}` }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const signUp = async (id, event = 'Signed Up') => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` }, messageId: `i-${id}` });
    await house.client.send('/v1/track', { userId: id, event, messageId: `s-${id}` });
    return `${id}@x.example`;
  };
  const suppressed = (address) => eventually(`${address} is suppressed`, async () => {
    const { status } = await call('GET', `/api/v1/suppressions/${encodeURIComponent(address)}`);
    return status === 200;
  });
  const timeline = async (id, name) => {
    const { items } = await house.client.get(`/api/v1/profiles/${id}/timeline?limit=100`);
    return items.filter((item) => item.name === name);
  };

  // As a mail server hands it in; the far side's reply.
  const handIn = async (mail, to, lmtp) => {
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port, lmtp, ignoreTLS: true });
    try {
      return (await transport.sendMail({ envelope: { from: '', to: [to] }, raw: mail })).response;
    } finally {
      transport.close();
    }
  };

  before(async () => {
    port = await freePort();
    house = await openHouse({
      shop: welcomeShop({ wait: '1 hour' }),
      recorder: { script },
      args: ['--return-domain', 'bounce.tents.example', '--bounce-listen', `127.0.0.1:${port}`,
        '--sendgrid-key', sendgridKey, '--mailgun-key', 'mg-key'],
    });
  });
  after(() => house?.close());

  test('is suppressed when its server says at once that there is no such mailbox', async () => {
    const address = await signUp('gone');
    await suppressed(address);
    const { items } = await house.client.get('/api/v1/suppressions?reason=hard');
    assert.deepEqual(items.map((item) => [item.address, item.reason]), [[address, 'hard']]);
    assert.match(items[0].said, /user unknown/);
  });

  test('is not suppressed for a full mailbox, nor for a letter that was taken for spam', async () => {
    await signUp('full');
    await signUp('spam');
    for (const id of ['full', 'spam']) {
      const [bounced] = await eventually(`${id} bounced`, async () => {
        const found = await timeline(id, 'Message Bounced');
        return found.length > 0 && found;
      });
      assert.equal(bounced.properties.class, 'soft', id);
    }
    const { total } = await house.client.get('/api/v1/suppressions');
    assert.equal(total, 1);
  });

  test('is suppressed by a report that comes back later to the signed return path, told through a pipe', async () => {
    const address = await signUp('later');
    const [mail] = await house.recorder.wait(address, 1);
    assert.match(mail.envelope.from, /^b-[a-z2-7]+@bounce\.tents\.example$/);
    const { status, stdout } = tell(house, report({ to: mail.envelope.from, recipient: address }));
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).bounces[0].taken, true);
    await suppressed(address);
    const [bounced] = await timeline('later', 'Message Bounced');
    assert.equal(bounced.properties.template, 'welcome');
    tell(house, report({ to: mail.envelope.from, recipient: address }));
    assert.equal((await timeline('later', 'Message Bounced')).length, 1, 'told twice is told once');
  });

  for (const [name, lmtp] of [['SMTP', false], ['LMTP', true]]) {
    test(`is suppressed by a report that a mail server hands in by ${name}, on disk when it is answered`, async () => {
      const address = await signUp(name.toLowerCase());
      const [mail] = await house.recorder.wait(address, 1);
      assert.match(await handIn(report({ to: 'x@y.example', recipient: address }), mail.envelope.from.toUpperCase(), lmtp), /^250/);
      const { status } = await call('GET', `/api/v1/suppressions/${address}`);
      assert.equal(status, 200);
      await assert.rejects(handIn('Subject: hei\r\n\r\nhei\r\n', 'hello@bounce.tents.example', lmtp), /550 5\.1\.1/);
    });
  }

  test('is not suppressed by a report that anyone could have written', async () => {
    const address = await signUp('forged');
    const [mail] = await house.recorder.wait(address, 1);
    const path = mail.envelope.from.replace(/^b-(.)/, (_, c) => `b-${c === 'a' ? 'b' : 'a'}`);
    const { stdout } = tell(house, report({ to: path, recipient: address }));
    assert.equal(JSON.parse(stdout).bounces[0].taken, false);
    assert.equal((await timeline('forged', 'Message Bounced')).length, 0);
    assert.equal((await call('GET', `/api/v1/suppressions/${address}`)).status, 404);
  });

  test('is not suppressed when the report is about another address, where the mail was forwarded', async () => {
    const address = await signUp('forwarded');
    const [mail] = await house.recorder.wait(address, 1);
    tell(house, report({ to: mail.envelope.from, recipient: 'elsewhere@y.example' }));
    const [bounced] = await timeline('forwarded', 'Message Bounced');
    assert.equal(bounced.properties.class, 'soft');
    assert.equal((await call('GET', `/api/v1/suppressions/${address}`)).status, 404);
  });

  test('is suppressed by a complaint that hides it, found by the mark in our own mail', async () => {
    const address = await signUp('angry');
    const [mail] = await house.recorder.wait(address, 1);
    const { stdout } = tell(house, complaint({ returned: `${headerOf(mail, 'X-Dult-Message')}\r\nSubject: x\r\n\r\n` }));
    assert.deepEqual(JSON.parse(stdout).bounces.map(({ class: word, taken }) => [word, taken]), [['complaint', true]]);
    await suppressed(address);
    assert.equal((await timeline('angry', 'Message Complained')).length, 1);
  });

  const hook = (service, body, headers = {}) => http('POST', `${house.server.origin}/api/v1/hooks/${service}`,
    { headers: { 'content-type': 'application/json', ...headers }, body });
  const fromSendgrid = (events, key = sendgrid.privateKey) => {
    const body = `${JSON.stringify(events)}\r\n`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    return hook('sendgrid', body, {
      'x-twilio-email-event-webhook-timestamp': timestamp,
      'x-twilio-email-event-webhook-signature': sign('sha256', Buffer.from(timestamp + body), key).toString('base64'),
    });
  };

  test('is suppressed by a signed event of SendGrid about a mail of ours, and by no other signature', async () => {
    const address = await signUp('sg');
    const [mail] = await house.recorder.wait(address, 1);
    const events = [
      { event: 'delivered', email: address, sg_event_id: 'e0' },
      { event: 'bounce', type: 'bounce', email: address, sg_event_id: 'e1', 'smtp-id': mail.messageId,
        status: '5.1.1', reason: '550 5.1.1 The email account does not exist' },
    ];
    const forged = await fromSendgrid(events, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    assert.equal(forged.status, 403, forged.text);
    assert.equal((await call('GET', `/api/v1/suppressions/${address}`)).status, 404);
    const answer = await fromSendgrid(events);
    assert.deepEqual([answer.status, answer.body], [200, { taken: 1 }]);
    assert.equal((await call('GET', `/api/v1/suppressions/${address}`)).body.reason, 'hard');
    const [bounced] = await timeline('sg', 'Message Bounced');
    assert.equal(bounced.properties.template, 'welcome');
  });

  test('is suppressed by a service that knows it from elsewhere, but not for a full mailbox', async () => {
    const mailgun = (token, data) => {
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = createHmac('sha256', 'mg-key').update(timestamp + token).digest('hex');
      return hook('mailgun', JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': data }));
    };
    const failed = { event: 'failed', severity: 'permanent' };
    const full = await mailgun('t1', { ...failed, recipient: 'full2@x.example', 'delivery-status': { message: '5.2.2 mailbox full' } });
    assert.deepEqual(full.body, { taken: 0 });
    const gone = await mailgun('t2', { ...failed, recipient: 'Gone2@x.example', 'delivery-status': { message: 'No such recipient here' } });
    assert.deepEqual(gone.body, { taken: 1 });
    assert.equal((await call('GET', '/api/v1/suppressions/gone2@x.example')).body.reason, 'hard');
    assert.equal((await hook('postmark', '{}')).status, 404, 'no password is set');
  });

  test('gets no mail, and the reason is said', async () => {
    await call('POST', '/api/v1/suppressions', { address: 'Quiet@X.example', reason: 'asked by phone' });
    await signUp('quiet');
    const held = await eventually('it is held', async () => {
      const { items } = await house.client.get('/api/v1/messages?who=quiet');
      return items.find((item) => item.state === 'held');
    });
    assert.equal(held.reason, 'suppressed by hand');
    assert.equal(house.recorder.to('quiet@x.example').length, 0);
  });

  test('stays suppressed after a start, until somebody lifts it', async () => {
    const before = (await house.client.get('/api/v1/suppressions')).items;
    await house.server.stop();
    await house.server.start();
    assert.deepEqual((await house.client.get('/api/v1/suppressions')).items, before);
    assert.match(await dult('suppress', '--data', house.data), /quiet@x\.example +manual .*asked by phone/);
    assert.match(await dult('suppress', 'lift', '--data', house.data, 'quiet@x.example'), /may be sent to again/);
    await house.client.send('/v1/identify', { userId: 'quiet2', traits: { email: 'quiet@x.example' } });
    await house.client.send('/v1/track', { userId: 'quiet2', event: 'Signed Up' });
    await house.recorder.wait('quiet@x.example', 1);
  });

  test('that is none is refused with what is wrong', async () => {
    const answer = await call('POST', '/api/v1/suppressions', { address: 'ada' });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /This is no address/);
  });
});
