import { MillraceError } from '../errors/millrace-error.js';
import { coreLimits } from '../limits.js';
import type { ErrorPolicy, OnError } from '../spi/errors.js';
import type {
  BuiltJob,
  EdgeFunctions,
  Json,
  LogicalEdge,
  LogicalNode,
  NodeKind,
  Partitioning,
} from './logical-graph.js';

/** One output of a node, with the movement that the next operator's edge will have. */
export interface OutputRef {
  readonly builder: GraphBuilder;
  readonly node: string;
  readonly port: string;
  readonly partitioning: Partitioning['kind'];
  /** For `key`: extracts the key. */
  readonly key?: ((record: never) => unknown) | undefined;
  /** For `custom`: which of so many subtasks takes the record. */
  readonly partition?: ((record: never, parallelism: number) => number) | undefined;
}

/** An input of a node that is being added. */
export interface InputSpec {
  readonly from: OutputRef;
  /** What a keyed operator wants extracted ahead of the edge, beside the key. */
  readonly projection?:
    | {
        readonly inputs: readonly {
          readonly extract: ((record: never) => unknown) | undefined;
          readonly type: 'number' | 'any';
        }[];
        /** Side outputs that carry whole records; unless one is consumed, records stay behind. */
        readonly recordSides: readonly string[];
      }
    | undefined;
}

/** What will be a node once its author has said all of it: a window is one with its aggregation. */
export interface UnfinishedNode {
  readonly id: string;
  /** For the error of who leaves it at that: what is missing. */
  readonly missing: string;
}

/** A node to add. What is left out has the plain meaning: no state, no sides, inserts only. */
export interface NodeSpec {
  /** Undefined: the operator keeps no state, and an id is derived from its place. */
  readonly id: string | undefined;
  readonly kind: NodeKind;
  readonly operator: string;
  readonly definition: unknown;
  readonly inputs: readonly InputSpec[];
  readonly settings?: { readonly [name: string]: Json } | undefined;
  readonly state?: LogicalNode['state'] | undefined;
  readonly timers?: LogicalNode['timers'] | undefined;
  readonly sides?: readonly string[] | undefined;
  readonly acceptsKinds?: boolean | undefined;
  readonly emitsKinds?: boolean | 'same' | undefined;
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
  readonly allowLoss?: boolean | undefined;
  /** Of a sink: a place that no other sink of the job may write to. */
  readonly destination?: string | undefined;
  /** What has been begun, and is this node. */
  readonly finishes?: UnfinishedNode | undefined;
}

const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$/;

/** Collects nodes and edges while the author's build function runs. */
export class GraphBuilder {
  private readonly nodes: LogicalNode[] = [];
  private readonly edges: (LogicalEdge & { recordSides: readonly string[] })[] = [];
  private readonly definitions = new Map<string, unknown>();
  private readonly edgeFunctions = new Map<string, EdgeFunctions>();
  private readonly derivedIds = new Map<string, number>();
  /** By destination, the sink that writes there. */
  private readonly writers = new Map<string, string>();
  private readonly unfinished = new Set<UnfinishedNode>();
  private open = true;

  /** Tells of a node that is to be added: a job that never does is refused. */
  begin(node: UnfinishedNode): void {
    this.unfinished.add(node);
  }

  /** Adds a node and returns its main output. */
  add(spec: NodeSpec): OutputRef {
    if (!this.open) {
      throw new MillraceError('ERR_FORBIDDEN_IN_BUILD', 'the job has been built already', {
        operator: spec.id,
      });
    }
    const id = spec.id === undefined ? this.deriveId(spec) : this.checkId(spec.id, spec.operator);
    if (spec.destination !== undefined) this.claim(spec.destination, id);
    this.nodes.push({
      id,
      kind: spec.kind,
      operator: spec.operator,
      settings: spec.settings ?? {},
      state: spec.state ?? {},
      timers: spec.timers ?? { event: [], processing: [] },
      sides: [...new Set([...(spec.sides ?? []), ...deadLetterSide(spec)])],
      acceptsKinds: spec.acceptsKinds ?? false,
      emitsKinds: spec.emitsKinds ?? false,
      onError: policyOf(spec.onError, id),
      ...(spec.parallelism === undefined ? {} : { parallelism: spec.parallelism }),
      ...(spec.allowLoss === true ? { allowLoss: true } : {}),
    });
    this.definitions.set(id, spec.definition);
    if (spec.finishes !== undefined) this.unfinished.delete(spec.finishes);
    for (const [index, input] of spec.inputs.entries()) this.connect(id, index as 0 | 1, input);
    return { builder: this, node: id, port: '', partitioning: 'forward' };
  }

  /** Ends the building and returns the graph with its functions. */
  finish(job: string, params: { readonly [name: string]: Json }): BuiltJob {
    this.open = false;
    for (const { id: operator, missing } of this.unfinished) {
      throw new MillraceError('ERR_INVALID_OPTION', missing, { operator, job });
    }
    const consumed = new Set(this.edges.map((edge) => `${edge.from} ${edge.port}`));
    const edges = this.edges.map(({ recordSides, ...edge }): LogicalEdge => {
      const { projection } = edge.partitioning;
      if (projection === undefined) return edge;
      const values = recordSides.some((side) => consumed.has(`${edge.to} ${side}`));
      return {
        ...edge,
        partitioning: { ...edge.partitioning, projection: { ...projection, values } },
      };
    });
    return {
      graph: { format: 1, job, params, nodes: this.nodes, edges },
      functions: { nodes: this.definitions, edges: this.edgeFunctions },
    };
  }

  private connect(to: string, input: 0 | 1, spec: InputSpec): void {
    const { from, projection } = spec;
    if (from.builder !== this) {
      throw new MillraceError('ERR_FORBIDDEN_IN_BUILD', 'a stream of another job is used', {
        operator: to,
      });
    }
    const port = from.port === '' ? '' : `.${from.port}`;
    const id = `${from.node}${port}→${to}${input === 1 ? '#right' : ''}`;
    const projected =
      projection === undefined || from.partitioning !== 'key'
        ? {}
        : { projection: { inputs: projection.inputs.map(({ type }) => type), values: true } };
    this.edges.push({
      id,
      from: from.node,
      port: from.port,
      to,
      input,
      partitioning: { kind: from.partitioning, ...projected },
      recordSides: projection?.recordSides ?? [],
    });
    if (from.key !== undefined) {
      const inputs = projection?.inputs.map(({ extract }) => extract) ?? [];
      this.edgeFunctions.set(id, { key: from.key, inputs });
    } else if (from.partition !== undefined) {
      this.edgeFunctions.set(id, { partition: from.partition, inputs: [] });
    }
  }

  private claim(destination: string, id: string): void {
    const other = this.writers.get(destination) ?? id;
    this.writers.set(destination, id);
    // An id that is there twice is told of the whole graph.
    if (other === id) return;
    const detail = `'${other}' and '${id}' would both write ${destination}; give one another place`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { operator: id });
  }

  private deriveId(spec: NodeSpec): string {
    const upstream = spec.inputs.map(({ from }) => from.node + (from.port && `.${from.port}`));
    const base = `${upstream[0] ?? 'job'}/${spec.operator}`;
    const count = (this.derivedIds.get(base) ?? 0) + 1;
    this.derivedIds.set(base, count);
    // Long chains would make ids without end; the operator's ordinal in the job is as unique.
    if (base.length > coreLimits.operatorIdLengthMax - 4) {
      return `${spec.operator}-${this.nodes.length}`;
    }
    return count === 1 ? base : `${base}-${count}`;
  }

  private checkId(id: unknown, operator: string): string {
    if (typeof id !== 'string' || id === '') {
      throw new MillraceError('ERR_MISSING_ID', `${operator} has no id as its first argument`);
    }
    if (id.length > coreLimits.operatorIdLengthMax || !idPattern.test(id)) {
      const detail = `'${id}' is no id for the ${operator}`;
      throw new MillraceError('ERR_INVALID_ID', detail, { operator: id });
    }
    return id;
  }
}

function deadLetterSide(spec: NodeSpec): readonly string[] {
  return spec.kind === 'source' || usesDeadLetters(spec.onError) ? ['deadLetters'] : [];
}

/** Whether records that fail go to the side output `deadLetters`. */
export function usesDeadLetters(onError: OnError | undefined): boolean {
  if (typeof onError !== 'object') return onError === 'deadLetter';
  return onError.action === 'deadLetter' || onError.otherwise === 'deadLetter';
}

function policyOf(onError: OnError | undefined, operator: string): ErrorPolicy {
  const policy: ErrorPolicy = typeof onError === 'object' ? onError : { action: onError ?? 'fail' };
  const { action, attempts, ceiling } = policy;
  const problem = !['fail', 'skip', 'retry', 'deadLetter'].includes(action)
    ? `action is '${String(action)}'`
    : action === 'retry' && !(Number.isSafeInteger(attempts) && attempts! >= 2 && attempts! <= 100)
      ? 'retry needs attempts from 2 to 100'
      : ceiling !== undefined && !(ceiling >= 0 && ceiling <= 1)
        ? `ceiling is ${ceiling}, not a share from 0 to 1`
        : undefined;
  if (problem !== undefined) {
    throw new MillraceError('ERR_INVALID_OPTION', problem, { operator, field: 'onError' });
  }
  return policy;
}
