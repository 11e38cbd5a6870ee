import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from './arguments.js';
import { PAYMENT_COLUMNS, TRUTH_COLUMNS, type TruthColumn } from './input.js';

/**
 * Looks at the first line of a file: which columns that tell the truth it has.
 *
 * @throws UsageError when it cannot be read, or lacks a column that is needed
 */
export async function truthColumnsOf(path: string): Promise<readonly TruthColumn[]> {
  const columns = columnsOf(await firstLineOf(path));
  const missing = Object.keys(PAYMENT_COLUMNS).filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw new UsageError(
      `${path} has no column ${missing.join(', ')}; its first line should be ` +
        'id,at,card,terminal,amount and may go on with fraud,scenario',
    );
  }
  return (Object.keys(TRUTH_COLUMNS) as TruthColumn[]).filter((column) => columns.includes(column));
}

function columnsOf(header: string): readonly string[] {
  return header
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((name) => name.replace(/^"(.*)"$/, '$1'));
}

async function firstLineOf(path: string): Promise<string> {
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? pipeline(file, createGunzip(), () => {}) : file;
  let text = '';
  try {
    // Leaving the loop lets go of the file.
    for await (const chunk of bytes) {
      text += String(chunk);
      if (text.includes('\n') || text.length > HEADER_CHARS_MAX) break;
    }
  } catch (error) {
    throw new UsageError(
      `cannot read ${path}: ${reasonOf(error)}; give the path of a CSV file, ` +
        'or leave --input out to simulate transactions',
    );
  }
  return text.split(/\r?\n/, 1)[0]!;
}

/** A first line longer than this is none. */
const HEADER_CHARS_MAX = 65_536;

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'no permission to read it';
  return message;
}
