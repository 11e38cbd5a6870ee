import type { Bid } from '../model.js';
import { firstId, hotId, lastAuction, lastPerson, nextAuctionId, nextPersonId } from './ids.js';
import type { Random } from './random.js';
import { nextPrice, nextText } from './text.js';

const hotAuctionRatio = 2;
const hotBidderRatio = 4;
const hotChannelRatio = 2;
const hotChannels = ['Google', 'Facebook', 'Baidu', 'Apple'];
const coldChannels = 10_000;

/** The bid made with event `n`. */
export function nextBid(random: Random, n: number, dateTime: number): Bid {
  const auction = random.nextHot(hotAuctionRatio)
    ? hotId(lastAuction(n))
    : nextAuctionId(random, n);
  // The hot bidder is the person after the hot seller, so that nobody bids on their own auctions.
  const bidder = random.nextHot(hotBidderRatio)
    ? hotId(lastPerson(n)) + 1
    : nextPersonId(random, n);
  const price = nextPrice(random);
  const cold = random.nextHot(hotChannelRatio) ? -1 : random.nextInt(coldChannels);
  const page = `https://www.nexmark.com/${nextText(random, 5, '_')}/${nextText(random, 5, '_')}`;
  return {
    kind: 'bid',
    auction: auction + firstId,
    bidder: bidder + firstId,
    price,
    channel: cold < 0 ? random.pick(hotChannels) : `channel-${cold}`,
    url: `${page}/item.htm?query=1${cold < 0 ? '' : `&channel_id=${cold}`}`,
    dateTime,
    extra: nextText(random, 25),
  };
}
