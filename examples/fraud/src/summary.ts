import type { Transaction } from './transaction.js';

/** How the frauds of one scenario fared. */
export interface ScenarioSummary {
  readonly frauds: number;
  /** Frauds with an alert. */
  readonly caught: number;
}

/** What a run found. Shares are `null` where the input has no labels. */
export interface Summary {
  readonly transactions: number;
  readonly alerts: number;
  /** Part of the alerts that are frauds. */
  readonly precision: number | null;
  /** Part of the frauds that have an alert. */
  readonly recall: number | null;
  readonly scenarios: Readonly<Record<string, ScenarioSummary>>;
  readonly wallMs: number;
  readonly eventsPerSecond: number;
}

/** Counts decided transactions. */
export class SummaryCounter {
  #transactions = 0;
  #alerts = 0;
  #labelled = 0;
  #labelledAlerts = 0;
  #frauds = 0;
  #caught = 0;
  readonly #scenarios = new Map<number, { frauds: number; caught: number }>();

  /** Called once for each transaction, with whether it got an alert. */
  add(transaction: Transaction, decision: 'alert' | 'pass'): void {
    const alerted = decision === 'alert' ? 1 : 0;
    this.#transactions += 1;
    this.#alerts += alerted;
    if (transaction.fraud === undefined) return;
    this.#labelled += 1;
    this.#labelledAlerts += alerted;
    if (!transaction.fraud) return;
    this.#frauds += 1;
    this.#caught += alerted;
    if (transaction.scenario !== undefined) this.#addScenario(transaction.scenario, alerted);
  }

  /** The summary so far. `wallMs`: how long the run took. */
  result(wallMs: number): Summary {
    return {
      transactions: this.#transactions,
      alerts: this.#alerts,
      precision: this.#labelled === 0 ? null : part(this.#caught, this.#labelledAlerts),
      recall: this.#labelled === 0 ? null : part(this.#caught, this.#frauds),
      scenarios: Object.fromEntries(
        [...this.#scenarios].sort(([left], [right]) => left - right).map(([k, v]) => [k, { ...v }]),
      ),
      wallMs: Math.round(wallMs),
      eventsPerSecond: wallMs > 0 ? Math.round((this.#transactions / wallMs) * 1_000) : 0,
    };
  }

  #addScenario(scenario: number, alerted: number): void {
    const counts = this.#scenarios.get(scenario) ?? { frauds: 0, caught: 0 };
    counts.frauds += 1;
    counts.caught += alerted;
    this.#scenarios.set(scenario, counts);
  }
}

/** Nothing out of nothing is not a share. */
function part(count: number, whole: number): number | null {
  return whole === 0 ? null : count / whole;
}
