/**
 * What the rules assume about cards, terminals and thieves: every number that a person may want to
 * tune, with its unit and its reason. None of them is learned from the labels of the data under
 * test.
 */
export const ASSUMPTIONS = {
  /** A score from here on is an alert. Lower catches more and disturbs more honest customers. */
  alertScore: 0.35,
  /** Amounts above this are refused by policy, whoever pays. */
  amountLimit: 220,
  amounts: {
    /** Mean amount of a card nobody has seen yet. */
    newCardMean: 52.5,
    /** How many payments that first guess is worth. */
    newCardWeight: 2,
    /**
     * Standard deviation of a card's amounts, in parts of its mean, before its own spread is known.
     */
    spread: 0.5,
    /** How many payments the assumed spread is worth. */
    spreadWeight: 40,
    /** Older payments fade once a card has this many, so that new habits are learned. */
    memory: 200,
  },
  leak: {
    /** Chance that a given card is leaked on a given day. */
    startChance: 6e-4,
    /** A leaked card is misused for this many days. */
    days: 14,
    /** Part of a leaked card's payments that are the thief's. */
    share: 1 / 3,
    /** The thief spends this many times what the owner would. */
    amountFactor: 5,
    /** Chance that a payment of a card that is not leaked is a fraud all the same. */
    otherFraudChance: 0.005,
    /** One payment alone counts at most this many times for or against a theft. */
    likelihoodMax: 1e5,
    /**
     * From this chance of a leak on, before looking at the payment itself, the card is under watch.
     */
    watchChance: 0.1,
  },
  terminal: {
    /** Chance that a given terminal is compromised on a given day. */
    startChance: 2e-4,
    /** A compromised terminal stays so for this many days. */
    days: 28,
    /** Chance that a labelled fraud which nothing explains has another cause than its terminal. */
    otherFraudChance: 3e-4,
  },
  velocity: {
    /** Standard deviations above the card's own rate that count as a burst. */
    burstSigma: 7,
    /** Chance that such a burst is a fraud. */
    burstChance: 0.6,
  },
  /** Chances below this are not worth a line in an alert. */
  mentionChance: 0.1,
} as const;
