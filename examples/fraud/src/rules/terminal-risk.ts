import { ASSUMPTIONS } from '../assumptions.js';
import { dayText } from '../day.js';
import type { Rule } from './rule.js';

/** A terminal whose labels are frauds without another cause is compromised for four weeks. */
export const terminalRisk: Rule = ({ terminal }) => {
  const { compromiseChance, labels, frauds, fraudsInARow, rowFromDay, rowToDay } = terminal;
  if (compromiseChance < ASSUMPTIONS.mentionChance) return undefined;
  const row =
    rowFromDay === undefined || rowToDay === undefined
      ? ''
      : `, the last ${fraudsInARow} in a row (${dayText(rowFromDay)} to ${dayText(rowToDay)})`;
  return {
    rule: 'terminal-risk',
    cause: 'terminal',
    chance: compromiseChance,
    text: `${frauds} of ${labels} labels of the terminal in four weeks are frauds${row}`,
    numbers: {
      compromiseChance,
      labels,
      frauds,
      fraudsInARow,
      ...(rowFromDay === undefined ? {} : { rowFromDay }),
      ...(rowToDay === undefined ? {} : { rowToDay }),
    },
  };
};
