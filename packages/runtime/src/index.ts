export type { GeneratedCode } from './codegen/compiler.js';
export { nodeEnv, stderrLogger } from './host/node-env.js';
export type { JobHandle, JobMetrics, JobProgress, JobResult } from './job/job-handle.js';
export type { RunOptions } from './job/run.js';
export { generatedCode, run } from './job/run.js';
