export type { CheckpointReport } from './checkpoint/checkpoint-history.js';
export type { Manifest } from './checkpoint/manifest.js';
export type { GeneratedCode } from './codegen/compiler.js';
export { nodeEnv, stderrLogger } from './host/node-env.js';
export type { CheckpointOptions } from './job/checkpoint-options.js';
export type {
  CheckpointProgress,
  JobHandle,
  JobMetrics,
  JobProgress,
  JobResult,
  ResumedFrom,
} from './job/job-handle.js';
export type { RestartStrategy } from './job/restart.js';
export type { RunOptions } from './job/run.js';
export { generatedCode, run } from './job/run.js';
