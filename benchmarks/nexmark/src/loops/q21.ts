import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

const parameter = 'channel_id=';

/** Bids with the id of their channel: by its name, else from the url; others are left out. */
export class LoopQ21 implements Loop {
  readonly #rows: RowBuffer;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const id = idOfHotChannel(e.channel) ?? channelIdOf(e.url);
      if (id === undefined) continue;
      rows.push([e.auction, e.bidder, e.price, e.channel, id], timestamps[i]!);
    }
  }

  watermark(): void {}

  end(): void {
    this.#rows.flush();
  }
}

/** Looks at the length first: lower case is then made of few other names. */
function idOfHotChannel(channel: string): string | undefined {
  const length = channel.length;
  if (length !== 5 && length !== 6 && length !== 8) return undefined;
  switch (channel.toLowerCase()) {
    case 'apple':
      return '0';
    case 'google':
      return '1';
    case 'facebook':
      return '2';
    case 'baidu':
      return '3';
    default:
      return undefined;
  }
}

function channelIdOf(url: string): string | undefined {
  let at = url.indexOf(parameter);
  while (at > 0 && url[at - 1] !== '&') at = url.indexOf(parameter, at + 1);
  if (at < 0) return undefined;
  const from = at + parameter.length;
  const to = url.indexOf('&', from);
  return to < 0 ? url.slice(from) : url.slice(from, to);
}
