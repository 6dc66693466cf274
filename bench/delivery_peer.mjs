// nodemailer as its manual says for many mails: a pool of kept connections, one message object each.
//
//     node delivery_peer.mjs PORT CONNECTIONS MESSAGES BYTES [KEY_FILE]      prints messages a second
//
// The body is of BYTES bytes; with a key each message is signed with DKIM.

import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';

const [port, connections, messages, bytes] = process.argv.slice(2, 6).map(Number);
const key = process.argv[6];
const dkim = key && { domainName: 'shop.example', keySelector: 's1', privateKey: readFileSync(key, 'utf8') };
const transport = createTransport({
  host: '127.0.0.1', port, pool: true, maxConnections: connections, maxMessages: Infinity, secure: false, ignoreTLS: true, dkim,
});
const row = '<tr><td style="padding:8px 16px">Light enough for the ridge, and dry in a gale.</td></tr>\n';
const html = `<html><body><table>${row.repeat(Math.ceil(bytes / row.length))}</table></body></html>\n`;

const one = (index) => transport.sendMail({
  from: 'Shop <hei@shop.example>', to: `p${index}@x.example`, subject: 'Welcome', html, text: 'Welcome',
});
await Promise.all(Array.from({ length: connections }, (_, index) => one(index))); /* connected, warm */
const began = performance.now();
let next = 0;
await Promise.all(Array.from({ length: 2 * connections }, async () => {
  while (next < messages) {
    next += 1;
    await one(next);
  }
}));
console.log((messages * 1000) / (performance.now() - began));
transport.close();
