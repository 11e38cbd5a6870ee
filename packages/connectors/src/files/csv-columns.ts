/** What the text of a field becomes; with `?` an empty field becomes null. */
export type CsvColumnType =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'string?'
  | 'number?'
  | 'integer?'
  | 'boolean?';

/**
 * The columns to read, by their names in the header, with what becomes of each field.
 *
 * - `string`: the text as it is, also when it is empty.
 * - `number`: decimal, such as `-1.5e3`; no other notation, no spaces.
 * - `integer`: a whole number that a double holds exactly.
 * - `boolean`: `true`, `false`, `1` or `0`, in small letters, capitals or with one capital.
 */
export type CsvColumns = { readonly [column: string]: CsvColumnType };

interface CsvValues {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
}

type CsvValue<T extends CsvColumnType> = T extends `${infer Base extends keyof CsvValues}?`
  ? CsvValues[Base] | null
  : T extends keyof CsvValues
    ? CsvValues[T]
    : never;

/** The record that a row with these columns becomes. */
export type CsvRecord<C extends CsvColumns> = { readonly [N in keyof C]: CsvValue<C[N]> } & {};

export const csvColumnTypes: readonly CsvColumnType[] = [
  'string',
  'number',
  'integer',
  'boolean',
  'string?',
  'number?',
  'integer?',
  'boolean?',
];
