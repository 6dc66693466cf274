// Was anything lost or done twice? The judge of the durability test; pure, so that it can itself be
// given planted faults (harness_test.mjs).
//
//     due            addresses to whom one mail is due
//     states         address -> states of all messages listed for it
//     recorded       addresses the recorder took mails for, one entry a mail
//     acknowledged   messageIds of events that were answered 200
//     stored         messageIds found on timelines, one entry an occurrence
//     unknownMax     how many messages may be in doubt, given the crashes

const SETTLED = ['sent', 'unknown', 'failed', 'held', 'dropped'];

function tally(list) {
  const counts = new Map();
  for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function* eventFaults({ acknowledged, stored }) {
  const times = tally(stored);
  for (const id of acknowledged) if (!times.has(id)) yield `${id} was answered 200 and is not there`;
  for (const [id, count] of times) if (count > 1) yield `${id} is there ${count} times`;
}

function* mailFaults({ due, states, recorded }) {
  const heard = tally(recorded);
  const owed = new Set(due);
  for (const address of due) {
    const [state, ...more] = states[address] ?? [];
    const times = heard.get(address) ?? 0;
    if (state === undefined) yield `${address} is due and has no message`;
    else if (more.length > 0) yield `${address} has ${more.length + 1} messages`;
    else if (!SETTLED.includes(state)) yield `${address} is still ${state}`;
    else if (times > 1) yield `${address} was mailed ${times} times`;
    else if (state === 'sent' && times === 0) yield `${address} is listed as sent and was not recorded`;
    else if (!['sent', 'unknown'].includes(state) && times > 0) yield `${address} was recorded and is listed as ${state}`;
  }
  for (const address of heard.keys()) if (!owed.has(address)) yield `${address} was mailed and nothing was due`;
}

// Every fault, as a sentence; none when the promise was kept.
export function judge(run) {
  const unknown = run.due.filter((address) => (run.states[address] ?? []).includes('unknown')).length;
  const faults = [...eventFaults(run), ...mailFaults(run)];
  if (unknown > run.unknownMax) faults.push(`${unknown} unknown, at most ${run.unknownMax} may be`);
  return faults;
}
