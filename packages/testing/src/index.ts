export { checkpointStoreConformance } from './checkpoint-store-conformance.js';
export type { ConformanceCase } from './conformance-case.js';
export type { JobDriverOptions } from './job-driver.js';
export { driveJob, JobDriver } from './job-driver.js';
export type {
  LossyPath,
  LossyTransport,
  LossyTransportCounts,
  LossyTransportOptions,
} from './lossy-transport.js';
export { LossyTransportHub } from './lossy-transport.js';
export type { TimedRecord } from './manual-source.js';
export { ManualSource } from './manual-source.js';
export type { MillraceMatchers } from './matchers.js';
export { millraceMatchers } from './matchers.js';
export type { OpenMetaStore } from './meta-store-conformance.js';
export { metaStoreConformance } from './meta-store-conformance.js';
export type { HarnessOptions, HarnessResult, ScriptStep } from './operator-harness.js';
export { runOperator } from './operator-harness.js';
export type { SunkRecord } from './recording-sink.js';
export { RecordingSink } from './recording-sink.js';
export type { ConservedOptions, RecordId } from './simulate/oracles/conserved.js';
export { conserved } from './simulate/oracles/conserved.js';
export { exactlyOnce, orderIndependent } from './simulate/oracles/exactly-once.js';
export type { Expectation, Observation, Oracle } from './simulate/oracles/oracle.js';
export { simulate } from './simulate/simulate.js';
export type {
  InputOf,
  InputRecord,
  SimulateOptions,
  SimulationInput,
  SimulationOutputs,
  SimulationReport,
} from './simulate/simulate-options.js';
export { SimulationFailure } from './simulate/simulation-failure.js';
export type { UserFault } from './simulate/user-faults.js';
export type {
  DiskFault,
  DiskOperation,
  DiskStep,
  DiskStepListener,
  SimulatedDiskOptions,
} from './simulated-disk.js';
export { SimulatedDisk } from './simulated-disk.js';
export type { FaultKind, FaultName } from './simulation/fault-kinds.js';
export { faultNames } from './simulation/fault-kinds.js';
export type { FaultPlan } from './simulation/fault-plan.js';
export { generateFaults, noFaults } from './simulation/fault-plan.js';
export { generateJob } from './simulation/generate-job.js';
export type {
  BranchPlan,
  JobPlan,
  KeyedPlan,
  SimulatedRecord,
  SourcePlan,
  SplitPlan,
  StatelessPlan,
} from './simulation/job-plan.js';
export type { MinimiseOptions } from './simulation/minimise.js';
export { minimiseSeed } from './simulation/minimise.js';
export { SeededRandom } from './simulation/seeded-random.js';
export type {
  SeedResult,
  SimulationCase,
  SimulationOptions,
} from './simulation/simulate-seed.js';
export { caseOf, simulateSeed } from './simulation/simulate-seed.js';
export type { SeedRange, SeedsReport, SeedViolation } from './simulation/simulate-seeds.js';
export { addReports, emptyReport, reportOf, simulateSeeds } from './simulation/simulate-seeds.js';
export type { AroundJob } from './simulation/simulated-job.js';
export type { RunEnd, RunLimits, SimulatedWorldOptions } from './simulation/simulated-world.js';
export { SimulatedWorld } from './simulation/simulated-world.js';
export type { TraceEntry } from './simulation/trace.js';
export type { OracleName } from './simulation/violation.js';
export { SimulationViolation } from './simulation/violation.js';
export type { ProcessLife, WorldProcess } from './simulation/world-process.js';
export type { SinkUnderTest } from './sink-conformance.js';
export { sinkConformance } from './sink-conformance.js';
export type { SourceCase, SourceUnderTest } from './source-conformance.js';
export { sourceConformance } from './source-conformance.js';
export type { CreateBackend } from './state-conformance.js';
export { stateBackendConformance } from './state-conformance.js';
export type { StorageUnderTest } from './storage-conformance.js';
export { storageConformance } from './storage-conformance.js';
export type { LoggedLine, VirtualEnv } from './virtual-env.js';
export { virtualEnv } from './virtual-env.js';
