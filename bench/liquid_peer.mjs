// One round of one engine from npm: liquid_peer.mjs ENGINE TEMPLATE DATA SECONDS OUT

import { readFileSync, writeFileSync } from 'node:fs';

const [, , engine, template, data, seconds, out] = process.argv;
const source = readFileSync(template, 'utf8');
const scope = JSON.parse(readFileSync(data, 'utf8'));

async function renderer() {
  if (engine === 'handlebars') return (await import('handlebars')).default.compile(source);
  const { Liquid } = await import('liquidjs');
  const liquid = new Liquid({ outputEscape: 'escape' });
  const parsed = liquid.parse(source);
  return (given) => liquid.renderSync(parsed, given);
}

const render = await renderer();
const SLICE = 500;
const run = (ms) => {
  const began = performance.now();
  let count = 0;
  do {
    for (let i = 0; i < SLICE; i++) render(scope);
    count += SLICE;
  } while (performance.now() - began < ms);
  return (count * 1000) / (performance.now() - began);
};
run(500); // the compiler warms up first
writeFileSync(out, render(scope));
console.log(JSON.stringify({ renders_per_s: run(Number(seconds) * 1000) }));
