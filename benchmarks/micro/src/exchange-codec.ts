import { type Event, generate } from '@millrace/benchmark-nexmark';
import { RecordBatch } from '@millrace/core/spi';
import { type BatchEncoderOptions, batchDecoder, batchEncoder } from '@millrace/runtime/internal';
import { Bench } from 'tinybench';

type Bid = Extract<Event, { readonly kind: 'bid' }>;

const rows = 512;

/**
 * Few enough batches that they stay in the processor's cache, as a batch does that was just made;
 * enough that no branch is learned by heart.
 */
const batchCount = 4;

const codecs: Readonly<Record<string, BatchEncoderOptions>> = {
  'generated columns': {},
  'columns without generated code': { code: 'plain' },
  msgpackr: { values: 'whole', others: 'msgpackr' },
  "core's record codec": { values: 'whole' },
};

function bids(): Bid[] {
  const events = generate({ seed: 1, events: 4_000, rate: 10_000, disorderMs: 0 });
  return [...events].filter((event): event is Bid => event.kind === 'bid');
}

/** Batches of what `of` makes of bids. */
function batchesOf(of: (bid: Bid) => unknown): RecordBatch[] {
  const all = bids();
  return Array.from({ length: batchCount }, (_, at) => {
    const batch = new RecordBatch(rows);
    for (const bid of all.slice(at * rows, (at + 1) * rows)) batch.emit(of(bid), bid.dateTime);
    return batch;
  });
}

/** A record as programs have them that are no benchmark: objects and arrays in it, and gaps. */
function orderOf(bid: Bid): unknown {
  return {
    id: bid.auction,
    customer: { name: bid.channel, address: { zip: bid.bidder } },
    items: [
      { sku: bid.extra, count: 1 },
      { sku: 'abc', count: bid.price },
    ],
    tags: ['new', bid.channel],
    isEven: bid.price % 2 === 0,
    note: bid.price % 3 === 0 ? bid.url : null,
  };
}

/** Keys, times and so many columns of numbers, as they precede an aggregation. */
function projections(columnCount: number): RecordBatch[] {
  const all = bids();
  return batchesOf(() => undefined).map((batch, at) => {
    const part = all.slice(at * rows, (at + 1) * rows);
    batch.keys = part.map(({ auction }) => auction);
    const columns = [({ price }: Bid) => price, ({ bidder }: Bid) => bidder];
    batch.columns = columns.slice(0, columnCount).map((of) => Float64Array.from(part, of));
    return batch;
  });
}

function addCase(
  bench: Bench,
  name: string,
  batches: readonly RecordBatch[],
  options: BatchEncoderOptions,
): number {
  const encoder = batchEncoder(options);
  const decoder = batchDecoder({ code: options.code ?? 'generated' });
  const into = new RecordBatch(rows);
  const frames = batches.map((batch) => encoder.encode(batch, 0));
  bench.add(`${name}: encode`, () => {
    for (const batch of batches) encoder.encode(batch, 0);
  });
  bench.add(`${name}: decode`, () => {
    for (const frame of frames) decoder.decode(frame, 0, into);
  });
  return frames.reduce((sum, { length }) => sum + length, 0) / (batchCount * rows);
}

/** Batches to bytes and back, as they go between slots: records, and projections of them. */
export async function exchangeCodec(): Promise<void> {
  const bench = new Bench({ name: 'exchange codec', time: 500, warmupTime: 300 });
  const bytes = new Map<string, number>();
  const add = (name: string, batches: readonly RecordBatch[], options: BatchEncoderOptions) =>
    bytes.set(name, addCase(bench, name, batches, options));
  const full = batchesOf((bid) => bid);
  const orders = batchesOf(orderOf);
  for (const [name, options] of Object.entries(codecs)) add(`bids, ${name}`, full, options);
  for (const [name, options] of Object.entries(codecs)) add(`orders, ${name}`, orders, options);
  for (const columns of [0, 1, 2]) {
    add(`key, time, ${columns} numbers`, projections(columns), {});
  }
  await bench.run();
  const table = bench.tasks.map(({ name, result }) => {
    const ms = 'latency' in result ? result.latency.p50 : Number.NaN;
    return {
      task: name,
      'M records/s (median)': ((batchCount * rows) / ms / 1e3).toFixed(2),
      'bytes a record': bytes.get(name.replace(/: \w+$/, ''))!.toFixed(1),
    };
  });
  console.table(table);
}
