/** Which of a block's rows are wanted: `from` (included) to `to` (excluded) of `count`. */
export interface RowSpan {
  readonly count: number;
  readonly from: number;
  readonly to: number;
}
