import { OperatorMetrics } from './operator-metrics.js';

type Values = Readonly<Record<string, number>>;

/** The metrics of the operators of one slot; they outlive attempts. */
export class MetricRegistry {
  private readonly operators = new Map<string, OperatorMetrics>();

  of(operator: string): OperatorMetrics {
    let metrics = this.operators.get(operator);
    if (metrics === undefined) {
      metrics = new OperatorMetrics(operator);
      this.operators.set(operator, metrics);
    }
    return metrics;
  }

  read(): Readonly<Record<string, Values>> {
    return Object.fromEntries([...this.operators].map(([id, metrics]) => [id, metrics.read()]));
  }
}

/** Metrics of several slots as one: counts are added up, of watermarks the lowest counts. */
export function mergeMetrics(
  slots: readonly Readonly<Record<string, Values>>[],
): Record<string, Values> {
  const merged: Record<string, Record<string, number>> = {};
  for (const slot of slots) {
    for (const [operator, values] of Object.entries(slot)) {
      const into = merged[operator] ?? {};
      merged[operator] = into;
      for (const [name, value] of Object.entries(values))
        into[name] = merge(name, into[name], value);
    }
  }
  return merged;
}

function merge(name: string, known: number | undefined, value: number): number {
  if (known === undefined) return value;
  return name.endsWith('Watermark') ? Math.min(known, value) : known + value;
}
