import type { Source } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { assertWhole } from '../option-checks.js';
import { fixedEnumerator } from '../reading/fixed-enumerator.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';
import { fileBytes } from './byte-input.js';
import { type FilePaths, findFiles, pathsOf } from './find-files.js';
import { TextCursor, type TextFormat } from './text-cursor.js';
import type { TextEncoding } from './text-window.js';

/** How bytes become lines of text. */
export interface TextOptions {
  /** Default `utf8`, in which bytes that are no UTF-8 are bad input. */
  readonly encoding?: TextEncoding | undefined;
  /** Characters of the longest line or row; a longer one is bad input. Default 1,048,576. */
  readonly lineCharsMax?: number | undefined;
}

/** What all sources of text files can be told. */
export interface TextFileOptions extends FilePaths, TextOptions {}

/** The parts of a format that the options of every text source give. */
export function textOptions(
  options: TextOptions,
): Pick<TextFormat<unknown>, 'encoding' | 'lineCharsMax'> {
  const lineCharsMax = options.lineCharsMax ?? connectorLimits.lineCharsMax;
  assertWhole('lineCharsMax', lineCharsMax, 1);
  return { encoding: options.encoding ?? 'utf8', lineCharsMax };
}

/** A source of files of a format: a split for each file, positions by byte. */
export function textFileSource<T>(
  type: string,
  options: TextFileOptions,
  format: TextFormat<T>,
  settings: Readonly<Record<string, unknown>>,
): Source<T> {
  const paths = pathsOf(options);
  return {
    type,
    replay: 'exact',
    bounded: true,
    settings: { paths, encoding: format.encoding, ...settings },
    createEnumerator: (_context, snapshot) => fixedEnumerator(() => findFiles(paths), snapshot),
    createReader: () =>
      new SplitQueueReader(
        (split, wake) =>
          new TextCursor(split, format, (position) => fileBytes(split.id, position), wake),
      ),
  };
}
