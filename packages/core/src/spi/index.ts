/** For makers of operators, sources, sinks and state backends. */

export type {
  KeyedStream,
  SinkHandle,
  SourceStream,
  Stream,
  StreamWithSides,
  WindowedStream,
} from '../dsl/stream.js';
export {
  keyedStreamOf,
  outputOf,
  streamOf,
  streamWithSidesOf,
  windowedStreamOf,
  windowOf,
} from '../dsl/stream.js';
export type { InputSpec, NodeSpec, OutputRef, UnfinishedNode } from '../graph/builder.js';
export { GraphBuilder } from '../graph/builder.js';
export type { Key } from '../keys/key-codec.js';
export type {
  AccumulatorCells,
  AddText,
  Aggregator,
  AggregatorInput,
  AggregatorNames,
  PlainAggregator,
} from './aggregator.js';
export type {
  CheckpointBarrier,
  CheckpointMode,
  Close,
  Column,
  ControlElement,
  EndOfInput,
  Idle,
  Watermark,
} from './element.js';
export {
  closeElement,
  endOfInput,
  idleElement,
  RecordBatch,
  RecordKind,
  watermarkOf,
} from './element.js';
export type { Cancellable, Clock, Env, Random, Scheduler } from './env.js';
export type { DeadLetter, ErrorPolicy, OnError } from './errors.js';
export type {
  FunctionContext,
  FunctionLifecycle,
  GeneratedSource,
  InlineOperator,
  Operator,
  OperatorContext,
  OperatorDefinition,
  OperatorFactory,
  OperatorPhases,
  Outputs,
  Prefetch,
  Progress,
  RecordLoop,
  SetupContext,
} from './operator.js';
export { type FailureDetail, RecordFailure } from './operator.js';
export type {
  OutputStaging,
  Sink,
  SinkContext,
  SinkGuarantee,
  SinkLineage,
  SinkRestore,
  SinkWriter,
  StagedBlob,
  StagingWriter,
} from './sink.js';
export type {
  BadInput,
  Source,
  SourceChunk,
  SourceContext,
  SourceReader,
  Split,
  SplitEnumerator,
} from './source.js';
export type {
  BroadcastState,
  DueTimer,
  FoldingState,
  KeyedStateAccess,
  KeyGroupTimes,
  KeyTable,
  KeyTableSpec,
  KeyTables,
  ListState,
  MapState,
  OperatorListState,
  OperatorStateAccess,
  ReadOnlyBroadcastState,
  Redistribution,
  SortedMapState,
  StateAggregation,
  StateBackend,
  StateDescriptor,
  StateKind,
  StateTableSpec,
  StateTime,
  StateTtl,
  Timer,
  TimerService,
  ValueState,
} from './state.js';
export type { Storage, StorageFile } from './storage.js';
export type {
  BlobInfo,
  BlobWriter,
  CheckpointStore,
  CompareAndSetResult,
  MetaRecord,
  MetaStore,
} from './stores.js';
export type { Counter, GaugeRead, Logger, LogLevel, MetricGroup } from './telemetry.js';
export { touchRow } from './touch-row.js';
export type { Transport, TransportListener } from './transport.js';
export type { AllIdlePolicy, WatermarkGenerator, WatermarkStrategy } from './watermark.js';
