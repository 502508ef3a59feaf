/**
 * Sequence-number arithmetic, RFC 9293 section 3.4: a ring of 2^32 numbers in which "less than" only means something
 * between numbers less than 2^31 apart.
 *
 * This is the only file that adds, subtracts or compares sequence numbers. A {@link Seq} is branded so that `<`, `-`
 * and plain numbers do not compile where a sequence number is meant, and is a bare int32 at run time: `| 0` keeps V8
 * on small integers, and the sign of a 32-bit difference is the comparison the RFC asks for.
 */

declare const seqBrand: unique symbol;

/** A sequence number modulo 2^32, held as an int32. Print it with {@link seqToUint32}. */
export type Seq = number & { readonly [seqBrand]: 'Seq' };

/** Takes any integer, reduces it modulo 2^32. */
export function seq(value: number): Seq {
  return (value | 0) as Seq;
}

/** `a + n` modulo 2^32; `n` may be negative. */
export function seqAdd(a: Seq, n: number): Seq {
  return (((a as number) + n) | 0) as Seq;
}

/** `a - b` as a signed distance in -2^31 … 2^31 - 1: positive when `a` is ahead of `b`. */
export function seqDiff(a: Seq, b: Seq): number {
  return ((a as number) - (b as number)) | 0;
}

/** a < b */
export function seqLt(a: Seq, b: Seq): boolean {
  return (((a as number) - (b as number)) | 0) < 0;
}

/** a =< b */
export function seqLe(a: Seq, b: Seq): boolean {
  return (((a as number) - (b as number)) | 0) <= 0;
}

/** a > b */
export function seqGt(a: Seq, b: Seq): boolean {
  return (((a as number) - (b as number)) | 0) > 0;
}

/** a >= b */
export function seqGe(a: Seq, b: Seq): boolean {
  return (((a as number) - (b as number)) | 0) >= 0;
}

/** The later of the two. */
export function seqMax(a: Seq, b: Seq): Seq {
  return seqGt(a, b) ? a : b;
}

/** The earlier of the two. */
export function seqMin(a: Seq, b: Seq): Seq {
  return seqLt(a, b) ? a : b;
}

/** The number as it stands on the wire and in captures: 0 … 4294967295. */
export function seqToUint32(a: Seq): number {
  return (a as number) >>> 0;
}
