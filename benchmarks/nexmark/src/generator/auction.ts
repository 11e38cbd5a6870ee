import type { Auction } from '../model.js';
import { firstId, hotId, lastAuction, lastPerson, nextPersonId } from './ids.js';
import type { Random } from './random.js';
import { nextPrice, nextText } from './text.js';

const hotSellerRatio = 4;
const firstCategory = 10;
const categories = 5;

/**
 * The auction that opens with event `n`. It runs for 1 … 2 × `horizonMs` milliseconds, so that
 * about as many open as close.
 */
export function nextAuction(
  random: Random,
  n: number,
  dateTime: number,
  horizonMs: number,
): Auction {
  const initialBid = nextPrice(random);
  const seller = random.nextHot(hotSellerRatio) ? hotId(lastPerson(n)) : nextPersonId(random, n);
  return {
    kind: 'auction',
    id: lastAuction(n) + firstId,
    itemName: nextText(random, 20),
    description: nextText(random, 100),
    initialBid,
    reserve: initialBid + nextPrice(random),
    dateTime,
    expires: dateTime + 1 + random.nextInt(Math.max(2 * horizonMs, 1)),
    seller: seller + firstId,
    category: firstCategory + random.nextInt(categories),
    extra: nextText(random, 50),
  };
}
