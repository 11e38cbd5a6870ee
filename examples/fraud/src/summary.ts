import type { Transaction } from './transaction.js';

/** How the frauds of one scenario fared; nulls where the input does not tell scenarios. */
interface ScenarioSummary {
  readonly frauds: number | null;
  /** Frauds with an alert. */
  readonly caught: number | null;
}

/** What a run found. Shares are `null` where the input has no labels. */
export interface Summary {
  readonly transactions: number;
  readonly alerts: number;
  /** Part of the alerts that are frauds. */
  readonly precision: number | null;
  /** Part of the frauds that have an alert. */
  readonly recall: number | null;
  /** By number: always 1 to 3, and others where the input has them. */
  readonly scenarios: Readonly<Record<string, ScenarioSummary>>;
  readonly wallMs: number;
  readonly eventsPerSecond: number;
}

/** High amount, compromised terminal, leaked card. */
const SCENARIOS = [1, 2, 3];

/** A counter's numbers, as a checkpoint keeps them: JSON. */
export interface SummaryCounts {
  readonly transactions: number;
  readonly alerts: number;
  readonly labelled: number;
  readonly labelledAlerts: number;
  readonly frauds: number;
  readonly caught: number;
  readonly tellsScenarios: boolean;
  readonly scenarios: readonly (readonly [
    scenario: number,
    counts: { readonly frauds: number; readonly caught: number },
  ])[];
}

/** Counts decided transactions. */
export class SummaryCounter {
  #transactions = 0;
  #alerts = 0;
  #labelled = 0;
  #labelledAlerts = 0;
  #frauds = 0;
  #caught = 0;
  #tellsScenarios = false;
  readonly #scenarios = new Map<number, { frauds: number; caught: number }>();

  /** @param counts of an earlier counter, to go on from */
  constructor(counts?: SummaryCounts) {
    if (counts === undefined) return;
    this.#transactions = counts.transactions;
    this.#alerts = counts.alerts;
    this.#labelled = counts.labelled;
    this.#labelledAlerts = counts.labelledAlerts;
    this.#frauds = counts.frauds;
    this.#caught = counts.caught;
    this.#tellsScenarios = counts.tellsScenarios;
    for (const [scenario, each] of counts.scenarios) this.#scenarios.set(scenario, { ...each });
  }

  get counts(): SummaryCounts {
    return {
      transactions: this.#transactions,
      alerts: this.#alerts,
      labelled: this.#labelled,
      labelledAlerts: this.#labelledAlerts,
      frauds: this.#frauds,
      caught: this.#caught,
      tellsScenarios: this.#tellsScenarios,
      scenarios: [...this.#scenarios].map(([scenario, each]) => [scenario, { ...each }]),
    };
  }

  /** Called once for each transaction, with whether it got an alert. */
  add(transaction: Transaction, decision: 'alert' | 'pass'): void {
    const alerted = decision === 'alert' ? 1 : 0;
    this.#transactions += 1;
    this.#alerts += alerted;
    if (typeof transaction.scenario === 'number') this.#tellsScenarios = true;
    if (typeof transaction.fraud !== 'boolean') return;
    this.#labelled += 1;
    this.#labelledAlerts += alerted;
    if (!transaction.fraud) return;
    this.#frauds += 1;
    this.#caught += alerted;
    if (typeof transaction.scenario === 'number') this.#addScenario(transaction.scenario, alerted);
  }

  /** The summary so far. `wallMs`: how long the run took. */
  result(wallMs: number): Summary {
    return {
      transactions: this.#transactions,
      alerts: this.#alerts,
      precision: this.#labelled === 0 ? null : part(this.#caught, this.#labelledAlerts),
      recall: this.#labelled === 0 ? null : part(this.#caught, this.#frauds),
      scenarios: this.#scenarioSummaries(),
      wallMs: Math.round(wallMs),
      eventsPerSecond: wallMs > 0 ? Math.round((this.#transactions / wallMs) * 1_000) : 0,
    };
  }

  #scenarioSummaries(): Summary['scenarios'] {
    const summaries: Record<string, ScenarioSummary> = {};
    for (const scenario of new Set([...SCENARIOS, ...this.#scenarios.keys()])) {
      const counts = this.#scenarios.get(scenario) ?? { frauds: 0, caught: 0 };
      const known = this.#tellsScenarios && this.#labelled > 0;
      summaries[scenario] = known ? { ...counts } : { frauds: null, caught: null };
    }
    return summaries;
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
