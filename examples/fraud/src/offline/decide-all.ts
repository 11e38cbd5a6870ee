import type { CardState } from '../features/card.js';
import { newCard, stepCardLabel, stepCardPayment } from '../features/card.js';
import {
  newTerminal,
  stepTerminalLabel,
  stepTerminalPayment,
  type TerminalState,
} from '../features/terminal.js';
import { isInvestigated, type Label, labelOf } from '../label.js';
import { type Alert, type Decided, decide } from '../rules/decide.js';
import type { Transaction } from '../transaction.js';

/**
 * The whole job as one loop over transactions in order of time: the reference which the streaming
 * job must equal. Labels join the events a week later, before transactions of the same millisecond.
 */
export function* decideAll(
  transactions: Iterable<Transaction>,
  toLabel: (transaction: Transaction) => Label | undefined = labelIfAny,
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

function labelIfAny(transaction: Transaction): Label | undefined {
  return isInvestigated(transaction) ? labelOf(transaction) : undefined;
}

function decideOne(
  cards: Map<string, CardState>,
  terminals: Map<string, TerminalState>,
  transaction: Transaction,
): Alert | undefined {
  const { card, terminal, at } = transaction;
  const paid = stepCardPayment(getOrMake(cards, card, newCard, at), transaction);
  return decide(stepTerminalPayment(getOrMake(terminals, terminal, newTerminal, at), paid));
}

function learn(
  cards: Map<string, CardState>,
  terminals: Map<string, TerminalState>,
  label: Label,
): void {
  const { card, terminal, at } = label;
  const learned = stepCardLabel(getOrMake(cards, card, newCard, at), label);
  stepTerminalLabel(getOrMake(terminals, terminal, newTerminal, at), learned);
}

function getOrMake<S>(
  states: Map<string, S>,
  key: string,
  make: (atMs: number) => S,
  atMs: number,
): S {
  let state = states.get(key);
  if (state === undefined) {
    state = make(atMs);
    states.set(key, state);
  }
  return state;
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
