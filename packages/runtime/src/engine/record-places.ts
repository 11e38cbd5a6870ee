import type { SourceChunk } from '@millrace/core/spi';

/**
 * Tells where records stood in their sources. Asked only when one of them failed: what is kept for
 * it is kept for whole batches, so that it costs nothing for each record.
 */
export interface Places {
  /** Of the records `from … to`; undefined where it is not known of all of them. */
  between(from: number, to: number): readonly PlaceRange[] | undefined;
}

/** Places of one split, which is told with its source where the job has several. */
export interface PlaceRange {
  readonly split: string;
  readonly first: string;
  readonly last: string;
}

/**
 * What is known of the rows that records gave. `atMostOne`: a row for each record that was let
 * through, in their order. `any`: as many as it likes, e.g. what a process function emits.
 */
export type RowsPerRecord = 'atMostOne' | 'any';

/** Places of the records of a source's chunk. It does not hold on to the records. */
export class ChunkPlaces implements Places {
  private readonly split: string;
  private readonly positionOf: SourceChunk<unknown>['positionOf'];

  /** @param source undefined: the job has no other */
  constructor({ split, positionOf }: SourceChunk<unknown>, source: string | undefined) {
    this.split = source === undefined ? split : `${source} ${split}`;
    this.positionOf = positionOf;
  }

  between(from: number, to: number): readonly PlaceRange[] {
    return [{ split: this.split, first: this.at(from), last: this.at(to - 1) }];
  }

  private at(index: number): string {
    return this.positionOf?.(index) ?? String(index);
  }
}

/** Rows of a batch, and the records `from … to` that gave them. */
interface Span {
  readonly row: number;
  rows: number;
  readonly of: Places;
  readonly from: number;
  to: number;
  readonly rowsPerRecord: RowsPerRecord;
}

/**
 * Places of the rows of a batch. They are exact where nothing was left out among the records of a
 * span, and a range otherwise.
 */
export class RowPlaces implements Places {
  private readonly spans: Span[] = [];

  add(span: Span): void {
    const last = this.spans.at(-1);
    if (last !== undefined && isWhole(last) && isWhole(span) && follows(last, span)) {
      last.rows += span.rows;
      last.to = span.to;
    } else this.spans.push(span);
  }

  between(from: number, to: number): readonly PlaceRange[] | undefined {
    const ranges = new Map<string, PlaceRange>();
    let known = 0;
    for (const span of this.spans) {
      const low = Math.max(from, span.row) - span.row;
      const high = Math.min(to, span.row + span.rows) - span.row;
      if (low >= high) continue;
      const places = placesIn(span, low, high);
      if (places === undefined) return undefined;
      known += high - low;
      for (const range of places) {
        const { first } = ranges.get(range.split) ?? range;
        ranges.set(range.split, { ...range, first });
      }
    }
    return known === to - from && ranges.size > 0 ? [...ranges.values()] : undefined;
  }
}

/** Of the span's rows `low … high`. */
function placesIn(
  { of, from, to, rows, rowsPerRecord }: Span,
  low: number,
  high: number,
): readonly PlaceRange[] | undefined {
  if (rowsPerRecord === 'any') return of.between(from, to);
  // As many records as there are rows ahead are ahead of them, and as many behind.
  return of.between(from + low, to - (rows - high));
}

const isWhole = ({ rows, from, to, rowsPerRecord }: Span): boolean =>
  rowsPerRecord === 'atMostOne' && rows === to - from;

const follows = (last: Span, next: Span): boolean =>
  last.of === next.of && last.to === next.from && last.row + last.rows === next.row;

/**
 * Where a record stood: `file.csv@line 7`, or `between file.csv@line 1 and file.csv@line 90` where
 * it is one of several. Undefined where nothing is known.
 */
export function positionOf(places: Places | undefined, index: number): string | undefined {
  if (index < 0) return undefined;
  return places
    ?.between(index, index + 1)
    ?.map(textOf)
    .join(' or ');
}

/** Whether a position is one place, and not some that come into question. */
export const isExact = (position: string): boolean => !/^between | or /.test(position);

const textOf = ({ split, first, last }: PlaceRange): string =>
  first === last ? `${split}@${first}` : `between ${split}@${first} and ${split}@${last}`;
