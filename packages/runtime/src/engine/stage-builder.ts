import type { LogicalNode } from '@millrace/core';
import { RecordContext, type SourceDefinition } from '@millrace/core/internal';
import {
  type Operator,
  type OperatorContext,
  type OperatorFactory,
  RecordBatch,
  type Sink,
  type SinkContext,
  type SourceContext,
} from '@millrace/core/spi';
import { flatLoop } from '../codegen/flat-loop.js';
import {
  generateFusedLoop,
  generateLoop,
  generateRecordLoop,
  type LoopSource,
  type LoopSpec,
} from '../codegen/loop.js';
import {
  type OperatorRole,
  type StageOutput,
  type StagePlan,
  stageName,
} from '../plan/stage-plan.js';
import type { AlignmentGroups } from './alignment-group.js';
import type { ChannelEnds } from './channel-ends.js';
import { ErrorShares } from './error-share.js';
import { FailurePolicy } from './failure-policy.js';
import type { FusedHead } from './fused-head.js';
import { InputGate } from './input-gate.js';
import { type LoopMember, LoopMembers } from './loop-members.js';
import { LoopStage, type StageInput } from './loop-stage.js';
import { OperatorStage, type UndoableState } from './operator-stage.js';
import { OutputPort } from './output-port.js';
import { withoutCheckpoints } from './sink-checkpoints.js';
import { SinkStage } from './sink-stage.js';
import { SourceInput } from './source-input.js';
import { SourceTime } from './source-time.js';
import type { Stage } from './stage.js';
import { StageOutputs } from './stage-outputs.js';
import type { SlotWorld, TaskWorld } from './stage-world.js';
import { StateLoading } from './state-loading.js';

/** What the stages of a slot share. */
export interface StageBuilderParts {
  readonly world: SlotWorld;
  readonly task: TaskWorld;
  readonly ends: ChannelEnds;
  readonly groups: AlignmentGroups;
}

/** Makes the stages of one task. */
export class StageBuilder {
  readonly sources: SourceInput[] = [];
  /** Those of stages that read channels. */
  readonly gates: InputGate[] = [];
  private readonly hasSeveralSources: boolean;
  private readonly world: SlotWorld;
  private readonly task: TaskWorld;
  private readonly ends: ChannelEnds;
  private readonly groups: AlignmentGroups;

  constructor({ world, task, ends, groups }: StageBuilderParts) {
    this.world = world;
    this.task = task;
    this.ends = ends;
    this.groups = groups;
    this.hasSeveralSources = world.job.graph.nodes.filter(isSource).length > 1;
  }

  build(plan: StagePlan): Stage {
    switch (plan.kind) {
      case 'loop':
        return this.loop(plan);
      case 'sink':
        return this.sink(plan, plan.node);
      case 'operator':
        return this.operator(plan, plan.node);
    }
  }

  private get subtask(): number {
    return this.task.task.subtask;
  }

  private gate({ index, kind }: StagePlan): InputGate {
    const channels = this.ends.into(index, this.subtask);
    const { nowMs, plan } = this.world;
    // State is kept by operators: what runs ahead of the others only waits there.
    const waits = kind === 'operator' && plan.slots > 1;
    const gate = new InputGate(channels, this.task.checkpoints, waits ? nowMs : undefined);
    if (channels.length > 0) this.gates.push(gate);
    return gate;
  }

  private definition<D>(node: LogicalNode): D {
    return this.world.job.functions.nodes.get(node.id) as D;
  }

  private port(output: StageOutput): OutputPort {
    const metrics = this.world.metricsOf(output.node);
    const routes = this.ends.routesOf(output, this.subtask);
    return new OutputPort(routes, metrics, this.world.checkRecords, output);
  }

  private outputs(plan: StagePlan, node: LogicalNode): StageOutputs {
    const own = plan.outputs.filter((output) => output.node === node.id);
    const main = own.find(({ port }) => port === '');
    const sides = own.filter(({ port }) => port !== '');
    // Dead letters of operators fused ahead of this one.
    const others = plan.outputs.filter((output) => output.node !== node.id);
    return new StageOutputs(
      main === undefined ? undefined : this.port(main),
      new Map(sides.map((output) => [output.port, this.port(output)])),
      new Map(others.map((output) => [output.node, this.port(output)])),
      new RecordBatch(),
    );
  }

  /** @param deadLetters the open batch they go to; undefined when nobody consumes them */
  private failures(
    { id, onError }: LogicalNode,
    deadLetters: (() => RecordBatch) | undefined,
    shares: ErrorShares,
  ): FailurePolicy {
    const { metricsOf, env } = this.world;
    return new FailurePolicy(onError, metricsOf(id), env.clock, deadLetters, shares.of(id));
  }

  private context(node: LogicalNode): SourceContext {
    const { env, metricsOf } = this.world;
    const metrics = metricsOf(node.id);
    const { subtask, parallelism } = this.task.task;
    return { operatorId: node.id, subtask, parallelism, env, metrics, log: env.log };
  }

  private source(node: LogicalNode, failures: FailurePolicy): SourceInput {
    const { nowMs, wake, metricsOf } = this.world;
    const { checkpoints } = this.task;
    const { source, watermarks } = this.definition<SourceDefinition>(node);
    const time = new SourceTime(
      watermarks,
      this.groups.named(watermarks.alignment?.group),
      this.task.task.parallelism > 1 ? 'idle' : 'waits',
    );
    metricsOf(node.id).gauge('currentOutputWatermark', () => time.watermark);
    const input = new SourceInput({
      id: node.id,
      nameInPlaces: this.hasSeveralSources ? node.id : undefined,
      reader: source.createReader(this.context(node)),
      time,
      farFutureMs: watermarks.farFutureMs,
      metrics: metricsOf(node.id),
      failures,
      nowMs,
      wake,
      restored: checkpoints?.restoredSource(node.id),
      atBarrier: (id, snapshot) => checkpoints?.sourceAtBarrier(node.id, id, snapshot),
      onHeldEnd: checkpoints && (() => checkpoints.sourceEnded()),
    });
    this.sources.push(input);
    return input;
  }

  /** The source of a loop as its code needs it. */
  private loopSource(node: LogicalNode | undefined): LoopSource | undefined {
    if (node === undefined) return undefined;
    const { watermarks } = this.definition<SourceDefinition>(node);
    return { id: node.id, watermarks };
  }

  private sink(plan: StagePlan, node: LogicalNode): Stage {
    const { metricsOf, wake } = this.world;
    const { checkpoints } = this.task;
    const gate = this.gate(plan);
    const context: SinkContext = {
      ...this.context(node),
      job: this.world.job.graph.job,
      ...(checkpoints?.ofSink(node.id) ?? withoutCheckpoints),
    };
    const writer = this.definition<Sink<unknown>>(node).createWriter(context);
    metricsOf(node.id).gauge('currentInputWatermark', () => gate.watermark);
    return new SinkStage(gate, writer, metricsOf(node.id), wake, (barrier, prepared) =>
      checkpoints?.sinkAtBarrier(node.id, barrier, prepared),
    );
  }

  private operator(plan: StagePlan & { readonly kind: 'operator' }, node: LogicalNode): Stage {
    const { metricsOf, nowMs } = this.world;
    const gate = this.gate(plan);
    const metrics = metricsOf(node.id);
    if (plan.role !== 'local') metrics.gauge('currentInputWatermark', () => gate.watermark);
    const states: UndoableState[] = [];
    const outputs = this.outputs(plan, node);
    const shares = new ErrorShares();
    const failuresOf = (of: LogicalNode): FailurePolicy =>
      this.failures(of, outputs.deadLettersOf(of.id), shares);
    const context = this.operatorContext(node, gate, states);
    const factory = this.definition<OperatorFactory>(node);
    const operator = createdFor(plan.role, factory, context);
    return new OperatorStage({
      id: node.id,
      role: plan.role,
      gate,
      operator,
      rowsPerRecord: plan.role === 'whole' ? (factory.rowsPerRecord ?? 'any') : 'any',
      fused: this.fusedHead(plan, operator, failuresOf),
      outputs,
      metrics,
      failures: failuresOf(node),
      states,
      nowMs,
      // What runs ahead of the exchange has no state of its own to freeze.
      atBarrier: (barrier) => {
        if (plan.role !== 'local') this.task.checkpoints?.operatorAtBarrier(node.id, barrier);
      },
      loading: new StateLoading(operator, this.task.state, this.world.wake),
    });
  }

  private fusedHead(
    { fused }: StagePlan & { readonly kind: 'operator' },
    operator: Operator,
    failuresOf: (node: LogicalNode) => FailurePolicy,
  ): FusedHead | undefined {
    if (fused === undefined) return undefined;
    const time = { watermark: -Infinity };
    const members = this.members(fused, failuresOf, time);
    const contexts = members.flatMap(({ context }) => context ?? []);
    const source = this.loopSource(fused.source);
    const spec = { ...fused, source, id: fused.keys.owner.id, contexts, carriesKinds: false };
    return {
      source: fused.source && this.source(fused.source, failuresOf(fused.source)),
      loop: generateFusedLoop(spec, operator.recordLoop!(), this.world),
      members: new LoopMembers(members, 'is counted'),
      setWatermark: (timeMs) => {
        time.watermark = timeMs;
      },
    };
  }

  private operatorContext(
    node: LogicalNode,
    gate: InputGate,
    states: UndoableState[],
  ): OperatorContext {
    const { compiler, codegen } = this.world;
    const { state } = this.task;
    return {
      ...this.context(node),
      env: { ...this.world.env, clock: { ...this.world.env.clock, nowMs: this.world.nowMs } },
      metrics: this.world.metricsOf(node.id),
      policy: node.onError,
      codegen,
      compile: (label, source) => compiler.compile(node.id, label, source),
      compileRecordLoop: (loop) =>
        generateRecordLoop(node.id, loop, this.columnsInto(node), compiler),
      keyedState: (descriptors, { recordMs, watermarkMs }) => {
        const time = { recordMs, watermarkMs, processingMs: this.world.nowMs };
        const access = state.keyedState(node.id, descriptors, time);
        states.push(access);
        return access;
      },
      operatorState: (descriptors) => {
        const access = state.operatorState(node.id, descriptors);
        states.push(access);
        return access;
      },
      keyTables: (name, spec) => state.keyTables(node.id, name, spec),
      keyGroupTimes: (name) => state.keyGroupTimes(node.id, name),
      scratchTable: (spec) => state.scratchTable(spec),
      tracksChanges: state.tracksChanges,
      watermark: () => gate.watermark,
    };
  }

  /** How many columns the batches on the operator's keyed edge have. */
  private columnsInto({ id }: LogicalNode): number {
    const edge = this.world.job.graph.edges.find(({ to }) => to === id);
    return edge?.partitioning.projection?.inputs.length ?? 0;
  }

  private loop(plan: LoopPlan): Stage {
    const { compiler, codegen } = this.world;
    // Dead letters of others that a loop only passes on, or gives keys, are its main output.
    const sides = plan.outputs.filter(({ port, relayed }) => port === 'deadLetters' && !relayed);
    const main = plan.outputs.find((output) => !sides.includes(output));
    const ports = new Map(sides.map((output) => [output.node, this.port(output)]));
    const time = { watermark: -Infinity };
    const shares = new ErrorShares();
    const failuresOf = (node: LogicalNode): FailurePolicy => {
      const port = ports.get(node.id);
      return this.failures(node, port === undefined ? undefined : () => port.open, shares);
    };
    const members = this.members(plan, failuresOf, time);
    const id = stageName(plan);
    const contexts = members.flatMap(({ context }) => context ?? []);
    const spec: LoopSpec = { ...plan, source: this.loopSource(plan.source), id, contexts };
    const input: StageInput =
      plan.source === undefined
        ? { kind: 'channels', gate: this.gate(plan) }
        : { kind: 'source', source: this.source(plan.source, failuresOf(plan.source)) };
    return new LoopStage({
      id,
      input,
      loop: codegen === 'on' ? generateLoop(spec, compiler) : flatLoop(spec),
      members: new LoopMembers(members, plan.keys === undefined ? 'is counted' : 'counts'),
      main: main === undefined ? undefined : this.port(main),
      sides: [...ports.values()],
      discarded: new RecordBatch(),
      setWatermark: (timeMs) => {
        time.watermark = timeMs;
      },
    });
  }

  private members(
    { source, steps, keys }: Pick<LoopPlan, 'source' | 'steps' | 'keys'>,
    failuresOf: (node: LogicalNode) => FailurePolicy,
    time: { readonly watermark: number },
  ): LoopMember[] {
    const { metricsOf } = this.world;
    const end = (node: LogicalNode | undefined): LoopMember[] => {
      if (node === undefined) return [];
      const metrics = metricsOf(node.id);
      return [{ step: undefined, metrics, failures: failuresOf(node), context: undefined }];
    };
    const members = steps.map((step): LoopMember => {
      const { node } = step;
      const context = new RecordContext({ ...this.context(node), watermark: () => time.watermark });
      return { step, metrics: metricsOf(node.id), failures: failuresOf(node), context };
    });
    return [...end(source), ...members, ...end(keys?.owner)];
  }
}

type LoopPlan = StagePlan & { readonly kind: 'loop' };

const isSource = ({ kind }: LogicalNode): boolean => kind === 'source';

function createdFor(
  role: OperatorRole,
  factory: OperatorFactory,
  context: OperatorContext,
): Operator {
  if (role === 'whole') return factory.create(context);
  const phases = factory.phases!;
  return role === 'local' ? phases.createLocal(context) : phases.createFinal(context);
}
