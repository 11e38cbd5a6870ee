/** The magnitude of a bigint ≥ 0 as big-endian bytes without leading zeros; 0 has none. */
export function bytesOfMagnitude(magnitude: bigint): Uint8Array {
  if (magnitude === 0n) return new Uint8Array(0);
  // Radix 16 is linear in the length; shifting out byte after byte would be quadratic.
  const hex = magnitude.toString(16);
  const bytes = new Uint8Array((hex.length + 1) >> 1);
  let end = hex.length;
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16);
    end -= 2;
  }
  return bytes;
}

/** The inverse of {@link bytesOfMagnitude}. Leading zeros are accepted. */
export function magnitudeOfBytes(bytes: Uint8Array): bigint {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  return pairs.length === 0 ? 0n : BigInt(`0x${pairs.join('')}`);
}
