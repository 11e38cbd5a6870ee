import { type ErrorCode, type ErrorCodeEntry, errorCodes } from './codes.js';
import { markInstances } from './marked-class.js';

/** Where an error happened. Each part is attached by the layer that knows it, on the way up. */
export interface ErrorContext {
  /** Name of the job. */
  readonly job?: string | undefined;
  /** Id of the operator, source or sink. */
  readonly operator?: string | undefined;
  /** Position in a source's input, for example `'payments.jsonl:17'` or `'split 3 @ 4711'`. */
  readonly position?: string | undefined;
  /** Path of the offending field in a record, key or options object: `'items[3].price'`. */
  readonly field?: string | undefined;
}

/** Context and cause of a new {@link MillraceError}. */
export interface MillraceErrorOptions extends ErrorContext {
  /** What led to this error; kept as `cause`. */
  readonly cause?: unknown;
}

/** What {@link MillraceError.toJSON} returns: for logs, the API and the dashboard. */
export interface MillraceErrorJson extends ErrorContext {
  readonly name: 'MillraceError';
  readonly code: ErrorCode;
  readonly message: string;
  readonly summary: string;
  readonly detail: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly cause?: string | undefined;
}

/**
 * The one error class of Millrace. The message begins with the operator's id and ends with what
 * to do. Instances do not change: {@link withContext} returns a copy.
 *
 * The shape (code, retryable, cause) follows Effect's `ClusterError`.
 *
 * @example
 * new MillraceError('ERR_INVALID_KEY', 'a function is no key', { operator: 'velocity' }).message
 * // '[velocity] ERR_INVALID_KEY: a key is of a type that cannot be a key: a function is no key
 * //  — what to do: return a string, …'
 */
export class MillraceError extends Error {
  static {
    markInstances(MillraceError, 'millrace.error');
  }

  readonly code: ErrorCode;
  /** What happened in this instance; the code's `summary` says what happened in general. */
  readonly detail: string;
  /** Whether the same attempt may succeed when it is repeated unchanged. */
  readonly retryable: boolean;
  readonly job: string | undefined;
  readonly operator: string | undefined;
  readonly position: string | undefined;
  readonly field: string | undefined;

  constructor(code: ErrorCode, detail: string, options: MillraceErrorOptions = {}) {
    // Passing { cause: undefined } would create an own property that printers then show.
    super(
      messageOf(code, detail, options),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'MillraceError';
    this.code = code;
    this.detail = detail;
    this.retryable = errorCodes[code].retryable;
    this.job = options.job;
    this.operator = options.operator;
    this.position = options.position;
    this.field = options.field;
  }

  /** The message alone, so that a reader sees the operator's id first. */
  override toString(): string {
    return this.message;
  }

  toJSON(): MillraceErrorJson {
    const { summary, remedy } = errorCodes[this.code];
    return {
      name: 'MillraceError',
      code: this.code,
      message: this.message,
      summary,
      detail: this.detail,
      remedy,
      retryable: this.retryable,
      ...definedContext(this),
      ...(this.cause === undefined ? {} : { cause: describeThrown(this.cause) }),
    };
  }
}

/**
 * The same error with more context. What the error already knows is kept: the layer nearest to
 * the failure knows best. Code, detail, cause and stack frames stay.
 */
export function withContext(error: MillraceError, context: ErrorContext): MillraceError {
  // Another copy of core may have codes that this one does not know.
  if (!(error.code in errorCodes)) return error;
  const copy = new MillraceError(error.code, error.detail, {
    cause: error.cause,
    job: error.job ?? context.job,
    operator: error.operator ?? context.operator,
    position: error.position ?? context.position,
    field: error.field ?? context.field,
  });
  if (copy.message === error.message) return error;
  copy.stack = `${copy.name}: ${copy.message}${stackFramesOf(error)}`;
  return copy;
}

/**
 * Turns anything thrown into a {@link MillraceError}. A `MillraceError` keeps its own code;
 * everything else gets `code` and becomes the cause. `context` is attached as by
 * {@link withContext}.
 */
export function toMillraceError(
  thrown: unknown,
  code: ErrorCode,
  context: ErrorContext = {},
): MillraceError {
  if (thrown instanceof MillraceError) return withContext(thrown, context);
  return new MillraceError(code, describeThrown(thrown), { ...context, cause: thrown });
}

function messageOf(code: ErrorCode, detail: string, context: ErrorContext): string {
  const { summary, remedy }: ErrorCodeEntry = errorCodes[code];
  const operator = context.operator === undefined ? '' : `[${context.operator}] `;
  const what = detail === '' ? summary : `${summary}: ${detail}`;
  const where = [
    context.field === undefined ? '' : `field ${context.field}`,
    context.position === undefined ? '' : `at ${context.position}`,
    context.job === undefined ? '' : `job ${context.job}`,
  ].filter((part) => part !== '');
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  return `${operator}${code}: ${what}${place} — what to do: ${remedy}`;
}

function definedContext({ job, operator, position, field }: ErrorContext): ErrorContext {
  return {
    ...(job === undefined ? {} : { job }),
    ...(operator === undefined ? {} : { operator }),
    ...(position === undefined ? {} : { position }),
    ...(field === undefined ? {} : { field }),
  };
}

/** Never throws, whatever was thrown: an object without a prototype has no `toString`. */
function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof MillraceError) return thrown.message;
    return String(thrown);
  } catch {
    return `a thrown ${typeof thrown} that cannot be printed`;
  }
}

/** The stack without its first lines, which repeat the message as it was before the copy. */
function stackFramesOf(error: Error): string {
  const stack = error.stack ?? '';
  const messageAt = stack.indexOf(error.message);
  return messageAt < 0 ? '' : stack.slice(messageAt + error.message.length);
}
