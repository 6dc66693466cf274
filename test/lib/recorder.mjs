// An SMTP server that writes down what it was given and fails as it is told to.
//
//     const mail = await Recorder.listen({ script: ({ phase, address, attempt }) => ... });
//
// `script` is asked at each phase ('connect', 'mail', 'rcpt', 'data', 'end') and answers nothing (go
// on), {code, text} (refuse), 'drop' (cut the connection without a word), 'mute' (the same, but go on:
// at 'end' the mail is recorded) or a promise of one of these (the client waits as long). At 'end' the whole
// message has been read and not yet answered. A mail counts as recorded just before 250 is written,
// so a client that dies then has been heard: that is what "in doubt" means.

import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { simpleParser } from 'mailparser';
import { eventually } from './program.mjs';

export class Recorder {
  static async listen(options = {}) {
    const recorder = new Recorder(options);
    recorder.smtp.listen(options.port ?? 0, '127.0.0.1');
    await once(recorder.smtp.server, 'listening');
    recorder.port = recorder.smtp.server.address().port;
    return recorder;
  }

  constructor({ script = () => undefined, hidePipelining = false } = {}) {
    Object.assign(this, { script, mails: [], connections: 0, attempts: new Map() });
    this.open = new Set();
    this.smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      disableReverseLookup: true,
      hidePIPELINING: hidePipelining,
      size: 4 << 20,
      closeTimeout: 500,
      logger: false,
      onConnect: (session, done) => {
        this.connections += 1;
        this.open.add(session.id);
        this.follow('connect', session, '', done);
      },
      onClose: (session) => this.open.delete(session.id),
      onMailFrom: (address, session, done) => this.follow('mail', session, address.address, done),
      onRcptTo: (address, session, done) => {
        const times = (this.attempts.get(address.address) ?? 0) + 1;
        this.attempts.set(address.address, times);
        this.follow('rcpt', session, address.address, done);
      },
      onData: (stream, session, done) => this.take(stream, session, done),
    });
    // A client that is killed resets its connection; that is no error of the recorder.
    this.smtp.on('error', () => {});
  }

  get url() {
    return `smtp://127.0.0.1:${this.port}`;
  }

  // Asks the script and obeys; true when the phase may go on.
  follow(phase, session, address, done, then = done) {
    const said = this.script({ phase, address, attempt: this.attempts.get(address) ?? 0, recorder: this });
    if (said instanceof Promise) said.then((word) => this.obey(word, session, done, then));
    else this.obey(said, session, done, then);
  }

  obey(word, session, done, then) {
    if (word === 'drop' || word === 'mute') {
      for (const connection of this.smtp.connections) {
        if (connection.id === session.id) connection._socket.destroy();
      }
      if (word === 'mute') then();
      return;
    }
    if (word) done(Object.assign(new Error(word.text ?? 'refused by the test'), { responseCode: word.code }));
    else then();
  }

  async take(stream, session, done) {
    const chunks = [];
    try {
      for await (const chunk of stream) chunks.push(chunk);
    } catch {
      return; /* the client went away in the middle: nothing was said, nothing is recorded */
    }
    const to = session.envelope.rcptTo.map((rcpt) => rcpt.address);
    this.follow('end', session, to[0], done, () => {
      this.mails.push({
        from: session.envelope.mailFrom.address,
        to,
        raw: Buffer.concat(chunks),
        at: Date.now(),
        transmission: session.transmissionId,
      });
      done();
    });
  }

  to(address) {
    return this.mails.filter((mail) => mail.to.includes(address));
  }

  // Waits until `count` mails for an address are here; gives them parsed, in order.
  async wait(address, count = 1, timeoutMs = 10_000) {
    await eventually(`${count} mails for ${address} (there are ${this.to(address).length})`,
      () => this.to(address).length >= count, timeoutMs);
    return Promise.all(this.to(address).map(parse));
  }

  async close() {
    await new Promise((resolve) => this.smtp.close(resolve));
  }
}

export async function parse(mail) {
  return Object.assign(await simpleParser(mail.raw, { skipTextToHtml: true, skipHtmlToText: true }), {
    envelope: { from: mail.from, to: mail.to },
    raw: mail.raw,
    at: mail.at,
  });
}

// The raw value of a header, unfolded, or undefined.
export function header(parsed, name) {
  const line = parsed.headerLines.find(({ key }) => key === name.toLowerCase());
  return line?.line.replace(/\r?\n[ \t]+/g, ' ').replace(/^[^:]+:\s*/, '');
}

// Every http link of an HTML text, entities decoded.
export function links(html) {
  return [...html.matchAll(/(?:href|src)\s*=\s*["']([^"']+)["']/gi)]
    .map(([, url]) => url.replaceAll('&amp;', '&'))
    .filter((url) => /^https?:/.test(url));
}
