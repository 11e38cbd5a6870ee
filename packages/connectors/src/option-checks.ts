import { MillraceError } from '@millrace/core';

/** Throws ERR_INVALID_OPTION naming the option. */
export function refuseOption(option: string, detail: string): never {
  throw new MillraceError('ERR_INVALID_OPTION', detail, { field: option });
}

/** Throws ERR_INVALID_OPTION unless the value is a whole number of at least `min`. */
export function assertWhole(option: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  refuseOption(option, `${option} is ${value}; it must be a whole number of at least ${min}`);
}
