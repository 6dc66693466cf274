// A link of Dult's as Dult would make it, written a second time from the description in
// src/message/token.h: for links that a test cannot wait for, such as one that ended yesterday.

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const QUESTION = 9;
export const FILE = 10;
export const DOWNLOAD = 11;

const varint = (value) => {
  const bytes = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
};

// The token of a purpose for a profile's number (p1 is 0) and a message, with what is sealed beside it.
export function sealed(data, purpose, profile, message, extra) {
  const secret = Buffer.from(readFileSync(join(data, 'secrets', 'workspace.secret'), 'utf8').trim(), 'hex');
  const head = Buffer.concat([Buffer.from([0x10 | purpose]), varint(profile), varint(message)]);
  const mac = createHmac('sha256', secret).update('dult link 1\0').update(head).update(extra).digest();
  return Buffer.concat([head, mac.subarray(0, 16)]).toString('base64url');
}

// What a token says without its seal: {profile, message}.
export function opened(token) {
  const bytes = Buffer.from(token, 'base64url');
  let at = 1;
  const take = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      value |= BigInt(bytes[at] & 127) << shift;
      if (bytes[at++] < 128) return Number(value);
    }
  };
  return { profile: take(), message: take() };
}
