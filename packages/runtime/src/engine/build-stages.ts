import type { BuiltJob, LogicalNode } from '@millrace/core';
import { MillraceError } from '@millrace/core';
import { RecordContext, type SourceDefinition } from '@millrace/core/internal';
import {
  type Env,
  type KeyedStateAccess,
  type OperatorContext,
  type OperatorFactory,
  RecordBatch,
  type Sink,
  type SourceContext,
  type StateBackend,
} from '@millrace/core/spi';
import type { Compiler } from '../codegen/compiler.js';
import { flatLoop, generateLoop, type LoopSpec } from '../codegen/loop.js';
import { flatTimestamps, generateTimestamps } from '../codegen/timestamps.js';
import { runtimeLimits } from '../limits.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import { planStages, type StageOutput, type StagePlan } from '../plan/stage-plan.js';
import { AlignmentGroup } from './alignment-group.js';
import { type BatchShape, plainShape } from './batch-pool.js';
import { Channel } from './channel.js';
import { FailurePolicy } from './failure-policy.js';
import { InputGate } from './input-gate.js';
import { type LoopMember, LoopStage } from './loop-stage.js';
import { OperatorStage } from './operator-stage.js';
import { OutputPort } from './output-port.js';
import { SinkStage } from './sink-stage.js';
import { SourceStage } from './source-stage.js';
import { SourceTime } from './source-time.js';
import type { Stage } from './stage.js';
import { StageOutputs } from './stage-outputs.js';

/** What the stages of one slot need from around them. */
export interface StageWorld {
  readonly job: BuiltJob;
  readonly env: Env;
  readonly compiler: Compiler;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  readonly state: StateBackend;
  readonly metricsOf: (operator: string) => OperatorMetrics;
  /** Monotone processing time, epoch ms. */
  readonly nowMs: () => number;
  readonly wake: (failure?: unknown) => void;
}

export interface BuiltStages {
  /** In topological order. */
  readonly stages: readonly Stage[];
  readonly channels: readonly Channel[];
}

/** Makes the stages of a job for one slot, connected by channels. */
export function buildStages(world: StageWorld): BuiltStages {
  const plans = planStages(world.job);
  if (plans.length > runtimeLimits.stagesMax) {
    throw new MillraceError('ERR_INVALID_OPTION', `the job has ${plans.length} stages`);
  }
  const builder = new StageBuilder(world, plans);
  return { stages: plans.map((plan) => builder.build(plan)), channels: builder.allChannels() };
}

class StageBuilder {
  private readonly world: StageWorld;
  private readonly outgoing = new Map<StageOutput, readonly Channel[]>();
  private readonly incoming = new Map<number, Channel[]>();
  private readonly groups = new Map<string, AlignmentGroup>();

  constructor(world: StageWorld, plans: readonly StagePlan[]) {
    this.world = world;
    for (const output of plans.flatMap(({ outputs }) => outputs)) {
      const channels = output.targets.map(({ edge, input, stage }) => {
        const channel = new Channel(edge.id, input);
        const others = this.incoming.get(stage);
        if (others === undefined) this.incoming.set(stage, [channel]);
        else others.push(channel);
        return channel;
      });
      this.outgoing.set(output, channels);
    }
  }

  allChannels(): readonly Channel[] {
    return [...this.outgoing.values()].flat();
  }

  build(plan: StagePlan): Stage {
    if (plan.kind === 'loop') return this.loop(plan);
    const { node } = plan;
    if (plan.kind === 'source') return this.source(plan, node);
    return plan.kind === 'sink' ? this.sink(plan, node) : this.operator(plan, node);
  }

  private definition<D>(node: LogicalNode): D {
    return this.world.job.functions.nodes.get(node.id) as D;
  }

  private port(output: StageOutput, shape: BatchShape = plainShape): OutputPort {
    const metrics = this.world.metricsOf(output.node);
    return new OutputPort(this.outgoing.get(output)!, shape, metrics, this.world.checkRecords);
  }

  private outputs(plan: StagePlan, node: LogicalNode): StageOutputs {
    const own = plan.outputs.filter((output) => output.node === node.id);
    const main = own.find(({ port }) => port === '');
    const sides = own.filter(({ port }) => port !== '');
    return new StageOutputs(
      main === undefined ? undefined : this.port(main),
      new Map(sides.map((output) => [output.port, this.port(output)])),
      new RecordBatch(),
    );
  }

  private failures(node: LogicalNode, deadLetters: OutputPort | undefined): FailurePolicy {
    const { metricsOf, env } = this.world;
    const batch = deadLetters === undefined ? undefined : () => deadLetters.open;
    return new FailurePolicy(node.onError, metricsOf(node.id), env.clock, batch);
  }

  private failuresInto(node: LogicalNode, outputs: StageOutputs): FailurePolicy {
    const { metricsOf, env } = this.world;
    const batch = outputs.isConsumed('deadLetters') ? () => outputs.side('deadLetters') : undefined;
    return new FailurePolicy(node.onError, metricsOf(node.id), env.clock, batch);
  }

  private context(node: LogicalNode): SourceContext {
    const { env, metricsOf } = this.world;
    const metrics = metricsOf(node.id);
    return { operatorId: node.id, subtask: 0, parallelism: 1, env, metrics, log: env.log };
  }

  private source(plan: StagePlan, node: LogicalNode): Stage {
    const { compiler, codegen, nowMs, wake, env, metricsOf } = this.world;
    const { source, watermarks } = this.definition<SourceDefinition>(node);
    const context = this.context(node);
    const outputs = this.outputs(plan, node);
    const time = new SourceTime(watermarks, this.groupOf(watermarks.alignment?.group));
    metricsOf(node.id).gauge('currentOutputWatermark', () => time.watermark);
    return new SourceStage({
      id: node.id,
      reader: source.createReader(context),
      enumerator: source.createEnumerator(context),
      time,
      assign:
        codegen === 'on'
          ? generateTimestamps(node.id, watermarks, compiler)
          : flatTimestamps(node.id, watermarks),
      farFutureMs: watermarks.farFutureMs,
      outputs,
      metrics: metricsOf(node.id),
      failures: this.failuresInto(node, outputs),
      nowMs,
      wake,
      later: (delayMs, action) => env.scheduler.after(delayMs, action),
    });
  }

  private groupOf(name: string | undefined): AlignmentGroup | undefined {
    if (name === undefined) return undefined;
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new AlignmentGroup();
      this.groups.set(name, group);
    }
    return group;
  }

  private sink(plan: StagePlan, node: LogicalNode): Stage {
    const { metricsOf, wake } = this.world;
    const gate = new InputGate(this.incoming.get(plan.index) ?? []);
    const writer = this.definition<Sink<unknown>>(node).createWriter(this.context(node));
    metricsOf(node.id).gauge('currentInputWatermark', () => gate.watermark);
    return new SinkStage(gate, writer, metricsOf(node.id), wake);
  }

  private operator(plan: StagePlan, node: LogicalNode): Stage {
    const { metricsOf, nowMs } = this.world;
    const gate = new InputGate(this.incoming.get(plan.index) ?? []);
    const metrics = metricsOf(node.id);
    metrics.gauge('currentInputWatermark', () => gate.watermark);
    const states: KeyedStateAccess[] = [];
    const outputs = this.outputs(plan, node);
    const context = this.operatorContext(node, gate, states);
    return new OperatorStage({
      id: node.id,
      gate,
      operator: this.definition<OperatorFactory>(node).create(context),
      outputs,
      metrics,
      failures: this.failuresInto(node, outputs),
      states,
      nowMs,
    });
  }

  private operatorContext(
    node: LogicalNode,
    gate: InputGate,
    states: KeyedStateAccess[],
  ): OperatorContext {
    const { compiler, codegen, state } = this.world;
    return {
      ...this.context(node),
      env: { ...this.world.env, clock: { ...this.world.env.clock, nowMs: this.world.nowMs } },
      metrics: this.world.metricsOf(node.id),
      policy: node.onError,
      codegen,
      compile: (label, source) => compiler.compile(node.id, label, source),
      keyedState: (descriptors) => {
        const access = state.keyedState(node.id, descriptors);
        states.push(access);
        return access;
      },
      keyTable: (spec) => state.keyTable(node.id, spec),
      watermark: () => gate.watermark,
    };
  }

  private loop(plan: StagePlan & { readonly kind: 'loop' }): Stage {
    const { compiler, codegen } = this.world;
    const [input] = this.incoming.get(plan.index)!;
    const sides = plan.outputs.filter(({ port }) => port === 'deadLetters');
    const main = plan.outputs.find((output) => !sides.includes(output));
    const ports = new Map(sides.map((output) => [output.node, this.port(output)]));
    const time = { watermark: -Infinity };
    const members = this.members(plan, ports, time);
    const id = plan.steps[0]?.node.id ?? plan.keys!.edge.id;
    const contexts = members.flatMap(({ context }) => context ?? []);
    const spec: LoopSpec = { ...plan, id, contexts };
    return new LoopStage({
      id,
      input: input!,
      loop: codegen === 'on' ? generateLoop(spec, compiler) : flatLoop(spec),
      members,
      main: main === undefined ? undefined : this.port(main, shapeOf(plan)),
      sides: [...ports.values()],
      discarded: new RecordBatch(),
      setWatermark: (timeMs) => {
        time.watermark = timeMs;
      },
    });
  }

  private members(
    { steps, keys }: StagePlan & { readonly kind: 'loop' },
    deadLetters: ReadonlyMap<string, OutputPort>,
    time: { readonly watermark: number },
  ): LoopMember[] {
    const members = steps.map((step): LoopMember => {
      const { node } = step;
      const context = new RecordContext({ ...this.context(node), watermark: () => time.watermark });
      const failures = this.failures(node, deadLetters.get(node.id));
      return { step, metrics: this.world.metricsOf(node.id), failures, context };
    });
    if (keys === undefined) return members;
    const { owner } = keys;
    const failures = this.failures(owner, deadLetters.get(owner.id));
    const metrics = this.world.metricsOf(owner.id);
    return [...members, { step: undefined, metrics, failures, context: undefined }];
  }
}

function shapeOf({ keys }: StagePlan & { readonly kind: 'loop' }): BatchShape {
  if (keys === undefined) return plainShape;
  return { keys: true, columns: keys.edge.partitioning.projection?.inputs ?? [] };
}
