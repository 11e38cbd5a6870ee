import { callbackSink, ndjsonSink } from '@millrace/connectors';
import { defineJob, type KeyedStream, watermarks } from '@millrace/core';
import type { Sink, Source } from '@millrace/core/spi';
import { filter, keyBy, map, sinkTo, type, valueState } from '@millrace/operators';
import {
  type CardLabel,
  type CardPayment,
  type CardState,
  copyCard,
  newCard,
  stepCardLabel,
  stepCardPayment,
} from './features/card.js';
import {
  copyTerminal,
  type Evidence,
  newTerminal,
  stepTerminalLabel,
  stepTerminalPayment,
  type TerminalState,
} from './features/terminal.js';
import { inEventTimeOrder } from './in-event-time-order.js';
import { type TruthColumn, transactionSource } from './input.js';
import { isInvestigated, LABEL_DELAY_MS, type Label, labelOf } from './label.js';
import { type Alert, type Decided, decide } from './rules/decide.js';
import type { Transaction } from './transaction.js';

/** What a run may change, by name. */
export const FRAUD_PARAMS = {
  /** A CSV file; empty: transactions are simulated from `seed`. */
  input: '',
  truth: [] as readonly TruthColumn[],
  seed: 1,
  cards: 5_000,
  terminals: 10_000,
  days: 183,
  /** How far behind the newest transaction another one may be, ms. */
  disorderMs: 0,
  /** Whether a line that is no transaction is left out and counted, or fails the job. */
  skipBad: false,
  /** File that alerts are added to, one JSON object a line. */
  alerts: 'alerts.ndjson',
};

/** Where a job reads and writes, other than in files. */
export interface FraudEndpoints {
  /** Read twice: as payments, and a week later as what investigations have found out. */
  readonly transactions?: Source<Transaction> | undefined;
  readonly alerts?: Sink<Alert> | undefined;
  /** May slow the payments down; labels are read next to the payments of their time. */
  readonly pace?: ((transactions: Source<Transaction>) => Source<Transaction>) | undefined;
}

/**
 * Decides of each card payment whether it is an alert, from what was known when it was made: the
 * card's habits, and the terminal's and the card's labels, which come a week after the payment
 * they are about.
 *
 * @param watch is shown each decision, with the truth about it where the input tells
 */
export function fraudJob(watch: Sink<Decided>, endpoints: FraudEndpoints = {}) {
  const { pace = unchanged } = endpoints;
  return defineJob('fraud', FRAUD_PARAMS, (job, params) => {
    const transactions = endpoints.transactions ?? transactionSource(params);
    const alerts = endpoints.alerts ?? ndjsonSink({ path: params.alerts });
    // Simulated and recorded times run as fast as they can be read, and may lie ahead. Labels are
    // read next to the payments of their time, so that none has to wait in memory for its week.
    const time = {
      outOfOrderness: params.disorderMs,
      step: '30m',
      farFuture: 'off',
      align: { group: 'bank', maxDrift: '30m' },
    } as const;
    const reading = { onError: params.skipBad ? 'skip' : 'fail' } as const;

    const payments = job.source(
      'payments',
      pace(transactions),
      watermarks((t) => t.at, time),
      reading,
    );
    const labels = job
      .source(
        'investigations',
        transactions,
        watermarks((t) => t.at + LABEL_DELAY_MS, time),
        reading,
      )
      .pipe(filter(isInvestigated), map(labelOf));

    const cards = payments.pipe(
      keyBy((payment) => payment.card),
      cardFeatures(labels.pipe(keyBy((label) => label.card))),
    );
    const decided = cards.pipe(
      keyBy(({ payment }) => payment.terminal),
      terminalFeatures(cards.side.labels.pipe(keyBy(({ label }) => label.terminal))),
      map((evidence): Decided => ({ transaction: evidence.payment, alert: decide(evidence) })),
    );

    decided.pipe(sinkTo('watch', watch));
    decided.pipe(
      map(({ alert }) => alert),
      filter((alert) => alert !== undefined),
      sinkTo('alerts', alerts),
    );
  });
}

const unchanged = (source: Source<Transaction>): Source<Transaction> => source;

/** What the card's past says of each payment, and of each label. */
const cardFeatures = (labels: KeyedStream<Label, string>) => {
  return (payments: KeyedStream<Transaction, string>) =>
    payments.pipe(
      inEventTimeOrder('cards', labels, {
        output: type<CardPayment<Transaction>>(),
        side: { labels: type<CardLabel>() },
        state: { card: valueState<CardState>({ copy: copyCard }) },
        processLeft(payment, ctx) {
          const card = ctx.state.card.get() ?? newCard(payment.at);
          ctx.emit(stepCardPayment(card, payment));
          ctx.state.card.set(card);
        },
        processRight(label, ctx) {
          const card = ctx.state.card.get() ?? newCard(label.at);
          ctx.side.labels(stepCardLabel(card, label));
          ctx.state.card.set(card);
        },
      }),
    );
};

/** What the terminal's labels say of each payment. */
const terminalFeatures = (labels: KeyedStream<CardLabel, string>) => {
  return (payments: KeyedStream<CardPayment<Transaction>, string>) =>
    payments.pipe(
      inEventTimeOrder('terminals', labels, {
        output: type<Evidence<Transaction>>(),
        state: { terminal: valueState<TerminalState>({ copy: copyTerminal }) },
        processLeft(paid, ctx) {
          const terminal = ctx.state.terminal.get() ?? newTerminal(paid.payment.at);
          ctx.emit(stepTerminalPayment(terminal, paid));
        },
        processRight(learned, ctx) {
          const terminal = ctx.state.terminal.get() ?? newTerminal(learned.label.at);
          stepTerminalLabel(terminal, learned);
          ctx.state.terminal.set(terminal);
        },
      }),
    );
};

export default fraudJob(callbackSink(() => {}));
