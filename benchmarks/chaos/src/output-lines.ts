import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of an output that readers see, sorted; of a folder those of all its parts. */
export function sortedLines(output: string): string[] {
  const files = output.endsWith('/') ? readdirSync(output).filter(isSeen) : [''];
  const texts = files.map((name) =>
    readFileSync(name === '' ? output : join(output, name), 'utf8'),
  );
  for (const text of texts) {
    if (text !== '' && !text.endsWith('\n')) throw new Error(`${output} ends within a line`);
  }
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).sort();
}

const isSeen = (name: string): boolean => !name.startsWith('.');
