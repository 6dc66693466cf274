// What a broadcast did, judged by its rows on disk and by what the mail server wrote down.
//
//     rows       by person: [{seq, kind, text}] in order, of that broadcast
//     acts       [{seq, act}]: launch, pause, resume, cancel, retry-failed
//     heard      by person: what the server wrote down (drill.c)
//     audience   the numbers of those who were to get it
//     counts     as the API tells them; people: {who: state}, as it lists them
//
// Each fault is a sentence; there are none when all is well.

const FINAL = new Set(['sent', 'failed', 'unknown', 'held']);
const taken = (events) => (events ?? []).filter(({ code }) => code === 'A' || code === 'S').length;

// From a pause (or the cancel) to the next resume.
function pausesOf(acts) {
  const pauses = [];
  for (const { seq, act } of acts) {
    if (act === 'pause' || act === 'cancel') pauses.push({ from: seq, to: Infinity });
    if (act === 'resume') pauses.at(-1).to = seq;
  }
  return pauses;
}

// Queued again only after it had failed, and never more often than it was tried again.
function* queueFaults(who, rows, retries) {
  let before;
  let queued = 0;
  for (const { kind } of rows) {
    if (kind === 'queued') {
      queued += 1;
      if (before !== undefined && before !== 'failed') yield `${who} is queued again after ${before}`;
    }
    if (FINAL.has(kind)) before = kind;
  }
  if (queued > 1 + retries) yield `${who} is queued ${queued} times, with ${retries} retries`;
}

function* personFaults(who, rows, { heard, retries, pauses }) {
  const last = rows.at(-1).kind;
  yield* queueFaults(who, rows, retries);
  if (!FINAL.has(last)) yield `${who} is not final: ${last}`;
  const times = taken(heard[who]);
  if (times > 1) yield `${who} got it ${times} times`;
  if (last === 'sent' && times === 0) yield `${who} is said to have got it, and did not`;
  if (last === 'failed' && times > 0) yield `${who} failed, and got it`;
  if (last === 'held' && times > 0) yield `${who} was held back, and got it`;
  for (const { seq, kind } of rows) {
    if (kind === 'sending' && pauses.some(({ from, to }) => seq > from && seq < to)) yield `${who} was claimed while it was paused`;
  }
}

const isHeld = (state) => !['sent', 'failed', 'unknown'].includes(state);

function* countFaults(rows, counts, people) {
  const sums = { sent: 0, failed: 0, unknown: 0, held: 0 };
  const told = { sent: counts.sent, failed: counts.failed, unknown: counts.unknown, held: 0 };
  for (const of of rows.values()) sums[of.at(-1).kind] = (sums[of.at(-1).kind] ?? 0) + 1;
  for (const [state, count] of Object.entries(counts)) if (isHeld(state)) told.held += count;
  for (const state of Object.keys(sums)) if (sums[state] !== told[state]) yield `${told[state]} are counted as ${state}, and ${sums[state]} are`;
  for (const [who, of] of rows) {
    const state = people.get(who);
    if ((isHeld(state) ? 'held' : state) !== of.at(-1).kind) yield `${who} is listed as ${state}, and is ${of.at(-1).kind}`;
  }
}

export function judgeBroadcast({ rows, acts, heard, audience, counts, people, state }) {
  const retries = acts.filter(({ act }) => act === 'retry-failed').length;
  const world = { heard, retries, pauses: pausesOf(acts) };
  const faults = [];
  const wanted = new Set(audience);
  for (const who of wanted) if (!rows.has(who)) faults.push(`${who} of the audience has no row`);
  for (const [who, of] of rows) {
    if (!wanted.has(who)) faults.push(`${who} is not of the audience`);
    faults.push(...personFaults(who, of, world));
  }
  faults.push(...countFaults(rows, counts, people));
  if (state !== 'finished') faults.push(`it is ${state}`);
  return faults;
}
