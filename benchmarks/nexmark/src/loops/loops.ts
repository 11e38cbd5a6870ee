import type { QueryName } from '../model.js';
import type { Loop } from './loop.js';
import { LoopQ0 } from './q0.js';
import { LoopQ1 } from './q1.js';
import { LoopQ2 } from './q2.js';
import { LoopQ5 } from './q5.js';
import { LoopQ7 } from './q7.js';
import { LoopQ8 } from './q8.js';
import { LoopQ11 } from './q11.js';
import { LoopQ14 } from './q14.js';
import { LoopQ21 } from './q21.js';
import { LoopQ22 } from './q22.js';
import type { RowSink } from './row-sink.js';
import { TypedLoopQ5 } from './typed/q5.js';
import { TypedLoopQ11 } from './typed/q11.js';

/** Makes a loop that writes to a sink. */
export type LoopClass = new (sink: RowSink) => Loop;

/** The hand-written loop of each query, as a good application programmer writes it. */
export const loops: Readonly<Record<QueryName, LoopClass>> = {
  q0: LoopQ0,
  q1: LoopQ1,
  q2: LoopQ2,
  q5: LoopQ5,
  q7: LoopQ7,
  q8: LoopQ8,
  q11: LoopQ11,
  q14: LoopQ14,
  q21: LoopQ21,
  q22: LoopQ22,
};

/** Loops tuned to their data, with tables and timers of their own: what is possible. */
export const typedLoops: Readonly<Partial<Record<QueryName, LoopClass>>> = {
  q5: TypedLoopQ5,
  q11: TypedLoopQ11,
};
