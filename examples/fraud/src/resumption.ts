import type { ResumedFrom } from '@millrace/runtime';

/** What is said to people about where a run goes on. */
export function renderResumption(from: NonNullable<ResumedFrom>): string {
  const { checkpoint, triggeredMs, finished } = from;
  const taken = new Date(triggeredMs).toISOString().slice(0, 19).replace('T', ' ');
  const at = `checkpoint ${checkpoint}, taken ${taken} UTC`;
  if (finished) {
    return (
      `all transactions have been decided before: ${at}, was the last one, and the alerts are ` +
      'complete\n--fresh begins anew\n'
    );
  }
  return `resumed from ${at}; it goes on at ${placeOf(from)}\n`;
}

/** Where the payments are read on; the labels follow them. */
function placeOf({ sources }: NonNullable<ResumedFrom>): string {
  const payments = sources.find(({ operator }) => operator === 'payments')?.snapshot;
  const [split] = (payments as { readonly splits: readonly Split[] } | undefined)?.splits ?? [];
  if (split === undefined) return 'the end of the payments';
  const { id, position } = split;
  if (typeof position === 'object') return `line ${grouped(position.line)} of ${id}`;
  return `transaction ${grouped((position ?? 0) + 1)}`;
}

/** A file, or a simulation. */
interface Split {
  readonly id: string;
  readonly position?: { readonly line: number } | number | undefined;
}

const grouped = (count: number): string => count.toLocaleString('en-US');
