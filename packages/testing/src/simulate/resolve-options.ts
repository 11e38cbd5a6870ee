import { type BuiltJob, type JobDefinition, type JobParams, MillraceError } from '@millrace/core';
import type { SourceDefinition } from '@millrace/core/internal';
import { SeededRandom } from '../simulation/seeded-random.js';
import type { DrawnInput, SplitRule } from './input-plan.js';
import { exactlyOnce } from './oracles/exactly-once.js';
import { type Oracle, oracleOf } from './oracles/oracle.js';
import type { SimulateOptions, SimulationInput } from './simulate-options.js';
import { type UserFault, userFaults } from './user-faults.js';
import type { UserJob } from './user-job.js';

/** Options with their defaults, checked against the job. */
export interface ResolvedSimulation {
  readonly name: string;
  readonly job: UserJob;
  readonly seeds: readonly number[];
  readonly faults: readonly UserFault[];
  readonly slots: readonly number[];
  readonly oracles: readonly Oracle[];
  readonly minimiseRunsMax: number;
  readonly draw: (seed: number) => readonly DrawnInput[];
  /** `fixed`: all seeds have the same records. */
  readonly input: 'fixed' | 'drawn';
}

const seedsDefault = 50;
const slotsDefault = [1, 2, 3];
const minimiseRunsDefault = 60;

/** @throws MillraceError `ERR_TEST_KIT` for options that do not fit the job */
export function resolveOptions<P extends JobParams, I extends SimulationInput>(
  definition: JobDefinition<P>,
  options: SimulateOptions<P, I>,
): ResolvedSimulation {
  const { input, params, faults = 'all', slots = slotsDefault } = options;
  const build = (): BuiltJob => definition.build(params);
  const built = build();
  const sources = idsOf(built, 'source');
  for (const id of sources) if (!(id in input)) refuse(`input has nothing for source '${id}'`);
  checkIds('input', input, sources);
  checkIds('splits', options.splits, sources);
  checkIds('timestamps', options.timestamps, sources);
  const seeds = seedsOf(options.seeds ?? seedsDefault);
  const splits = (options.splits ?? {}) as Readonly<Record<string, SplitRule>>;
  for (const [id, rule] of Object.entries(splits)) {
    if (typeof rule === 'number') checkWhole(`splits of '${id}'`, rule);
  }
  const draw = (seed: number): readonly DrawnInput[] =>
    sources.map((id) => ({ id, values: drawValues(input, id, seed), splits: splits[id] }));
  const timestamps = (options.timestamps ?? {}) as UserJob['timestamps'];
  const sinks = idsOf(built, 'sink');
  return {
    name: definition.name,
    job: {
      build,
      sinks,
      deadLetterSinks: new Set(sinks.filter((id) => getsDeadLetters(built, id))),
      timestamps,
      startMs: earliestMs(built, draw(seeds[0]!), timestamps),
      beforeRun: options.beforeRun ?? (() => undefined),
    },
    seeds,
    faults: faultsOf(faults),
    slots: slotsOf(slots),
    oracles: (options.expect ?? [exactlyOnce()]).map((each) => oracleOf(each)),
    minimiseRunsMax: options.minimiseRunsMax ?? minimiseRunsDefault,
    draw,
    input: Object.values(input).some((each) => typeof each === 'function') ? 'drawn' : 'fixed',
  };
}

function drawValues(input: SimulationInput, id: string, seed: number): readonly unknown[] {
  const given = input[id]!;
  if (typeof given !== 'function') return given;
  return given(new SeededRandom(seed).fork(`input ${id}`));
}

const idsOf = ({ graph }: BuiltJob, kind: 'source' | 'sink'): readonly string[] =>
  graph.nodes.filter((node) => node.kind === kind).map(({ id }) => id);

const getsDeadLetters = ({ graph }: BuiltJob, sink: string): boolean =>
  graph.edges.some(({ to, port }) => to === sink && port === 'deadLetters');

function seedsOf(seeds: number | readonly number[]): readonly number[] {
  if (typeof seeds !== 'number') {
    if (seeds.length === 0) refuse('seeds is empty');
    return seeds;
  }
  checkWhole('seeds', seeds);
  return Array.from({ length: seeds }, (_, index) => index + 1);
}

function faultsOf(faults: 'all' | 'none' | readonly UserFault[]): readonly UserFault[] {
  if (faults === 'none') return [];
  if (faults === 'all') return userFaults;
  const unknown = faults.find((fault) => !userFaults.includes(fault));
  if (unknown !== undefined) refuse(`no fault '${unknown}', only ${userFaults.join(', ')}`);
  return faults;
}

function slotsOf(slots: number | readonly number[]): readonly number[] {
  const all = typeof slots === 'number' ? [slots] : slots;
  if (all.length === 0) refuse('slots is empty');
  for (const each of all) checkWhole('slots', each);
  return all;
}

function checkIds(option: string, given: object | undefined, sources: readonly string[]): void {
  for (const id of Object.keys(given ?? {})) {
    if (!sources.includes(id)) {
      refuse(`${option} names '${id}', the job's sources are ${sources.join(', ')}`);
    }
  }
}

function checkWhole(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) refuse(`${what} is ${value}, not 1 or more`);
}

function refuse(detail: string): never {
  throw new MillraceError('ERR_TEST_KIT', `simulate: ${detail}`);
}

/** Clocks of runs begin about where event time does. */
function earliestMs(
  { functions }: BuiltJob,
  inputs: readonly DrawnInput[],
  timestamps: UserJob['timestamps'],
): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { id, values } of inputs) {
    const { watermarks } = functions.nodes.get(id) as SourceDefinition;
    const timestamp = (timestamps[id] ?? watermarks.timestamp) as
      | ((record: unknown) => number)
      | undefined;
    if (timestamp === undefined) continue;
    for (const value of values) earliest = Math.min(earliest, timeOf(value, timestamp));
  }
  return Number.isFinite(earliest) && earliest > 0 ? earliest : Date.UTC(2020, 0, 1);
}

/** A record whose time cannot be told is the job's matter. */
function timeOf(value: unknown, timestamp: (record: unknown) => number): number {
  try {
    const time = timestamp(value);
    return Number.isFinite(time) ? time : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
