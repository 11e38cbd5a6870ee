/** `price` × 0.908 with three places, by arithmetic that cannot round. */
export function euroByBigInt(price: number): string {
  const thousandths = String(BigInt(price) * 908n).padStart(4, '0');
  return `${thousandths.slice(0, -3)}.${thousandths.slice(-3)}`;
}
