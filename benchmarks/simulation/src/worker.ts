import { simulateSeed } from '@millrace/testing';
import type { FromWorker, ToWorker } from './worker-protocol.js';

/** Runs the seeds it is sent, one after another. */
process.on('message', ({ seed }: ToWorker) => {
  simulateSeed(seed).then(
    ({ timeline: _, case: __, ...result }) => answer({ kind: 'result', result }),
    (error: unknown) => answer({ kind: 'broken', seed, error: String(error) }),
  );
});

function answer(message: FromWorker): void {
  process.send!(message);
}
