// A draft of a journey: kept beside the published one without effect, listed, compared, rehearsed, published, and thrown away.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { http } from './lib/api.mjs';
import { openHouse } from './lib/house.mjs';
import { dult, dultTry, folder, removeFolder, skipWithoutProgram } from './lib/program.mjs';
import { shopFolder } from './lib/shop.mjs';

const journey = (...nodes) => ({ journey: 'stay', trigger: { event: 'Came' }, reentry: 'always', nodes });

describe('a draft of a journey', { skip: skipWithoutProgram }, () => {
  let house;
  const papers = folder('drafts');
  const file = join(papers, 'stay.json');
  const draft = (...nodes) => writeFileSync(file, JSON.stringify(journey(...nodes)));
  const run = (...words) => dult('journey', ...words.slice(0, 2), '--data', house.data, ...words.slice(2));
  const runTry = (...words) => dultTry('journey', ...words.slice(0, 2), '--data', house.data, ...words.slice(2));
  const ask = async (method, path, body) => (await http(method, `${house.server.origin}/api/v1${path}`, {
    headers: { authorization: `Bearer ${house.client.apiKey}` }, body,
  }));
  before(async () => {
    house = await openHouse({ shop: shopFolder({ 'journeys/stay.json': journey({ id: 'rest', wait: '30 days' }) }) });
    await house.client.send('/v1/track', { userId: 'ada', event: 'Came' });
  });
  after(async () => {
    await house?.close();
    removeFolder(papers);
  });

  test('is saved and has no effect, also over a restart', async () => {
    draft({ id: 'rest', wait: '40 days' }, { id: 'more', wait: '1 day' });
    assert.match(await run('draft', 'put', 'stay', file), /The draft of stay is saved; nothing else changed\.\n$/);
    await house.server.restart();
    assert.match(await run('draft', 'list'), /^stay +saved \S+ by command line\n$/);
    assert.match(await dult('journey', 'history', '--data', house.data, 'stay'), /^ +1 .* 1 inside\n$/);
    assert.equal(JSON.parse(await run('draft', 'show', 'stay')).nodes.length, 2);
  });

  test('is compared with what is published, and rehearsed', async () => {
    const differs = await run('draft', 'diff', 'stay');
    assert.match(differs, /changed +node rest\n {2}- .*30 days.*\n {2}\+ .*40 days/);
    assert.match(differs, /added +node more/);
    assert.match(await dult('rehearse', '--data', house.data, '--draft', 'stay'), /more/);
    assert.doesNotMatch(await dult('rehearse', '--data', house.data, 'stay'), /more/);
    assert.match((await dultTry('rehearse', '--data', house.data, '--draft', 'none')).err, /There is no draft of a journey "none"/);
  });

  test('may not be ready: what is missing is told, and publishing it is refused', async () => {
    draft({ id: 'rest', wait: '40 days' }, { id: 'mail', email: 'none' });
    assert.match(await run('draft', 'put', 'stay', file), /As it is it would be refused: nodes\[1\]\.email: There is no template "none"/);
    assert.match((await runTry('draft', 'publish', 'stay')).err, /There is no template "none"/);
    assert.match(await run('draft', 'list'), /^stay/);
    writeFileSync(file, '{"journey":"other","nodes":[]}');
    assert.match((await runTry('draft', 'put', 'stay', file)).err, /The draft is not of the journey "stay"/);
    writeFileSync(file, '[');
    assert.notEqual((await runTry('draft', 'put', 'stay', file)).status, 0);
  });

  test('is published as a version, with a word about those inside, and is gone', async () => {
    draft({ id: 'rest', wait: '50 days' });
    await run('draft', 'put', 'stay', file);
    const counted = await ask('POST', '/journeys/stay/draft/publish?dry=1&inside=move');
    assert.deepEqual([counted.body.inside.people, counted.body.inside.moves], [1, 1]);
    assert.match((await runTry('draft', 'publish', '--inside', 'move', 'stay')).err, /1 go on by the new version/);
    assert.match(await run('draft', 'publish', '--inside', 'move', '--yes', 'stay'), /stay is published as it was drafted/);
    assert.equal((await ask('GET', '/journeys/stay/draft')).status, 404);
    assert.equal(JSON.parse((await ask('GET', '/journeys/stay')).body.text).nodes[0].wait, '50 days');
    assert.deepEqual((await ask('GET', '/drafts')).body.items, []);
  });

  test('of a journey that was published since says so, and is thrown away', async () => {
    draft({ id: 'rest', wait: '60 days' });
    await run('draft', 'put', 'stay', file);
    await ask('PUT', '/journeys/stay', journey({ id: 'rest', wait: '70 days' }));
    assert.match(await run('draft', 'list'), /another version was published since/);
    assert.match(await run('draft', 'delete', 'stay'), /The draft of stay is thrown away/);
    assert.equal((await runTry('draft', 'delete', 'stay')).status !== 0, true);
    writeFileSync(file, JSON.stringify({ ...journey({ id: 'x', exit: true }), journey: 'fresh' }));
    await run('draft', 'put', 'fresh', file);
    assert.match(await run('draft', 'list'), /^fresh .*never published/);
    assert.match(await run('draft', 'diff', 'fresh'), /added +node x/);
  });

  test('saved while another is published is not lost', async () => {
    const text = (days) => journey({ id: 'rest', wait: `${days} days` });
    for (let days = 100; days < 115; days++) {
      await ask('PUT', '/journeys/stay/draft', text(days));
      const later = { ...text(days), description: 'later' };
      const [published, saved] = await Promise.all([
        ask('POST', '/journeys/stay/draft/publish'), ask('PUT', '/journeys/stay/draft', later)]);
      assert.deepEqual([published.status, saved.status], [200, 200]);
      const left = await ask('GET', '/journeys/stay/draft');
      const live = JSON.parse((await ask('GET', '/journeys/stay')).body.text);
      assert.deepEqual(left.status === 200 ? JSON.parse(left.body.text) : live, later, `${days}`);
    }
  });

  test('are rehearsed together, a hundred at most', async () => {
    const many = await ask('POST', '/journeys/rehearse', { drafts: Array(101).fill('fresh') });
    assert.equal(many.status, 413);
    assert.match(JSON.stringify(many.body), /At most 100 drafts/);
  });
});
