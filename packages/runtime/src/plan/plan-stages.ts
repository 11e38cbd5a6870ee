import type { BuiltJob, LogicalEdge, LogicalNode } from '@millrace/core';
import type { InlineOperator, OperatorFactory } from '@millrace/core/spi';
import { keyedShape, plainShape } from './batch-shape.js';
import { movementOf } from './movement.js';
import type {
  FusedPlan,
  LoopKeys,
  LoopStep,
  StageOutput,
  StagePlan,
  StageTarget,
} from './stage-plan.js';
import { topological } from './topological.js';

/** How a job is cut into stages. */
export interface StagePlanOptions {
  /** `off`: keyed operators take batches, whatever is ahead of them. Default `on`. */
  readonly fusion?: 'on' | 'off' | undefined;
  /** `off`: no operator works in two phases. Default `on`. */
  readonly phases?: 'on' | 'off' | undefined;
  /** Subtasks of each operator. Default: one. */
  readonly parallelismOf?: ((node: LogicalNode) => number) | undefined;
}

/**
 * Cuts a job into stages, in topological order: sources, sinks and operators that keep state or
 * emit much are stages of their own; runs of inline operators, and the extraction of keys, become
 * loops. Where subtasks of different number or key meet, records change places between stages. Pure.
 */
export function planStages(job: BuiltJob, options: StagePlanOptions = {}): readonly StagePlan[] {
  return new Planner(job, options).plan();
}

class Planner {
  private readonly stages: StagePlan[] = [];
  private readonly nodes: ReadonlyMap<string, LogicalNode>;
  private readonly stageOf = new Map<string, StagePlan>();
  private readonly kinds = new Map<string, boolean>();
  /** By edge, as sequencers are. */
  private readonly readers = new Map<string, StagePlan>();
  private readonly sequencers = new Map<string, StagePlan>();
  private readonly job: BuiltJob;

  private readonly fusion: 'on' | 'off';
  private readonly phases: 'on' | 'off';
  private readonly parallelismOf: (node: LogicalNode) => number;

  constructor(job: BuiltJob, options: StagePlanOptions) {
    const { fusion = 'on', phases = 'on', parallelismOf = () => 1 } = options;
    this.job = job;
    this.fusion = fusion;
    this.phases = phases;
    this.parallelismOf = parallelismOf;
    this.nodes = new Map(job.graph.nodes.map((node) => [node.id, node]));
    for (const node of job.graph.nodes) this.kinds.set(node.id, this.emitsKinds(node));
  }

  plan(): readonly StagePlan[] {
    const heads = this.job.graph.nodes.filter(
      ({ id, kind }) => kind !== 'source' && this.inlineOf(id) === undefined,
    );
    for (const node of heads) this.stageOf.set(node.id, this.addHead(node));
    for (const node of this.job.graph.nodes) if (node.kind === 'source') this.addSource(node);
    for (const node of heads) {
      for (const port of ['', ...node.sides]) {
        this.connect(this.stageOf.get(node.id)!, node.id, port);
      }
    }
    return topological(this.stages);
  }

  private addHead(node: LogicalNode): StagePlan {
    const carriesKinds = this.kinds.get(node.id)!;
    const parallelism = this.parallelismOf(node);
    const base = { node, index: this.stages.length, parallelism, outputs: [], carriesKinds };
    return node.kind === 'sink'
      ? this.push({ ...base, kind: 'sink' })
      : this.push({ ...base, kind: 'operator', role: 'whole', fused: undefined });
  }

  /** A source is read by the loop behind it; by one without steps where several read it. */
  private addSource(node: LogicalNode): void {
    const only = single(this.edgesOf(node.id, ''));
    const inline =
      only !== undefined && this.inlineOf(only.to) !== undefined && this.staysInPlace(only);
    const keyed = only !== undefined && this.needsKeys(only);
    if (only !== undefined && (inline || keyed)) {
      if (this.fusedStage(only, node) === undefined) this.addLoop(only, node);
      return;
    }
    const stage = this.push({
      kind: 'loop',
      source: node,
      index: this.stages.length,
      parallelism: this.parallelismOf(node),
      outputs: [],
      steps: [],
      keys: undefined,
      carriesKinds: this.kinds.get(node.id)!,
    });
    this.connect(stage, node.id, '');
    this.connect(stage, node.id, 'deadLetters');
  }

  private push<S extends StagePlan>(stage: S): S {
    this.stages.push(stage);
    return stage;
  }

  /** Gives `stage` the output `node.port`, with a target for each edge that leaves it. */
  private connect(stage: StagePlan, node: string, port: string): void {
    const edges = this.edgesOf(node, port);
    if (edges.length === 0) return;
    const output: StageOutput = { node, port, targets: [], relayed: false, shape: plainShape };
    stage.outputs.push(output);
    for (const edge of edges) output.targets.push(this.targetOf(edge, stage.parallelism));
  }

  /** @param from subtasks of the stage that writes the output */
  private targetOf(edge: LogicalEdge, from: number): StageTarget {
    const needsKeys = this.needsKeys(edge);
    const isInline = this.inlineOf(edge.to) !== undefined;
    const reader = needsKeys || isInline ? this.readerOf(edge) : undefined;
    const to = reader ?? this.stageOf.get(edge.to)!;
    const input = reader === undefined ? edge.input : 0;
    const kind = needsKeys ? 'forward' : edge.partitioning.kind;
    const movement = movementOf(kind, from, to.parallelism);
    const target = { stage: to.index, input, edge, movement };
    const isAlone = from === 1 && edge.port !== 'deadLetters';
    return movement === 'broadcast' && !isAlone ? this.sequenced(target, from) : target;
  }

  /**
   * What begins with the edge: one stage, though several may write to it, since dead letters of an
   * operator are written by loops that extract its keys, too.
   */
  private readerOf(edge: LogicalEdge): StagePlan {
    const reader = this.readers.get(edge.id) ?? this.fusedStage(edge) ?? this.addLoop(edge);
    this.readers.set(edge.id, reader);
    return reader;
  }

  /** Broadcast records of several subtasks go through one place, so that all see one order. */
  private sequenced(target: StageTarget, from: number): StageTarget {
    const { edge } = target;
    const sequencer = this.sequencers.get(edge.id) ?? this.addSequencer(target);
    this.sequencers.set(edge.id, sequencer);
    return { stage: sequencer.index, input: 0, edge, movement: movementOf('global', from, 1) };
  }

  private addSequencer(target: StageTarget): StagePlan {
    const { from: node, port } = target.edge;
    return this.push({
      kind: 'loop',
      source: undefined,
      index: this.stages.length,
      parallelism: 1,
      outputs: [{ node, port, targets: [target], relayed: true, shape: plainShape }],
      steps: [],
      keys: undefined,
      carriesKinds: this.kinds.get(node)!,
    });
  }

  /** The operator at the end of a loop that can be fused with it, where nothing else feeds it. */
  private fusedStage(first: LogicalEdge, source?: LogicalNode): StagePlan | undefined {
    const { steps, keyed } = this.runFrom(first);
    const stage = keyed && this.stageOf.get(keyed.to);
    if (this.fusion === 'off' || keyed === undefined || stage === undefined) return undefined;
    const definition = this.job.functions.nodes.get(keyed.to) as Partial<OperatorFactory>;
    const feeding = this.job.graph.edges.filter(({ to }) => to === keyed.to);
    if (stage.kind !== 'operator' || definition.fuses !== true || feeding.length > 1) {
      return undefined;
    }
    const members = [first.from, ...steps.map(({ node }) => node.id), keyed.to];
    if (members.some((id) => this.parallelismAt(id) !== 1)) return undefined;
    stage.fused = { source, steps, keys: this.keysOf(keyed) };
    if (source !== undefined) this.connect(stage, source.id, 'deadLetters');
    for (const { node } of steps) this.connect(stage, node.id, 'deadLetters');
    return stage;
  }

  /**
   * Inline operators from `first` on, as far as they can be fused, and the keyed edge behind.
   *
   * @param keys of `first`, where it needs some: still to be extracted, or what is behind is asked for
   */
  private runFrom(
    first: LogicalEdge,
    keys: 'ahead' | 'extracted' = 'ahead',
  ): {
    readonly steps: readonly LoopStep[];
    readonly last: string;
    readonly keyed: LogicalEdge | undefined;
  } {
    if (keys === 'ahead' && this.needsKeys(first)) {
      return { steps: [], last: first.from, keyed: first };
    }
    const steps: LoopStep[] = [];
    let next: LogicalEdge | undefined = first;
    let last = first.from;
    for (;;) {
      const operator: InlineOperator | undefined = this.inlineOf(next.to);
      if (operator === undefined) return { steps, last, keyed: undefined };
      last = next.to;
      steps.push({ node: this.nodes.get(last)!, operator });
      next = single(this.edgesOf(last, ''));
      if (next !== undefined && this.needsKeys(next)) return { steps, last, keyed: next };
      if (next === undefined || !this.staysInPlace(next)) {
        return { steps, last, keyed: undefined };
      }
    }
  }

  /** A loop that begins with `edge`: inline operators as far as they can be fused, then keys. */
  private addLoop(
    first: LogicalEdge,
    source?: LogicalNode,
    keysOfFirst: 'ahead' | 'extracted' = 'ahead',
  ): StagePlan {
    const { steps, last, keyed } = this.runFrom(first, keysOfFirst);
    const local = keyed && this.addLocal({ source, steps, keys: this.keysOf(keyed) }, last);
    if (local !== undefined) return local;
    const stage = this.push({
      kind: 'loop',
      source,
      index: this.stages.length,
      parallelism: this.parallelismAt(last),
      outputs: [],
      steps,
      keys: keyed === undefined ? undefined : this.keysOf(keyed),
      carriesKinds: this.kinds.get(first.from)!,
    });
    this.connectLoop(stage, last, keyed);
    return stage;
  }

  /** Where the operator behind the keyed edge can work in two phases: the first of them. */
  private addLocal(fused: FusedPlan, last: string): StagePlan | undefined {
    const { edge, owner } = fused.keys;
    const final = this.stageOf.get(edge.to);
    const { phases } = this.job.functions.nodes.get(edge.to) as Partial<OperatorFactory>;
    const recordsStay = edge.partitioning.projection?.values === false;
    const canFail = owner.onError.action !== 'fail';
    if (this.phases === 'off' || phases === undefined || !recordsStay || canFail) return undefined;
    const parallelism = this.parallelismAt(last);
    if (final?.kind !== 'operator' || Math.max(parallelism, final.parallelism) === 1) {
      return undefined;
    }
    final.role = 'final';
    const stage: StagePlan = this.push({
      kind: 'operator',
      role: 'local',
      node: owner,
      index: this.stages.length,
      parallelism,
      outputs: [],
      carriesKinds: false,
      fused,
    });
    const movement = movementOf('key', stage.parallelism, final.parallelism);
    const targets = [{ stage: final.index, input: edge.input, edge, movement }];
    const shape = { values: false, keys: true, columns: phases.columns };
    stage.outputs.push({ node: owner.id, port: '', targets, relayed: true, shape });
    if (fused.source !== undefined) this.connect(stage, fused.source.id, 'deadLetters');
    for (const { node } of fused.steps) this.connect(stage, node.id, 'deadLetters');
    return stage;
  }

  private connectLoop(
    stage: StagePlan & { kind: 'loop' },
    last: string,
    keyed?: LogicalEdge,
  ): void {
    if (keyed === undefined) this.connect(stage, last, '');
    else {
      const target = this.stageOf.get(keyed.to) ?? this.addLoop(keyed, undefined, 'extracted');
      const movement = movementOf('key', stage.parallelism, target.parallelism);
      const { input, from: node, port } = keyed;
      const targets = [{ stage: target.index, input, edge: keyed, movement }];
      // The loop counts what its steps give, and the stage ahead of it what it gives.
      stage.outputs.push({ node, port, targets, relayed: true, shape: keyedShape(keyed) });
    }
    const failing = stage.steps.map(({ node }) => node.id);
    if (stage.source !== undefined) failing.push(stage.source.id);
    if (stage.keys !== undefined) failing.push(stage.keys.owner.id);
    for (const node of new Set(failing)) this.connect(stage, node, 'deadLetters');
  }

  private parallelismAt(id: string): number {
    return this.parallelismOf(this.nodes.get(id)!);
  }

  /**
   * Whether a loop extracts keys ahead of the edge: then a key function that throws is one record's
   * failure. Also where records stay in place, as which of them fail is not to depend on the slots.
   */
  private needsKeys({ partitioning }: LogicalEdge): boolean {
    return partitioning.kind === 'key';
  }

  /** Records go from each subtask to the one beside it, so that both can be one loop. */
  private staysInPlace({ from, to, partitioning: { kind } }: LogicalEdge): boolean {
    const [here, there] = [this.parallelismAt(from), this.parallelismAt(to)];
    return movementOf(kind, here, there) === 'forward';
  }

  private keysOf(edge: LogicalEdge): LoopKeys {
    const owner = this.nodes.get(edge.to)!;
    return { edge, owner, functions: this.job.functions.edges.get(edge.id)! };
  }

  private inlineOf(node: string): InlineOperator | undefined {
    const definition = this.job.functions.nodes.get(node) as Partial<InlineOperator> | undefined;
    const inline = definition?.form === 'map' || definition?.form === 'filter';
    return inline ? (definition as InlineOperator) : undefined;
  }

  private edgesOf(node: string, port: string): readonly LogicalEdge[] {
    return this.job.graph.edges.filter((edge) => edge.from === node && edge.port === port);
  }

  private emitsKinds({ id, emitsKinds }: LogicalNode): boolean {
    if (emitsKinds !== 'same') return emitsKinds;
    const into = this.job.graph.edges.filter(({ to, port }) => to === id && port === '');
    return into.some(({ from }) => this.kinds.get(from) === true);
  }
}

const single = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined);
