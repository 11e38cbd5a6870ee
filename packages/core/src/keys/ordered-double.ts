const bits = new DataView(new ArrayBuffer(8));

/** The result of {@link orderedBitsOf}: two signed 32-bit integers without an allocation. */
export const orderedBits = { high: 0, low: 0 };

/**
 * Puts the bits of a double into {@link orderedBits}, such that they sort as the doubles do when
 * read as unsigned: positive ones get their sign bit set, negative ones are inverted. −0 is 0,
 * and there is one NaN, above all others.
 */
export function orderedBitsOf(value: number): void {
  if (Number.isNaN(value)) {
    orderedBits.high = 0xfff80000 | 0;
    orderedBits.low = 0;
    return;
  }
  bits.setFloat64(0, value + 0);
  const high = bits.getInt32(0);
  const low = bits.getInt32(4);
  orderedBits.high = high < 0 ? ~high : high ^ 0x80000000;
  orderedBits.low = high < 0 ? ~low : low;
}

/** The double with these bits, or `undefined` if {@link orderedBitsOf} never gives them. */
export function doubleOfOrderedBits(high: number, low: number): number | undefined {
  bits.setInt32(0, high < 0 ? high ^ 0x80000000 : ~high);
  bits.setInt32(4, high < 0 ? low : ~low);
  const value = bits.getFloat64(0);
  orderedBitsOf(value);
  return orderedBits.high === high && orderedBits.low === low ? value : undefined;
}
