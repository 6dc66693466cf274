// What a webhook answered, in the later nodes of its journey: a server of HTTP answers, and the mail
// that follows shows what it said.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { skipWithoutProgram } from './lib/program.mjs';
import { Services } from './lib/services.mjs';
import { shopFolder, template } from './lib/shop.mjs';

describe('the answer of a webhook', { skip: skipWithoutProgram }, () => {
  let house, services, told = 0;
  const tell = (userId, properties = {}) =>
    house.client.send('/v1/track', { userId, event: 'Lead', properties, messageId: `t-${++told}` });
  const know = (userId) => house.client.send('/v1/identify',
    { userId, traits: { email: `${userId}@x.example` }, messageId: `i-${++told}` });
  const mailTo = async (who) => (await house.recorder.wait(`${who}@x.example`))[0];

  before(async () => {
    services = await Services.listen();
    services.answer = (request) => {
      if (request.path === '/slow') return 'silence';
      if (request.path === '/told') return { body: 'thanks', headers: { 'content-type': 'text/plain' } };
      if (request.path === '/score/eva') return { status: 404, body: { error: { what: 'nobody' } } };
      return { status: 201, body: { score: 81, tags: ['a', 'b'], owner: { name: 'Kim <k>' } } };
    };
    const hook = (path, body) => `channel: webhook\nurl: ${services.origin}${path}\n--- body\n${body}\n`;
    house = await openHouse({
      shop: shopFolder({
        'journeys/Lead.json': { journey: 'Lead', trigger: { event: 'Lead' }, reentry: 'always', nodes: [
          { id: 'crm', message: 'score', answer_within: '1 minute' },
          { id: 'found', split: 'did "Notice Sent" where status = 201', yes: 'tell-it', no: 'unknown' },
          { id: 'tell-it', message: 'tell', answer_within: '1 minute' },
          { id: 'mail', email: 'mail', next: 'end' },
          { id: 'unknown', email: 'unknown' },
          { id: 'end', exit: true }] },
        'templates/score.email': hook('/score/{{ person.id }}', 'x'),
        'templates/tell.email': hook('/told', '{"of": {{ journey.answers.crm.body.score | plus: 1 }}, "tags": {{ journey.answers.crm.body.tags | json }}}'),
        'templates/mail.email': template({ subject: 'You have {{ journey.answers.crm.body.score }} points', transactional: 'yes',
          html: '<p>{{ journey.answers.crm.status }} {{ journey.answers.crm.body.owner.name }}, they said {{ journey.answers.tell-it.body }}</p>' }),
        'templates/unknown.email': template({ subject: 'Hello {{ journey.answers.crm.body.error.what }}', transactional: 'yes',
          html: '<p>{{ journey.answers.crm.status }}</p>' }),
      }),
      ways: [{ name: 'hooks', provider: 'webhook', inside: true }],
    });
    await know('ada');
    await know('eva');
  });
  after(async () => {
    await house?.close();
    await services?.close();
  });

  test('is in the body of the next webhook and in the mail after it', async () => {
    await tell('ada');
    const mail = await mailTo('ada');
    assert.deepEqual(services.of('/told').map((request) => JSON.parse(request.body)), [{ of: 82, tags: ['a', 'b'] }]);
    assert.equal(mail.subject, 'You have 81 points');
    assert.match(mail.html, /201 Kim &lt;k&gt;, they said thanks/);
  });

  test('is there also when it says no', async () => {
    await tell('eva');
    const mail = await mailTo('eva');
    assert.equal(mail.subject, 'Hello nobody');
    assert.match(mail.html, /404/);
  });

  test('is shown in a preview, of the last time that the person came through', async () => {
    const answer = await http('POST', `${house.server.origin}/api/v1/templates/mail/preview`, {
      headers: { authorization: `Bearer ${house.client.apiKey}` }, body: { person: 'ada', journey: 'Lead' } });
    assert.equal(JSON.parse(answer.text).subject, 'You have 81 points', answer.text);
  });
});
