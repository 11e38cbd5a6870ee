import { type BuiltJob, MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { Env } from '@millrace/core/spi';
import type { CheckpointCoordinator, CheckpointedTask } from '../checkpoint/coordinator-shell.js';
import type { Manifest, StateSummary } from '../checkpoint/manifest.js';
import type { DeclaredState } from '../checkpoint/state-difference.js';
import { canGenerateCode } from '../codegen/compiler.js';
import { closeAll } from '../engine/close-all.js';
import type { PhysicalPlan } from '../plan/physical-plan.js';
import { GroupAlignment } from './group-alignment.js';
import { refuseStateChange } from './restore-state.js';
import { refuseLostChannels } from './restored-channels.js';
import type { EnumeratorStates, SlotControl, SlotListener } from './slot-control.js';
import { SourceAssignments } from './source-assignments.js';

/** What an attempt needs for taking checkpoints. */
interface AttemptCheckpoints {
  readonly coordinator: CheckpointCoordinator;
  /** Number of the attempt, from 1. */
  readonly number: number;
  /** What the attempt goes on from; undefined: from nothing. */
  readonly restored: Manifest | undefined;
  readonly allowStateChange: readonly string[];
}

export interface AttemptParts {
  readonly job: BuiltJob;
  readonly plan: PhysicalPlan;
  readonly env: Env;
  /** Makes a slot of the attempt. */
  readonly createSlot: (slot: number, listener: SlotListener) => SlotControl;
  /** Called when all slots are open, ahead of the first record. */
  readonly onOpen: () => void;
  readonly checkpoints: AttemptCheckpoints | undefined;
}

/** Somebody waits for the savepoint of an input that is ended for it. */
interface Drain {
  readonly savepoint: string;
  readonly resolve: (manifest: Manifest) => void;
  readonly reject: (error: unknown) => void;
}

/** One run of a job, from a start or restore to its end or failure: leads its slots. */
export class JobAttempt {
  readonly slots: readonly SlotControl[];
  private readonly parts: AttemptParts;
  private readonly sources: SourceAssignments;
  private declared: readonly DeclaredState[] = [];
  private readonly alignment: GroupAlignment;
  private openSources: number;
  /** `ending`: all input has ended, the final checkpoint is under way. */
  private phase: 'reading' | 'ending' | 'over' = 'reading';
  /** Savepoints that are to be taken when all input is dealt with. */
  private readonly drains: Drain[] = [];
  /** States of enumerators as of the checkpoint in progress. */
  private enumerated:
    | { readonly checkpoint: number; readonly states: EnumeratorStates }
    | undefined;

  constructor(parts: AttemptParts) {
    const { plan, createSlot, job, env, checkpoints } = parts;
    this.parts = parts;
    const listener = this.listener();
    // Ahead of the slots: what an enumerator throws as it is made must leave no threads behind.
    this.sources = new SourceAssignments({
      job,
      plan,
      env,
      restored: checkpoints?.restored,
      slots: () => this.slots,
      fail: (error) => this.fail(error),
    });
    this.slots = Array.from({ length: plan.slots }, (_, slot) => createSlot(slot, listener));
    this.openSources = this.sources.subtasks;
    this.alignment = new GroupAlignment(plan.slots, env.scheduler, (slot, group, othersMs) =>
      this.slots[slot]!.align(group, othersMs),
    );
  }

  /** Runs until the input has ended, or it was cancelled; rejects when it failed. */
  async run(): Promise<'finished' | 'cancelled'> {
    const { checkpoints } = this.parts;
    try {
      const declared = await Promise.all(this.slots.map((slot) => slot.build()));
      this.declared = declared.flat();
      const { restored, allowStateChange = [] } = checkpoints ?? {};
      if (restored !== undefined) {
        refuseStateChange(restored, this.declared, allowStateChange);
        refuseLostChannels(restored, this.parts.plan);
      }
      await this.open();
      await checkpoints?.coordinator.settle();
      await this.sources.discover();
      this.parts.onOpen();
      this.startCheckpoints();
      return await this.untilEnd();
    } finally {
      this.phase = 'over';
      for (const { reject } of this.drains.splice(0)) reject(notDrained());
      this.alignment.close();
      await closeAll([() => this.sources.close(), ...this.slots.map((slot) => () => slot.close())]);
    }
  }

  cancel(): void {
    for (const slot of this.slots) slot.cancel();
  }

  /** Something outside the slots has failed the attempt. */
  fail(thrown: unknown): void {
    const error = toMillraceError(thrown, 'ERR_INVARIANT');
    for (const slot of this.slots) slot.fail(error);
  }

  /** What the operators have declared, each state once. */
  states(): readonly StateSummary[] {
    const byName = new Map<string, StateSummary>();
    for (const { migrates: _, ...state } of this.declared) {
      byName.set(`${state.operator}\n${state.state}`, state);
    }
    return [...byName.values()];
  }

  /** Ends the input of all sources where it stands; takes a savepoint when all is dealt with. */
  async drain(savepoint: string): Promise<Manifest> {
    const { coordinator } = this.parts.checkpoints!;
    // Held from now on: a name that it cannot have would end the job without it.
    return coordinator.savepoints.claim(savepoint, async () => {
      if (this.phase === 'over') throw notDrained();
      if (this.phase === 'ending') return coordinator.takeClaimed(savepoint);
      const taken = new Promise<Manifest>((resolve, reject) => {
        this.drains.push({ savepoint, resolve, reject });
      });
      coordinator.drained();
      for (const slot of this.slots) slot.drain();
      return taken;
    });
  }

  /** Resolves when the sinks have published all that is committed. */
  async sinksQuiet(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.sinksQuiet()));
  }

  /** All have opened, or failed to, before anything is closed. */
  private async open(): Promise<void> {
    const opened = await Promise.allSettled(this.slots.map((slot) => slot.open()));
    for (const each of opened) if (each.status === 'rejected') throw each.reason;
  }

  /** The first slot that fails, fails the attempt; the others end where they stand. */
  private async untilEnd(): Promise<'finished' | 'cancelled'> {
    const running = this.slots.map((slot) => slot.start());
    try {
      const ends = await Promise.all(running);
      return ends.includes('cancelled') ? 'cancelled' : 'finished';
    } catch (error) {
      this.cancel();
      await Promise.allSettled(running);
      throw error;
    }
  }

  private startCheckpoints(): void {
    const { checkpoints, plan } = this.parts;
    if (checkpoints === undefined) return;
    const tasks = plan.tasks.map(({ id, slot }): CheckpointedTask => {
      const control = this.slots[slot]!;
      return {
        id,
        trigger: (checkpoint, _kind, mode) =>
          control.trigger(id, checkpoint, this.enumeratedFor(checkpoint), mode),
        abort: (checkpoint) => control.abort(id, checkpoint),
        committed: (checkpoint) => control.committed(id, checkpoint),
      };
    });
    const { coordinator, number, restored } = checkpoints;
    // Whatever is read behind a checkpoint for which all windows have fired would be late.
    const isDrained = restored?.drained === true;
    if (isDrained) for (const slot of this.slots) slot.drain();
    coordinator.start(tasks, number, isDrained || this.drains.length > 0 ? 'draining' : 'running');
  }

  /** The same for all tasks: as of the moment the first of them was told of the checkpoint. */
  private enumeratedFor(checkpoint: number): EnumeratorStates {
    if (this.enumerated?.checkpoint !== checkpoint) {
      this.enumerated = { checkpoint, states: this.sources.states() };
    }
    return this.enumerated.states;
  }

  private listener(): SlotListener {
    const coordinator = this.parts.checkpoints?.coordinator;
    return {
      acknowledged: (...acknowledged) => coordinator?.acknowledge(...acknowledged),
      declined: (...declined) => coordinator?.decline(...declined),
      sourceEnded: () => this.sourceEnded(),
      wantsCheckpoint: () => coordinator?.hurry(),
      aligned: (...reported) => this.alignment.report(...reported),
      failed: (error) => this.fail(error),
    };
  }

  /** With the last source's end comes the final checkpoint; only then do the channels close. */
  private sourceEnded(): void {
    this.openSources -= 1;
    if (this.openSources > 0 || this.phase !== 'reading') return;
    this.phase = 'ending';
    this.finish().then(
      () => {
        for (const slot of this.slots) slot.release();
      },
      (error: unknown) => this.fail(error),
    );
  }

  private async finish(): Promise<void> {
    const { coordinator } = this.parts.checkpoints!;
    // A savepoint that fails is told to whoever asked for it.
    for (const { savepoint, resolve, reject } of this.drains.splice(0)) {
      await this.ifEnding(() => coordinator.takeClaimed(savepoint)).then(resolve, reject);
    }
    await this.ifEnding(() => coordinator.final());
  }

  /** What is asked of the coordinator behind the attempt's end would be the next attempt's. */
  private async ifEnding<R>(ask: () => Promise<R>): Promise<R> {
    if (this.phase === 'over') throw notDrained();
    return ask();
  }
}

const notDrained = (): MillraceError =>
  new MillraceError('ERR_CHECKPOINT_FAILED', 'the attempt ended ahead of its input');

/** Whether code is generated: unless told otherwise where the host allows it. */
export const codegenOf = (wanted: 'on' | 'off' | undefined): 'on' | 'off' =>
  wanted ?? (canGenerateCode() ? 'on' : 'off');
