// The right e-mail to the right person at the right moment, by real SMTP, read by other people's
// parsers and verifiers; and what comes of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { countEvents, http } from './lib/api.mjs';
import { openHouse, PUBLIC_URL } from './lib/house.mjs';
import { dult, dultTry, eventually, folder, patience, program, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { header, links } from './lib/recorder.mjs';
import { shopFolder, template, welcomeShop } from './lib/shop.mjs';

const WAIT_MS = patience > 1 ? 12_000 : 4000; /* the wait in the test's own journey: what must be done within it is asked at its begin */
const QUIET_MS = 1500; /* how long after the wait nothing more must come */

const dkim = { domain: 'tents.example', selector: 'dult1' };
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyFolder = folder('dkim');
const keyFile = join(keyFolder, 'dkim.pem');
writeFileSync(keyFile, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
after(() => removeFolder(keyFolder));

async function resolver(name, type) {
  if (type === 'TXT' && name === `${dkim.selector}._domainkey.${dkim.domain}`) {
    const der = keys.publicKey.export({ type: 'spki', format: 'der' });
    return [[`v=DKIM1; k=rsa; p=${der.toString('base64')}`]];
  }
  throw Object.assign(new Error(`${name} has no ${type}`), { code: 'ENOTFOUND' });
}

let signUps = 0;
async function signUp(house, who, traits = {}) {
  signUps += 1;
  const email = `${who}@x.example`;
  await house.client.send('/v1/identify', { messageId: `i${signUps}`, userId: who, traits: { email, ...traits } });
  await house.client.send('/v1/track', { messageId: `s${signUps}`, userId: who, event: 'Signed Up' });
  return email;
}

const oneClick = (url) => http('POST', url, {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'List-Unsubscribe=One-Click',
});

describe('the welcome journey', { skip: skipWithoutProgram }, () => {
  let house;
  before(async () => {
    house = await openHouse({
      shop: welcomeShop({ wait: `${WAIT_MS / 1000} seconds` }),
      env: { DULT_DKIM_DOMAIN: dkim.domain, DULT_DKIM_SELECTOR: dkim.selector, DULT_DKIM_KEY_FILE: keyFile },
    });
  });
  after(() => house?.close());

  test('welcomes at once, and reminds after the wait those who did nothing', async () => {
    const begun = Date.now();
    const email = await signUp(house, 'idle', { first_name: 'Idle' });
    const [welcome] = await house.recorder.wait(email, 1);
    assert.equal(welcome.subject, 'Welcome, Idle');
    const [, reminder] = await house.recorder.wait(email, 2, WAIT_MS + 10_000);
    assert.equal(reminder.subject, 'Your first project waits');
    assert.ok(reminder.at - begun >= WAIT_MS, `${reminder.at - begun} ms after the sign-up, which begins the wait`);
    await sleep(QUIET_MS);
    assert.equal(house.recorder.to(email).length, 2);
  });

  test('does not remind those who have acted', async () => {
    const email = await signUp(house, 'busy');
    await house.recorder.wait(email, 1);
    await house.client.send('/v1/track', { userId: 'busy', event: 'Project Created', messageId: 'p1' });
    await sleep(WAIT_MS + QUIET_MS * patience);
    assert.equal(house.recorder.to(email).length, 1);
  });

  test('enters once, as it says, however often one signs up', async () => {
    const email = await signUp(house, 'twice');
    await house.recorder.wait(email, 1);
    await house.client.send('/v1/track', { userId: 'twice', event: 'Signed Up', messageId: 'again' });
    await house.client.send('/v1/track', { userId: 'twice', event: 'Project Created', messageId: 'p2' });
    await sleep(WAIT_MS + QUIET_MS * patience);
    assert.equal(house.recorder.to(email).length, 1);
  });

  test('writes mail that other people\'s parsers read as it was meant', async () => {
    const email = await signUp(house, 'reader', { first_name: 'Zo\u00eb <3' });
    const [mail] = await house.recorder.wait(email, 1);
    assert.deepEqual(mail.from.value, [{ name: 'Tents and Trails', address: 'hello@tents.example' }]);
    assert.equal(mail.replyTo.value[0].address, 'help@tents.example');
    assert.equal(mail.to.value[0].address, email);
    assert.equal(mail.subject, 'Welcome, Zo\u00eb <3');
    assert.match(mail.messageId, /^<[^<>@\s]+@[^<>@\s]+>$/);
    assert.ok(Math.abs(mail.date.getTime() - Date.now()) < 60_000);
    assert.match(mail.text, /^Welcome, Zo\u00eb <3/);
    assert.match(mail.html, /Welcome, Zo\u00eb (<|&lt;)3/);
    assert.doesNotMatch(mail.raw.toString('latin1'), /[^\r]\n/, 'lines end in CR LF');
    assert.ok(mail.raw.toString('latin1').split('\r\n').every((line) => line.length <= 998));
  });

  test('makes a text part from the HTML where the template has none', async () => {
    const [, reminder] = await house.recorder.wait('idle@x.example', 2, WAIT_MS + 10_000);
    assert.match(reminder.text, /Zo\u00eb says/);
    assert.doesNotMatch(reminder.text, /<a /);
  });

  test('offers to unsubscribe with one click, and signs that offer', async () => {
    const [mail] = await house.recorder.wait('idle@x.example', 1);
    assert.ok(header(mail, 'List-Unsubscribe').includes(`<${PUBLIC_URL}/u/`), header(mail, 'List-Unsubscribe'));
    assert.equal(header(mail, 'List-Unsubscribe-Post'), 'List-Unsubscribe=One-Click');
    const { results } = await dkimVerify(mail.raw, { resolver });
    const [signature] = results;
    assert.equal(signature?.status?.result, 'pass', JSON.stringify(results));
    assert.equal(signature.signingDomain, dkim.domain);
    const signed = /\bh=([^;]+)/.exec(header(mail, 'DKIM-Signature'))[1].toLowerCase().replace(/\s/g, '').split(':');
    for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post']) {
      assert.ok(signed.includes(name), `${name} is signed: ${signed}`);
    }
  });

  test('a mail changed on the way no longer verifies', async () => {
    const [mail] = await house.recorder.wait('idle@x.example', 1);
    const forged = Buffer.from(mail.raw.toString('latin1').replace('Subject: Welcome', 'Subject: Goodbye'), 'latin1');
    assert.notDeepEqual(forged, mail.raw);
    const { results } = await dkimVerify(forged, { resolver });
    assert.notEqual(results[0].status.result, 'pass');
  });

  test('explains why the message was sent', async () => {
    const why = await dult('explain', '--data', house.data, 'idle', 'journey', 'welcome');
    assert.match(why, /Signed Up/);
    assert.match(why, /remind/);
    assert.equal(await dult('explain', '--data', house.data, 'idle', 'welcome'), why); /* no segment has the name */
    const { status, err } = await dultTry('explain', '--data', house.data, 'idle', 'wellcome');
    assert.deepEqual([status, /There is no segment or journey "wellcome"/.test(err)], [4, true]);
  });

  test('shows the person with their story', async () => {
    const shown = JSON.parse(await dult('show', '--data', house.data, 'idle', '--json'));
    assert.equal(shown.traits.email, 'idle@x.example');
  });
});

describe('what comes of a mail', { skip: skipWithoutProgram }, () => {
  const REMINDER_MS = 24_000; /* all that is done before somebody unsubscribes is done by then */
  let house;
  let mail;
  let begun;
  before(async () => {
    house = await openHouse({ shop: welcomeShop({ wait: `${REMINDER_MS / 1000} seconds` }) });
    begun = Date.now();
    [mail] = await house.recorder.wait(await signUp(house, 'ada', { first_name: 'Ada' }), 1);
  });
  after(() => house?.close());

  const click = () => links(mail.html).find((url) => url.startsWith(`${PUBLIC_URL}/c/`));
  const pixel = () => links(mail.html).find((url) => /\/o\/[^/]+\.gif$/.test(url));
  const unsubscribe = () => new RegExp(`<(${PUBLIC_URL}/u/[^>]+)>`).exec(header(mail, 'List-Unsubscribe'))[1];
  const seen = (name) => eventually(`"${name}" on the timeline`,
    async () => countEvents(await house.client.timeline('ada'), name) > 0);

  test('a followed link leads where the author meant, and is on the timeline', async () => {
    const answer = await http('GET', house.local(click()));
    assert.ok([301, 302, 303, 307].includes(answer.status), String(answer.status));
    const target = new URL(answer.headers.location);
    assert.equal(target.origin + target.pathname, 'https://tents.example/start');
    assert.equal(target.searchParams.get('a'), '1');
    assert.equal(target.searchParams.get('b'), '2');
    await seen('Message Clicked');
  });

  test('a link whose target was changed leads nowhere', async () => {
    const bent = house.local(click()).replace(/([?&]u=)[^&]*/, '$1https%3A%2F%2Fevil.example%2F');
    assert.match(bent, /evil\.example/);
    const answer = await http('GET', bent);
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    assert.equal(answer.headers.location, undefined);
  });

  test('the pixel is an image that is not kept, and an open on the timeline', async () => {
    const answer = await http('GET', house.local(pixel()));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'image/gif');
    assert.equal(answer.bytes.subarray(0, 3).toString(), 'GIF');
    assert.match(answer.headers['cache-control'], /no-store|no-cache/);
    await seen('Message Opened');
  });

  test('the mail can be read in a browser, runs nothing there and tells nobody', async () => {
    const view = links(mail.html).find((url) => url.startsWith(`${PUBLIC_URL}/v/`));
    const opened = countEvents(await house.client.timeline('ada'), 'Message Opened');
    const answer = await http('GET', house.local(view));
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /text\/html/);
    assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
    assert.match(answer.bytes.toString(), /Welcome, Ada/);
    assert.doesNotMatch(answer.bytes.toString(), /\/o\/|\/c\//);
    assert.equal(countEvents(await house.client.timeline('ada'), 'Message Opened'), opened);
  });

  test('looking at the unsubscribe page changes nothing', async () => {
    for (let times = 0; times < 3; times += 1) {
      const answer = await http('GET', house.local(unsubscribe()));
      assert.equal(answer.status, 200);
      assert.match(answer.headers['content-type'], /text\/html/);
    }
    await sleep(300);
    assert.equal(countEvents(await house.client.timeline('ada'), 'Message Unsubscribed'), 0);
  });

  test('a forged token unsubscribes nobody', async () => {
    const url = house.local(unsubscribe());
    const middle = url.indexOf('/u/') + 8;
    const forged = url.slice(0, middle) + (url[middle] === 'A' ? 'B' : 'A') + url.slice(middle + 1);
    const answer = await oneClick(forged);
    assert.ok(answer.status === 200 || answer.status === 404, String(answer.status));
    assert.equal(countEvents(await house.client.timeline('ada'), 'Message Unsubscribed'), 0);
  });

  test('one click ends the journey and every later message, without a redirect, as often as told', async () => {
    for (let times = 0; times < 2; times += 1) {
      const answer = await oneClick(house.local(unsubscribe()));
      assert.ok(answer.status === 200 || answer.status === 202, String(answer.status));
    }
    await seen('Message Unsubscribed');
    assert.ok(Date.now() - begun < REMINDER_MS, 'they have unsubscribed before they would be reminded');
    await sleep(begun + REMINDER_MS - Date.now() + QUIET_MS * patience);
    assert.equal(house.recorder.to('ada@x.example').length, 1, 'no reminder');
  });

  test('the choice outlives a crash', async () => {
    await house.server.kill();
    await house.server.start();
    const answer = await http('GET', house.local(unsubscribe()));
    assert.equal(answer.status, 200);
    const [profile, messages] = [await house.client.profile('ada'), await house.client.messages('ada')];
    assert.ok(profile);
    assert.ok(messages.filter(({ state }) => state === 'sent').length === 1, JSON.stringify(messages));
  });

  test('what a mail host refuses for good is listed as failed, what it puts off arrives later', async () => {
    house.recorder.script = ({ phase, address, attempt }) => {
      if (phase === 'rcpt' && address === 'gone@x.example') return { code: 550, text: '5.1.1 no such mailbox' };
      if (phase === 'rcpt' && address === 'later@x.example' && attempt === 1) return { code: 451, text: '4.3.0 later' };
      return undefined;
    };
    await signUp(house, 'gone');
    const state = await eventually('gone has a failed message', async () => {
      const [message] = await house.client.messages('gone');
      return message?.state === 'failed' && message;
    });
    assert.match(JSON.stringify(state), /no such mailbox/);
    await signUp(house, 'later');
    await eventually('later was tried', () => (house.recorder.attempts.get('later@x.example') ?? 0) >= 1);
    assert.equal(house.recorder.to('gone@x.example').length, 0);
  });
});

describe('waits and splits', { skip: skipWithoutProgram }, () => {
  const LONG_S = Math.ceil(4 * patience); /* what is waited for, and the date, come within this */
  const mail = (subject) => template({ subject, html: '<p><a href="https://tents.example/x">x</a></p>', transactional: 'yes' });
  let house;
  let told = 0;
  const track = (userId, event, properties = {}) =>
    house.client.send('/v1/track', { userId, event, properties, messageId: `w${told += 1}` });
  const identify = (userId, traits) =>
    house.client.send('/v1/identify', { userId, traits: { email: `${userId}@x.example`, ...traits }, messageId: `w${told += 1}` });
  const gets = async (who, subject) => {
    const mails = await house.recorder.wait(`${who}@x.example`, 1, 15_000 * patience);
    assert.deepEqual(mails.map((mail) => mail.subject), [subject]);
    return mails[0];
  };

  before(async () => {
    house = await openHouse({
      shop: shopFolder({
        'journeys/pay.json': { journey: 'pay', trigger: { event: 'Ordered' }, reentry: 'always', nodes: [
          { id: 'paid', wait_for: { event: 'Paid', where: 'amount > 10' }, within: `${LONG_S} seconds`, yes: 'which', timeout: 'remind' },
          { id: 'which', split: [{ if: 'plan = "pro"', next: 'pro', name: 'pro' }, { if: 'plan exists', next: 'thanks' }], else: 'end' },
          { id: 'pro', email: 'pro', next: 'end' },
          { id: 'thanks', email: 'thanks', next: 'end' },
          { id: 'remind', email: 'remind' },
          { id: 'end', exit: true }] },
        'journeys/slow.json': { journey: 'slow', trigger: { event: 'Slow' }, nodes: [
          { id: 'paid', wait_for: { event: 'Paid' }, within: '3 days', yes: 'mail', timeout: 'end' },
          { id: 'mail', email: 'pro' },
          { id: 'end', exit: true }] },
        'journeys/trial.json': { journey: 'trial', trigger: { event: 'Trial' }, nodes: [
          { id: 'wait', wait_until: '1 second before trial_ends', else: 'end' },
          { id: 'mail', email: 'ends' },
          { id: 'end', exit: true }] },
        'journeys/after.json': { journey: 'after', trigger: { finished_journey: 'chain' }, nodes: [{ id: 'mail', email: 'after' }] },
        'journeys/chain.json': { journey: 'chain', trigger: { event: 'Chain' }, nodes: [{ id: 'end', exit: true }] },
        'journeys/keen.json': { journey: 'keen', trigger: { clicked: { message: 'after' }, by: 'anyone' }, nodes: [{ id: 'mail', email: 'keen' }] },
        ...Object.fromEntries(['pro', 'thanks', 'remind', 'ends', 'after', 'keen'].map((name) => [`templates/${name}.email`, mail(name)])),
      }),
    });
  });
  after(() => house?.close());

  test('what is waited for goes on with the event that brings it, and by the branch that holds', async () => {
    await identify('ada', { plan: 'pro' });
    await identify('bob', { plan: 'free' });
    for (const who of ['ada', 'bob']) await track(who, 'Ordered');
    await track('bob', 'Paid', { amount: 5 });
    for (const who of ['ada', 'bob']) await track(who, 'Paid', { amount: 50 });
    await Promise.all([gets('ada', 'pro'), gets('bob', 'thanks')]);
    const why = await dult('explain', '--data', house.data, 'ada', 'journey', 'pay');
    assert.match(why, /node paid, took yes[^]*node which, took pro/);
  });

  test('explains what comes next, both ways, and changes nothing by it', async () => {
    await identify('ned', { plan: 'pro' });
    assert.match(await dult('explain', '--data', house.data, 'ned', 'journey', 'slow'),
      /To come in: the event "Slow"\. Now that would let this person in\./);
    await track('ned', 'Slow');
    const ask = async () => JSON.parse(await dult('explain', '--data', house.data, '--json', 'ned', 'journey', 'slow'));
    const [next] = (await ask()).next;
    assert.deepEqual([next.node, next.waits_for], ['paid', 'an event']);
    assert.ok(Date.parse(next.until) > Date.now() + 86_400_000, next.until);
    const [yes, timeout] = next.ways;
    assert.deepEqual([yes.way, yes.then[0].template, yes.then[0].goes], ['yes', 'pro', true]);
    assert.deepEqual([timeout.at, timeout.then[0].does], [next.until, 'exit']);
    assert.match(await dult('explain', '--data', house.data, 'ned', 'journey', 'slow'),
      /At node paid, waiting for an event until [^]*message pro \(email\) would go as of now[^]*the time is over/);
    const again = await ask();
    assert.deepEqual(again.next, [next]);
    assert.deepEqual([again.entering.enters, again.entering.why_not], [false, 'already inside']);
  });

  test('what does not come in time is not waited for, also over a kill', async () => {
    await identify('cat', { plan: 'pro' });
    await track('cat', 'Ordered');
    await house.server.kill();
    await house.server.start();
    await gets('cat', 'remind');
    assert.match(await dult('explain', '--data', house.data, 'cat', 'journey', 'pay'), /took timeout/);
  });

  test('a date of the person is waited for, and the one that they have by then', async () => {
    const ends = Date.now() + (LONG_S + 1) * 1000;
    await identify('dan', { trial_ends: new Date(ends + 3_600_000).toISOString() });
    await track('dan', 'Trial');
    await identify('dan', { trial_ends: new Date(ends).toISOString() });
    await track('eve', 'Trial');
    const { at } = await gets('dan', 'ends');
    assert.ok(at > ends - 1500, `${ends - at} ms before it ends`);
    assert.match(await dult('explain', '--data', house.data, 'eve', 'journey', 'trial'), /took the date is not known/);
  });

  test('one journey\'s end begins another, and a click in its mail, by anyone, a third', async () => {
    await identify('fay', {});
    await track('fay', 'Chain');
    const mail = await gets('fay', 'after');
    await http('GET', house.local(links(mail.html).find((url) => url.startsWith(`${PUBLIC_URL}/c/`))));
    const [, keen] = await house.recorder.wait('fay@x.example', 2, 15_000 * patience);
    assert.equal(keen.subject, 'keen');
    const { body } = await http('POST', `${house.server.origin}/api/v1/templates/after/people`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` }, body: {} });
    assert.equal(body.trigger, 'finished_journey', JSON.stringify(body));
    assert.ok(body.looked > 0, JSON.stringify(body));
  });

  test('a mistake is told by its place, with what to do', async () => {
    const shop = shopFolder({ 'journeys/bad.json': { journey: 'bad', trigger: { event: 'X' }, nodes: [
      { id: 'a', split: [{ share: 30 }, { share: 60 }] }] } });
    const { status, stdout, stderr } = spawnSync(program, ['check', shop], { encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.match(stdout + stderr, /journeys\/bad\.json[^]*nodes\[0\]\.split[^]*The shares are 90 percent in all\.\s+Make them 100/);
    removeFolder(shop);
  });
});
