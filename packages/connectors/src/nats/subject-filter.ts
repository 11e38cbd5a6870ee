import { refuseOption } from '../option-checks.js';

/** @throws ERR_INVALID_OPTION for filters that are none, or that match the same subjects */
export function assertFilters(option: string, filters: readonly string[]): void {
  for (const [index, filter] of filters.entries()) {
    if (!isFilter(filter)) refuseOption(option, `"${filter}" is no subject`);
    const other = filters.slice(0, index).find((earlier) => overlap(earlier, filter));
    if (other === undefined) continue;
    refuseOption(option, `"${other}" and "${filter}" match the same subjects, read twice then`);
  }
}

/** @throws ERR_INVALID_OPTION for what cannot be the name of a stream or a bucket */
export function assertName(option: string, name: string): void {
  if (typeof name === 'string' && /^[^\s.*>/\\]+$/.test(name)) return;
  refuseOption(option, `"${name}" is no name: spaces, dots, wildcards and slashes are not allowed`);
}

function isFilter(filter: string): boolean {
  if (filter === '' || /\s/.test(filter)) return false;
  const tokens = filter.split('.');
  return tokens.every((token, index) => {
    if (token === '>') return index === tokens.length - 1;
    return token === '*' || /^[^*>]+$/.test(token);
  });
}

/** Whether a subject exists that both match. */
function overlap(one: string, other: string): boolean {
  const [left, right] = [one.split('.'), other.split('.')];
  for (let i = 0; ; i += 1) {
    const [a, b] = [left[i], right[i]];
    if (a === undefined || b === undefined) return a === b;
    if (a === '>' || b === '>') return true;
    if (a !== b && a !== '*' && b !== '*') return false;
  }
}
