import type { Sink } from '@millrace/core/spi';
import { fraudJob } from './job.js';
import type { Alert, Decided } from './rules/decide.js';
import { Tally, type TallyState, tallySink } from './tally.js';

/** What the thread that counts tells the one that shows it. */
interface TallyMessage {
  readonly state: TallyState;
  readonly counted: number;
  readonly firstAlert: Alert | undefined;
  readonly earlierMs: number;
  /** The input has ended. */
  readonly isLast: boolean;
}

/** What the threads of a job are told. */
export interface SlotTally {
  /** Name of the channel between threads of this process. */
  readonly channel: string;
  /** When the process began its work, epoch ms. */
  readonly startedMs: number;
}

/** Time between two messages, ms: as often as people see a change. */
const tellEveryMs = 100;

/** The job of a slot: the module's default export, which threads load. */
export default function slotFraudJob(settings: SlotTally): ReturnType<typeof fraudJob> {
  return fraudJob(tellingSink(settings));
}

/** Counts, and tells the count to who shows it in another thread. */
function tellingSink({ channel: name, startedMs }: SlotTally): Sink<Decided> {
  const tally = new Tally();
  const workedMs = (): number => Date.now() - startedMs;
  const counting = tallySink(tally, workedMs);
  return {
    ...counting,
    createWriter(context) {
      const writer = counting.createWriter(context);
      const channel = new BroadcastChannel(name);
      channel.unref();
      let toldMs = 0;
      const tell = (isLast: boolean): void => {
        toldMs = Date.now();
        const { counted, firstAlert, earlierMs } = tally;
        const state = tally.state(workedMs());
        const message: TallyMessage = { state, counted, firstAlert, earlierMs, isLast };
        channel.postMessage(message);
      };
      return {
        ...writer,
        async open() {
          await writer.open?.();
          // What a checkpoint has counted is true ahead of the first decision.
          tell(false);
        },
        write(batch) {
          const pending = writer.write(batch);
          if (Date.now() - toldMs >= tellEveryMs) tell(false);
          return pending;
        },
        prepare: async (checkpoint) => writer.prepare?.(checkpoint),
        finish: async () => tell(true),
        close: async () => channel.close(),
      };
    },
  };
}

/** Keeps a tally as the thread that counts tells it. */
export function followTally(tally: Tally, { channel: name }: SlotTally): { stop(): Promise<void> } {
  const channel = new BroadcastChannel(name);
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  channel.onmessage = (event: unknown) => {
    const { data } = event as MessageEvent;
    const { state, counted, firstAlert, earlierMs, isLast } = data as TallyMessage;
    tally.earlierMs = earlierMs;
    tally.follow(state, counted, firstAlert);
    if (isLast) end();
  };
  return {
    async stop() {
      // The last message may come after the job's end.
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, tellEveryMs))]);
      channel.close();
    },
  };
}
