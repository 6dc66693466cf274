// Makes src/engine/profile/phone_table.c anew: how telephone numbers are written in each country.
//
//     npm install --prefix test && node scripts/phones.mjs > src/engine/profile/phone_table.c
//
// Source: the metadata of libphonenumber.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(import.meta.dirname, '../test/x.js'));
const { countries } = require('libphonenumber-js/metadata.max.json');

// Where a pattern stands for the prefix abroad: the one that people dial.
const ABROAD = { AU: '0011', HK: '001', SG: '001', KR: '001', TH: '001', JP: '010', CO: '00', BR: '00', FI: '00', ID: '001', KZ: '810' };

// By name as in the array of libphonenumber-js: calling code, prefix abroad, lengths, national prefix.
const rows = Object.entries(countries).sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, plan]) => {
  const [calling, abroad, , lengths] = plan;
  const trunk = typeof plan[5] === 'string' ? plan[5] : '';
  const mask = lengths.reduce((sum, length) => sum | (1 << length), 0);
  return `    { "${code}", "${calling}", "${/^\d+$/.test(abroad) ? abroad : ABROAD[code] ?? '00'}", "${/^\d*$/.test(trunk) ? trunk : ''}", 0x${mask.toString(16)} },`;
});

process.stdout.write(`/* Made by scripts/phones.mjs, which names the source. */
#include "engine/profile/phone_table.h"

/* clang-format off */
const struct phone_plan phone_plans[] = {
${rows.join('\n')}
};
const uint32_t phone_plans_count = sizeof phone_plans / sizeof phone_plans[0];
`);
