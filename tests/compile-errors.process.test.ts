import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'tests', 'compile-errors');

interface Finding {
  readonly line: number;
  readonly text: string;
}

/** What the compiler says of the file, with the indented lines that belong to each error. */
function diagnostics(): Finding[] {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    cwd: root,
    timeout: 60_000,
  });
  const found: { line: number; text: string }[] = [];
  for (const line of stdout.split('\n')) {
    const match = /^\S*mistakes\.ts\((\d+),\d+\): error (.*)$/.exec(line);
    if (match !== null) found.push({ line: Number(match[1]), text: match[2]! });
    else if (found.length > 0) found.at(-1)!.text += `\n${line}`;
  }
  return found;
}

/** What the file's comments ask for. */
function expectations(): Finding[] {
  const lines = readFileSync(join(folder, 'mistakes.ts'), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const match = /\/\/ expect: (.*)$/.exec(line);
    return match === null ? [] : [{ line: index + 2, text: match[1]! }];
  });
}

test('mistakes of authors are compile errors, at the operator that makes them, in plain words', () => {
  const found = diagnostics();
  const expected = expectations();
  const at = (line: number, list: readonly Finding[]): string =>
    list
      .filter((finding) => finding.line === line)
      .map(({ text }) => text)
      .join('\n');
  for (const { line, text } of expected) {
    // A call may be reported a few lines on, at the offending property inside it.
    const said = [line, line + 1, line + 2].map((l) => at(l, found)).join('\n');
    expect(said, `line ${line} of mistakes.ts`).toContain(text);
  }
  const stray = found.filter(
    ({ line }) => !expected.some((e) => line >= e.line && line <= e.line + 2),
  );
  expect(stray).toEqual([]);
  expect(expected.length).toBeGreaterThanOrEqual(28);
});
