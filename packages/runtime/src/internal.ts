/** For the packages of this repository; may change with any release. */

export { CommitLog } from './checkpoint/commit-log.js';
export { type FolderStores, folderStores } from './checkpoint/folder-stores.js';
export { readManifest, segmentsOf } from './checkpoint/manifest-io.js';
export type { RestorePoint } from './checkpoint/restore-point.js';
export { Compiler } from './codegen/compiler.js';
export type { BatchDecoder } from './exchange/codec/batch-decoder.js';
export { batchDecoder } from './exchange/codec/batch-decoder.js';
export type { BatchEncoder, BatchEncoderOptions } from './exchange/codec/batch-encoder.js';
export { batchEncoder } from './exchange/codec/batch-encoder.js';
export { packRecord, unpackRecord } from './exchange/codec/msgpackr-codec.js';
export { creditOf, FrameKind, readHead } from './exchange/frame.js';
export type { Lane, LaneListener } from './exchange/lane.js';
export { LocalLanes } from './exchange/local-lanes.js';
export type { OpenLane } from './exchange/slot-exchange.js';
export { heapState } from './job/attempt-state.js';
export { EmbeddedJob } from './job/embedded-job.js';
export { openCheckpoints } from './job/job-checkpoints.js';
export { restoreState } from './job/restore-state.js';
export { instantiate, startJob } from './job/run.js';
export type { Surroundings } from './job/slots-of.js';
export { runtimeLimits } from './limits.js';
export { Link, type LinkOptions } from './link/link.js';
export { defaultLinkLimits } from './link/link-limits.js';
