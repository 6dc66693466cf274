// A house that dies again and again: Dult on a data folder of its own, killed at instants that chance
// chooses, and asked until it answers.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, http } from './api.mjs';
import { createKey, dult, folder, removeFolder, Server } from './program.mjs';

const EARLY_MS_MAX = 400; /* it dies so soon after its start, one time in three */
const START_MS = 60_000;
const CRASH_MS_MAX = 60;

export class DrillHouse {
  constructor(random) {
    Object.assign(this, { random, kills: 0 });
  }

  // `furnish` may put files into the data folder before the first start.
  async open({ shop, args, furnish = () => {} }) {
    this.shop = shop;
    this.data = folder('drill-data');
    furnish(this.data);
    await dult('apply', '--data', this.data, shop);
    await dult('live', '--yes', '--data', this.data);
    const writeKey = await createKey(this.data, 'write', 'shop');
    const apiKey = await createKey(this.data, 'api', 'drill', 'read,write');
    this.server = new Server({ data: this.data, args: args.map(String) });
    this.client = new Client(this.server, { writeKey, apiKey });
    await this.server.start(START_MS);
    return this;
  }

  async close() {
    this.isClosed = true;
    try {
      await this.server.stop();
    } finally {
      removeFolder(this.data);
      removeFolder(this.shop);
    }
  }

  call(method, path, body, headers = {}) {
    return http(method, this.server.origin + path, { body, headers: { authorization: `Bearer ${this.client.apiKey}`, ...headers } });
  }

  // Until it is answered with one of `good`: what died under the question is asked again.
  async surely(good, question) {
    for (;;) {
      if (this.isClosed) throw new Error('the house is closed');
      let answer;
      try {
        answer = await question();
      } catch {
        /* it died under us */
      }
      if (answer !== undefined && good.includes(answer.status)) return answer;
      if (answer !== undefined && ![429, 503].includes(answer.status)) throw new Error(`${answer.status}: ${answer.text}`);
      await sleep(10);
    }
  }

  batch(batch) {
    return this.surely([200], () => this.client.post('/v1/batch', { batch }));
  }

  // How many messages are in which state.
  async states() {
    return (await this.surely([200], () => this.call('GET', '/api/v1/messages/summary'))).body;
  }

  async kill() {
    await this.server.kill();
    this.kills += 1;
  }

  // Sometimes after a start that dies, too.
  async restart() {
    while (this.random.below(3) === 0) {
      await this.server.launch();
      await sleep(this.random.below(EARLY_MS_MAX));
      await this.kill();
    }
    await this.server.start(START_MS);
  }

  async crash() {
    await sleep(this.random.below(CRASH_MS_MAX));
    await this.kill();
    await this.restart();
  }
}
