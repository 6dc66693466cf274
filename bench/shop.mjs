// The program that intake works against while it is measured: 50 live segments and 3 journeys.
//
// 6% of events set the trait "mood" to one of 20 values, so nearly each of them leaves one of the
// first 20 segments and enters another; the other 30 are about behaviour that sets a few people
// apart, as a marketer's are. 0.5% are "Signed Up" and enroll somebody. No journey here sends mail:
// what is measured is taking events in.

import { shopFolder } from '../test/lib/shop.mjs';

const MOODS = 20;
const SEGMENTS = 50;
const NAMES = ['Product Viewed', 'Product Added', 'Order Completed', 'Guide Read', 'Video Watched', 'Cart Viewed'];

function condition(index) {
  if (index < MOODS) return `mood = "m${index}"`;
  const name = NAMES[index % NAMES.length];
  if (index < 30) return `did "${name}" at least ${20 + 10 * (index % 5)} times in the last ${7 + index} days`;
  if (index < 40) return `did "${name}" in the last 30 days where price > ${4900 + 2 * index} and never did "Coupon Applied"`;
  return `sum of price of "${name}" in the last 90 days > ${index * 3000}`;
}

const pause = (journey, trigger) => ({
  journey,
  trigger,
  reentry: 'always',
  nodes: [{ id: 'pause', wait: '3 days' }, { id: 'acted', split: 'did "Order Completed"', yes: 'done', no: 'later' },
    { id: 'later', wait: '10 days' }, { id: 'done', exit: true }],
});

export function benchShop() {
  const files = {
    'journeys/onboarding.json': pause('onboarding', { event: 'Signed Up' }),
    'journeys/norway.json': pause('norway', { event: 'Signed Up', where: 'currency = "NOK"' }),
    'journeys/devoted.json': pause('devoted', { segment: 's49' }),
  };
  for (let index = 0; index < SEGMENTS; index += 1) files[`segments/s${index}.segment`] = `${condition(index)}\n`;
  return shopFolder(files);
}
