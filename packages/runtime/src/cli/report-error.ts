import { fileURLToPath } from 'node:url';
import { MillraceError } from '@millrace/core';

/** Installed packages, Node, what is built into the language, and generated code. */
const ownFrame = /node_modules|node:|\(<anonymous>\)$|@millrace|millrace[\\/].*-\d+\.js/;

/** Where all packages of Millrace are, in a checkout as well; frames may have it as a URL. */
const packages = new URL('../../../', import.meta.url);
const ownPlaces: readonly string[] = [packages.href, fileURLToPath(packages)];

/** What a person at a terminal needs of an error: operator, place, next step, their own line. */
export function errorText(error: unknown): string {
  if (!(error instanceof MillraceError)) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const line = authorsLine(error);
  return line === undefined ? error.message : `${error.message}\n    ${line}`;
}

/** The first line of a stack that is the author's. */
function authorsLine(error: MillraceError): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const frames = (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    const own = frames.find(isAuthors);
    if (own !== undefined) return own.trim();
  }
  return undefined;
}

const isAuthors = (frame: string): boolean =>
  !ownFrame.test(frame) && !ownPlaces.some((place) => frame.includes(place));
