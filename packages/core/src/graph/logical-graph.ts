import type { ErrorPolicy } from '../spi/errors.js';
import type { Redistribution, StateKind, StateTtl } from '../spi/state.js';

/** JSON, as params and settings are. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** The closed set of nodes that the runtime knows; every operator is composed of these. */
export type NodeKind =
  | 'source'
  | 'sink'
  | 'oneInput'
  | 'twoInput'
  | 'keyedOneInput'
  | 'keyedTwoInput'
  | 'async';

/** One state of an operator as data. */
interface NodeState {
  readonly kind: StateKind;
  readonly version: number;
  readonly ttl?: StateTtl;
  readonly redistribute?: Redistribution;
}

/** One operator, source or sink as data. Its functions are in the function table. */
export interface LogicalNode {
  /** Binds state, metrics and errors to the operator; unique in the job. */
  readonly id: string;
  readonly kind: NodeKind;
  /** The word an author used: `map`, `window`, `csv`. */
  readonly operator: string;
  readonly settings: { readonly [name: string]: Json };
  readonly state: { readonly [name: string]: NodeState };
  readonly timers: { readonly event: readonly string[]; readonly processing: readonly string[] };
  /** Side outputs the operator can write; those without an edge are not kept. */
  readonly sides: readonly string[];
  /** Whether updates and deletes may come in. */
  readonly acceptsKinds: boolean;
  /** Whether updates and deletes come out: `same` as went in. */
  readonly emitsKinds: boolean | 'same';
  readonly onError: ErrorPolicy;
  /** Subtasks; undefined: the job's parallelism. */
  readonly parallelism?: number;
  /** Of a source that cannot be read again: its records may be lost after a failure. */
  readonly allowLoss?: true;
}

/** How records move from one operator's subtasks to the next one's. */
export interface Partitioning {
  readonly kind: 'forward' | 'key' | 'rebalance' | 'rescale' | 'broadcast' | 'global' | 'custom';
  /**
   * For `key`: what the receiver needs of each record, extracted ahead of the edge. `values` says
   * whether whole records travel, too. Undefined: whole records only.
   */
  readonly projection?: {
    readonly inputs: readonly ('number' | 'any')[];
    readonly values: boolean;
  };
}

export interface LogicalEdge {
  /** Unique in the job: `payments→velocity`, and the key of its functions. */
  readonly id: string;
  readonly from: string;
  /** Empty for the main output, else a side output's name. */
  readonly port: string;
  readonly to: string;
  readonly input: 0 | 1;
  readonly partitioning: Partitioning;
}

/** A job as readonly JSON: what is stored, compared, drawn and planned. */
export interface LogicalGraph {
  readonly format: 1;
  readonly job: string;
  readonly params: { readonly [name: string]: Json };
  /** In the order in which they were built: sources come before what reads them. */
  readonly nodes: readonly LogicalNode[];
  readonly edges: readonly LogicalEdge[];
}

/** Functions of a keyed edge, or of one with a partitioner of the author's. */
export interface EdgeFunctions {
  readonly key?: ((record: never) => unknown) | undefined;
  /** For `custom`: which of so many subtasks takes the record. */
  readonly partition?: ((record: never, parallelism: number) => number) | undefined;
  /** Same order as the projection's inputs; undefined: the record itself. */
  readonly inputs: readonly (((record: never) => unknown) | undefined)[];
}

/**
 * What cannot be JSON: by node id its definition (source with watermark strategy, sink, operator),
 * by edge id its functions. Never serialised; made by building the job again.
 */
export interface FunctionTable {
  readonly nodes: ReadonlyMap<string, unknown>;
  readonly edges: ReadonlyMap<string, EdgeFunctions>;
}

export interface BuiltJob {
  readonly graph: LogicalGraph;
  readonly functions: FunctionTable;
}
