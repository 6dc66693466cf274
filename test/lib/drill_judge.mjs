// Was each of the drill's messages sent once? Pure, so that it can itself be given planted faults
// (harness_test.mjs).
//
//     messages    how many were asked for and acknowledged: one for each of u0, u1, ...
//     ledger      of each: [{seq, kind, at, text, due}], every row about its message, in order;
//                 kind is queued, sending, returned, waiting, sent, failed, unknown or held
//     heard       of each: what the mail server wrote down (drill_server.mjs)
//     serials     whom each of its answers was given, and what it was
//     withdrawn   Map: number -> the record that withdrew it; undefined: acknowledged, and not there
//     stops       [{from, to}] the records that stopped and resumed sending
//     listed      of each: the states in the public list of messages
//     settled     Map: number -> what somebody said of one that was unknown, and was answered
//     unknownMax  how many claims the kills may have left in doubt
//
// Gives {faults, counts}; a fault is a sentence.

const FINAL = new Set(['sent', 'failed', 'unknown', 'held']);
const BEGUN = new Set(['sent', 'failed', 'unknown', 'waiting', 'returned']);
const KILLED = 'the process ended while it was being sent';
const KILLED_SENT = 'the process ended when it was sent, before the answer was written down';
const KILLED_REFUSED = 'refused; the process ended before the answer was written down';
const TRIES_MAX = 20;

const serialOf = (text) => Number(/\(#(\d+)\)/.exec(text ?? '')?.[1] ?? 0);
const isTaken = ({ code }) => code === 'A' || code === 'S';
const isSettled = (rows) => rows.at(-2)?.kind === 'unknown' && ['sent', 'failed'].includes(rows.at(-1).kind) && /^settled/.test(rows.at(-1).text);
const isKilled = ({ kind, text }) => kind === 'unknown' && text === KILLED;

// An intent, then claims, each with one outcome and none before its time; the last one is final.
function* rowFaults(rows) {
  const queued = rows.filter(({ kind }) => kind === 'queued').length;
  const finals = rows.filter(({ kind }) => FINAL.has(kind)).length;
  if (queued !== 1) yield `was queued ${queued} times`;
  if (finals !== 1 || !FINAL.has(rows.at(-1).kind)) yield `has ${finals} final rows and ends as ${rows.at(-1)?.kind}`;
  for (const [i, row] of rows.entries()) {
    const before = rows[i - 1];
    if (BEGUN.has(row.kind) && before?.kind !== 'sending') yield `is ${row.kind} after ${before?.kind}`;
    if (row.kind === 'sending' && before?.kind === 'sending') yield 'was claimed twice with no outcome between';
    if (row.kind === 'sending' && before?.due > row.at) yield `was tried ${before.due - row.at} ms before its time`;
  }
}

// Taken once at most, and never tried again once the server had its end and said nothing.
function* mailFaults(heard) {
  const taken = heard.filter(isTaken).length;
  const ids = new Set(heard.filter(({ code }) => 'ASL'.includes(code)).map(({ text }) => text));
  const doubt = heard.findIndex(({ code }) => code === 'S' || code === 'L');
  if (taken > 1) yield `was taken ${taken} times`;
  if (ids.size > 1 || ids.has('')) yield `went under the names ${[...ids].join(' and ')}`;
  if (doubt >= 0 && heard.slice(doubt).some(({ code }) => code === 'T')) yield 'was tried again after it was in doubt';
}

function* sentFaults(last, heard) {
  const told = heard.find(({ code }) => code === 'A');
  if (told === undefined) yield 'is sent, and the server never said so';
  else if (last.text !== KILLED_SENT && serialOf(last.text) !== told.serial) yield `is sent by answer ${serialOf(last.text)}, and was taken by ${told.serial}`;
}

// By the words of a refusal it was given, or by whatever put it off for the last time.
function* failedFaults(who, rows, last, { heard, serials }) {
  const answer = serials[serialOf(last.text)];
  const tries = rows.filter(({ kind }) => kind === 'sending').length;
  if ((heard[who] ?? []).some(isTaken)) yield 'is failed, and was taken';
  if (tries >= TRIES_MAX) return;
  if (last.text === KILLED_REFUSED) {
    const all = Object.values(serials).filter((one) => one.code === '5' && (one.who === who || one.who === -1));
    if (all.length === 0) yield 'is failed by a refusal that was never given';
    return;
  }
  if (answer === undefined || (answer.who !== who && answer.who !== -1)) yield `is failed by no answer of its own: ${last.text}`;
  else if (answer.code !== '5') yield `is failed by a temporary answer after ${tries} tries`;
}

// Killed in the middle, or the server had (a part of) its content and said nothing, or nothing in time.
function* unknownFaults(last, heard) {
  if (!isKilled(last) && !heard.some(({ code }) => 'ASLC'.includes(code))) yield `is unknown, and its end was never heard: ${last.text}`;
}

function* heldFaults(who, last, heard, withdrawn) {
  if (!withdrawn.has(who)) yield `is held back, and nobody withdrew it: ${last.text}`;
  if (heard.some(isTaken)) yield 'is held back, and was taken';
}

// What was refused for good is tried no more; what was put off goes on.
function* classFaults(last, heard) {
  const refused = heard.findIndex(({ code }) => code === '5');
  if (refused < 0) return;
  if (heard.slice(refused).some(({ code }) => code === 'T')) yield 'was tried again after it was refused for good';
  if (last.kind !== 'failed' && !isKilled(last)) yield `is ${last.kind}, and was refused for good`;
}

function* withdrawalFaults(who, rows, withdrawn) {
  const seq = withdrawn.get(who);
  if (!withdrawn.has(who)) return;
  if (seq === undefined) yield 'was withdrawn, which was answered, and is not written';
  if (rows.some((row) => row.kind === 'sending' && row.seq > seq)) yield 'was claimed after it was withdrawn';
}

function* settledFaults(who, all, run) {
  const said = run.settled.get(who);
  if (isSettled(all) !== (said !== undefined)) yield `is ${all.at(-1)?.kind}, and was settled as ${said}`;
  else if (said !== undefined && all.at(-1).kind !== said) yield `is ${all.at(-1).kind}, and was settled as ${said}`;
  if (run.listed[who]?.join() !== all.at(-1)?.kind) yield `is ${all.at(-1)?.kind}, and is listed as ${run.listed[who]}`;
}

function* oneFaults(who, run) {
  const all = run.ledger[who] ?? [];
  const rows = isSettled(all) ? all.slice(0, -1) : all;
  const heard = run.heard[who] ?? [];
  if (rows.length === 0) {
    yield 'was acknowledged, and is lost';
    return;
  }
  const last = rows.at(-1);
  yield* rowFaults(rows);
  yield* mailFaults(heard);
  yield* classFaults(last, heard);
  yield* withdrawalFaults(who, rows, run.withdrawn);
  if (last.kind === 'sent') yield* sentFaults(last, heard);
  if (last.kind === 'failed') yield* failedFaults(who, rows, last, run);
  if (last.kind === 'unknown') yield* unknownFaults(last, heard);
  if (last.kind === 'held') yield* heldFaults(who, last, heard, run.withdrawn);
  yield* settledFaults(who, all, run);
  for (const { from, to } of run.stops) {
    if (rows.some((row) => row.kind === 'sending' && row.seq > from && row.seq < to)) yield 'was claimed while sending was stopped';
  }
}

const add = (counts, name) => { counts[name] = (counts[name] ?? 0) + 1; };

function countOne(counts, all, heard) {
  const rows = isSettled(all) ? all.slice(0, -1) : all;
  const last = rows.at(-1);
  add(counts, last?.kind ?? 'lost');
  if (last?.kind === 'unknown') add(counts, isKilled(last) ? 'unknown by a kill' : 'unknown by the connection');
  if (last?.kind === 'unknown') add(counts, heard.some(isTaken) ? 'unknown and taken' : 'unknown and not taken');
  if (last?.kind === 'unknown' && !isKilled(last) && heard.some(({ code }) => code === 'A')) add(counts, 'answered too late');
  for (const { kind } of rows) if (kind === 'waiting') add(counts, 'put off');
  if (heard.filter(isTaken).length > 1) add(counts, 'doubles');
}

export function judge(run) {
  const faults = [];
  const counts = {};
  for (let who = 0; who < run.messages; who += 1) {
    for (const fault of oneFaults(who, run)) faults.push(`u${who} ${fault}`);
    countOne(counts, run.ledger[who] ?? [], run.heard[who] ?? []);
  }
  for (const who of run.heard.keys()) if (who >= run.messages && run.heard[who]) faults.push(`u${who} was mailed, and nobody asked`);
  const byKill = counts['unknown by a kill'] ?? 0;
  if (byKill > run.unknownMax) faults.push(`${byKill} are unknown by kills, at most ${run.unknownMax} may be`);
  return { faults, counts };
}
