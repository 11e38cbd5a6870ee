import { printable } from '../printable.js';
import type { TraceEntry } from '../simulation/trace.js';
import { recordCount } from './input-plan.js';
import type { Finding } from './observer.js';
import { shortened } from './oracles/difference.js';
import type { ResolvedSimulation } from './resolve-options.js';
import type { UserCase } from './run-case.js';
import { userNameOf } from './user-faults.js';

/** Lines of a timeline, and records of an input, that are shown. */
const timelineLinesMax = 16;
const recordsMax = 6;

export interface FailureTextParts {
  readonly simulation: ResolvedSimulation;
  /** As it was found, and as small as it could be made. */
  readonly found: Finding;
  readonly smallest: Finding;
  /** Why it may be so. */
  readonly hint: string | undefined;
}

/** What a failing test says. */
export function failureText({ simulation, found, smallest, hint }: FailureTextParts): string {
  const { seed } = found.case;
  const oracle = found.oracle?.name;
  const head =
    oracle === undefined
      ? `job ${simulation.name} fails with seed ${seed}:`
      : `job ${simulation.name}, seed ${seed}: ${oracle} does not hold:`;
  return [
    head,
    smallest.error.message,
    ...(hint === undefined ? [] : ['', hint]),
    '',
    ...caseLines(smallest.case, found.case),
    '',
    'What happened (virtual ms):',
    ...timelineLines(smallest.run.notes),
    '',
    `To run this seed alone: simulate(job, { …the same options, seeds: [${seed}] })`,
  ].join('\n');
}

function caseLines(smallest: UserCase, found: UserCase): readonly string[] {
  const { kinds } = smallest.faults;
  const faults = kinds.length === 0 ? 'no faults' : `faults: ${kinds.join(', ')}`;
  const left = recordCount(smallest.sources);
  const slots = smallest.slots.join(' or ');
  const inSlots =
    smallest.slots.length === 1 && smallest.slots[0] === 1 ? '1 slot' : `${slots} slots`;
  const lines = [
    `Smallest case found: ${faults}; ${inSlots}; ${left} of ${recordCount(found.sources)} records`,
  ];
  for (const { id, records } of smallest.sources) {
    for (const { value, split } of records.slice(0, recordsMax)) {
      lines.push(`  ${id}, split ${split}: ${shortened(printable(value))}`);
    }
    if (records.length > recordsMax) lines.push(`  ${id}: … ${records.length - recordsMax} more`);
  }
  return lines;
}

function timelineLines(notes: readonly TraceEntry[]): readonly string[] {
  const named = notes.map(({ atMs, label }) => ({ atMs, label: labelOf(label) }));
  const lines = named
    .filter(({ label }, at) => !isRepeated(label, named[at + 1]?.label))
    .map(({ atMs, label }) => `${Math.round(atMs).toString().padStart(8)}  ${shortened(label)}`);
  if (lines.length <= timelineLinesMax) return lines;
  const half = timelineLinesMax / 2;
  const left = lines.length - timelineLinesMax;
  return [...lines.slice(0, half), `       …  ${left} more`, ...lines.slice(-half)];
}

/** Without what is to be done about it; faults by the names that users know. */
function labelOf(label: string): string {
  const [what] = label.split(' — what to do', 1);
  const fault = what!.startsWith('fault: ') ? userNameOf(what!.slice('fault: '.length)) : undefined;
  return (fault === undefined ? what! : `fault: ${fault}`).trim();
}

/** Of commits in a row, and of equal lines, only the last one is of interest. */
const isRepeated = (label: string, next: string | undefined): boolean =>
  label === next || (isCommit(label) && next !== undefined && isCommit(next));

const isCommit = (label: string): boolean => label.endsWith('is committed');
