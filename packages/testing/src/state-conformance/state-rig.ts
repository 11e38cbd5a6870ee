import type { KeyGroupRange } from '@millrace/core/internal';
import type {
  BroadcastState,
  FoldingState,
  Key,
  KeyedStateAccess,
  KeyGroupTimes,
  KeyTables,
  ListState,
  MapState,
  OperatorStateAccess,
  SortedMapState,
  StateDescriptor,
  StateTtl,
  Timer,
  ValueState,
} from '@millrace/core/spi';
import type { SnapshotStateBackend, StateBackendOptions } from '@millrace/state';
import {
  type BlockSink,
  mergeSegments,
  readBlocks,
  readSegmentIndex,
  SegmentWriter,
} from '@millrace/state/internal';

/** Key groups of the jobs of this suite: few, so that their rows share blocks. */
export const groupCount = 8;
export const allGroups: KeyGroupRange = { first: 0, last: groupCount - 1 };

export type CreateBackend = (
  options: StateBackendOptions,
) => SnapshotStateBackend | Promise<SnapshotStateBackend>;

/** A segment file. */
export type Segment = Uint8Array<ArrayBuffer>;

const ttl = (time: StateTtl['time'], refreshOn: StateTtl['refreshOn'] = 'write'): StateTtl => ({
  durationMs: 10,
  time,
  refreshOn,
  expired: 'hidden',
});
const box = { copy: (numbers: readonly number[]) => [...numbers] };

/** One state of each kind. */
export const everyKind = {
  value: { kind: 'value', version: 1 },
  box: { kind: 'value', version: 1, ...box },
  list: { kind: 'list', version: 1 },
  map: { kind: 'map', version: 1 },
  boxes: { kind: 'map', version: 1, ...box },
  sorted: { kind: 'sortedMap', version: 1 },
  sum: { kind: 'reducing', version: 1, reduce: (a: number, b: number) => a + b },
  texts: {
    kind: 'aggregating',
    version: 1,
    copy: (texts: readonly string[]) => [...texts],
    aggregation: {
      create: (): string[] => [],
      add(texts: string[], text: string) {
        texts.push(text);
        return texts;
      },
      result: (texts: string[]) => texts.join(),
    },
  },
} satisfies Readonly<Record<string, StateDescriptor>>;

const everyTtl = {
  ttlValue: { kind: 'value', version: 1, ttl: ttl('processing') },
  ttlList: { kind: 'list', version: 1, ttl: ttl('processing') },
  ttlMap: { kind: 'map', version: 1, ttl: ttl('event') },
} satisfies Readonly<Record<string, StateDescriptor>>;

/** Handles of all states, by name. */
export interface Handles {
  readonly value: ValueState<unknown>;
  readonly box: ValueState<number[]>;
  readonly list: ListState<unknown>;
  readonly map: MapState<Key, unknown>;
  readonly boxes: MapState<Key, number[]>;
  readonly sorted: SortedMapState<Key, unknown>;
  readonly sum: FoldingState<number, number>;
  readonly texts: FoldingState<string, string>;
}

export interface TtlHandles {
  readonly ttlValue: ValueState<unknown>;
  readonly ttlList: ListState<unknown>;
  readonly ttlMap: MapState<Key, unknown>;
}

/** What time it is for the state under test. */
export interface RigTime {
  recordMs: number;
  watermarkMs: number;
  processingMs: number;
}

/** A backend with one state of each kind, and what takes and restores its snapshots. */
export class StateRig {
  readonly backend: SnapshotStateBackend;
  readonly time: RigTime = { recordMs: 0, watermarkMs: -Infinity, processingMs: 0 };
  readonly keyed: KeyedStateAccess;
  readonly ttl: KeyedStateAccess;
  readonly timers: Readonly<Record<'event' | 'processing', Readonly<Record<string, Timer>>>>;
  /** Of keys of all kinds, with numbers and references. */
  readonly tables: KeyTables;
  /** Of integer keys, with numbers only. */
  readonly numbers: KeyTables;
  /** Of tuples that belong with their first component. */
  readonly pairs: KeyTables;
  readonly times: KeyGroupTimes;
  readonly shared: OperatorStateAccess;

  constructor(backend: SnapshotStateBackend) {
    this.backend = backend;
    const { time } = this;
    const clock = {
      recordMs: () => time.recordMs,
      watermarkMs: () => time.watermarkMs,
      processingMs: () => time.processingMs,
    };
    this.keyed = backend.keyedState('keyed', everyKind, clock);
    this.ttl = backend.keyedState('ttl', everyTtl, clock);
    const { eventTimers, processingTimers } = this.keyed;
    this.timers = {
      event: { a: eventTimers.handle('a'), b: eventTimers.handle('b') },
      processing: { a: processingTimers.handle('a') },
    };
    const refs = [(): unknown => []];
    const table = { namespaceLength: 1, shape: '' };
    this.tables = backend.keyTables('window', 'tables', { ...table, numbers: [0, NaN], refs });
    this.numbers = backend.keyTables('window', 'numbers', { ...table, numbers: [1], refs: [] });
    this.pairs = backend.keyTables('window', 'pairs', {
      ...table,
      numbers: [0],
      refs: [],
      namespaceLength: 2,
      keyedBy: 'first',
    });
    this.times = backend.keyGroupTimes('window', 'times');
    this.shared = backend.operatorState('keyed', { rules: { kind: 'broadcast', version: 1 } });
  }

  get handles(): Handles {
    return this.keyed.handles as unknown as Handles;
  }

  get rules(): BroadcastState<Key, unknown> {
    return this.shared.handles.rules as BroadcastState<Key, unknown>;
  }

  get ttlHandles(): TtlHandles {
    return this.ttl.handles as unknown as TtlHandles;
  }

  /** The handles, for a key. */
  at(key: Key): Handles {
    this.keyed.setKey(key);
    return this.handles;
  }

  ttlAt(key: Key): TtlHandles {
    this.ttl.setKey(key);
    return this.ttlHandles;
  }

  freeze(): SnapshotInProgress {
    return freeze(this.backend);
  }

  /** A segment of what has changed since the last one. */
  snapshot(): Segment {
    return this.freeze().finish();
  }

  /** A segment of everything. */
  fullSnapshot(): Segment {
    this.backend.abandon();
    return this.snapshot();
  }

  load(chain: readonly Segment[], groups = allGroups, chainGroups?: KeyGroupRange): Promise<void> {
    return loadChain(this.backend, chain, groups, chainGroups);
  }
}

/** A snapshot being written. */
export class SnapshotInProgress {
  private readonly writer = new SegmentWriter();
  private readonly backend: SnapshotStateBackend;
  private readonly sink: BlockSink;

  constructor(backend: SnapshotStateBackend) {
    this.backend = backend;
    const { writer } = this;
    this.sink = {
      layout: (layout) => writer.layout(layout),
      add: (...block) => writer.add(...block),
      drop: (layout, namespace) => writer.add(layout, 'drop', namespace),
    };
  }

  step(rowsMax: number): 'done' | 'more' {
    return this.backend.step(this.sink, rowsMax);
  }

  finish(): Segment {
    while (this.step(100) === 'more');
    return segmentOf(this.writer);
  }
}

export function freeze(backend: SnapshotStateBackend): SnapshotInProgress {
  for (const operator of backend.operators()) backend.freeze(operator);
  return new SnapshotInProgress(backend);
}

export async function loadChain(
  backend: SnapshotStateBackend,
  chain: readonly Segment[],
  groups = allGroups,
  chainGroups?: KeyGroupRange,
): Promise<void> {
  for (const segment of chain) {
    const { index, read } = await inputOf(segment);
    for await (const block of readBlocks(index, read, groups)) {
      const layout = index.layouts[block.layout]!;
      if (layout.kind !== 'broadcast') backend.load(layout, block, { chainGroups });
    }
    // Every subtask gets it, whatever its key groups.
    for await (const block of readBlocks(index, read, chainGroups ?? allGroups)) {
      const layout = index.layouts[block.layout]!;
      if (layout.kind === 'broadcast') backend.load(layout, block, { chainGroups });
    }
  }
}

/** What consecutive segments say, as one. */
export async function merged(inputs: readonly Segment[], isComplete: boolean): Promise<Segment> {
  const writer = new SegmentWriter();
  const parts = await Promise.all(inputs.map(inputOf));
  await mergeSegments(parts, writer, { isComplete, pause: async () => undefined });
  return segmentOf(writer);
}

async function inputOf(segment: Segment) {
  const read = async (from: number, length: number) => segment.slice(from, from + length);
  return { index: await readSegmentIndex(read, segment.length), read };
}

function segmentOf(writer: SegmentWriter): Segment {
  writer.finish();
  const chunks = writer.takeChunks();
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
