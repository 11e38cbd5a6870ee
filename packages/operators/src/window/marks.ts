import type { OperatorContext } from '@millrace/core/spi';

/** Whether what each record gives can be taken back by itself. */
export type Marks = 'marks' | 'none';

/** Only late panes are a record's own output, and only some policies go on after a failure. */
export const marksOf = ({ policy }: Pick<OperatorContext, 'policy'>, latenessMs: number): Marks =>
  policy.action !== 'fail' && latenessMs > 0 ? 'marks' : 'none';

/** The beginning of each record in a loop's text. */
export const beginOf = (marks: Marks): string | undefined =>
  marks === 'marks' ? 'out.mark();' : undefined;
