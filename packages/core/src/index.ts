export type { JobBuilder, JobDefinition, JobParams, SourceOptions } from './dsl/job.js';
export { defineJob, isJobDefinition } from './dsl/job.js';
export type { Pipeable } from './dsl/pipe.js';
export type {
  KeyedStream,
  SinkHandle,
  SourceStream,
  Stream,
  StreamWithSides,
  WindowedStream,
} from './dsl/stream.js';
export type { ErrorCode } from './errors/codes.js';
export { errorCodes } from './errors/codes.js';
export type { MillraceErrorJson } from './errors/millrace-error.js';
export { MillraceError } from './errors/millrace-error.js';
export type { DescribeFormat } from './graph/describe.js';
export { describe } from './graph/describe.js';
export { fingerprint } from './graph/fingerprint.js';
export type {
  BuiltJob,
  Json,
  LogicalEdge,
  LogicalGraph,
  LogicalNode,
} from './graph/logical-graph.js';
export type { Diagnostic } from './graph/validate.js';
export { validate } from './graph/validate.js';
export type { Key } from './keys/key-codec.js';
export type { DeadLetter, ErrorPolicy, OnError } from './spi/errors.js';
export type { FunctionContext, FunctionLifecycle, SetupContext } from './spi/operator.js';
export type {
  FoldingState,
  ListState,
  MapState,
  SortedMapState,
  Timer,
  ValueState,
} from './spi/state.js';
export type { Counter, Logger, LogLevel, MetricGroup } from './spi/telemetry.js';
export type { WatermarkGenerator, WatermarkStrategy } from './spi/watermark.js';
export type { Duration } from './time/duration.js';
export { durationMs } from './time/duration.js';
export type { BoundedWatermarkOptions, WatermarkOptions } from './time/watermarks.js';
export {
  customWatermarks,
  monotonousWatermarks,
  noWatermarks,
  punctuatedWatermarks,
  watermarks,
} from './time/watermarks.js';
