// docs/benchmarks-segments.md, from what bench/segments measured.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../test/lib/program.mjs';

const ASKED = {
  three: ['did A at least 3 times in the last 30 days and never B', 'at least 4, aim 10'],
  funnel: ['ordered funnel A, B, C within 7 days', 'at least 4, aim 8'],
  retention: ['weekly retention, 12 x 12', 'at least 4, aim 8'],
  idle: ['inactive for 30 days', 'at least 10, aim 50'],
};
const PEERS = ['DuckDB', 'ClickHouse', 'SQLite'];

const ms = (value) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2));
const count = (value) => Math.round(value).toLocaleString('en-US');

function questionsTable({ threads, floor, versions }) {
  const lines = [`## The four questions`, '',
    `${PEERS.map((name) => `${name} ${versions[name]}`).join(', ')}; milliseconds, medians, the page cache warm.`, ''];
  for (const [number, asked] of Object.entries(threads)) {
    lines.push(`| ${number} thread${number === '1' ? '' : 's'} | ${PEERS.join(' | ')} | plain C | bandwidth | Dult | times the best peer | aim | times the bandwidth |`,
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
    for (const [question, [text, aim]] of Object.entries(ASKED)) {
      const times = asked[question];
      const best = Math.min(...PEERS.map((name) => times[name]));
      const bare = number === '1' ? [ms(floor[question].plain), ms(floor[question].bytes)] : ['', ''];
      const far = number === '1' ? (times.Dult / floor[question].bytes).toFixed(1) : '';
      lines.push(`| ${text} | ${PEERS.map((name) => ms(times[name])).join(' | ')} | ${bare.join(' | ')} | ${ms(times.Dult)} | ${(best / times.Dult).toFixed(1)} | ${aim} | ${far} |`);
    }
    lines.push('');
  }
  return lines;
}

function rest({ memory, start, live, lived, readers, about }) {
  const lines = ['## Beside the questions', '', '| what | measured | aim |', '| --- | --- | --- |'];
  if (start) lines.push(`| start to the fourth right answer, ms (${ms(start.well)} until it is well) | ${ms(start.answered)} | 3,000 |`);
  if (memory) {
    const events = (sums) => (sums.all - sums.bags - memory.bare * about.people) / about.events;
    lines.push(`| resident bytes an event, merged; people and property bags apart | ${ms(events(memory.merged))} | 24 |`,
      `| ... with the last 1% beside the base | ${ms(events(memory.live))} | 24 |`,
      `| ... of it the base's file | ${ms(memory.merged.base / about.events)} | |`,
      `| property bags, bytes an event | ${ms(memory.merged.bags / about.events)} | |`,
      `| resident bytes a person with ${memory.identities} identities, ${memory.memberships} memberships and one event | ${ms(memory.people)} | 400 |`,
      `| ... of one identity, without memberships | ${ms(memory.bare)} | |`);
  }
  const sets = [['of people of whom nothing was known', live], ['beside the half year of all people', lived]];
  for (const [of, told] of sets.filter(([, results]) => results)) {
    lines.push(`| engine's processor time for an event ${of}, microseconds | ${ms(told.without.engineUs)} | |`);
    for (const set of ['plain', 'wide']) {
      lines.push(`| ... more for 200 live segments (${set}) | ${ms(told[set].engineUs - told.without.engineUs)} | 1 |`,
        `| ... events that change a membership, of 100 | ${ms(told[set].changed * 100)} | |`,
        `| ... ingest rate with them, of ${count(told.without.rate)} a second without, % | ${ms((told[set].rate / told.without.rate) * 100)} | 90 |`);
    }
  }
  if (readers) {
    lines.push(`| 99th percentile of ingest at half of ${count(readers.most)} events a second, ms | ${ms(readers.alone)} | |`,
      `| ... while reports run, times that | ${ms(readers.beside / readers.alone)} | 2 |`,
      `| engine's wait for readers, 99.9th percentile, ms | ${ms(readers.wait999)} | 1 |`);
  }
  return [...lines, ''];
}

export function writePage(results) {
  const { about } = results;
  const lines = ['# Segments and reports, measured', '',
    `Written by \`bench/segments\` on ${about.day}: ${count(about.events)} events of ${count(about.people)} people, ${about.cores} cores.`, '',
    ...(results.questions ? questionsTable(results.questions) : []), ...rest(results),
    readFileSync(join(root, 'bench/segments_notes.md'), 'utf8').trimEnd()];
  writeFileSync(join(root, 'docs/benchmarks-segments.md'), `${lines.join('\n')}\n`);
}
