import { idOf, passes, sinkId } from './build-job.js';
import { isTaken } from './dead-letters.js';
import type { BranchPlan, JobPlan, SimulatedRecord } from './job-plan.js';
import type { SimulatedDestination } from './simulated-destination.js';
import { SimulationViolation } from './violation.js';

/**
 * Compares what was published with what a run without faults gave: the same rows, each as often;
 * from an at-least-once sink each at least once, and nothing else.
 *
 * @throws SimulationViolation
 */
export function checkOutput(
  plan: JobPlan,
  found: SimulatedDestination,
  reference: SimulatedDestination,
): void {
  for (const branch of plan.branches) {
    for (const sink of sinksOf(branch)) {
      const expected = reference.published(sink);
      const rows = found.published(sink);
      if (branch.sink !== 'at-least-once') {
        compareBags(sink, rows, expected);
        // Only these rows have keys.
        const isOrdered = branch.keyed.kind === 'running' && sink === sinkId(branch, 'main');
        if (isOrdered) compareOrder(sink, rows, expected);
      } else compareSets(sink, rows, expected);
    }
  }
}

/**
 * Each record of the input is in the main output, or late, or a dead letter; and of what is written
 * exactly once, in one place, once.
 *
 * @throws SimulationViolation
 */
export function checkConservation(plan: JobPlan, found: SimulatedDestination): void {
  for (const branch of plan.branches) {
    const { passed, dead } = expectedOf(plan, branch);
    const idsIn = (output: 'main' | 'late' | 'dead'): readonly string[] =>
      found.published(sinkId(branch, output)).flatMap(idsOfRow);
    const [main, late] = [idsIn('main'), idsIn('late')];
    compareSets(`${branch.id}: dead letters`, idsIn('dead'), dead);
    compareSets(`${branch.id}: main and late`, [...main, ...late], passed);
    if (branch.sink === 'at-least-once') continue;
    compareBags(`${branch.id}: dead letters`, idsIn('dead'), dead);
    const isLate = new Set(late);
    const both = main.find((id) => isLate.has(id));
    // A session that a late record continues has what it had before.
    if (isLate.size < late.length || (both !== undefined && !isSliding(branch))) {
      fail('conservation', `${branch.id}: record ${both ?? 'of the late ones'} is there twice`);
    }
    if (branch.keyed.kind !== 'window') {
      compareBags(`${branch.id}: main and late`, [...main, ...late], passed);
    }
  }
}

const isSliding = ({ keyed }: BranchPlan): boolean =>
  keyed.kind === 'window' && keyed.window.kind === 'sliding';

function sinksOf(branch: BranchPlan): readonly string[] {
  return (['main', 'late', 'dead', 'side'] as const).map((output) => sinkId(branch, output));
}

interface Expected {
  readonly passed: readonly string[];
  readonly dead: readonly string[];
}

/** What a branch takes of its input, and what it refuses. */
function expectedOf(plan: JobPlan, { sources, steps, keyed, refuses }: BranchPlan): Expected {
  const read = keyed.kind === 'connect' ? sources.slice(0, 1) : sources;
  let records: SimulatedRecord[] = read.flatMap((index) =>
    plan.sources[index]!.splits.flatMap((split) => split.records),
  );
  const dead: string[] = [];
  const refuse = (every: number): void => {
    dead.push(...records.filter((r) => !isTaken(r, every)).map(idOf));
    records = records.filter((r) => isTaken(r, every));
  };
  for (const step of steps) {
    if (step.kind === 'filter') records = records.filter((r) => passes(r, step.every));
    if (step.kind === 'flatMap') {
      records = records.flatMap((r) =>
        Array.from({ length: step.copies }, (_, part) => ({
          ...r,
          part: r.part * step.copies + part,
        })),
      );
    }
    if (step.kind === 'deadLetter') refuse(step.every);
  }
  if (refuses !== undefined) refuse(refuses.every);
  return { passed: records.map(idOf), dead };
}

function idsOfRow(text: string): readonly string[] {
  const row = JSON.parse(text.slice(0, text.lastIndexOf(' @'))) as {
    readonly ids?: readonly string[];
    readonly left?: readonly string[];
  };
  return row.ids ?? row.left ?? [];
}

function compareBags(what: string, found: readonly string[], expected: readonly string[]): void {
  const counts = new Map<string, number>();
  for (const row of expected) counts.set(row, (counts.get(row) ?? 0) + 1);
  for (const row of found) counts.set(row, (counts.get(row) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  const [first] = wrong;
  if (first === undefined) return;
  const [row, count] = first;
  const how = count > 0 ? `${count} times too few` : `${-count} times too often`;
  fail('output', `${what}: ${wrong.length} rows differ, e.g. ${how}: ${row}`);
}

function compareSets(what: string, found: readonly string[], expected: readonly string[]): void {
  const rows = new Set(found);
  const wanted = new Set(expected);
  const missing = [...wanted].find((row) => !rows.has(row));
  if (missing !== undefined) fail('output', `${what}: missing: ${missing}`);
  const strange = found.find((row) => !wanted.has(row));
  if (strange !== undefined) fail('output', `${what}: not expected: ${strange}`);
}

/** Rows of one key come in one order. */
function compareOrder(what: string, found: readonly string[], expected: readonly string[]): void {
  const byKey = (rows: readonly string[]): string => {
    const groups = new Map<string, string>();
    for (const row of rows) {
      const key = keyOfRow(row);
      groups.set(key, `${groups.get(key) ?? ''}\n${row}`);
    }
    return [...groups.values()].sort().join();
  };
  if (byKey(found) !== byKey(expected)) fail('output', `${what}: rows of a key changed order`);
}

const keyOfRow = (text: string): string =>
  JSON.stringify((JSON.parse(text.slice(0, text.lastIndexOf(' @'))) as { key: unknown }).key);

function fail(oracle: 'output' | 'conservation', detail: string): never {
  throw new SimulationViolation(oracle, detail);
}
