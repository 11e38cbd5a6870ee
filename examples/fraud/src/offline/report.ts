import { parseArgs } from 'node:util';
import { simulate } from '../model/simulate.js';
import { type Summary, SummaryCounter } from '../summary.js';
import { decideAll } from './decide-all.js';

/**
 * Runs the rules without the engine over simulated half years and prints what they catch:
 * `node dist/offline/report.js --seeds 4,5,6,7,8`.
 */
function main(): void {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '4,5,6,7,8' },
      days: { type: 'string', default: '183' },
    },
  });
  console.log('seed      scenario 1  scenario 2  scenario 3  precision   recall      per second');
  const runs = values.seeds.split(',').map((seed) => {
    const numbers = numbersOf(run(Number(seed), Number(values.days)));
    console.log(line(seed, numbers));
    return numbers;
  });
  const mean = runs[0]!.map((_, index) => runs.reduce((sum, run) => sum + run[index]!, 0));
  console.log(
    line(
      'mean',
      mean.map((sum) => sum / runs.length),
    ),
  );
}

function run(seed: number, days: number): Summary {
  const counter = new SummaryCounter();
  const startedMs = performance.now();
  for (const { transaction, alert } of decideAll(simulate({ seed, days }))) {
    counter.add(transaction, alert === undefined ? 'pass' : 'alert');
  }
  return counter.result(performance.now() - startedMs);
}

function numbersOf(summary: Summary): readonly number[] {
  const caught = ['1', '2', '3'].map((name) => {
    const scenario = summary.scenarios[name];
    return (scenario?.caught ?? Number.NaN) / (scenario?.frauds ?? Number.NaN);
  });
  const { precision, recall, eventsPerSecond } = summary;
  return [...caught, precision ?? Number.NaN, recall ?? Number.NaN, eventsPerSecond];
}

function line(name: string, numbers: readonly number[]): string {
  const shares = numbers.slice(0, -1).map((share) => `${(share * 100).toFixed(1)} %`.padEnd(12));
  return `${name.padEnd(10)}${shares.join('')}${Math.round(numbers.at(-1)!)}`;
}

main();
