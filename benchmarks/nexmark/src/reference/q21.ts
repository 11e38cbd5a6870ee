import type { Event, Row } from '../model.js';
import { bidsOf } from './windows.js';

const idOfHotChannel = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
]);

/** Bids with the id of their channel: by its name, else from the url; others are left out. */
export function q21(events: readonly Event[]): Row[] {
  return bidsOf(events).flatMap((b): Row[] => {
    const id = idOfHotChannel.get(b.channel.toLowerCase()) ?? channelIdOf(b.url);
    return id === undefined ? [] : [[b.auction, b.bidder, b.price, b.channel, id]];
  });
}

function channelIdOf(url: string): string | undefined {
  return /(?:&|^)channel_id=([^&]*)/.exec(url)?.[1];
}
