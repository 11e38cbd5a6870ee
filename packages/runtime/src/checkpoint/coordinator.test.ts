import { MillraceError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialState, step } from './coordinator.js';
import type {
  CheckpointSchedule,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
} from './coordinator-state.js';

const schedule: CheckpointSchedule = {
  intervalMs: 100,
  pauseMs: 10,
  timeoutMs: 50,
  alignmentTimeoutMs: 50,
  unaligned: 'allowed',
  toleratedFailures: 1,
  retained: 2,
};

const fresh = (committed?: number, own: Partial<CheckpointSchedule> = {}): CoordinatorState =>
  initialState(
    { ...schedule, ...own },
    { committed, lastId: committed ?? 0, reserved: 1, retained: [] },
  );

const full = new MillraceError('ERR_STORAGE_FULL', 'no space');
const refused = new MillraceError('ERR_SINK_FAILED', 'cannot prepare');
const unwritable = new MillraceError('ERR_UNSERIALISABLE_VALUE', 'in state last: a function');
const superseded = new MillraceError('ERR_CHECKPOINT_SUPERSEDED', 'by another');

/** One line for an effect, as the tables below have them. */
function lineOf(effect: CoordinatorEffect): string | undefined {
  switch (effect.kind) {
    case 'wake at':
    case 'ended':
      return undefined;
    case 'delete':
      return `delete ${effect.blobs.join(' ')}`;
    case 'raise alarm':
    case 'fail attempt':
      return `${effect.kind} ${effect.error.code}`;
    case 'answer':
      return `answer ${effect.request} ${effect.error?.code ?? 'done'}`;
    case 'trigger':
      return [
        `trigger ${effect.checkpoint} ${effect.as}`,
        ...(effect.mode === 'aligned' ? [] : ['unaligned']),
        ...(effect.isDrained ? ['drained'] : []),
      ].join(' ');
    case 'commit':
      return `commit ${effect.checkpoint} keep ${effect.retained.join(' ')}`.trim();
    case 'copy savepoint':
      return `copy ${effect.checkpoint} to ${effect.name}`;
    case 'refuse':
      return `refuse ${effect.task} ${effect.checkpoint}`;
    default:
      return 'checkpoint' in effect ? `${effect.kind} ${effect.checkpoint}` : effect.kind;
  }
}

type Line = readonly [
  nowMs: number,
  event: DistributiveOmit<CoordinatorEvent, 'nowMs'>,
  expected: readonly string[],
];
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function check(state: CoordinatorState, lines: readonly Line[]): CoordinatorState {
  let current = state;
  for (const [index, [nowMs, event, expected]] of lines.entries()) {
    const [next, effects] = step(current, { ...event, nowMs } as CoordinatorEvent);
    const found = effects.flatMap((effect) => lineOf(effect) ?? []);
    expect(found, `line ${index}: ${event.kind} at ${nowMs}`).toEqual(expected);
    current = next;
  }
  return current;
}

const start = { kind: 'attempt started', tasks: ['a', 'b'], life: 'running' } as const;
const woken = { kind: 'woken' } as const;
const hurried = { kind: 'hurried' } as const;
const ack = (task: string, checkpoint: number, ...references: string[]) =>
  ({ kind: 'acknowledged', task, checkpoint, references }) as const;
const written = (checkpoint: number) =>
  ({ kind: 'manifest written', checkpoint, blob: `manifests/${checkpoint}` }) as const;
const committed = (checkpoint: number) => ({ kind: 'committed', checkpoint }) as const;
const failed = (checkpoint: number, error: MillraceError) =>
  ({ kind: 'failed', checkpoint, error }) as const;
const final = { kind: 'requested', request: { kind: 'final', number: 7 } } as const;
const savepoint = (afterwards: 'go on' | 'stop' = 'go on') =>
  ({
    kind: 'requested',
    request: { kind: 'savepoint', number: 8, name: 's', afterwards },
  }) as const;

/** The lines of a checkpoint that nothing disturbs, after its trigger. */
const taken = (nowMs: number, id: number, keep = '', ...more: string[]): Line[] => [
  [nowMs, ack('a', id, `segments/a${id}`), []],
  [nowMs, ack('b', id, `segments/b${id}`), [`write manifest ${id}`]],
  [nowMs, written(id), [`commit ${id} keep ${keep}`.trim()]],
  [nowMs, committed(id), [`notify ${id}`, ...more]],
];

describe('a checkpoint that is not aligned in time', () => {
  const hasty = (own: Partial<CheckpointSchedule> = {}) =>
    fresh(undefined, { timeoutMs: 1_000, alignmentTimeoutMs: 50, ...own });
  const reserved = (checkpoint: number) => ({ kind: 'reserved', checkpoint }) as const;

  test('makes way at once for one whose barriers overtake; the one after that is aligned', () => {
    check(hasty(), [
      [0, start, ['trigger 1 checkpoint']],
      [40, ack('a', 1, 'segments/a1'), []],
      [49, woken, []],
      [50, woken, ['abort 1', 'reserve 2']],
      [51, reserved(2), ['trigger 2 checkpoint unaligned']],
      [99, ack('a', 1), ['refuse a 1']],
      // One that overtakes has all the time there is.
      [900, woken, []],
      [900, ack('a', 2, 'segments/a2', 'channels/a2'), []],
      [900, ack('b', 2, 'segments/b2'), ['write manifest 2']],
      [901, written(2), ['commit 2 keep']],
      [902, committed(2), ['notify 2', 'delete segments/a1']],
      [912, woken, ['trigger 3 checkpoint']],
      [962, woken, ['abort 3', 'reserve 4']],
      [963, reserved(4), ['trigger 4 checkpoint unaligned']],
    ]);
  });

  test('asks to be woken for it, from the trigger on, not from the reservation', () => {
    let state = hasty();
    const wakes: (number | undefined)[] = [];
    const events: [number, DistributiveOmit<CoordinatorEvent, 'nowMs'>][] = [
      [0, start],
      [50, woken],
      [200, reserved(2)],
      [1_051, woken],
    ];
    for (const [nowMs, event] of events) {
      const [next, effects] = step(state, { ...event, nowMs } as CoordinatorEvent);
      for (const effect of effects) if (effect.kind === 'wake at') wakes.push(effect.atMs);
      state = next;
    }
    expect(wakes).toEqual([50, 1_050, 1_061]);
  });

  test('is no failure; one that overtakes and fails is, and the next one overtakes, too', () => {
    check(hasty({ toleratedFailures: 0 }), [
      [0, start, ['trigger 1 checkpoint']],
      [50, woken, ['abort 1', 'reserve 2']],
      [50, reserved(2), ['trigger 2 checkpoint unaligned']],
      [
        60,
        { kind: 'declined', task: 'a', checkpoint: 2, error: refused },
        ['abort 2', 'fail attempt ERR_CHECKPOINT_FAILED'],
      ],
      [150, woken, ['reserve 3']],
      [150, reserved(3), ['trigger 3 checkpoint unaligned']],
      [160, { kind: 'attempt ended' }, []],
      [170, start, ['reserve 4']],
      [170, reserved(4), ['trigger 4 checkpoint']],
    ]);
  });

  test('three times in a row, where none may overtake, fails the attempt', () => {
    const never = hasty({ unaligned: 'never', toleratedFailures: 5 });
    check(never, [
      [0, start, ['trigger 1 checkpoint']],
      [50, woken, ['abort 1']],
      [99, woken, []],
      [100, woken, ['reserve 2']],
      [100, reserved(2), ['trigger 2 checkpoint']],
      [150, woken, ['abort 2']],
      [200, woken, ['reserve 3']],
      [200, reserved(3), ['trigger 3 checkpoint']],
      [250, woken, ['abort 3', 'fail attempt ERR_CHECKPOINT_FAILED']],
    ]);
    // The second one counts among failures.
    check(hasty({ unaligned: 'never', toleratedFailures: 0 }), [
      [0, start, ['trigger 1 checkpoint']],
      [50, woken, ['abort 1']],
      [100, woken, ['reserve 2']],
      [100, reserved(2), ['trigger 2 checkpoint']],
      [150, woken, ['abort 2', 'fail attempt ERR_CHECKPOINT_FAILED']],
    ]);
  });

  test('with a commit in between begins the row anew', () => {
    const never = hasty({ unaligned: 'never', toleratedFailures: 0 });
    check(never, [
      [0, start, ['trigger 1 checkpoint']],
      [50, woken, ['abort 1']],
      [100, woken, ['reserve 2']],
      [100, reserved(2), ['trigger 2 checkpoint']],
      ...taken(110, 2),
      [200, woken, ['trigger 3 checkpoint']],
      [250, woken, ['abort 3']],
    ]);
  });

  test('that somebody has asked for waits as long as any', () => {
    check(hasty(), [
      [0, start, ['trigger 1 checkpoint']],
      [50, savepoint(), []],
      // What is asked for comes first, and is aligned.
      [50, woken, ['abort 1', 'reserve 2']],
      [50, reserved(2), ['trigger 2 savepoint']],
      [999, woken, []],
      [1_050, woken, ['abort 2', 'answer 8 ERR_CHECKPOINT_FAILED']],
      [1_060, woken, ['reserve 3']],
      [1_060, reserved(3), ['trigger 3 checkpoint unaligned']],
      [1_070, final, []],
      [1_080, ack('a', 3), []],
      [1_080, ack('b', 3), ['write manifest 3']],
      [1_080, written(3), ['commit 3 keep']],
      [1_080, committed(3), ['notify 3', 'trigger 4 final']],
      [1_200, woken, []],
    ]);
  });

  test('waits as long as any while the input is drained', () => {
    check(hasty(), [
      [0, start, ['trigger 1 checkpoint']],
      [40, { kind: 'drained' }, []],
      [60, woken, []],
      ...taken(70, 1),
      [170, woken, ['trigger 2 checkpoint drained']],
      [180, { kind: 'attempt ended' }, []],
      [200, start, ['notify 1', 'reserve 3']],
      [200, reserved(3), ['trigger 3 checkpoint']],
      [250, woken, ['abort 3', 'reserve 4']],
      [250, { kind: 'drained' }, []],
      [251, reserved(4), ['trigger 4 checkpoint drained']],
      [260, ack('a', 4), []],
      [260, { kind: 'declined', task: 'b', checkpoint: 4, error: refused }, ['abort 4']],
      [350, woken, ['reserve 5']],
      [350, reserved(5), ['trigger 5 checkpoint drained']],
    ]);
  });

  test('says that its input was drained from the first one on where that was so before', () => {
    check(hasty(), [[0, { ...start, life: 'draining' }, ['trigger 1 checkpoint drained']]]);
  });

  test('with the same timeout for both is a failure like any', () => {
    check(fresh(undefined, { toleratedFailures: 0 }), [
      [0, start, ['trigger 1 checkpoint']],
      [50, woken, ['abort 1', 'fail attempt ERR_CHECKPOINT_FAILED']],
    ]);
  });
});

describe('a checkpoint', () => {
  test('begins with the attempt, and is committed once all have acknowledged it', () => {
    check(fresh(), [[0, start, ['trigger 1 checkpoint']], ...taken(5, 1)]);
  });

  test('follows the interval, and pauses after a slow one', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [99, woken, []],
      [100, woken, ['trigger 2 checkpoint']],
      [149, woken, []],
      ...taken(149, 2, '1'),
      [200, woken, ['trigger 3 checkpoint']],
      [245, ack('a', 3), []],
      [245, ack('b', 3), ['write manifest 3']],
      [246, written(3), ['commit 3 keep 2']],
      [295, committed(3), ['notify 3', 'delete segments/a1 segments/b1 manifests/1']],
      [300, woken, []],
      [305, woken, ['trigger 4 checkpoint']],
    ]);
  });

  test('that is wanted early waits for the pause, and the interval begins anew with it', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [6, hurried, []],
      [14, woken, []],
      [15, woken, ['trigger 2 checkpoint']],
      ...taken(16, 2, '1'),
      [100, woken, []],
      [110, hurried, ['trigger 3 checkpoint']],
      [111, hurried, []],
      ...taken(112, 3, '2', 'delete segments/a1 segments/b1 manifests/1'),
      [130, woken, []],
    ]);
  });

  test('is notified again to a new attempt', () => {
    check(fresh(4), [[0, start, ['notify 4', 'trigger 5 checkpoint']]]);
  });

  test('answers that are stale, unknown or repeated are refused', () => {
    check(fresh(3), [
      [0, start, ['notify 3', 'trigger 4 checkpoint']],
      [1, ack('a', 3), ['refuse a 3']],
      [1, ack('a', 5), ['refuse a 5']],
      [1, ack('stranger', 4), ['refuse stranger 4']],
      [1, ack('a', 4), []],
      [1, ack('a', 4), ['refuse a 4']],
      [1, { kind: 'declined', task: 'a', checkpoint: 4, error: refused }, ['refuse a 4']],
      [2, ack('b', 4), ['write manifest 4']],
      [3, written(4), ['commit 4 keep']],
    ]);
  });

  test('of no tasks is only a manifest', () => {
    check(fresh(), [
      [
        0,
        { kind: 'attempt started', tasks: [], life: 'running' },
        ['trigger 1 checkpoint', 'write manifest 1'],
      ],
    ]);
  });
});

describe('a checkpoint that fails', () => {
  test('takes too long: it is aborted, and its id is not used again', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, ack('a', 1), []],
      [50, woken, ['abort 1']],
      [51, ack('b', 1), ['refuse b 1']],
      [100, woken, ['reserve 2']],
      [101, { kind: 'reserved', checkpoint: 2 }, ['trigger 2 checkpoint']],
    ]);
  });

  test('more often in a row than is tolerated: the attempt fails', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, { kind: 'declined', task: 'b', checkpoint: 1, error: refused }, ['abort 1']],
      [100, woken, ['reserve 2']],
      [101, { kind: 'reserved', checkpoint: 2 }, ['trigger 2 checkpoint']],
      [
        102,
        { kind: 'declined', task: 'a', checkpoint: 2, error: refused },
        ['abort 2', 'fail attempt ERR_CHECKPOINT_FAILED'],
      ],
    ]);
  });

  test('because of a value that no checkpoint can have: the attempt fails with that', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, { kind: 'declined', task: 'b', checkpoint: 1, error: unwritable }, ['abort 1']],
      [100, woken, ['reserve 2']],
      [101, { kind: 'reserved', checkpoint: 2 }, ['trigger 2 checkpoint']],
      [
        102,
        { kind: 'declined', task: 'b', checkpoint: 2, error: unwritable },
        ['abort 2', 'fail attempt ERR_UNSERIALISABLE_VALUE'],
      ],
    ]);
  });

  test('because of storage: an alarm until one succeeds, and no failure of the job', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [
        1,
        { kind: 'declined', task: 'a', checkpoint: 1, error: full },
        ['abort 1', 'raise alarm ERR_STORAGE_FULL'],
      ],
      [100, woken, ['reserve 2']],
      [101, failed(2, full), []],
      [200, woken, ['reserve 2']],
      [201, failed(2, full), []],
      [300, woken, ['reserve 2']],
      [301, { kind: 'reserved', checkpoint: 2 }, ['trigger 2 checkpoint']],
      ...taken(305, 2, '', 'clear alarm'),
    ]);
  });

  test('while it is committed: its blobs stay until a commit shows that it was not', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(1, 1).slice(0, 3),
      [2, failed(1, full), ['abort 1', 'raise alarm ERR_STORAGE_FULL']],
      [100, woken, ['reserve 2']],
      [101, { kind: 'reserved', checkpoint: 2 }, ['trigger 2 checkpoint']],
      ...taken(102, 2, '', 'delete segments/a1 segments/b1 manifests/1', 'clear alarm'),
    ]);
  });

  test('leaves nothing but what chains build on', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, ack('a', 1, 'segments/a1'), []],
      [50, woken, ['abort 1']],
      [100, woken, ['reserve 2']],
      [101, { kind: 'reserved', checkpoint: 2 }, ['trigger 2 checkpoint']],
      [102, ack('a', 2, 'segments/a2'), []],
      [151, woken, ['abort 2', 'delete segments/a1', 'fail attempt ERR_CHECKPOINT_FAILED']],
    ]);
  });

  test('because another coordinator took over: the attempt fails, and nothing is begun', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(1, 1).slice(0, 3),
      [2, failed(1, superseded), ['abort 1', 'fail attempt ERR_CHECKPOINT_SUPERSEDED']],
      [500, woken, []],
      [500, savepoint(), ['answer 8 ERR_CHECKPOINT_FAILED']],
    ]);
  });

  test('as the record of commits is gone: the attempt fails at once', () => {
    const gone = new MillraceError('ERR_METADATA_ROLLBACK', 'there is no record');
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(1, 1).slice(0, 3),
      [2, failed(1, gone), ['abort 1', 'fail attempt ERR_METADATA_ROLLBACK']],
      [500, woken, []],
    ]);
  });

  test('as that comes to light behind the end of an attempt: the next one fails of it', () => {
    const gone = new MillraceError('ERR_METADATA_ROLLBACK', 'there is no record');
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(1, 1).slice(0, 3),
      [2, { kind: 'attempt ended' }, []],
      [3, failed(1, gone), ['fail attempt ERR_METADATA_ROLLBACK']],
      [4, start, ['fail attempt ERR_METADATA_ROLLBACK']],
      [500, woken, []],
    ]);
  });

  test('in a store that does not answer: an alarm, as it may still succeed', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(1, 1).slice(0, 3),
      [50, woken, ['raise alarm ERR_STORAGE_FAILED']],
      [400, committed(1), ['notify 1', 'clear alarm']],
    ]);
  });
});

describe('a savepoint', () => {
  test('is taken at once, answered with its folder complete, and leaves the interval alone', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, savepoint(), []],
      ...taken(5, 1, '', 'reserve 2').slice(0, 3),
      [5, committed(1), ['notify 1', 'trigger 2 savepoint']],
      ...taken(6, 2, '1', 'copy 2 to s'),
      [7, { kind: 'copied', checkpoint: 2 }, ['answer 8 done']],
      [100, woken, ['trigger 3 checkpoint']],
    ]);
  });

  test('that fails is answered so, and is no failure of the job', () => {
    const state = check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [6, savepoint(), ['trigger 2 savepoint']],
      [
        7,
        { kind: 'declined', task: 'a', checkpoint: 2, error: refused },
        ['abort 2', 'answer 8 ERR_SINK_FAILED'],
      ],
    ]);
    expect(state.failuresInRow).toBe(0);
  });

  test('whose folder cannot be filled is committed all the same', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [6, savepoint(), ['trigger 2 savepoint']],
      ...taken(6, 2, '1', 'copy 2 to s'),
      [7, failed(2, full), ['answer 8 ERR_STORAGE_FULL']],
      [100, woken, ['trigger 3 checkpoint']],
    ]);
  });

  test('to stop with is the last one', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [6, savepoint('stop'), ['trigger 2 savepoint']],
      ...taken(6, 2, '1', 'copy 2 to s'),
      [7, { kind: 'copied', checkpoint: 2 }, ['answer 8 done']],
      [8, savepoint(), ['answer 8 ERR_CHECKPOINT_FAILED']],
      [1_000, woken, []],
    ]);
  });
});

describe('the final checkpoint', () => {
  test('waits for the one in progress, and is the last', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, final, []],
      ...taken(5, 1).slice(0, 3),
      [5, committed(1), ['notify 1', 'trigger 2 final']],
      ...taken(6, 2, '1', 'answer 7 done'),
      [1_000, woken, []],
    ]);
  });

  test('has no savepoint behind it: channels close, and barriers would not come through', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [6, final, ['trigger 2 final']],
      [7, savepoint(), []],
      ...taken(8, 2, '1', 'answer 8 ERR_CHECKPOINT_FAILED', 'answer 7 done'),
      [9, savepoint(), ['answer 8 ERR_CHECKPOINT_FAILED']],
      [1_000, woken, []],
    ]);
  });

  test('is tried again after the pause, until it succeeds', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(5, 1),
      [6, final, ['trigger 2 final']],
      [
        20,
        { kind: 'declined', task: 'a', checkpoint: 2, error: full },
        ['abort 2', 'raise alarm ERR_STORAGE_FULL'],
      ],
      [29, woken, []],
      [30, woken, ['reserve 3']],
      [30, { kind: 'reserved', checkpoint: 3 }, ['trigger 3 final']],
      ...taken(31, 3, '1', 'clear alarm', 'answer 7 done'),
    ]);
  });
});

describe('the end of an attempt', () => {
  test('gives up what is incomplete, and answers all requests', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      [1, final, []],
      [2, { kind: 'attempt ended' }, ['answer 7 ERR_CHECKPOINT_FAILED']],
      [3, ack('a', 1), ['refuse a 1']],
      [4, final, ['answer 7 ERR_CHECKPOINT_FAILED']],
      [5, start, ['reserve 2']],
    ]);
  });

  test('does not stop what all have acknowledged', () => {
    check(fresh(), [
      [0, start, ['trigger 1 checkpoint']],
      ...taken(1, 1).slice(0, 2),
      [2, { kind: 'attempt ended' }, []],
      [3, written(1), ['commit 1 keep']],
      [4, committed(1), []],
      [5, start, ['notify 1', 'trigger 2 checkpoint']],
    ]);
  });

  test('must come before the next one starts', () => {
    const state = check(fresh(), [[0, start, ['trigger 1 checkpoint']]]);
    expect(() => step(state, { ...start, nowMs: 1 })).toThrow('before the last one has ended');
  });
});

/** Runs random events against the laws of `step`, with a model of tasks and their chains. */
class LawChecker {
  state = fresh();
  private nowMs = 0;
  private inProgress: number | undefined;
  private triggered = new Set<number>();
  private readonly acknowledged = new Map<number, Set<string>>();
  private readonly committed = new Set<number>();
  private readonly retained: { id: number; blobs: Set<string> }[] = [];
  private readonly deleted = new Set<string>();
  private readonly chains = new Map<string, string[]>();
  private readonly blobs = new Map<number, Set<string>>();
  private tasks: readonly string[] = [];
  private attempts = 0;

  dispatch(event: DistributiveOmit<CoordinatorEvent, 'nowMs'>, afterMs: number): void {
    this.nowMs += afterMs;
    this.before(event);
    const [state, effects] = step(this.state, { ...event, nowMs: this.nowMs } as CoordinatorEvent);
    this.state = state;
    for (const effect of effects) this.observe(effect);
  }

  /** A chain as a task might have it: its last one grown, or compacted to a new base. */
  chainOf(task: string, id: number, grow: boolean): readonly string[] {
    const blob = `segments/${task}-${id}-${this.attempts}`;
    return grow ? [...(this.chains.get(task) ?? []), blob] : [blob];
  }

  private before(event: DistributiveOmit<CoordinatorEvent, 'nowMs'>): void {
    if (event.kind === 'attempt started') {
      this.tasks = event.tasks;
      this.attempts += 1;
      this.chains.clear();
    }
    if (event.kind === 'attempt ended') this.chains.clear();
    if (event.kind !== 'acknowledged' || !this.triggered.has(event.checkpoint)) return;
    if (!this.tasks.includes(event.task)) return;
    this.chains.set(event.task, [...event.references]);
    const { phase } = this.state;
    if (phase.kind !== 'collecting' || phase.checkpoint.id !== event.checkpoint) return;
    const tasks = this.acknowledged.get(event.checkpoint) ?? new Set();
    if (tasks.has(event.task)) return;
    this.acknowledged.set(event.checkpoint, tasks.add(event.task));
    const blobs = this.blobs.get(event.checkpoint) ?? new Set();
    for (const blob of event.references) blobs.add(blob);
    this.blobs.set(event.checkpoint, blobs);
  }

  private observe(effect: CoordinatorEffect): void {
    if (effect.kind === 'trigger') {
      expect(this.inProgress, 'never two in progress').toBeUndefined();
      expect(this.triggered.has(effect.checkpoint), 'no id is used twice').toBe(false);
      this.triggered.add(effect.checkpoint);
      this.inProgress = effect.checkpoint;
    }
    if (effect.kind === 'write manifest' || effect.kind === 'commit') {
      const tasks = [...(this.acknowledged.get(effect.checkpoint) ?? [])].sort();
      expect(tasks, 'all have acknowledged').toEqual([...this.tasks].sort());
    }
    if (effect.kind === 'ended') {
      if (effect.checkpoint === this.inProgress) this.inProgress = undefined;
      if (effect.error === undefined) this.commit(effect.checkpoint);
    }
    if (effect.kind === 'notify') {
      expect(this.committed.has(effect.checkpoint), 'notified of a commit only').toBe(true);
      expect(Math.max(...this.committed)).toBe(effect.checkpoint);
    }
    if (effect.kind === 'delete') this.delete(effect.blobs);
  }

  private commit(id: number): void {
    this.committed.add(id);
    const blobs = new Set([...(this.blobs.get(id) ?? []), `manifests/${id}`]);
    this.retained.unshift({ id, blobs });
    this.retained.splice(schedule.retained);
    for (const blob of blobs) expect(this.deleted.has(blob), `${blob} is whole`).toBe(false);
  }

  private delete(blobs: readonly string[]): void {
    const needed = new Set([
      ...this.retained.flatMap((each) => [...each.blobs]),
      ...[...this.chains.values()].flat(),
      ...(this.inProgress === undefined ? [] : (this.blobs.get(this.inProgress) ?? [])),
    ]);
    for (const blob of blobs) {
      expect(needed.has(blob), `${blob} is needed`).toBe(false);
      this.deleted.add(blob);
    }
  }
}

describe('the laws of the coordinator', () => {
  const moves = fc.array(
    fc.record({
      move: fc.constantFrom(
        ...Array.from({ length: 4 }, () => ['ack', 'effect'] as const).flat(),
        ...(['wake', 'wake', 'any ack', 'hurry'] as const),
        ...(['fail', 'stale', 'decline', 'savepoint', 'final', 'end', 'start'] as const),
      ),
      task: fc.constantFrom('a', 'b', 'c'),
      grow: fc.boolean(),
      storage: fc.boolean(),
      afterMs: fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 5, 10, 60),
    }),
    { minLength: 60, maxLength: 150, size: 'max' },
  );
  type Move = typeof moves extends fc.Arbitrary<readonly (infer M)[]> ? M : never;

  function play(checker: LawChecker, { move, task, grow, storage, afterMs }: Move): void {
    const { phase, tasks, nextId } = checker.state;
    const error = storage ? full : refused;
    const id = phase.kind === 'idle' ? nextId - 1 : phase.checkpoint.id;
    const send = (event: DistributiveOmit<CoordinatorEvent, 'nowMs'>) =>
      checker.dispatch(event, afterMs);
    switch (move) {
      case 'ack': {
        const [first] = phase.kind === 'collecting' ? phase.missing : [];
        if (first !== undefined) send(ack(first, id, ...checker.chainOf(first, id, grow)));
        return;
      }
      case 'any ack':
        if (tasks !== undefined) send(ack(task, id, ...checker.chainOf(task, id, grow)));
        return;
      case 'stale':
        // A late answer to one that was given up.
        if (tasks !== undefined && phase.kind === 'idle' && id > 0) {
          send(ack(task, id, ...checker.chainOf(task, id, grow)));
        }
        return;
      case 'effect':
        if (phase.kind === 'reserving') send({ kind: 'reserved', checkpoint: id });
        if (phase.kind === 'writing') send(written(id));
        if (phase.kind === 'committing') send(committed(id));
        if (phase.kind === 'copying') send({ kind: 'copied', checkpoint: id });
        return;
      case 'fail':
        if (phase.kind !== 'idle' && phase.kind !== 'collecting') send(failed(id, error));
        return;
      case 'decline':
        send({ kind: 'declined', task, checkpoint: id, error });
        return;
      case 'wake':
        send(woken);
        return;
      case 'hurry':
        send(hurried);
        return;
      case 'savepoint':
        send(savepoint());
        return;
      case 'final':
        send(final);
        return;
      case 'end':
        send({ kind: 'attempt ended' });
        return;
      case 'start':
        if (tasks === undefined && phase.kind === 'idle') {
          send({
            kind: 'attempt started',
            tasks: ['a', 'b', 'c'].slice(0, grow ? 2 : 3),
            life: 'running',
          });
        }
        return;
    }
  }

  test('hold in any order of events', () => {
    let commits = 0;
    fc.assert(
      fc.property(moves, (sequence) => {
        const checker = new LawChecker();
        checker.dispatch({ kind: 'attempt started', tasks: ['a', 'b', 'c'], life: 'running' }, 0);
        for (const move of sequence) play(checker, move);
        commits += checker.state.committed === undefined ? 0 : 1;
      }),
      { numRuns: 500 },
    );
    expect(commits).toBeGreaterThan(200);
  });
});
