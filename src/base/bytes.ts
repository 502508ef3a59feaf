/**
 * Big-endian ("network order") integers in a Uint8Array.
 *
 * Plain indexing, no DataView: one view fewer to make and keep per buffer, and V8 turns the loads and shifts into a few
 * machine instructions. Out of range, typed arrays read `undefined` (0 after the bit operations) and ignore writes, so
 * nothing here throws; who must not read past an end checks the length before, once.
 */

/** The 16 bits at `offset`, 0 … 65535. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 8) | bytes[offset + 1];
}

/** The 32 bits at `offset`, 0 … 4294967295. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return readI32(bytes, offset) >>> 0;
}

/** The 32 bits at `offset` as an int32: what sequence numbers, timestamps and address words are held in. */
export function readI32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3];
}

/** Writes the low 16 bits of `value`. */
export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Writes the low 32 bits of `value`, which may be an int32 or a uint32. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}
