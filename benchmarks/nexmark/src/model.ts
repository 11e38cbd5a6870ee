/**
 * The events of the Nexmark auction house. Field order is the order in the NDJSON data, so that
 * parsed and generated objects of one kind share one hidden class.
 */
export interface Person {
  readonly kind: 'person';
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  /** Epoch milliseconds. */
  readonly dateTime: number;
  readonly extra: string;
}

/** An item put up for sale by a person. */
export interface Auction {
  readonly kind: 'auction';
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  /** Epoch milliseconds. */
  readonly dateTime: number;
  /** Epoch milliseconds; bids up to and including this instant count. */
  readonly expires: number;
  /** Id of the selling person. */
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

/** An offer of a person on an auction. */
export interface Bid {
  readonly kind: 'bid';
  readonly auction: number;
  /** Id of the bidding person. */
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  /** Epoch milliseconds. */
  readonly dateTime: number;
  readonly extra: string;
}

/** Whatever happens in the auction house; its event time is `dateTime`. */
export type Event = Person | Auction | Bid;

/** One value of a result row: times are epoch milliseconds, decimals texts with three places. */
type Cell = string | number | null;

/** A result row: the query's columns in order. */
export type Row = readonly Cell[];

/** The queries that have a reference and a hand-written loop. */
export const queryNames = ['q0', 'q1', 'q2', 'q5', 'q7', 'q8', 'q11', 'q14', 'q21', 'q22'] as const;

/** Name of one of {@link queryNames}. */
export type QueryName = (typeof queryNames)[number];
