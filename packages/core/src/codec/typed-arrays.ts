/** The typed arrays that a record may hold. */
export type RecordTypedArray =
  | Uint8Array
  | Int8Array
  | Uint8ClampedArray
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  readonly prototype: RecordTypedArray;
  readonly name: string;
  new (buffer: ArrayBuffer): RecordTypedArray;
}

/** In the order of their tags: the first has {@link firstTypedArrayTag}. Frozen as all tags. */
const typedArrayConstructors: readonly TypedArrayConstructor[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

const firstTypedArrayTag = 0x20;

const tagOfPrototype = new Map<unknown, number>(
  typedArrayConstructors.map(({ prototype }, index) => [prototype, firstTypedArrayTag + index]),
);

/** The tag of objects with this prototype, if it is that of a typed array itself, no subclass. */
export function typedArrayTagOf(prototype: unknown): number | undefined {
  return tagOfPrototype.get(prototype);
}

/** The typed array that a tag stands for. */
export function typedArrayOfTag(tag: number): TypedArrayConstructor | undefined {
  return typedArrayConstructors[tag - firstTypedArrayTag];
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes of a typed array as they are written: little-endian. May share its memory. */
export function littleEndianBytes(array: RecordTypedArray): Uint8Array {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return hostIsLittleEndian ? bytes : swapElements(bytes.slice(), array.BYTES_PER_ELEMENT);
}

/** The inverse of {@link littleEndianBytes}; takes over `bytes`. */
export function typedArrayOfBytes(
  TypedArray: TypedArrayConstructor,
  bytes: Uint8Array<ArrayBuffer>,
): RecordTypedArray {
  const native = hostIsLittleEndian ? bytes : swapElements(bytes, TypedArray.BYTES_PER_ELEMENT);
  return new TypedArray(native.buffer);
}

/** Reverses the bytes of each element, in place. */
export function swapElements<Bytes extends Uint8Array>(bytes: Bytes, elementBytes: number): Bytes {
  for (let at = 0; at < bytes.length; at += elementBytes) {
    bytes.subarray(at, at + elementBytes).reverse();
  }
  return bytes;
}
