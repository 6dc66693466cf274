// Makes src/engine/profile/place_table.c anew: what a country tells of a person who lives there.
//
//     npm install --prefix test && node scripts/places.mjs > src/engine/profile/place_table.c
//
// Sources: ISO 3166 codes, zones and latitudes from the system's tzdata (zone.tab), English names
// and the likeliest language from CLDR (Node's Intl), calling codes from libphonenumber.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.PLACES_MODULES ?? join(import.meta.dirname, '../test'), 'x.js'));
const { getCountries, getCountryCallingCode, parsePhoneNumberFromString } = require('libphonenumber-js/max');

// Several zones, but nearly all the people live in one.
const MAIN_ZONE = { ES: 'Europe/Madrid', PT: 'Europe/Lisbon', NZ: 'Pacific/Auckland', CN: 'Asia/Shanghai',
  CL: 'America/Santiago', EC: 'America/Guayaquil', DE: 'Europe/Berlin', UA: 'Europe/Kyiv',
  UZ: 'Asia/Tashkent', MY: 'Asia/Kuala_Lumpur', CY: 'Asia/Nicosia', AR: 'America/Argentina/Buenos_Aires',
  PS: 'Asia/Gaza' };

const zones = {};
for (const line of readFileSync('/usr/share/zoneinfo/zone.tab', 'utf8').split('\n')) {
  const [country, place, zone] = line.split('\t');
  if (/^[A-Z]{2}$/.test(country ?? '')) (zones[country] ??= []).push({ zone, south: place.startsWith('-') });
}

const names = new Intl.DisplayNames('en', { type: 'region' });
const phones = new Map(); // digits after the plus -> country
for (const country of getCountries()) {
  const code = getCountryCallingCode(country);
  const others = getCountries().filter((c) => getCountryCallingCode(c) === code);
  if (others.length === 1 || country === parsePhoneNumberFromString(`+${code}`)?.country) phones.set(code, country);
}
for (const [code, country] of Object.entries({ 1: 'US', 7: 'RU', 39: 'IT', 44: 'GB', 47: 'NO', 61: 'AU', 212: 'MA',
  262: 'RE', 290: 'SH', 358: 'FI', 590: 'GP', 599: 'CW', 383: 'XK' })) phones.set(code, country);
for (let area = 200; area <= 999; area++)
  for (const code of ['1', '7']) {
    const country = parsePhoneNumberFromString(`+${code}${area}2345678`.slice(0, code.length + 11))?.country;
    if (country !== undefined && country !== phones.get(code)) phones.set(`${code}${area}`, country);
  }

// Ten sisters of one country are their mother.
for (let done = false; !done;) {
  done = true;
  for (const prefix of new Set([...phones.keys()].map((digits) => digits.slice(0, -1)))) {
    const sisters = [...'0123456789'].map((digit) => phones.get(prefix + digit));
    if (prefix.length < 2 || sisters[0] === undefined || sisters.some((c) => c !== sisters[0])) continue;
    for (const digit of '0123456789') phones.delete(prefix + digit);
    phones.set(prefix, sisters[0]);
    done = false;
  }
}

const rows = Object.keys(zones).sort().map((code) => {
  const own = zones[code];
  const zone = own.length === 1 ? own[0].zone : MAIN_ZONE[code] ?? '';
  const language = new Intl.Locale(`und-${code}`).maximize().language;
  return `    { "${code}", "${names.of(code)}", "${zone}", "${language === 'no' ? 'nb' : language}", ${own[0].south} },`;
});
const calls = [...phones].filter(([, country]) => zones[country] !== undefined)
  .sort(([a], [b]) => (a < b ? -1 : 1)).map(([digits, country]) => `    { "${digits}", "${country}" },`);

console.log(`/* Made by scripts/places.mjs, which names the sources. */
#include "engine/profile/place_table.h"

/* clang-format off */
const struct place_country place_countries[] = {
${rows.join('\n')}
};

const struct place_call place_calls[] = {
${calls.join('\n')}
};
/* clang-format on */

const uint32_t place_countries_count = sizeof place_countries / sizeof place_countries[0];
const uint32_t place_calls_count = sizeof place_calls / sizeof place_calls[0];`);
