// Everything a whole-program test stands on: a data folder, a recorder, a server, keys, a client.
//
//     const house = await openHouse({ shop: welcomeShop() });
//     ... house.client, house.recorder, house.server ...
//     await house.close();
//
// The folder is live unless `live: false` is said: a new one would keep its mail to itself.
//
// `ways` are ways out beside the recorder; `secrets` become files of the folder's secrets, `providers`
// descriptions of its own.
//
// Opens and clicks are recorded at once (hitWait: seconds they wait, as in the field 5).
// The public address is one no test can reach, as behind a real proxy; house.local(url) turns a
// link from a mail into the address of the server under test.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from './api.mjs';
import { createKey, dult, folder, removeFolder, Server } from './program.mjs';
import { Recorder } from './recorder.mjs';

export const PUBLIC_URL = 'https://go.tents.example';
export const SCOPES = 'read,write';

export function writeWays(data, { ways, secrets = {}, providers = {}, answers }) {
  mkdirSync(join(data, 'secrets'), { recursive: true, mode: 0o700 });
  mkdirSync(join(data, 'providers'), { recursive: true });
  for (const [name, text] of Object.entries(secrets)) writeFileSync(join(data, 'secrets', name), `${text}\n`, { mode: 0o600 });
  for (const [name, text] of Object.entries(providers)) writeFileSync(join(data, 'providers', `${name}.json`), JSON.stringify(text));
  writeFileSync(join(data, 'ways.json'), JSON.stringify({ ways, ...(answers ? { answers } : {}) }));
}

export async function openHouse({ shop, keepShop = false, recorder: recording = {}, live = true, hitWait = 0, args = [], env = {}, ways, secrets, providers, answers } = {}) {
  const data = folder('data');
  if (ways) writeWays(data, { ways, secrets, providers, answers });
  const recorder = await Recorder.listen(recording);
  const server = new Server({
    data,
    env,
    args: ['--public-url', PUBLIC_URL, '--smtp', recorder.url, '--hit-wait', String(hitWait), ...args],
  });
  const house = {
    data,
    recorder,
    server,
    local: (url) => url.replace(PUBLIC_URL, server.origin),
    async close() {
      try {
        await server.stop();
      } finally {
        await recorder.close();
        removeFolder(data);
        if (shop && !keepShop) removeFolder(shop);
      }
    },
  };
  try {
    if (shop) await dult('apply', '--data', data, shop);
    if (live) await dult('live', '--yes', '--data', data);
    const writeKey = await createKey(data, 'write', 'shop');
    const apiKey = await createKey(data, 'api', 'test', SCOPES);
    await server.start();
    house.client = new Client(server, { writeKey, apiKey });
  } catch (error) {
    await house.close().catch(() => {});
    throw error;
  }
  return house;
}
