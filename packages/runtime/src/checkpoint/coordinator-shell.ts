import { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { Cancellable } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import { manifestName, randomId } from './blob-names.js';
import { type CheckpointReport, History } from './checkpoint-history.js';
import { CheckpointWriter } from './checkpoint-writer.js';
import { CommitLog } from './commit-log.js';
import { attemptEnded, initialState, step } from './coordinator.js';
import type {
  CheckpointCoordinatorOptions,
  CheckpointedTask,
  OpenOptions,
} from './coordinator-options.js';
import type {
  CheckpointRequest,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  StoreEffect,
  UntimedEvent,
} from './coordinator-state.js';
import type { AttemptId, Lineage, Manifest, TaskSnapshot } from './manifest.js';
import { channelsOf, verifyBlob } from './manifest-io.js';
import { PendingRequests } from './pending-requests.js';
import type { RestorePoint } from './restore-point.js';
import { SavepointNames } from './savepoint-names.js';
import { stagedBlobsOf } from './staged-blobs.js';
import { removeOrphans, takeOver } from './take-over.js';

export type { CheckpointCoordinatorOptions, CheckpointedTask, OpenOptions };

/**
 * Takes a job's checkpoints. `step` decides; this carries it out.
 *
 * Order of calls: `open`, then for each attempt `start`, `acknowledge` and `decline` as tasks
 * answer, requests, `endAttempt`; `close` at the end.
 */
export class CheckpointCoordinator {
  readonly savepoints: SavepointNames;
  private readonly options: CheckpointCoordinatorOptions;
  private readonly log: CommitLog;
  private readonly past = new History();
  private state: CoordinatorState | undefined;
  private restore: RestorePoint | undefined;
  private writer: CheckpointWriter | undefined;
  private tasks: ReadonlyMap<string, CheckpointedTask> = new Map();
  private attempt: AttemptId = { number: 0, random: '' };
  private timer: Cancellable | undefined;
  /** Stores are asked for one thing after another. */
  private work: Promise<void> = Promise.resolve();
  private readonly events: CoordinatorEvent[] = [];
  private stepping = false;
  private readonly requests = new PendingRequests();

  constructor(options: CheckpointCoordinatorOptions) {
    this.options = options;
    this.log = new CommitLog(options.meta);
    this.savepoints = new SavepointNames(options.checkpoints);
  }

  /** Past checkpoints, newest last; at most 32. */
  get history(): readonly CheckpointReport[] {
    return this.past.reports;
  }

  /** What a new attempt is restored from: the last commit. */
  get restorePoint(): RestorePoint | undefined {
    return this.restore;
  }

  /** The stretch of the job's history that new checkpoints belong to; once it is open. */
  get lineage(): Lineage | undefined {
    return this.log.record?.lineage;
  }

  /**
   * Takes the job over: from now on no other coordinator commits. Resolves with where the job
   * goes on; undefined for a new one.
   *
   * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`, `ERR_METADATA_ROLLBACK`,
   *   `ERR_REPLAY_NOT_ACCEPTED`, `ERR_CHECKPOINT_SUPERSEDED`, and those of the stores
   */
  async open({
    from,
    acceptReplay,
    largestId,
  }: OpenOptions = {}): Promise<RestorePoint | undefined> {
    const { env, job, checkpoints: store, schedule } = this.options;
    const taken = await takeOver({
      env,
      job,
      store,
      log: this.log,
      verifyBlob: this.options.verifyBlob ?? ((ref) => verifyBlob(store, ref)),
      from,
      acceptReplay: acceptReplay ?? false,
      largestId: largestId ?? 0,
    });
    this.attempt = taken.record.attempt;
    this.restore = taken.restore;
    this.writer = new CheckpointWriter({ env, store, log: this.log, job, ...this.options.graph });
    this.state = initialState(schedule, {
      committed: taken.restore?.manifest.checkpoint,
      lastId: taken.lastId,
      reserved: runtimeLimits.checkpointIdsReserved,
      retained: taken.retained,
    });
    await this.forgive('clean the checkpoint folder', async () => {
      await this.options.clean?.(() => this.log.assertCurrent());
      // The history that a fork leaves behind stays until the next time.
      if (from === undefined) await removeOrphans(store, this.log, taken.retained);
    });
    return this.restore;
  }

  /**
   * All sinks are open, and nothing was read yet: a deliberate restore is not taken back any more.
   *
   * @throws MillraceError `ERR_CHECKPOINT_SUPERSEDED`, and those of the meta store
   */
  settle(): Promise<void> {
    return this.log.settle();
  }

  /**
   * Begins an attempt, and with it the first checkpoint.
   *
   * @param life `draining`: its input ends where it stands, ahead of the first record
   */
  start(tasks: readonly CheckpointedTask[], attempt: number, life: 'running' | 'draining'): void {
    this.attempt = { number: attempt, random: randomId(this.options.env.random) };
    this.tasks = new Map(tasks.map((task) => [task.id, task]));
    this.dispatch({ kind: 'attempt started', tasks: [...this.tasks.keys()], life });
  }

  acknowledge(task: string, checkpoint: number, snapshot: TaskSnapshot): void {
    const { part, sinks } = snapshot;
    const blobs = [...part.chain, ...channelsOf([part]), ...stagedBlobsOf(sinks)];
    this.writer?.keep(checkpoint, task, snapshot);
    const references = blobs.map(({ blob }) => blob);
    this.dispatch({ kind: 'acknowledged', task, checkpoint, references });
  }

  decline(task: string, checkpoint: number, error: MillraceError): void {
    this.dispatch({ kind: 'declined', task, checkpoint, error });
  }

  /**
   * Takes the next checkpoint as soon as the minimum pause allows, ahead of the interval. Without
   * effect while one is in progress.
   */
  hurry(): void {
    this.dispatch({ kind: 'hurried' });
  }

  /** The attempt ends its input: nobody reads on from its checkpoints from now on. */
  drained(): void {
    this.dispatch({ kind: 'drained' });
  }

  /**
   * Takes a checkpoint and fills a savepoint's folder from it; resolves with its manifest.
   *
   * @param afterwards `stop`: no further checkpoint is begun in this attempt
   */
  savepoint(name: string, afterwards: 'go on' | 'stop' = 'go on'): Promise<Manifest> {
    const { attempt } = this;
    return this.savepoints.claim(name, () => {
      // The next attempt has other input: it was not drained, say.
      if (this.attempt !== attempt) throw attemptEnded();
      return this.takeClaimed(name, afterwards);
    });
  }

  /** Takes the last checkpoint of a job whose input has ended, until it succeeds. */
  final(): Promise<void> {
    return this.request((number) => ({ kind: 'final', number }));
  }

  /** Resolves once nothing is in progress; what all tasks have acknowledged is committed first. */
  async endAttempt(): Promise<void> {
    if (this.state?.tasks === undefined) return;
    this.dispatch({ kind: 'attempt ended' });
    this.tasks = new Map();
    while (this.state.phase.kind !== 'idle') await this.work;
    await this.work;
  }

  /** `ERR_CHECKPOINT_SUPERSEDED` when another coordinator has taken the job over. */
  superseded(): Promise<MillraceError | undefined> {
    return this.log.superseded();
  }

  async close(): Promise<void> {
    await this.endAttempt();
    this.timer?.cancel();
  }

  /** The savepoint of a name that whoever asks holds already. */
  async takeClaimed(name: string, afterwards: 'go on' | 'stop' = 'go on'): Promise<Manifest> {
    await this.request((number) => ({ kind: 'savepoint', number, name, afterwards }));
    return this.writer!.savepoint(name);
  }

  private request(form: (number: number) => CheckpointRequest): Promise<void> {
    return this.requests.ask(form, (request) => this.dispatch({ kind: 'requested', request }));
  }

  /** Events that come up while effects are carried out wait until that is done. */
  private dispatch(event: UntimedEvent): void {
    this.events.push({ ...event, nowMs: this.options.env.clock.monotonicMs() } as CoordinatorEvent);
    if (this.stepping) return;
    this.stepping = true;
    try {
      for (let next = this.events.shift(); next !== undefined; next = this.events.shift()) {
        const [state, effects] = step(this.opened(), next);
        this.state = state;
        for (const effect of effects) this.carryOut(effect);
      }
    } finally {
      this.stepping = false;
    }
  }

  private opened(): CoordinatorState {
    if (this.state !== undefined) return this.state;
    throw new MillraceError('ERR_INVARIANT', 'the checkpoint coordinator is not open');
  }

  private carryOut(effect: CoordinatorEffect): void {
    const { env, onAlarm, onFailure } = this.options;
    switch (effect.kind) {
      case 'trigger':
        this.writer!.begin(effect, this.attempt);
        for (const task of this.tasks.values()) {
          task.trigger(effect.checkpoint, effect.as, effect.mode);
        }
        break;
      case 'abort':
        for (const task of this.tasks.values()) task.abort(effect.checkpoint);
        break;
      case 'notify':
        for (const task of this.tasks.values()) task.committed(effect.checkpoint);
        break;
      case 'answer':
        this.requests.answer(effect.request, effect.error);
        break;
      case 'raise alarm':
        this.warn('checkpoints fail, and the job goes on without them', effect.error);
        onAlarm?.(effect.error);
        break;
      case 'clear alarm':
        onAlarm?.(undefined);
        break;
      case 'fail attempt':
        onFailure(effect.error);
        break;
      case 'ended':
        this.past.add(effect, env.clock.nowMs(), this.writer!.measured(effect.checkpoint));
        break;
      case 'refuse':
        env.log.log('debug', 'a late answer to a checkpoint is not used', { ...effect });
        break;
      case 'wake at':
        this.wakeAt(effect.atMs);
        break;
      default:
        this.askStores(effect);
    }
  }

  private askStores(effect: StoreEffect): void {
    const writer = this.writer!;
    switch (effect.kind) {
      case 'reserve':
        this.workOn(effect.checkpoint, async () => {
          await writer.reserve(effect.checkpoint, this.attempt);
          return { kind: 'reserved', checkpoint: effect.checkpoint };
        });
        break;
      case 'write manifest':
        this.workOn(effect.checkpoint, async () => {
          const name = manifestName(effect.checkpoint, this.attempt);
          await writer.write(name, effect.as);
          return { kind: 'manifest written', checkpoint: effect.checkpoint, blob: name };
        });
        break;
      case 'commit':
        this.workOn(effect.checkpoint, async () => {
          this.restore = await writer.commit(effect);
          await this.forgive('mark a commit', () => writer.mark());
          return { kind: 'committed', checkpoint: effect.checkpoint };
        });
        break;
      case 'copy savepoint':
        this.workOn(effect.checkpoint, async () => {
          await writer.copyTo(effect.name);
          return { kind: 'copied', checkpoint: effect.checkpoint };
        });
        break;
      case 'delete':
        this.work = this.work.then(() => this.delete(effect.blobs));
        break;
    }
  }

  private workOn(checkpoint: number, act: () => Promise<UntimedEvent>): void {
    this.work = this.work.then(async () => {
      try {
        this.dispatch(await act());
      } catch (thrown) {
        const error = toMillraceError(thrown, 'ERR_INVARIANT', { job: this.options.job });
        this.dispatch({ kind: 'failed', checkpoint, error });
      }
    });
  }

  /** What stays is an orphan, and removed when the job is opened the next time. */
  private async delete(blobs: readonly string[]): Promise<void> {
    for (const blob of blobs) {
      await this.forgive('delete a blob', () => this.options.checkpoints.remove(blob));
    }
  }

  private async forgive(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.warn(`cannot ${what}`, toMillraceError(thrown, 'ERR_INVARIANT'));
    }
  }

  private warn(message: string, error: MillraceError): void {
    const { env, job } = this.options;
    env.log.log('warn', message, { job, code: error.code, error: error.message });
  }

  private wakeAt(atMs: number | undefined): void {
    this.timer?.cancel();
    this.timer = undefined;
    if (atMs === undefined) return;
    const { clock, scheduler } = this.options.env;
    this.timer = scheduler.after(Math.max(0, atMs - clock.monotonicMs()), () => {
      this.dispatch({ kind: 'woken' });
    });
  }
}
