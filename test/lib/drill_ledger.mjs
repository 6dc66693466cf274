// The ledger as it lies on disk: every row about each of u0, u1, ..., and the records that withdrew
// messages or stopped sending; `ids` leads from a message's number to its person's. Read by the system's sqlite3, for the rows are Dult's own word.

import { join } from 'node:path';
import { Sqlite } from './sqlite.mjs';

// The numbers of store.h.
const KINDS = { 48: 'queued', 49: 'waiting', 50: 'held', 51: 'sending', 52: 'sent', 53: 'failed', 54: 'unknown', 60: 'returned' };
const CONSENT_WITHDRAWN = 65;
const DEFINE_SENDING = 19;

const number = (userId) => Number(userId.slice(1));

function rowOf([seq, kind, at, detail]) {
  const { reason, text, retry_at: due } = JSON.parse(detail || '{}');
  return { seq: Number(seq), kind: KINDS[kind], at: Number(at), text: reason ?? text, due };
}

async function peopleRead(sqlite) {
  const rows = await sqlite.ask("SELECT DISTINCT profile, user_id FROM event WHERE kind = 2 AND user_id LIKE 'u%'");
  return new Map(rows.map(([profile, userId]) => [profile, number(userId)]));
}

export async function readLedger(data) {
  const sqlite = new Sqlite(join(data, 'dult.db'));
  try {
    const who = await peopleRead(sqlite);
    const ledger = [];
    const ids = new Map();
    const withdrawals = new Map();
    const withdraw = (one, seq) => withdrawals.set(one, Math.min(seq, withdrawals.get(one) ?? Infinity));
    for (const [profile, id, ...rest] of await sqlite.ask(`SELECT profile, id, seq, kind, at, detail FROM decision
        WHERE kind IN (${Object.keys(KINDS)}) ORDER BY id`)) {
      const row = rowOf(rest);
      (ledger[who.get(profile)] ??= []).push(row);
      if (row.kind === 'queued') ids.set(Number(id), who.get(profile));
    }
    for (const [profile, seq] of await sqlite.ask(`SELECT profile, seq FROM decision WHERE kind = ${CONSENT_WITHDRAWN}`)) {
      withdraw(who.get(profile), Number(seq));
    }
    for (const [address, seq] of await sqlite.ask('SELECT address, seq FROM suppression WHERE reason = 4')) withdraw(number(address.split('@')[0]), Number(seq));
    const states = await sqlite.ask(`SELECT seq, json_extract(text, '$.state') FROM definition WHERE kind = ${DEFINE_SENDING} ORDER BY id`);
    return { ledger, ids, withdrawals, sending: states.map(([seq, state]) => ({ seq: Number(seq), state })) };
  } finally {
    await sqlite.close();
  }
}

// From a stop to the next resume.
export function stopsOf(sending) {
  const stops = [];
  for (const { seq, state } of sending) {
    const open = stops.at(-1)?.to === Infinity;
    if (state === 'stopped' && !open) stops.push({ from: seq, to: Infinity });
    if (state === 'on' && open) stops.at(-1).to = seq;
  }
  return stops;
}
