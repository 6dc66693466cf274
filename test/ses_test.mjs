// Amazon SES by SNS, over the running program: notifications signed as Amazon signs (a public validator
// agrees), with a certificate of our own in the place of Amazon's.

import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { welcomeShop } from './lib/shop.mjs';

const require = createRequire(import.meta.url);
const PEM = fileURLToPath(new URL('corpora/sns-signing.pem', import.meta.url));
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:bounces';
const HOST = 'https://sns.eu-west-1.amazonaws.com';

const KEYS = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};

let number = 0;
function envelope(more, version = '2') {
  number += 1;
  const message = { Type: 'Notification', MessageId: `m-${number}`, TopicArn: TOPIC, Timestamp: new Date().toISOString(), SignatureVersion: version,
    SigningCertURL: `${HOST}/SimpleNotificationService-0123456789abcdef.pem`, UnsubscribeURL: `${HOST}/?Action=Unsubscribe`, ...more };
  const said = KEYS[message.Type].filter((key) => key in message).map((key) => `${key}\n${message[key]}\n`).join('');
  return { ...message, Signature: createSign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256').update(said).sign(readFileSync(PEM, 'utf8'), 'base64') };
}

// What npm sns-validator says, which would fetch the certificate.
function validated(message) {
  const Validator = require('sns-validator');
  const get = https.get;
  https.get = (url, done) => {
    const answer = Readable.from([Buffer.from(readFileSync(PEM, 'utf8').replace(/[\s\S]*(?=-----BEGIN CERTIFICATE)/, ''))]);
    answer.statusCode = 200;
    done(answer);
    return { on() {} };
  };
  return new Promise((resolve) => new Validator().validate(message, (error) => { https.get = get; resolve(error ?? true); }));
}

describe('Amazon SES by SNS', { skip: skipWithoutProgram }, () => {
  let house;
  const post = (message) => http('POST', `${house.server.origin}/api/v1/hooks/ses`, { headers: { 'content-type': 'text/plain; charset=UTF-8',
    'x-amz-sns-message-type': message.Type }, body: JSON.stringify(message) });
  const mailOf = async (id) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` }, messageId: `i-${id}` });
    await house.client.send('/v1/track', { userId: id, event: 'Signed Up', messageId: `s-${id}` });
    const mail = await eventually(`the mail to ${id}`, () => house.recorder.mails.find((each) => each.to.includes(`${id}@x.example`)));
    return /^Message-ID: (.*)$/mi.exec(mail.raw.toString('latin1'))[1].trim();
  };
  // As event publishing tells it, to one recipient.
  const told = (id, messageId, more) => JSON.stringify({ ...more, mail: { timestamp: new Date().toISOString(), messageId: `ses-${id}`, destination: [`${id}@x.example`],
    headersTruncated: false, headers: [{ name: 'From', value: 'x' }, { name: 'Message-ID', value: messageId }], commonHeaders: { messageId: `ses-${id}` } } });
  const once = (id, name) => eventually(`${id}: ${name}`, async () => (await house.client.timeline(id)).find((item) => item.name === name));

  before(async () => {
    house = await openHouse({ shop: welcomeShop(), args: ['--ses-topic', `arn:aws:sns:eu-west-1:1:other,${TOPIC}`, '--ses-certificate', PEM] });
  });
  after(() => house?.close());

  test('a bounce, a complaint and a delivery find their message, in both versions of the signature', async () => {
    const cases = [
      ['gone', 'Message Bounced', '1', { eventType: 'Bounce', bounce: { bounceType: 'Permanent', bounceSubType: 'General', feedbackId: 'f1',
        bouncedRecipients: [{ emailAddress: 'gone@x.example', action: 'failed', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' }] } }],
      ['full', 'Message Bounced', '2', { notificationType: 'Bounce', bounce: { bounceType: 'Transient', bounceSubType: 'MailboxFull', feedbackId: 'f2',
        bouncedRecipients: [{ emailAddress: 'full@x.example' }] } }],
      ['angry', 'Message Complained', '2', { eventType: 'Complaint', complaint: { feedbackId: 'f3', complainedRecipients: [{ emailAddress: 'angry@x.example' }] } }],
      ['fine', 'Message Delivered', '1', { eventType: 'Delivery', delivery: { recipients: ['fine@x.example'], smtpResponse: '250 ok' } }],
    ];
    for (const [id, name, version, body] of cases) {
      const message = envelope({ Message: told(id, await mailOf(id), body) }, version);
      assert.equal(await validated(message), true);
      const { status, text } = await post(message);
      assert.deepEqual([id, status, text], [id, 200, '{"taken":1}']);
      const event = await once(id, name);
      if (name !== 'Message Delivered') assert.equal((event.properties ?? event.body?.properties ?? event).recipient, `${id}@x.example`);
    }
    for (const [address, is] of [['gone', 200], ['full', 404], ['angry', 200], ['fine', 404]]) {
      const { status } = await http('GET', `${house.server.origin}/api/v1/suppressions/${address}%40x.example`, { headers: { authorization: `Bearer ${house.client.apiKey}` } });
      assert.equal(status, is, address);
    }
  });

  test('what is not signed, of another topic, or points elsewhere is refused and changes nothing', async () => {
    const body = told('safe', await mailOf('safe'), { eventType: 'Complaint', complaint: { feedbackId: 'f9', complainedRecipients: [{ emailAddress: 'safe@x.example' }] } });
    const good = envelope({ Message: body });
    const forged = [
      { ...good, Message: body.replace('f9', 'f8') }, { ...good, Signature: 'AAAA' }, { ...good, SignatureVersion: '1' },
      envelope({ Message: body, TopicArn: 'arn:aws:sns:eu-west-1:999999999999:bounces' }),
      envelope({ Message: body, Timestamp: new Date(Date.now() - 66 * 60_000).toISOString() }),
      envelope({ Message: body, SigningCertURL: 'https://sns.eu-west-1.amazonaws.com.evil.example/a.pem' }),
      envelope({ Message: body, SigningCertURL: 'https://sns.us-east-1.amazonaws.com/a.pem' }),
      envelope({ Type: 'SubscriptionConfirmation', Message: 'x', Token: 't', SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription' }),
    ];
    for (const message of forged) assert.equal((await post(message)).status, 403);
    assert.equal((await http('POST', `${house.server.origin}/api/v1/hooks/ses`, { body: body })).status, 403);
    assert.equal((await house.client.timeline('safe')).some((item) => item.name === 'Message Complained'), false);
    assert.equal((await post(envelope({ Message: 'Successfully validated SNS topic for Amazon SES event publishing.' }))).text, '{"taken":0}');
  });

  test('a subscription that cannot be confirmed from here is in the log with its address, and SNS is to come again', async () => {
    const message = envelope({ Type: 'SubscriptionConfirmation', Message: 'You have chosen', Token: 't-17', SubscribeURL: `${HOST}/?Action=ConfirmSubscription&Token=t-17` });
    assert.equal(await validated(message), true);
    assert.equal((await post(message)).status, 503);
    await eventually('the address is in the log', () => house.server.said.includes('Action=ConfirmSubscription&Token=t-17'));
  });
});
