import { MillraceError } from '@millrace/core';
import { Random } from '../random.js';
import { diskOf } from './image.js';
import { type Mutation, mutate, mutationsWith } from './mutation.js';
import { type Restored, restoreVictim } from './restore-victim.js';
import { makeVictim, type Victim, victimNames } from './victim.js';
import { settled } from './victim-run.js';

/** How a restore from damaged files went. */
export type Outcome =
  /** Refused with this code. */
  | { readonly kind: 'refused'; readonly code: string }
  /** It went on from an older checkpoint, which was allowed. */
  | { readonly kind: 'fell back' }
  /** Exactly what would have been restored without damage. */
  | { readonly kind: 'harmless' }
  | { readonly kind: 'violation'; readonly why: string };

export interface AttackOptions {
  /** Damages of bytes; a quarter as many of files as a whole come with them. */
  readonly mutations: number;
  readonly seed: number;
  /** The share of jobs that are also run to their end. */
  readonly finishShare: number;
}

/** By what was damaged, how often it came to what: a code, or the kind of the outcome. */
export type Counts = Map<string, Map<string, number>>;

/** What is found out about damage; `violation` is the first, and ends the attack. */
export interface AttackReport {
  readonly byKind: Counts;
  readonly byVictim: Counts;
  /** Jobs that were also run to their end. */
  readonly finished: number;
  readonly violation: string | undefined;
}

/** Codes that say what is wrong with what is restored; any other one is a bug. */
const codesOfDamage: ReadonlySet<string> = new Set([
  'ERR_CHECKPOINT_CORRUPT',
  'ERR_CHECKPOINT_MISSING',
  'ERR_METADATA_ROLLBACK',
  'ERR_STATE_INCOMPATIBLE',
  'ERR_INVALID_OPTION',
]);

/** Damages stopped jobs again and again, and restores each. */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const { mutations, seed, finishShare } = options;
  const victims: Victim[] = [];
  for (const name of victimNames) victims.push(await makeVictim(name));
  const byKind: Counts = new Map();
  const byVictim: Counts = new Map();
  let finished = 0;
  for (let number = 0; number < mutationsWith(mutations); number += 1) {
    const victim = victims[number % victims.length]!;
    const random = new Random(seed, `mutation ${number}`);
    const mutation = mutate(victim, number, random);
    const isFinished = random.next() < finishShare;
    const outcome = await outcomeOf(victim, mutation, isFinished ? 'finish' : 'restore');
    if (isFinished) finished += 1;
    if (outcome.kind === 'violation') {
      const violation = `${victim.name}, mutation ${number}: ${mutation.what}: ${outcome.why}`;
      return { byKind, byVictim, finished, violation };
    }
    count(byKind, mutation.kind, outcome);
    count(byVictim, victim.name, outcome);
  }
  return { byKind, byVictim, finished, violation: undefined };
}

function count(counts: Counts, name: string, outcome: Outcome): void {
  const label = outcome.kind === 'refused' ? outcome.code : outcome.kind;
  const ofName = counts.get(name) ?? new Map<string, number>();
  counts.set(name, ofName.set(label, (ofName.get(label) ?? 0) + 1));
}

/** @param depth `finish`: the job is also run to its end, and its output compared */
export async function outcomeOf(
  victim: Victim,
  mutation: Mutation,
  depth: 'restore' | 'finish',
): Promise<Outcome> {
  let outcome: Outcome;
  try {
    const disk = await diskOf(mutation.image);
    const restored = await settled(restoreVictim(disk, victim.build(), victim.options));
    outcome = judge(victim, mutation, restored);
  } catch (error) {
    outcome = refusal(error);
  }
  if (depth === 'restore' || outcome.kind === 'violation') return outcome;
  return (await wrongEnd(victim, mutation.image, outcome)) ?? outcome;
}

function judge(victim: Victim, mutation: Mutation, restored: Restored | undefined): Outcome {
  const { digests, mayGoBack } = victim;
  if (restored === undefined) return violation('the job would begin anew');
  const { checkpoint, digest } = restored;
  const expected = digests.get(checkpoint);
  if (expected === undefined) return violation(`restored checkpoint ${checkpoint}, which was none`);
  if (expected !== digest) return violation(`restored a wrong state of checkpoint ${checkpoint}`);
  const [newest] = digests.keys();
  if (checkpoint === newest) {
    return isUnseen(victim, mutation) ? violation('nobody noticed') : { kind: 'harmless' };
  }
  if (mayGoBack) return { kind: 'fell back' };
  return violation(`went back to checkpoint ${checkpoint} although output was published`);
}

/** A file that matters was changed, though maybe to something that says the same. */
function isUnseen({ image, filesChecked }: Victim, mutation: Mutation): boolean {
  if (mutation.folder === 'whole') return false;
  return filesChecked.some((path) => {
    const now = mutation.image.get(path);
    return now === undefined || Buffer.compare(now, image.get(path)!) !== 0;
  });
}

function refusal(error: unknown): Outcome {
  if (!(error instanceof MillraceError)) {
    return violation(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  if (codesOfDamage.has(error.code)) return { kind: 'refused', code: error.code };
  return violation(error.stack ?? error.message);
}

/** The whole job must come to the same end as the restore alone. */
async function wrongEnd(
  victim: Victim,
  image: Mutation['image'],
  outcome: Outcome,
): Promise<Outcome | undefined> {
  try {
    const output = await victim.finish(image);
    if (outcome.kind === 'refused') return violation('the job ran, although it was refused before');
    const isSame =
      output.length === victim.output.length &&
      output.every((line, index) => line === victim.output[index]);
    return isSame ? undefined : violation('the output is wrong');
  } catch (error) {
    const end = refusal(error);
    if (end.kind === 'violation') return end;
    if (outcome.kind === 'refused' && end.kind === 'refused' && end.code === outcome.code) return;
    return violation(`restored before, and now refused: ${String(error)}`);
  }
}

function violation(why: string): Outcome {
  return { kind: 'violation', why };
}
