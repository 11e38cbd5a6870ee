import assert from 'node:assert/strict';
import type { Key } from '@millrace/core/spi';
import fc from 'fast-check';
import { someKeys } from './keyed-operations.js';
import { assertContent, assertTimes } from './state-content.js';
import { groupOf, StateModel } from './state-model.js';
import { anyOperation, manyKeys, type Operation, operate } from './state-operations.js';
import {
  allGroups,
  type CreateBackend,
  groupCount,
  merged,
  type Segment,
  type SnapshotInProgress,
  StateRig,
} from './state-rig.js';

const keys: readonly Key[] = [...someKeys, ...manyKeys];

/** A key of each key group. */
const keyOfGroup = new Map(
  Array.from({ length: groupCount }, (_, group) => {
    let key = 0;
    while (groupOf(key) !== group) key += 1;
    return [group, key] as const;
  }),
);

/** What may happen to a backend. */
type Step =
  | { readonly does: 'operate'; readonly operation: Operation }
  | { readonly does: 'freeze' | 'lose' | 'restart' }
  /** Writes some rows of a snapshot in progress. */
  | { readonly does: 'encode'; readonly rows: number }
  /** Merges segments of the chain: how many from where. */
  | { readonly does: 'merge'; readonly from: number; readonly count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: anyOperation.map((operation) => ({ does: 'operate', operation })) },
  { weight: 5, arbitrary: fc.constant({ does: 'freeze' }) },
  {
    weight: 12,
    arbitrary: fc.constantFrom(1, 2, 7, 50, 1_000).map((rows) => ({ does: 'encode', rows })),
  },
  { weight: 2, arbitrary: fc.constant({ does: 'lose' }) },
  { weight: 1, arbitrary: fc.constant({ does: 'restart' }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('merge'), from: fc.nat(3), count: fc.nat(4) }),
  },
) as fc.Arbitrary<Step>;

/** What a restore gives. */
interface Point {
  readonly chain: readonly Segment[];
  readonly model: StateModel;
  /** What was done since. */
  readonly since: Operation[];
}

/** A backend with its model, through barriers, losses and restarts. */
class History {
  private readonly create: CreateBackend;
  private rig: StateRig;
  private model = new StateModel();
  /** Nothing was lost since the last snapshot was completed. */
  private mayLoseLast = false;
  private points: Point[] = [{ chain: [], model: new StateModel(), since: [] }];
  private running:
    | {
        readonly snapshot: SnapshotInProgress;
        readonly model: StateModel;
        readonly since: Operation[];
      }
    | undefined;

  static async begin(create: CreateBackend): Promise<History> {
    return new History(create, await newRig(create));
  }

  private constructor(create: CreateBackend, rig: StateRig) {
    this.create = create;
    this.rig = rig;
  }

  get latest(): Point {
    return this.points.at(-1)!;
  }

  async do(step: Step): Promise<void> {
    switch (step.does) {
      case 'operate':
        operate(this.rig, this.model, step.operation);
        for (const { since } of this.points) since.push(step.operation);
        this.running?.since.push(step.operation);
        return;
      case 'freeze':
        this.complete();
        this.running = { snapshot: this.rig.freeze(), model: this.model.copy(), since: [] };
        return;
      case 'encode':
        if (this.running?.snapshot.step(step.rows) === 'done') this.complete();
        return;
      case 'lose':
        this.lose();
        return;
      case 'restart':
        this.running = undefined;
        this.rig = await restored(this.create, this.latest);
        this.model = this.latest.model.copy();
        this.points = [{ ...this.latest, since: [] }];
        this.mayLoseLast = false;
        return;
      case 'merge':
        await this.merge(step);
    }
  }

  /** Ends the snapshot in progress. */
  complete(): void {
    if (this.running === undefined) return;
    const { snapshot, model, since } = this.running;
    this.running = undefined;
    this.points.push({ chain: [...this.latest.chain, snapshot.finish()], model, since });
    this.mayLoseLast = true;
  }

  /**
   * The content as it is now, and as it was at the last barrier, however it is restored.
   *
   * @param future what is then done to the backend and to a restored one alike
   */
  async check(future: readonly Operation[] = []): Promise<void> {
    assertContent(this.rig, this.model, keys);
    assertTimes(this.rig, this.model, keyOfGroup);
    this.complete();
    const { chain, model, since } = this.latest;
    const again = await restored(this.create, this.latest);
    assertContent(again, model, keys);
    assertTimes(again, model, keyOfGroup);
    const full = again.fullSnapshot();
    assertContent(await restored(this.create, { chain: [full], model }), model, keys);
    if (chain.length > 1) {
      const one = await merged(chain, true);
      assertContent(await restored(this.create, { chain: [one], model }), model, keys);
    }
    await this.checkParts();
    for (const operation of since) operate(again, model, operation);
    for (const operation of future) {
      operate(again, this.model.copy(), operation);
      operate(this.rig, this.model, operation);
    }
    assertContent(again, this.model, keys);
    drain(again, this.rig, this.model);
  }

  /** Two parts of the key groups have what is theirs, and make the whole together. */
  private async checkParts(): Promise<void> {
    const { chain, model } = this.latest;
    const ranges = [
      { first: 0, last: 2 },
      { first: 3, last: allGroups.last },
    ];
    const whole = await newRig(this.create);
    for (const range of ranges) {
      const isIn = (group: number): boolean => group >= range.first && group <= range.last;
      const part = await newRig(this.create, range);
      setTime(part, model);
      await part.load(chain, range);
      const own = model.only(isIn);
      assertContent(part, own, keys);
      assertTimes(part, own, new Map([...keyOfGroup].filter(([group]) => isIn(group))));
      await whole.load([part.fullSnapshot()], allGroups, range);
    }
    setTime(whole, model);
    assertContent(whole, model, keys);
    assertTimes(whole, model, keyOfGroup);
  }

  /** The snapshot in progress has failed, or the last one is lost; never both. */
  private lose(): void {
    if (this.running !== undefined) this.running = undefined;
    else if (this.mayLoseLast) this.points.pop();
    this.mayLoseLast = false;
    this.rig.backend.abandon();
  }

  private async merge({ from, count }: Step & { does: 'merge' }): Promise<void> {
    const { chain } = this.latest;
    const inputs = chain.slice(from, from + count);
    if (inputs.length < 2) return;
    const one = await merged(inputs, from === 0);
    const rest = chain.slice(from + count);
    this.points[this.points.length - 1] = {
      ...this.latest,
      chain: [...chain.slice(0, from), one, ...rest],
    };
  }
}

async function newRig(create: CreateBackend, groups = allGroups): Promise<StateRig> {
  return new StateRig(await create({ tracking: 'tracked', groupCount, groups }));
}

async function restored(
  create: CreateBackend,
  { chain, model }: Pick<Point, 'chain' | 'model'>,
): Promise<StateRig> {
  const rig = await newRig(create);
  await rig.load(chain);
  setTime(rig, model);
  return rig;
}

function setTime(rig: StateRig, model: StateModel): void {
  Object.assign(rig.time, model.time);
}

/** Timers come out of both in the order of the model. */
function drain(a: StateRig, b: StateRig, model: StateModel): void {
  for (const kind of ['event', 'processing'] as const) {
    for (;;) {
      const due = model.takeDue(kind, Infinity);
      const wanted = due && { name: due.name, key: due.key, atMs: due.atMs };
      assert.deepStrictEqual(a.keyed[`${kind}Timers`].takeDue(Infinity), wanted);
      assert.deepStrictEqual(b.keyed[`${kind}Timers`].takeDue(Infinity), wanted);
      if (due === undefined) break;
    }
  }
}

export async function checkHistories(create: CreateBackend, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.array(anyOperation, { maxLength: 15, size: 'max' }),
      async (steps, future) => {
        const history = await History.begin(create);
        for (const each of steps) await history.do(each);
        await history.check(future);
      },
    ),
    { numRuns },
  );
}

/** Rows are changed, removed and added between any two steps of a snapshot. */
export async function checkEverySlice(create: CreateBackend): Promise<void> {
  const spread = (name: Operation['name']): Step[] =>
    [0, 3, 6, 9, 12].map((at) => ({
      does: 'operate',
      operation: { name, key: at, a: at, b: at % 8, undone: [] },
    }));
  const names = ['setValue', 'setEntry', 'setSorted', 'addToList', 'addRow', 'addNumber'] as const;
  const fill = [...names, 'setRule' as const, 'setTimer' as const, 'grow' as const].flatMap(spread);
  const between = [
    ...(['addRow', 'removeRow', 'addNumber', 'removeNumber', 'dropNamespace'] as const),
    ...(['clearValue', 'setValue', 'deleteEntry', 'setEntry', 'clearTimers', 'setTimer'] as const),
    ...(['shrink', 'grow', 'deleteRange', 'clearMap', 'takeDue'] as const),
    ...(['setRule', 'deleteRule', 'clearRules'] as const),
  ].map(spread);
  for (const isFirst of [true, false]) {
    for (const [at, changes] of between.entries()) {
      for (let slices = 0; slices < 12; slices += 3) {
        const history = await History.begin(create);
        for (const each of fill) await history.do(each);
        if (!isFirst) {
          await history.do({ does: 'freeze' });
          history.complete();
          for (const each of spread('addRow')) await history.do(each);
          for (const each of spread('setEntry')) await history.do(each);
        }
        await history.do({ does: 'freeze' });
        for (let i = 0; i < slices; i += 1) await history.do({ does: 'encode', rows: 20 });
        for (const each of changes) await history.do(each);
        await history.do({ does: 'encode', rows: 1 });
        for (const each of between[(at + 3) % between.length]!) await history.do(each);
        await history.check();
      }
    }
  }
}
