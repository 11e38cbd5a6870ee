import type { Sink } from '@millrace/core/spi';
import type { Alert, Decided } from './rules/decide.js';
import type { RuleName } from './rules/rule.js';
import type { Snapshot } from './screen.js';
import { type Summary, SummaryCounter, type SummaryCounts } from './summary.js';

const ALERTS_KEPT = 6;

/** A tally as a checkpoint keeps it: JSON. */
export interface TallyState {
  readonly summary: SummaryCounts;
  readonly latestMs: number | null;
  readonly ruleCounts: Readonly<Partial<Record<RuleName, number>>>;
  readonly lastAlerts: readonly Alert[];
  /** How long the job has run so far, in all processes. */
  readonly workedMs: number;
}

/** Counts what the job decides, for the live view and for the summary at the end. */
export class Tally {
  /** Decisions that this process has seen. */
  counted = 0;
  /** It goes on from what a checkpoint has, or has found that there is none. */
  isRestored = false;
  /** How long earlier processes have worked on what was counted, ms. */
  earlierMs = 0;
  #latestMs: number | undefined;
  #ruleCounts: Partial<Record<RuleName, number>> = {};
  #firstAlert: Alert | undefined;
  #lastAlerts: readonly Alert[] = [];
  #summary = new SummaryCounter();

  /** The first alert of this process. */
  get firstAlert(): Alert | undefined {
    return this.#firstAlert;
  }

  /** Called with each decision of the job. */
  readonly add = ({ transaction, alert }: Decided): void => {
    this.counted += 1;
    this.#latestMs = Math.max(transaction.at, this.#latestMs ?? transaction.at);
    this.#summary.add(transaction, alert === undefined ? 'pass' : 'alert');
    if (alert !== undefined) this.#addAlert(alert);
  };

  /** @param workedMs how long this process has worked */
  state(workedMs: number): TallyState {
    return {
      summary: this.#summary.counts,
      latestMs: this.#latestMs ?? null,
      ruleCounts: { ...this.#ruleCounts },
      lastAlerts: this.#lastAlerts,
      workedMs: this.earlierMs + workedMs,
    };
  }

  /** Goes on from what a checkpoint kept; without one it begins anew. */
  restore(state?: TallyState): void {
    this.isRestored = true;
    this.#summary = new SummaryCounter(state?.summary);
    this.#latestMs = state?.latestMs ?? undefined;
    this.#ruleCounts = { ...state?.ruleCounts };
    this.#lastAlerts = state?.lastAlerts ?? [];
  }

  /**
   * Shows what another thread of this process counts.
   *
   * @param counted decisions that this thread has seen, without those of a checkpoint
   */
  follow(state: TallyState, counted: number, firstAlert: Alert | undefined): void {
    this.restore(state);
    this.counted = counted;
    this.#firstAlert ??= firstAlert;
  }

  /** @param workedMs how long this process has worked */
  summary(workedMs: number): Summary {
    return this.#summary.result(this.earlierMs + workedMs);
  }

  snapshot(elapsedMs: number, perSecond: number): Snapshot {
    const { transactions, alerts } = this.#summary.counts;
    return {
      transactions,
      perSecond,
      eventTimeMs: this.#latestMs,
      elapsedMs,
      alerts,
      ruleCounts: this.#ruleCounts,
      lastAlerts: this.#lastAlerts,
    };
  }

  #addAlert(alert: Alert): void {
    this.#firstAlert ??= alert;
    for (const { rule } of alert.findings) {
      this.#ruleCounts[rule] = (this.#ruleCounts[rule] ?? 0) + 1;
    }
    this.#lastAlerts = [alert, ...this.#lastAlerts.slice(0, ALERTS_KEPT - 1)];
  }
}

/**
 * Counts each decision exactly once, also when the job is killed and goes on: checkpoints keep the
 * tally.
 *
 * @param workedMs how long this process has worked
 */
export function tallySink(tally: Tally, workedMs: () => number): Sink<Decided> {
  return {
    type: 'tally',
    guarantee: 'exactly-once',
    parallelismMax: 1,
    createWriter: ({ restored }) => ({
      async open() {
        const state = restored?.prepared[0] as TallyState | undefined;
        // A restart within this process has its time already.
        if (tally.counted === 0) tally.earlierMs = state?.workedMs ?? 0;
        tally.restore(state);
      },
      write({ values, count }) {
        for (let i = 0; i < count; i += 1) tally.add(values[i] as Decided);
        return undefined;
      },
      prepare: async () => tally.state(workedMs()),
    }),
  };
}
