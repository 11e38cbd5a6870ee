export type { BestOptions } from './aggregators/best-by.js';
export { maxBy, minBy } from './aggregators/best-by.js';
export { collect, distinctCount } from './aggregators/collecting.js';
export type { AggregatorRules } from './aggregators/custom.js';
export { aggregator } from './aggregators/custom.js';
export { average, count, max, min, sum } from './aggregators/numeric.js';
export { filter } from './filter.js';
export { flatMap } from './flat-map.js';
export { fork } from './fork.js';
export type {
  DeadLetterOptions,
  FunctionOptions,
  NotPromise,
  RecordFunction,
} from './function-options.js';
export { keyBy } from './key-by.js';
export { map } from './map.js';
export { broadcast, global, partitionBy, rebalance, rescale } from './movement.js';
export type { BroadcastStateOptions } from './process/broadcast-state.js';
export { broadcastState } from './process/broadcast-state.js';
export type { ConnectSpec } from './process/connect.js';
export { connect } from './process/connect.js';
export type {
  ConnectBroadcastSpec,
  KeyedConnectBroadcastSpec,
} from './process/connect-broadcast.js';
export { connectBroadcast, keyedConnectBroadcast } from './process/connect-broadcast.js';
export type { KeyedProcessSpec } from './process/keyed-process.js';
export { keyedProcess } from './process/keyed-process.js';
export type { OperatorListStateOptions } from './process/operator-state.js';
export { operatorListState } from './process/operator-state.js';
export type { ProcessSpec } from './process/process.js';
export { process } from './process/process.js';
export type {
  BroadcastProcessContext,
  BroadcastUpdateContext,
  BroadcastUpdates,
  KeyedBroadcastProcessContext,
  KeyedProcessContext,
  OperatorProcessContext,
  ProcessContext,
  ProcessDeclarations,
  TimerHandlers,
} from './process/process-types.js';
export type { AggregatingRules, StateOptions } from './process/state.js';
export {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  sortedMapState,
  valueState,
} from './process/state.js';
export type { TtlOptions } from './process/ttl.js';
export type { TypeWitness } from './process/type-witness.js';
export { type } from './process/type-witness.js';
export type { SinkOptions } from './sink-to.js';
export { sinkTo } from './sink-to.js';
export { union } from './union.js';
export { aggregate } from './window/aggregate.js';
export type { TimeWindow, WindowAssigner } from './window/assigner.js';
export { customWindows, session, sliding, tumbling } from './window/assigner.js';
export { reduce } from './window/reduce.js';
export type { Pane, WindowInfo, WindowOptions } from './window/window.js';
export { window } from './window/window.js';
export { windowProcess } from './window/window-process.js';
