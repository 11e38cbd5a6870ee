#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { MillraceError } from '@millrace/core';
import type { Logger } from '@millrace/core/spi';
import { nodeEnv, run, stderrLogger } from '@millrace/runtime';
import { eventsFd } from '../life-protocol.js';
import { StepWatcher } from '../step-watcher.js';
import { watchedStorage } from '../watched-storage.js';
import type { LifeCommand, StreamLife, StreamLifeEvent, Strike } from './life-protocol.js';
import { earlySteps, SinkWatch, type StreamStep } from './sink-steps.js';
import { spendJob } from './spend-job.js';

/** `node life.js LIFE`: runs the job, until it is drained or fails, or the process is killed. */
async function live(life: StreamLife): Promise<void> {
  let { strike } = life;
  const steps = new StepWatcher<StreamStep>({
    failpoint: strike?.failpoint,
    earlySteps,
    tell,
    kill: () => act(strike!),
  });
  const watch = new SinkWatch(steps);
  watch.watchClient();
  const { number, servers, checkpoints: folder, createsOutput } = life;
  const definition = spendJob({
    servers,
    life: number,
    createsOutput,
    onEnd: () => tell({ kind: 'end of input' }),
    watch: (sink) => watch.sink(sink),
  });
  const env = nodeEnv(tellingLogger());
  const handle = run(definition, {
    env: { ...env, storage: watchedStorage(env.storage, life, steps) },
    checkRecords: 'off',
    // A server that is down for long may fail an attempt; what follows must not take minutes.
    restart: { kind: 'exponential', max: '1s' },
    checkpoints: { folder, interval: '500ms' },
  });
  listen((command) => {
    if (command.kind === 'drain') {
      handle.stopWithSavepoint('end', 'drain').catch(() => undefined);
      return;
    }
    strike = command.strike;
    steps.arm(strike.failpoint);
  });
  void handle.resumed.then((from) => {
    tell({ kind: 'resumed', checkpoint: from?.checkpoint ?? null, finished: !!from?.finished });
  });
  try {
    await handle.done;
    tell({ kind: 'done' });
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : 'none';
    tell({ kind: 'failed', code, message: String(error) });
    process.exitCode = 1;
  }
  // The pipe of commands would keep the process.
  process.exit();
}

function act({ pid = process.pid, signal }: Strike): void {
  try {
    process.kill(pid, signal);
  } catch {
    // A server that is down already.
  }
}

/** At once, and by the kernel: what was told outlives the process. */
function tell(event: StreamLifeEvent): void {
  writeSync(eventsFd, `${JSON.stringify(event)}\n`);
}

function tellingLogger(): Logger {
  const logger = stderrLogger();
  return {
    log(level, message, fields) {
      if (message === 'the job restarts') tell({ kind: 'restarts', error: String(fields?.error) });
      logger.log(level, message, fields);
    },
  };
}

function listen(take: (command: LifeCommand) => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => take(JSON.parse(line) as LifeCommand));
  // Whoever started it is gone.
  lines.on('close', () => process.exit(1));
}

live(JSON.parse(process.argv[2]!) as StreamLife).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(2);
});
