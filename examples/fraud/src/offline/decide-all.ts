import type { CardState } from '../features/card.js';
import { stepCardLabel, stepCardPayment } from '../features/card.js';
import {
  stepTerminalLabel,
  stepTerminalPayment,
  type TerminalState,
} from '../features/terminal.js';
import { type Label, labelOf } from '../label.js';
import { type Alert, decide } from '../rules/decide.js';
import type { Transaction } from '../transaction.js';

/** A transaction and what was decided about it. */
export interface Decided {
  readonly transaction: Transaction;
  readonly alert: Alert | undefined;
}

/**
 * The whole job as one loop over transactions in order of time: the reference which the streaming
 * job must equal. Labels join the events a week later, before transactions of the same millisecond.
 */
export function* decideAll(
  transactions: Iterable<Transaction>,
  toLabel: (transaction: Transaction) => Label | undefined = labelOf,
): Generator<Decided> {
  const cards = new Map<string, CardState>();
  const terminals = new Map<string, TerminalState>();
  const pending = new LabelQueue();
  for (const transaction of transactions) {
    for (let label = pending.takeUntil(transaction.at); label; ) {
      learn(cards, terminals, label);
      label = pending.takeUntil(transaction.at);
    }
    yield { transaction, alert: decideOne(cards, terminals, transaction) };
    const label = toLabel(transaction);
    if (label !== undefined) pending.push(label);
  }
}

function decideOne(
  cards: Map<string, CardState>,
  terminals: Map<string, TerminalState>,
  transaction: Transaction,
): Alert | undefined {
  const card = stepCardPayment(cards.get(transaction.card), transaction);
  cards.set(transaction.card, card.state);
  return decide(stepTerminalPayment(terminals.get(transaction.terminal), card.output));
}

function learn(
  cards: Map<string, CardState>,
  terminals: Map<string, TerminalState>,
  label: Label,
): void {
  const card = stepCardLabel(cards.get(label.card), label);
  cards.set(label.card, card.state);
  const terminal = terminals.get(label.terminal);
  terminals.set(label.terminal, stepTerminalLabel(terminal, card.output));
}

/** Labels in order of time; what was taken is dropped now and then, so a week of labels stays. */
class LabelQueue {
  #labels: Label[] = [];
  #taken = 0;

  push(label: Label): void {
    this.#labels.push(label);
  }

  takeUntil(atMs: number): Label | undefined {
    const label = this.#labels[this.#taken];
    if (label === undefined || label.at > atMs) return undefined;
    this.#taken += 1;
    if (this.#taken === 65_536) {
      this.#labels = this.#labels.slice(this.#taken);
      this.#taken = 0;
    }
    return label;
  }
}
