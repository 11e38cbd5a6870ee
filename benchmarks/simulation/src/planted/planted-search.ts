import { fork } from 'node:child_process';
import type { OracleName, SimulationOptions } from '@millrace/testing';

const workerFile = new URL('./planted-worker.js', import.meta.url);

/** What a process has to look for. */
export interface Search {
  readonly bug: string;
  readonly oracles: NonNullable<SimulationOptions['oracles']>;
  /** The first seed. */
  readonly from: number;
  readonly seedsMax: number;
}

export type Found =
  | {
      readonly kind: 'found';
      /** Tried, the one that failed included. */
      readonly seeds: number;
      readonly seed: number;
      readonly oracle: OracleName;
      readonly message: string;
    }
  | { readonly kind: 'not found'; readonly seeds: number }
  /** The bug cannot be planted any more, or the simulator failed. */
  | { readonly kind: 'broken'; readonly error: string };

/** Runs seeds with a bug in a process of its own, until one fails. */
export function searchFor(search: Search): Promise<Found> {
  return new Promise((resolve) => {
    const worker = fork(workerFile);
    worker.on('message', (found: Found) => resolve(found));
    worker.on('exit', (code) => {
      resolve({ kind: 'broken', error: `the process ended with code ${code}` });
    });
    worker.send(search);
  });
}
