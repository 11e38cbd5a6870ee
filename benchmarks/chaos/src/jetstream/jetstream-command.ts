import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError, whole } from '../arguments.js';
import { FaultPlan } from './fault-plan.js';
import { faultLine, missedSteps, renderStreamReport } from './stream-report.js';
import { type StreamReport, streamRun } from './stream-run.js';

const HELP = `Kills and stops a job from stream to stream, and its server, again and again.

  npm run chaos -- jetstream --kills 50 --seed 1
  npm run chaos -- jetstream --kills 50 --seed 1 --cluster

  --kills N          faults in all (50)
  --seed N           of moments, steps and durations (1)
  --cluster          three servers, streams with three replicas; one server is killed at a time
  --stopped-max S    seconds that a job is stopped for at most, from 3 on (20)

Payments come at a fixed rate into a stream; sliding windows of each card go to another stream,
exactly once, with a checkpoint each 500 ms. The job is killed and started again; its server is
killed and started on the same store; the job is stopped while a successor is started, and goes on
beside it. Most of it happens at a step of the commit or of the sink. It fails where a row is lost,
doubled, wrong, or published by a zombie, a process goes on from anything but the newest committed
checkpoint, a zombie does not end by itself, or (from 50 faults on) a step was left out.
`;

const stoppedSecondsMin = 3;
/** From so many faults on each step must have been hit. */
const wholeFaults = 50;

interface Arguments {
  readonly kills: number;
  readonly seed: number;
  readonly cluster: boolean;
  readonly stoppedMax: number;
  readonly help: boolean;
}

/**
 * @returns the exit code
 * @throws UsageError
 */
export async function jetstreamCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { kills, seed, cluster } = options;
  console.log(`${kills} faults, seed ${seed}, ${cluster ? 'three servers' : 'one server'}`);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  const begunMs = performance.now();
  try {
    const report = await attack(options, folder);
    rmSync(folder, { recursive: true });
    const seconds = ((performance.now() - begunMs) / 1_000).toFixed(0);
    console.log(`\n${renderStreamReport(report)}\n${seconds} s`);
    return conclude(options, report);
  } catch (error) {
    console.log(`\nFAILED: ${error instanceof Error ? error.message : error}`);
    console.log(`its checkpoints are in ${folder}`);
    console.log(`again: ${replayOf(options)}`);
    return 1;
  }
}

function attack(
  { kills, seed, cluster, stoppedMax }: Arguments,
  folder: string,
): Promise<StreamReport> {
  const servers = cluster ? 3 : 1;
  const stoppedMs = { min: stoppedSecondsMin * 1_000, max: stoppedMax * 1_000 };
  let number = 0;
  mkdirSync(folder, { recursive: true });
  return streamRun({
    folder,
    faults: kills,
    plan: new FaultPlan({ seed, servers, stoppedMs }),
    servers,
    onFault: (fault) => {
      number += 1;
      console.log(faultLine(number, fault));
    },
  });
}

function conclude({ kills }: Arguments, { faults }: StreamReport): number {
  const missed = missedSteps(faults);
  if (missed.length === 0) return 0;
  console.log(`not hit: ${missed.join(', ')}`);
  return kills >= wholeFaults ? 1 : 0;
}

function replayOf({ kills, seed, cluster, stoppedMax }: Arguments): string {
  const more = `${cluster ? ' --cluster' : ''} --stopped-max ${stoppedMax}`;
  return `npm run chaos -- jetstream --kills ${kills} --seed ${seed}${more}`;
}

function readOptions(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        kills: { type: 'string', default: '50' },
        seed: { type: 'string', default: '1' },
        cluster: { type: 'boolean', default: false },
        'stopped-max': { type: 'string', default: '20' },
        help: { type: 'boolean', default: false },
      },
    });
    const { kills, seed, cluster, help } = values;
    return {
      kills: whole('kills', kills, 1),
      seed: whole('seed', seed, 0),
      cluster,
      stoppedMax: whole('stopped-max', values['stopped-max'], stoppedSecondsMin),
      help,
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}
