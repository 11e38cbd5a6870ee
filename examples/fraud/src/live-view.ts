import type { Alert, Decided } from './rules/decide.js';
import type { RuleName } from './rules/rule.js';
import {
  coloursFor,
  PROGRESS_EVERY_MS,
  renderAlert,
  renderProgress,
  renderScreen,
  type Snapshot,
} from './screen.js';
import { type Summary, SummaryCounter } from './summary.js';

const ALERTS_KEPT = 6;
const REDRAW_EVERY_MS = 200;

/** Counts what the job decides, for the live view and for the summary at the end. */
export class Tally {
  #transactions = 0;
  #alerts = 0;
  #latestMs: number | undefined;
  readonly #ruleCounts: Partial<Record<RuleName, number>> = {};
  #firstAlert: Alert | undefined;
  #lastAlerts: readonly Alert[] = [];
  readonly #summary = new SummaryCounter();

  get firstAlert(): Alert | undefined {
    return this.#firstAlert;
  }

  /** Called with each decision of the job. */
  readonly add = ({ transaction, alert }: Decided): void => {
    this.#transactions += 1;
    this.#latestMs = Math.max(transaction.at, this.#latestMs ?? transaction.at);
    this.#summary.add(transaction, alert === undefined ? 'pass' : 'alert');
    if (alert !== undefined) this.#addAlert(alert);
  };

  summary(wallMs: number): Summary {
    return this.#summary.result(wallMs);
  }

  snapshot(elapsedMs: number, perSecond: number): Snapshot {
    return {
      transactions: this.#transactions,
      perSecond,
      eventTimeMs: this.#latestMs,
      elapsedMs,
      alerts: this.#alerts,
      ruleCounts: this.#ruleCounts,
      lastAlerts: this.#lastAlerts,
    };
  }

  #addAlert(alert: Alert): void {
    this.#alerts += 1;
    this.#firstAlert ??= alert;
    for (const { rule } of alert.findings) {
      this.#ruleCounts[rule] = (this.#ruleCounts[rule] ?? 0) + 1;
    }
    this.#lastAlerts = [alert, ...this.#lastAlerts.slice(0, ALERTS_KEPT - 1)];
  }
}

/** Where a view is shown: a terminal is redrawn, anything else gets a line now and then. */
export type ViewOutput = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

/** Shows a tally while it grows. Returns what to call when there is nothing more to come. */
export function showLive(tally: Tally, output: ViewOutput, startedMs: number): () => void {
  const show = output.isTTY === true ? redraw(output) : print(output, tally);
  let before = tally.snapshot(0, 0);
  let beforeMs = startedMs;
  const look = (): void => {
    const nowMs = performance.now();
    const { transactions } = tally.snapshot(0, 0);
    const passedMs = Math.max(1, nowMs - beforeMs);
    const perSecond = ((transactions - before.transactions) / passedMs) * 1_000;
    // Over a second at least, or the number would flicker.
    if (passedMs >= PROGRESS_EVERY_MS) {
      before = tally.snapshot(0, perSecond);
      beforeMs = nowMs;
    }
    const steady = before.perSecond > 0 ? before.perSecond : perSecond;
    show(tally.snapshot(nowMs - startedMs, steady));
  };
  const timer = setInterval(look, REDRAW_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
  };
}

function redraw(output: ViewOutput): (snapshot: Snapshot) => void {
  const colours = coloursFor(output, process.env.NO_COLOR);
  let drawn = 0;
  return (snapshot) => {
    const lines = renderScreen(snapshot, { colours, columns: output.columns ?? 80 });
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`;
    output.write(up + lines.map((line) => `\u001b[2K${line}\n`).join(''));
    drawn = lines.length;
  };
}

/** The first alert at once, then a line each second. */
function print(output: ViewOutput, tally: Tally): (snapshot: Snapshot) => void {
  let nextMs = PROGRESS_EVERY_MS;
  let hasAlert = false;
  return (snapshot) => {
    const alert = tally.firstAlert;
    if (alert !== undefined && !hasAlert) {
      hasAlert = true;
      output.write(`first alert  ${renderAlert(alert)}\n`);
    }
    if (snapshot.elapsedMs < nextMs) return;
    nextMs = snapshot.elapsedMs + PROGRESS_EVERY_MS;
    output.write(`${renderProgress(snapshot)}\n`);
  };
}
