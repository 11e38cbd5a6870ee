/** For the packages of this repository; may change with any release. */

export { runtimeLimits } from './limits.js';
export type { StagePlan } from './plan/stage-plan.js';
export { planStages } from './plan/stage-plan.js';
