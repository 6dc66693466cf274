// The tools of the whole-program tests, tested themselves: each is given a fault it must find.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { judge as drillJudge } from './lib/drill_judge.mjs';
import { judge } from './lib/ledger.mjs';
import { complaint, eventually, freePort } from './lib/program.mjs';
import { sinkProgram, startSink } from './lib/sink.mjs';
import { header, links, parse, Recorder } from './lib/recorder.mjs';
import { readStory } from './lib/story.mjs';

// A mail client of few words: sends each line after the answer to the one before.
async function speak(port, lines) {
  const socket = connect(port, '127.0.0.1');
  const answers = [];
  let rest = '';
  let heard = () => {};
  socket.on('data', (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (line[3] === ' ') {
        answers.push(line);
        heard();
      }
    }
  });
  const closed = new Promise((resolve) => { socket.on('close', resolve); });
  socket.on('error', () => {});
  const next = (count) => new Promise((resolve) => {
    heard = () => (answers.length >= count || socket.destroyed) && resolve();
    socket.on('close', resolve);
    heard();
  });
  await next(1);
  for (const [index, line] of lines.entries()) {
    socket.write(`${line}\r\n`);
    await next(index + 2);
  }
  socket.end();
  await closed;
  return answers.map((line) => Number(line.slice(0, 3)));
}

const LETTER = 'From: a@x.example\r\nTo: b@y.example\r\nSubject: =?utf-8?q?Zo=C3=AB?=\r\n'
  + 'X-Long: one\r\n two\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n'
  + '<a href="https://t.example/?a=1&amp;b=2">x</a>\r\n.';
const conversation = (to) => ['EHLO test', 'MAIL FROM:<a@x.example>', `RCPT TO:<${to}>`, 'DATA', LETTER, 'QUIT'];

test('the recorder writes down what it was given', async () => {
  const recorder = await Recorder.listen();
  assert.deepEqual(await speak(recorder.port, conversation('b@y.example')), [220, 250, 250, 250, 354, 250, 221]);
  const [mail] = await recorder.wait('b@y.example');
  assert.equal(mail.subject, 'Zo\u00eb');
  assert.equal(header(mail, 'X-Long'), 'one two');
  assert.deepEqual(links(mail.html), ['https://t.example/?a=1&b=2']);
  assert.equal(mail.envelope.from, 'a@x.example');
  await recorder.close();
});

test('the recorder fails as it is told, at each phase', async () => {
  const script = ({ phase, address, attempt }) => {
    if (phase === 'rcpt' && address === 'gone@y.example') return { code: 550 };
    if (phase === 'rcpt' && address === 'busy@y.example' && attempt === 1) return { code: 451 };
    if (phase === 'end' && address === 'late@y.example') return { code: 552 };
    if (phase === 'end' && address === 'cut@y.example') return 'drop';
    return undefined;
  };
  const recorder = await Recorder.listen({ script });
  const refused = await speak(recorder.port, conversation('gone@y.example').toSpliced(3, 2));
  assert.deepEqual(refused, [220, 250, 250, 550, 221]);
  const busy = await speak(recorder.port, conversation('busy@y.example').toSpliced(3, 2));
  assert.deepEqual(busy, [220, 250, 250, 451, 221]);
  assert.equal((await speak(recorder.port, conversation('busy@y.example'))).at(-2), 250);
  assert.equal((await speak(recorder.port, conversation('late@y.example'))).at(-2), 552);
  assert.deepEqual(await speak(recorder.port, conversation('cut@y.example')), [220, 250, 250, 250, 354]);
  assert.deepEqual(recorder.mails.map((mail) => mail.to[0]), ['busy@y.example']);
  await recorder.close();
});

test('smtp-sink can be used as a far side too', { skip: existsSync(sinkProgram) ? false : `no ${sinkProgram}` }, async () => {
  const port = await freePort();
  const sink = startSink(port);
  try {
    const answers = await eventually('smtp-sink answers',
      async () => (await speak(port, conversation('b@y.example'))).at(-2) === 250);
    assert.ok(answers);
  } finally {
    sink.kill('SIGKILL');
  }
});

test('mails are parsed with their parts', async () => {
  const raw = Buffer.from('Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n'
    + '--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--b--\r\n');
  const mail = await parse({ raw, from: '', to: [], at: 0 });
  assert.equal(mail.text.trim(), 'plain');
  assert.equal(mail.html.trim(), '<p>html</p>');
});

test('a sanitizer\'s report is noticed', () => {
  assert.match(complaint('x\n==1==ERROR: AddressSanitizer: heap-use-after-free\n'), /^ERROR: AddressSanitizer/);
  assert.match(complaint('WARNING: ThreadSanitizer: data race'), /data race/);
  assert.match(complaint('src/a.c:3:1: runtime error: signed integer overflow'), /overflow/);
  assert.equal(complaint('all is well'), undefined);
});

test('what is waited for is asked again after a fault, and no more where it will never come', async () => {
  let asked = 0;
  assert.equal(await eventually('third time', async () => {
    asked += 1;
    if (asked < 3) throw new Error('not yet');
    return asked;
  }), 3);
  asked = 0;
  await assert.rejects(eventually('never', async () => {
    asked += 1;
    throw Object.assign(new Error('it is gone'), { never: true });
  }), /^Error: it is gone$/);
  assert.equal(asked, 1);
});

const HONEST = {
  due: ['a@x', 'b@x', 'c@x', 'd@x', 'e@x'],
  states: { 'a@x': ['sent'], 'b@x': ['sent'], 'c@x': ['unknown'], 'd@x': ['failed'], 'e@x': ['held'] },
  recorded: ['a@x', 'b@x', 'c@x'],
  acknowledged: ['m1', 'm2'],
  stored: ['m2', 'm1'],
  unknownMax: 2,
};

test('the judge of durability finds nothing wrong with an honest run', () => {
  assert.deepEqual(judge(HONEST), []);
});

const FAULTS = [
  ['an event that was answered 200 and is gone', { stored: ['m1'] }, /m2 was answered 200 and is not there/],
  ['an event that is there twice', { stored: ['m1', 'm2', 'm2'] }, /m2 is there 2 times/],
  ['a mail sent twice', { recorded: ['a@x', 'a@x', 'b@x', 'c@x'] }, /a@x was mailed 2 times/],
  ['a due mail nobody knows of', { states: { ...HONEST.states, 'a@x': [] }, recorded: ['b@x'] }, /a@x is due and has no message/],
  ['two messages for one due mail', { states: { ...HONEST.states, 'a@x': ['sent', 'sent'] } }, /a@x has 2 messages/],
  ['a mail listed as sent that nobody got', { recorded: ['a@x', 'c@x'] }, /b@x is listed as sent and was not recorded/],
  ['a failed mail that was received', { recorded: ['a@x', 'b@x', 'd@x'] }, /d@x was recorded and is listed as failed/],
  ['a mail still under way', { states: { ...HONEST.states, 'a@x': ['sending'] } }, /a@x is still sending/],
  ['a mail to somebody to whom none was due', { recorded: ['a@x', 'b@x', 'z@x'] }, /z@x was mailed and nothing was due/],
  ['too many in doubt', { unknownMax: 0 }, /1 unknown, at most 0/],
];

for (const [name, change, expected] of FAULTS) {
  test(`the judge of durability finds ${name}`, () => {
    const found = judge({ ...HONEST, ...change });
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0], expected);
  });
}

// A run of the drill in which everybody met something else, and all was kept.
const KILLED = 'the process ended while it was being sent';
const row = (seq, kind, more = {}) => ({ seq, kind, at: seq * 1000, ...more });
const heard = (...codes) => codes.map(([code, serial = 0, text = 'm']) => ({ code, serial, text }));
const drillRun = () => ({
  messages: 6,
  ledger: [
    [row(1, 'queued'), row(10, 'sending'), row(11, 'sent', { text: '250 taken (#1)' })],
    [row(2, 'queued'), row(12, 'sending'), row(13, 'waiting', { text: '451 no (#2)', due: 14_000 }), row(14, 'sending'),
      row(15, 'sent', { text: '250 taken (#3)' })],
    [row(3, 'queued'), row(16, 'sending'), row(17, 'failed', { text: '550 nobody (#4)' })],
    [row(4, 'queued'), row(18, 'sending'), row(19, 'unknown', { text: KILLED })],
    [row(5, 'queued'), row(20, 'sending'), row(21, 'unknown', { text: 'connection lost' }),
      row(32, 'sent', { text: 'settled by hand' })],
    [row(6, 'queued'), row(31, 'held', { text: 'unsubscribed' })],
  ],
  heard: [heard(['T'], ['A', 1]), heard(['T'], ['4', 2, 'RCPT'], ['T'], ['A', 3]), heard(['T'], ['5', 4, 'RCPT']),
    heard(['T'], ['A', 5]), heard(['T'], ['S', 6])],
  serials: [, { code: 'A', who: 0 }, { code: '4', who: 1 }, { code: 'A', who: 1 }, { code: '5', who: 2 }, { code: 'A', who: 3 },
    { code: 'S', who: 4 }],
  withdrawn: new Map([[5, 30]]),
  stops: [{ from: 7, to: 9 }],
  listed: [['sent'], ['sent'], ['failed'], ['unknown'], ['sent'], ['held']],
  settled: new Map([[4, 'sent']]),
  unknownMax: 1,
});

test('the judge of the drill finds nothing wrong with an honest run', () => {
  const { faults, counts } = drillJudge(drillRun());
  assert.deepEqual(faults, []);
  assert.deepEqual([counts.sent, counts.failed, counts.unknown, counts.held, counts.doubles], [2, 1, 2, 1, undefined]);
});

test('the judge of the drill lets a message fail by the connection after twenty tries, and not before', () => {
  const run = drillRun();
  const tries = (count) => [row(3, 'queued'), ...Array.from({ length: count }, (_, i) => [row(40 + 2 * i, 'sending'),
    row(41 + 2 * i, 'waiting', { text: '450 busy (#2)', due: 0 })]).flat().slice(0, -1), row(99, 'failed', { text: 'cut' })];
  run.heard[2] = heard(['T'], ['4', 2, 'RCPT']);
  run.ledger[2] = tries(20);
  assert.deepEqual(drillJudge(run).faults, []);
  run.ledger[2] = tries(19);
  assert.deepEqual(drillJudge(run).faults, ['u2 is failed by no answer of its own: cut']);
});

const DRILL_FAULTS = [
  ['a message that is lost', (run) => { run.ledger[0] = undefined; }, /u0 was acknowledged, and is lost/],
  ['a message queued twice', (run) => run.ledger[0].unshift(row(0, 'queued')), /u0 was queued 2 times/],
  ['a message that is not final', (run) => run.ledger[0].pop(), /u0 has 0 final rows and ends as sending/],
  ['two final rows', (run) => run.ledger[0].push(row(12, 'sent', { text: '(#1)' })), /u0 has 2 final rows/],
  ['an outcome of nothing', (run) => run.ledger[0].splice(1, 1), /u0 is sent after queued/],
  ['a claim that is forgotten', (run) => run.ledger[0].splice(1, 0, row(9, 'sending')), /u0 was claimed twice/],
  ['a try before its time', (run) => { run.ledger[1][2].due = 14_001; }, /u1 was tried 1 ms before its time/],
  ['a mail taken twice', (run) => run.heard[0].push(...heard(['A', 7])), /u0 was taken 2 times/],
  ['a second Message-ID', (run) => run.heard[3].unshift(...heard(['L', 0, 'other'])), /u3 went under the names other and m/],
  ['a try after a doubt', (run) => run.heard[4].push(...heard(['T'])), /u4 was tried again after it was in doubt/],
  ['sent before the answer', (run) => { run.heard[0][1].code = 'S'; }, /u0 is sent, and the server never said so/],
  ['sent by the answer to another', (run) => { run.ledger[0][2].text = '250 taken (#3)'; }, /u0 is sent by answer 3/],
  ['failed and taken', (run) => run.heard[2].unshift(...heard(['A', 9])), /u2 is failed, and was taken/],
  ['failed without a reason', (run) => { run.ledger[2][2].text = 'no'; }, /u2 is failed by no answer of its own: no/],
  ['failed by a refusal before a kill that was none', (run) => {
    run.ledger[2][2].text = 'refused; the process ended before the answer was written down';
    run.serials[4].code = '4';
  }, /u2 is failed by a refusal that was never given/],
  ['failed by a temporary answer', (run) => { run.serials[4].code = '4'; }, /u2 is failed by a temporary answer after 1 tries/],
  ['a try after a refusal', (run) => run.heard[2].push(...heard(['T'])), /u2 was tried again after it was refused for good/],
  ['unknown without a cause', (run) => { run.heard[4].pop(); }, /u4 is unknown, and its end was never heard/],
  ['too many unknown by kills', (run) => { run.unknownMax = 0; }, /1 are unknown by kills, at most 0/],
  ['a settlement that is lost', (run) => { run.ledger[4].pop(); run.listed[4] = ['unknown']; }, /u4 is unknown, and was settled as sent/],
  ['a settlement that nobody made', (run) => run.settled.clear(), /u4 is sent, and was settled as undefined/],
  ['a settlement that says otherwise', (run) => run.settled.set(4, 'failed'), /u4 is sent, and was settled as failed/],
  ['held back for nothing', (run) => run.withdrawn.clear(), /u5 is held back, and nobody withdrew it/],
  ['a withdrawal that is lost', (run) => run.withdrawn.set(5, undefined), /u5 was withdrawn, which was answered, and is not written/],
  ['a claim after a withdrawal', (run) => run.withdrawn.set(0, 9), /u0 was claimed after it was withdrawn/],
  ['a claim while stopped', (run) => run.stops.push({ from: 9, to: 11 }), /u0 was claimed while sending was stopped/],
  ['a list that says otherwise', (run) => { run.listed[0] = ['unknown']; }, /u0 is sent, and is listed as unknown/],
  ['a mail that nobody asked for', (run) => { run.heard[9] = heard(['T']); }, /u9 was mailed, and nobody asked/],
];

for (const [name, plant, expected] of DRILL_FAULTS) {
  test(`the judge of the drill finds ${name}`, () => {
    const run = drillRun();
    plant(run);
    assert.match(drillJudge(run).faults.join('\n'), expected);
  });
}

test('a story is read line by line, and a line that means nothing is refused by its number', () => {
  const steps = readStory('# told\n\nsmtp    listen mx.example\npost    /v1/track {"a":1}   -> 200   # why\n');
  assert.deepEqual(steps.map(({ verb, line }) => [verb, line]), [['smtp', 3], ['post', 4]]);
  assert.deepEqual(steps[1].args, { path: '/v1/track', body: '{"a":1}', status: 200 });
  assert.throws(() => readStory('serve\npots /v1/track {} -> 200\n'), /line 2/);
  assert.throws(() => readStory('post /v1/track {}\n'), /line 1/);
});
