/** For the packages of this repository; may change with any release. */

export { ByteReader } from './codec/byte-reader.js';
export { ByteWriter } from './codec/byte-writer.js';
export { fidelityFailures, recordCodecFidelityCases } from './codec/fidelity-suite.js';
export { hasOnlyPlainProperties } from './codec/own-properties.js';
export { checkRecord } from './codec/record-check.js';
export { decodeRecord, encodeRecord } from './codec/record-codec.js';
export { RecordReader } from './codec/record-reader.js';
export { recordCodecVersion } from './codec/record-tags.js';
export { RecordWriter } from './codec/record-writer.js';
export { sameRecord } from './codec/same-record.js';
export type { SourceDefinition } from './dsl/job.js';
export { toMillraceError, withContext } from './errors/millrace-error.js';
export { outsideCall } from './errors/outside-call.js';
export { usesDeadLetters } from './graph/builder.js';
export { canonicalJson } from './graph/fingerprint.js';
export type {
  EdgeFunctions,
  FunctionTable,
  NodeKind,
  Partitioning,
} from './graph/logical-graph.js';
export { assertValid, warningsOf } from './graph/validate.js';
export type { CanonicalKey } from './keys/canonical-key.js';
export { canonicalKey, keyOfCanonical } from './keys/canonical-key.js';
export { assertKey, decodeKey, encodeKey, readKey, writeKey } from './keys/key-codec.js';
export type { KeyGroupRange } from './keys/key-groups.js';
export { keyGroupOf, keyGroupRange, subtaskOf } from './keys/key-groups.js';
export { coreLimits } from './limits.js';
export { RecordContext, wantsContext } from './spi/record-context.js';
export { durationMs, formatDuration, formatTimestamp } from './time/duration.js';
