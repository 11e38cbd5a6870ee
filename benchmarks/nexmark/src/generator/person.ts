import type { Person } from '../model.js';
import { firstId, lastPerson } from './ids.js';
import type { Random } from './random.js';
import { nextText } from './text.js';

const firstNames = 'Peter Paul Luke John Saul Vicky Kate Julie Sarah Deiter Walter'.split(' ');
const lastNames = 'Shultz Abrams Spencer White Bartels Walton Smith Jones Noris'.split(' ');
const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
const cities = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
];

/** The person who registers with event `n`. */
export function nextPerson(random: Random, n: number, dateTime: number): Person {
  return {
    kind: 'person',
    id: lastPerson(n) + firstId,
    name: `${random.pick(firstNames)} ${random.pick(lastNames)}`,
    emailAddress: `${nextText(random, 7)}@${nextText(random, 5)}.com`,
    creditCard: nextCreditCard(random),
    city: random.pick(cities),
    state: random.pick(states),
    dateTime,
    extra: nextText(random, 100),
  };
}

function nextCreditCard(random: Random): string {
  const group = (): string => String(random.nextInt(10_000)).padStart(4, '0');
  return `${group()} ${group()} ${group()} ${group()}`;
}
