import { type LogicalNode, MillraceError } from '@millrace/core';
import type { Manifest, StateSummary } from './manifest.js';

/** A state as the job declares it now. */
export interface DeclaredState extends StateSummary {
  /** Whether values of other versions can be made into this one's. */
  readonly migrates: boolean;
}

/** How what is stored and what the job declares differ, for one state. */
export interface StateDifference {
  readonly operator: string;
  readonly state: string;
  readonly what: string;
}

/**
 * Where a restore would drop stored state, find none, or not understand it. Compared by operator
 * id and name of state: where they stand in the job does not matter.
 */
export function stateDifferences(
  stored: readonly StateSummary[],
  declared: readonly DeclaredState[],
): readonly StateDifference[] {
  const idOf = ({ operator, state }: StateSummary): string => `${operator}\n${state}`;
  const storedById = new Map(stored.map((state) => [idOf(state), state]));
  const declaredById = new Map(declared.map((state) => [idOf(state), state]));
  const dropped = stored
    .filter((state) => !declaredById.has(idOf(state)))
    .map((state) => differenceOf(state, `${state.kind} is stored and would be dropped`));
  const others = declared.flatMap((state) => {
    const before = storedById.get(idOf(state));
    if (before === undefined) return [differenceOf(state, `${state.kind} is not stored`)];
    const what = misfit(before, state);
    return what === undefined ? [] : [differenceOf(state, what)];
  });
  return [...dropped, ...others];
}

/**
 * Sources whose positions, and sinks whose output, would be nobody's: records would be read again on
 * top of what they have changed, and committed rows never be published.
 */
export function lostParts(
  { sources, sinks }: Pick<Manifest, 'sources' | 'sinks'>,
  nodes: readonly Pick<LogicalNode, 'id' | 'kind'>[],
): readonly StateDifference[] {
  const idsOf = (kind: LogicalNode['kind']): ReadonlySet<string> =>
    new Set(nodes.filter((node) => node.kind === kind).map(({ id }) => id));
  const [ownSources, ownSinks] = [idsOf('source'), idsOf('sink')];
  const lost = new Map<string, StateDifference>();
  for (const { operator } of sources) {
    const what = 'positions are stored and would be dropped';
    if (!ownSources.has(operator)) lost.set(operator, { operator, state: 'source', what });
  }
  for (const { operator, prepared } of sinks) {
    const what = 'output is stored, perhaps not published yet, and would be dropped';
    if (prepared === null || prepared === undefined || ownSinks.has(operator)) continue;
    lost.set(operator, { operator, state: 'sink', what });
  }
  return [...lost.values()];
}

const differenceOf = ({ operator, state }: StateSummary, what: string): StateDifference => ({
  operator,
  state,
  what,
});

function misfit(stored: StateSummary, declared: DeclaredState): string | undefined {
  if (stored.kind !== declared.kind) return `${stored.kind} is stored, ${declared.kind} declared`;
  if (stored.shape !== declared.shape) {
    if (stored.kind === 'operatorList') return otherRedistribution(stored.shape, declared.shape);
    return `rows of (${stored.shape}) are stored, (${declared.shape}) declared`;
  }
  if (stored.version === declared.version || declared.migrates) return undefined;
  return `version ${stored.version} is stored, ${declared.version} declared without migrate`;
}

/** What each subtask had all of, a split would give several times; a union, what was one's own. */
const otherRedistribution = (stored: string, declared: string): string =>
  `a list with redistribute: '${stored}' is stored, '${declared}' declared: declare '${stored}'`;

/**
 * @param allowed operators whose state may be dropped, or begin empty
 * @throws MillraceError `ERR_STATE_INCOMPATIBLE` with a line for each difference that is not allowed
 */
export function refuseDifferences(
  differences: readonly StateDifference[],
  allowed: readonly string[],
): void {
  const refused = differences.filter(({ operator }) => !allowed.includes(operator));
  if (refused.length === 0) return;
  const lines = refused.map(({ operator, state, what }) => `\n  ${operator}: ${state}: ${what}`);
  const operators = new Set(refused.map(({ operator }) => operator));
  const options = operators.size === 1 ? { operator: refused[0]!.operator } : {};
  throw new MillraceError('ERR_STATE_INCOMPATIBLE', `${lines.join('')}\n`, options);
}
