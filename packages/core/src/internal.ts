/** For the packages of this repository; may change with any release. */

export { checkRecord } from './codec/record-check.js';
export type { SourceDefinition } from './dsl/job.js';
export { toMillraceError, withContext } from './errors/millrace-error.js';
export { usesDeadLetters } from './graph/builder.js';
export { canonicalJson } from './graph/fingerprint.js';
export type {
  EdgeFunctions,
  FunctionTable,
  NodeKind,
  Partitioning,
} from './graph/logical-graph.js';
export { assertValid } from './graph/validate.js';
export type { CanonicalKey } from './keys/canonical-key.js';
export { canonicalKey, keyOfCanonical } from './keys/canonical-key.js';
export { coreLimits } from './limits.js';
export { RecordContext, wantsContext } from './spi/record-context.js';
export { durationMs, formatDuration, formatTimestamp } from './time/duration.js';
