#!/usr/bin/env node
import { writeSync } from 'node:fs';
import type { Duration } from '@millrace/core';
import { nodeEnv } from '@millrace/runtime';
import type { CommitStep } from './commit-steps.js';
import { jobs } from './jobs.js';
import { eventsFd, type Life, type LifeEvent } from './life-protocol.js';
import { StepWatcher } from './step-watcher.js';
import { watchedStorage } from './watched-storage.js';

/** `node life.js LIFE`: runs a job once, until its input has ended or the process is killed. */
async function live(life: Life): Promise<void> {
  const { input, output, recordsPerSecond, checkpoints, checkpointInterval, backend, slots } = life;
  const env = nodeEnv();
  const kill = () => process.kill(process.pid, 'SIGKILL');
  const steps = new StepWatcher<CommitStep>({ failpoint: life.failpoint, tell, kill });
  const storage = watchedStorage(env.storage, life, steps);
  const { handle, counts } = jobs[life.job].start(
    { input, output, recordsPerSecond },
    {
      env: { ...env, storage },
      checkRecords: 'off',
      // A failure is a finding, and not to be made good silently.
      restart: { kind: 'none' },
      ...(checkpointInterval === undefined
        ? {}
        : { checkpoints: { folder: checkpoints, interval: checkpointInterval as Duration } }),
      backend,
      slots,
    },
  );
  const resumed = await Promise.race([handle.resumed, handle.done.then(() => undefined)]);
  tell({
    kind: 'resumed',
    checkpoint: resumed?.checkpoint ?? null,
    finished: resumed?.finished ?? false,
  });
  await handle.done;
  tell({ kind: 'done', counts: counts() });
}

/** At once, and by the kernel: what was told outlives the process. */
function tell(event: LifeEvent): void {
  writeSync(eventsFd, `${JSON.stringify(event)}\n`);
}

live(JSON.parse(process.argv[2]!) as Life).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
});
