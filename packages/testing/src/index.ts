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
export type {
  DiskFault,
  DiskOperation,
  DiskStep,
  DiskStepListener,
  SimulatedDiskOptions,
} from './simulated-disk.js';
export { SimulatedDisk } from './simulated-disk.js';
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
