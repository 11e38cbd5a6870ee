import { describe, expect, it } from 'vitest';
import { isInvestigated, labelOf } from '../label.js';
import { simulate } from '../model/simulate.js';
import {
  type CardLabel,
  type CardState,
  copyCard,
  newCard,
  stepCardLabel,
  stepCardPayment,
} from './card.js';
import {
  copyTerminal,
  newTerminal,
  stepTerminalLabel,
  stepTerminalPayment,
  type TerminalState,
} from './terminal.js';

const transactions = [...simulate({ seed: 5, cards: 20, terminals: 100, days: 60 })];
const start = transactions[0]!.at;

function learnCard(card: CardState, from: number, to: number): CardLabel[] {
  return transactions.slice(from, to).flatMap((transaction) => {
    stepCardPayment(card, transaction);
    return isInvestigated(transaction) ? [stepCardLabel(card, labelOf(transaction))] : [];
  });
}

const labels = learnCard(newCard(start), 0, transactions.length).map(({ label }, index) => ({
  label: { ...label, fraud: index % 3 > 0 },
  explained: 0.1,
}));

function learnTerminal(terminal: TerminalState, from: number, to: number): void {
  for (const label of labels.slice(from, to)) stepTerminalLabel(terminal, label);
}

/** All objects that can be reached from a value. */
function objectsOf(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found;
  found.add(value);
  if (!ArrayBuffer.isView(value)) for (const part of Object.values(value)) objectsOf(part, found);
  return found;
}

describe.each([
  { name: 'card', create: () => newCard(start), learn: learnCard, copy: copyCard },
  { name: 'terminal', create: () => newTerminal(start), learn: learnTerminal, copy: copyTerminal },
])('a copy of a $name', ({ create, learn, copy }) => {
  type State = CardState & TerminalState;
  const half = transactions.length >> 1;
  const states = () => {
    const state = create() as State;
    learn(state, 0, half);
    return { state, copied: copy(state) };
  };

  it('is equal, and shares no object', () => {
    const { state, copied } = states();
    expect(copied).toEqual(state);
    const shared = [...objectsOf(copied)].filter((one) => objectsOf(state).has(one));
    expect(shared).toEqual([]);
  });

  it('stays as it is while the other one learns, and the other way round', () => {
    const { state, copied } = states();
    const { copied: before } = states();
    learn(state, half, transactions.length);
    expect(state).not.toEqual(before);
    expect(copied).toEqual(before);
    learn(copied as State, half, transactions.length);
    expect(copied).toEqual(state);
  });
});

it('nothing is learned of a terminal by a payment, which sets no state', () => {
  const terminal = newTerminal(start);
  learnTerminal(terminal, 0, 100);
  const before = copyTerminal(terminal);
  const card = stepCardPayment(newCard(start), transactions.at(-1)!);
  stepTerminalPayment(terminal, card);
  expect(terminal).toEqual(before);
});
