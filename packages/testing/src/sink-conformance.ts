import assert from 'node:assert/strict';
import type { Env, Sink, SinkGuarantee } from '@millrace/core/spi';
import type { ConformanceCase } from './conformance-case.js';
import { type BeforeCall, recordsOfJob, SinkJob, SinkProcess } from './sink-process.js';

/** A sink with a destination of its own, which is empty. */
export interface SinkUnderTest {
  readonly sink: Sink<never>;
  /** The record with a number, as the sink takes it. */
  record(n: number): unknown;
  /** Numbers of the records that readers of the destination see, in their order. */
  visible(): Promise<readonly number[]>;
  /** The environment of a process; each has another name. */
  env(process: string): Env;
  /** Frees the destination. */
  close?(): Promise<void>;
}

/**
 * The contract of `SinkWriter` with checkpoints as cases: what a sink guarantees holds wherever its
 * process ends, and whatever a process that was taken for dead still does.
 *
 * `exactly-once`: readers see the records of committed checkpoints once and in order, nothing
 * earlier. `effectively-once`: the same in any order. `at-least-once`: at the end all of them.
 *
 * @param create called many times for each case
 */
export function sinkConformance(
  name: string,
  create: () => Promise<SinkUnderTest>,
): readonly ConformanceCase[] {
  return Object.entries(cases).map(([title, check]) => ({
    name: `${name}: ${title}`,
    run: () => check(create),
  }));
}

type Create = () => Promise<SinkUnderTest>;

const everything = Array.from({ length: recordsOfJob }, (_, n) => n);

/** One destination, and the processes of a job that write to it. */
class Trial {
  readonly job = new SinkJob();
  private readonly subject: SinkUnderTest;
  private readonly processes: SinkProcess[] = [];

  constructor(subject: SinkUnderTest) {
    this.subject = subject;
  }

  start(name: string, before?: BeforeCall): SinkProcess {
    const { sink, record } = this.subject;
    const env = this.subject.env(name);
    const parts = { sink, job: this.job, name, env, record: (n: number) => record(n) };
    const process = new SinkProcess(parts, before);
    this.processes.push(process);
    return process;
  }

  /** What readers see is what was committed, as far as the guarantee says so. */
  async check(moment: string): Promise<void> {
    const committed = this.job.committed?.nextRecord ?? 0;
    await this.compare(everything.slice(0, committed), moment, 'prefix');
  }

  async checkEnd(moment: string): Promise<void> {
    await Promise.all(this.processes.map((process) => process.bury()));
    await this.compare(everything, moment, 'whole');
  }

  async end(): Promise<void> {
    await this.subject.close?.();
  }

  private async compare(
    expected: readonly number[],
    moment: string,
    extent: 'prefix' | 'whole',
  ): Promise<void> {
    const seen = await this.subject.visible();
    const guarantee: SinkGuarantee = this.subject.sink.guarantee;
    if (guarantee === 'at-least-once') {
      if (extent === 'whole') assert.deepEqual(sorted([...new Set(seen)]), expected, moment);
      return;
    }
    const found = guarantee === 'effectively-once' ? sorted(seen) : seen;
    // What is committed may not be published yet.
    const least = extent === 'whole' ? expected.length : 0;
    assert.deepEqual(found, expected.slice(0, Math.max(found.length, least)), moment);
  }
}

async function inTrial<R>(create: Create, use: (trial: Trial) => Promise<R>): Promise<R> {
  const trial = new Trial(await create());
  try {
    return await use(trial);
  } finally {
    await trial.end();
  }
}

/** All calls of a process that nothing disturbs. */
function callsOf(create: Create): Promise<readonly string[]> {
  return inTrial(create, async (trial) => {
    const calls: string[] = [];
    const noting: BeforeCall = (call) => {
      calls.push(call);
      return 'go on';
    };
    assert.equal(await trial.start('only', noting).run(), true);
    await trial.checkEnd('undisturbed');
    return calls;
  });
}

/** Leaves a process at a call, and lets its successor do the rest. */
async function leaveAt(
  create: Create,
  how: 'leave' | 'leave during',
  meanwhile: (trial: Trial) => void = () => undefined,
): Promise<void> {
  for (const [at, call] of (await callsOf(create)).entries()) {
    await inTrial(create, async (trial) => {
      const moment = `${how} ${call}`;
      const first = trial.start('first', (_, index) => (index === at ? how : 'go on'));
      assert.equal(await first.run(), false);
      if (how === 'leave') await trial.check(moment);
      meanwhile(trial);
      await trial.start('second').run();
      await trial.checkEnd(moment);
    });
  }
}

const cases: Readonly<Record<string, (create: Create) => Promise<void>>> = {
  'readers see what is committed, and what a checkpoint that was given up had prepared': async (
    create,
  ) => {
    await inTrial(create, async (trial) => {
      const looking = async (call: string): Promise<'go on'> => {
        await trial.check(`ahead of ${call}`);
        return 'go on';
      };
      assert.equal(await trial.start('only', looking).run(), true);
      await trial.checkEnd('at the end');
    });
  },
  'nothing is lost or doubled when the process ends ahead of any call': (create) =>
    leaveAt(create, 'leave'),
  'nothing is lost or doubled when the process ends in any call, which goes on': (create) =>
    leaveAt(create, 'leave during'),
  'nothing is lost or doubled when what was staged was copied to other names': (create) =>
    leaveAt(create, 'leave', ({ job }) => job.adopt()),
  'nothing is lost or doubled when the successor ends, too': async (create) => {
    for (const [at, call] of (await callsOf(create)).entries()) {
      // Where it matters most: in and right after its opening.
      for (const again of [0, 1]) {
        await inTrial(create, async (trial) => {
          const moment = `${call}, then call ${again}`;
          const leaving = (when: number): BeforeCall => {
            return (_, index) => (index === when ? 'leave during' : 'go on');
          };
          await trial.start('first', leaving(at)).run();
          await trial.start('second', leaving(again)).run();
          await trial.start('third').run();
          await trial.checkEnd(moment);
        });
      }
    }
  },
  'nothing is lost or doubled when a paused process goes on after its successor has ended': async (
    create,
  ) => {
    for (const [at, call] of (await callsOf(create)).entries()) {
      await inTrial(create, async (trial) => {
        const [wake, woken] = signal();
        const [pause, paused] = signal();
        const zombie = trial.start('zombie', (_, index) => {
          if (index !== at) return 'go on';
          pause();
          return woken.then(() => 'go on' as const);
        });
        // It may end in any error, once it is not the owner any more.
        const running = zombie.run().catch(() => false);
        await paused;
        await trial.start('successor').run();
        wake();
        await running;
        await trial.checkEnd(`paused at ${call}`);
      });
    }
  },
};

function signal(): readonly [notify: () => void, notified: Promise<void>] {
  let notify = (): void => undefined;
  const notified = new Promise<void>((resolve) => {
    notify = resolve;
  });
  return [notify, notified];
}

const sorted = (numbers: readonly number[]): readonly number[] =>
  [...numbers].sort((a, b) => a - b);
