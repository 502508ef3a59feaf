/**
 * Named counters: every reason to drop a packet, every event worth a statistic has its own.
 *
 * A set is described by a constants object, `{ BAD_CHECKSUM: 0, NO_LISTENER: 1, … } as const`, whose numbers are also
 * what parsers and checks return: the per-segment path counts with one array store and never sees a name.
 */

import { EstabError } from './errors.ts';

/** A fixed set of counters that only rise. */
export class Counters<Name extends string> {
  private readonly codes: Readonly<Record<Name, number>>;
  /** Doubles: octet counts pass 2^32 within minutes, and a double counts exactly to 2^53. */
  private readonly values: Float64Array;

  /**
   * @param codes the names and their numbers: distinct integers from 0 on, small, since each up to the largest takes a place.
   * @throws EstabError EINVAL when they are not.
   */
  constructor(codes: Readonly<Record<Name, number>>) {
    const numbers = Object.values<number>(codes);
    const wrong = numbers.some((code) => !Number.isInteger(code) || code < 0 || code > 0xffff);
    if (wrong || new Set(numbers).size < numbers.length)
      throw new EstabError('EINVAL', 'counter codes must be distinct integers in 0 … 65535');
    this.codes = codes;
    this.values = new Float64Array(Math.max(-1, ...numbers) + 1);
  }

  /** Adds one to the counter with this code; a code outside the set counts nothing. */
  increment(code: number): void {
    this.values[code]++;
  }

  /** Adds `amount`, octets say. */
  add(code: number, amount: number): void {
    this.values[code] += amount;
  }

  /** The count so far. */
  get(name: Name): number {
    return this.values[this.codes[name]];
  }

  /** All counts by name, as they are now. */
  snapshot(): Record<Name, number> {
    const counts = {} as Record<Name, number>;
    for (const name of Object.keys(this.codes) as Name[]) counts[name] = this.get(name);
    return counts;
  }
}
