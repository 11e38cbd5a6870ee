import { MillraceError } from '@millrace/core';

const ownFrame =
  /node_modules|node:|@millrace|[\\/]packages[\\/][a-z]+[\\/]dist[\\/]|millrace[\\/].*-\d+\.js/;

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
    const own = frames.find((frame) => !ownFrame.test(frame));
    if (own !== undefined) return own.trim();
  }
  return undefined;
}
