// The mail server of the drill (test/drill.c) and what it wrote down: each event of each person, by
// number, in order.
//
//     const mail = await DrillServer.listen(seed);
//     mail.read()            what came since; gives how many tries there were in all
//     mail.people[7]         [{at, code, serial, text}] of u7@...
//     mail.serials[1204]     {code, who, text}: whose answer ended in (#1204)

import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from 'node:net';
import { eventually, folder, freePort, program, removeFolder } from './program.mjs';

const answers = (port) => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

export class DrillServer {
  static async listen(seed) {
    const server = new DrillServer();
    Object.assign(server, { people: [], serials: [], tries: 0, taken: 0, connections: 0, at: 0, rest: '' });
    server.home = folder('drill');
    server.port = await freePort();
    const journal = join(server.home, 'journal');
    server.child = spawn(join(dirname(program), 'drill'), [server.port, seed, journal].map(String), { stdio: 'inherit' });
    server.ended = new Promise((resolve) => { server.child.on('close', (code, signal) => resolve(code ?? signal)); });
    await eventually('the drill server answers', () => answers(server.port));
    server.file = openSync(journal, 'r');
    return server;
  }

  read() {
    const chunk = Buffer.allocUnsafe(1 << 20);
    for (let got; (got = readSync(this.file, chunk, 0, chunk.length, this.at)) > 0;) {
      this.at += got;
      const lines = (this.rest + chunk.latin1Slice(0, got)).split('\n');
      this.rest = lines.pop();
      for (const line of lines) this.#take(line);
    }
    return this.tries;
  }

  #take(line) {
    const [at, code, who, serial, ...text] = line.split(' ');
    const event = { at: Number(at), code, who: Number(who), serial: Number(serial), text: text.join(' ') };
    this.tries += code === 'T' ? 1 : 0;
    this.taken += code === 'A' || code === 'S' ? 1 : 0;
    if (event.who >= 0) (this.people[event.who] ??= []).push(event);
    if (code === 'M') this.serials[event.serial].who = event.who;
    else if (event.serial > 0 && code !== 'T') this.serials[event.serial] = event;
  }

  // How often each code came.
  counts() {
    const counts = {};
    for (const events of this.people) for (const { code } of events ?? []) counts[code] = (counts[code] ?? 0) + 1;
    return counts;
  }

  async close() {
    this.child.kill('SIGTERM');
    const how = await this.ended;
    this.read();
    closeSync(this.file);
    removeFolder(this.home);
    if (how !== 0) throw new Error(`the drill server ended with ${how}`);
  }
}
