import { faultKinds } from './fault-plan.js';
import { type StreamStep, streamSteps } from './sink-steps.js';
import type { FaultReport, StreamReport } from './stream-run.js';

/** Steps at which nothing happened. */
export function missedSteps(faults: readonly FaultReport[]): readonly StreamStep[] {
  return streamSteps.filter((step) => !faults.some((fault) => fault.step === step));
}

/** One line for a fault, as it happens. */
export function faultLine(number: number, { kind, step, by, zombie }: FaultReport): string {
  const where = `${by === 'time' ? 'by chance, ' : ''}${step ?? 'between steps'}`;
  const end =
    zombie === undefined
      ? ''
      : `; stopped for ${seconds(zombie.stoppedMs)}, went on for ` +
        `${seconds(zombie.endedMs)}, ended with ${zombie.code}`;
  return `${String(number).padStart(4)}  ${kind.padEnd(6)}  at ${where}${end}`;
}

/** The table that is printed. */
export function renderStreamReport(report: StreamReport): string {
  const { faults, payments, processes, restarts, findings } = report;
  const { rows, lost, doubled, fromZombies } = findings;
  const kinds = faultKinds.map((kind) => `${kind} ${faults.filter((f) => f.kind === kind).length}`);
  const codes = faults.flatMap(({ zombie }) => (zombie === undefined ? [] : [zombie.code]));
  return [
    `${payments} payments, ${rows} rows in the output: ${lost.length} lost, ${doubled.length} ` +
      `doubled or wrong, ${fromZombies.length} from zombies`,
    `${faults.length} faults: ${kinds.join(', ')} (both: job and server at once)`,
    `${processes} processes; ${restarts.length} restarts of the job within one`,
    ...counted(restarts.map(shortened)),
    `${codes.length} zombies ended by themselves`,
    ...counted(codes),
    '',
    `${'hit at'.padEnd(40)} ${faultKinds.map((kind) => kind.padStart(7)).join('')}`,
    ...streamSteps.map((step) =>
      row(
        step,
        faults.filter((fault) => fault.step === step),
      ),
    ),
    row(
      'between steps',
      faults.filter((fault) => fault.step === undefined),
    ),
    '',
  ].join('\n');
}

function row(name: string, faults: readonly FaultReport[]): string {
  const counts = faultKinds.map((kind) => faults.filter((fault) => fault.kind === kind).length);
  return `${name.padEnd(40)} ${counts.map((count) => String(count || '').padStart(7)).join('')}`;
}

function counted(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `  ${String(count).padStart(3)}  ${text}`);
}

/** The code of an error's message, or its begin. */
const shortened = (message: string): string => /ERR_\w+/.exec(message)?.[0] ?? message.slice(0, 80);

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
