// What the staff is told of the house, by mail and by Slack: codes that run low and out. (That sending has
// stopped: sending_test.mjs.)

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { eventually, skipWithoutProgram } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder, template } from './lib/shop.mjs';

const SHOP = {
  'codes/spring.json': { kind: 'pool', low: 3 },
  'templates/offer.email': template({ subject: 'offer', transactional: 'yes', html: '<p>{{ codes.spring.code }}</p>' }),
  'journeys/spring.json': { journey: 'spring', trigger: { event: 'Spring' }, reentry: 'always', nodes: [{ id: 'm', email: 'offer' }] },
};

describe('the staff', { skip: skipWithoutProgram }, () => {
  let house, services;
  const tell = async (id) => {
    await house.client.send('/v1/identify', { userId: id, traits: { email: `${id}@x.example` } });
    await house.client.send('/v1/track', { userId: id, event: 'Spring' });
  };
  before(async () => {
    services = await Services.listen();
    house = await openHouse({
      shop: shopFolder(SHOP),
      args: ['--alert-to', 'ops@tents.example, slack', '--smtp-retry-first', '1500 ms'],
      ways: [{ name: 'chat', provider: 'slack', inside: true, settings: { url: { secret: 'slack' } } }],
      secrets: { slack: `${services.origin}/services/T/B/X` },
    });
    const { status } = await http('POST', `${house.server.origin}/api/v1/codes/spring/codes`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` }, body: { codes: ['A-1', 'A-2', 'A-3'] } });
    assert.equal(status, 200);
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('is told once that codes run low, by each of the ways, in words that say what to do', async () => {
    await tell('ada');
    const [mail] = await house.recorder.wait('ops@tents.example', 1);
    assert.equal(mail.subject, '[Dult] Of the codes "spring" 2 are left.');
    assert.match(mail.text, /Add some in time: dult codes import/);
    assert.match(String(mail.raw), /^DKIM-Signature: [^]*^From: .*@tents\.example/m);
    const [said] = await eventually('Slack has it', () => services.of('/services/').length > 0 && services.of('/services/'));
    assert.match(JSON.parse(said.body).text, /^Of the codes "spring" 2 are left\.\n\nAdd some in time/);
    await tell('bob');
    await house.recorder.wait('bob@x.example', 1);
    assert.equal(services.of('/services/').length, 1, 'not again for the next one');
  });

  test('and once that they are used up, by a second try where the first is not taken; nobody of the staff becomes a person by it', async () => {
    let left = 1;
    services.answer = () => (left-- > 0 ? { status: 500, body: 'busy' } : { body: 'ok' });
    await tell('cyd');
    const mails = await house.recorder.wait('ops@tents.example', 2);
    assert.equal(mails[1].subject, '[Dult] Of the codes "spring" 0 are left.');
    const [, refused, taken] = await eventually('Slack has it', () => services.of('/services/').length > 2 && services.of('/services/'));
    assert.match(JSON.parse(refused.body).text, /^Of the codes "spring" 0 are left\./);
    assert.equal(taken.body, refused.body);
    await new Promise((resolve) => { setTimeout(resolve, 2_000); });
    assert.equal(services.of('/services/').length, 3, 'what was taken is not told again');
    assert.equal((await house.recorder.wait('ops@tents.example', 2)).length, 2, 'and the mail was one');
    assert.equal((await house.client.stats()).profiles, 3);
  });

  test('is named rightly, or nothing starts', async () => {
    await house.server.stop();
    house.server.args.push('--alert-to', 'ops@tents.example, no address');
    await assert.rejects(house.server.start(), /alert_to/);
    house.server.args.splice(-2);
    await house.server.start();
  });
});
