/** For the packages of this repository; may change with any release. */

export { EmbeddedJob } from './job/embedded-job.js';
export { startJob } from './job/run.js';
export { runtimeLimits } from './limits.js';
export type { StagePlan } from './plan/stage-plan.js';
export { planStages } from './plan/stage-plan.js';
