import type { Stream } from '@millrace/core';
import type { Event, QueryName, Row } from '../model.js';
import { q0 } from './q0.js';
import { q1 } from './q1.js';
import { q2 } from './q2.js';
import { q5 } from './q5.js';
import { q7 } from './q7.js';
import { q8 } from './q8.js';
import { q11 } from './q11.js';
import { q14 } from './q14.js';
import { q21 } from './q21.js';
import { q22 } from './q22.js';

/** A query as a user of Millrace writes it: from events to result rows. */
export type Query = (events: Stream<Event>) => Stream<Row>;

/** Each query by its name. */
export const queries: Readonly<Record<QueryName, Query>> = {
  q0,
  q1,
  q2,
  q5,
  q7,
  q8,
  q11,
  q14,
  q21,
  q22,
};
