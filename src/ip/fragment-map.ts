/**
 * Which parts of a datagram have arrived, in units of 8 octets (RFC 791's unit of fragment offsets): one bit a unit,
 * and a second one where a fragment began. A new fragment is judged by looking at its own units alone, however many
 * fragments came before it (FragmentSmack, CVE-2018-5391, was a list walked for each).
 */

/** How a fragment stands to those already there. */
export const Fit = {
  /** None of its units has arrived. */
  NEW: 0,
  /** The very same units came as one fragment before. */
  DUPLICATE: 1,
  OVERLAP: 2,
} as const;

export type Fit = (typeof Fit)[keyof typeof Fit];

const FIRST_WORDS = 8;

export class FragmentMap {
  private have = new Int32Array(FIRST_WORDS);
  private starts = new Int32Array(FIRST_WORDS);

  /** Bytes of memory held. */
  get memory(): number {
    return this.have.byteLength * 2;
  }

  /** Adds units [from, to) when they are new; `from` below `to`. */
  add(from: number, to: number): Fit {
    if (this.anySet(this.have, from, to)) return this.isDuplicate(from, to) ? Fit.DUPLICATE : Fit.OVERLAP;
    this.reserve(to);
    for (let word = from >> 5; word <= (to - 1) >> 5; word++) this.have[word] |= maskOf(word, from, to);
    this.starts[from >> 5] |= 1 << (from & 31);
    return Fit.NEW;
  }

  private isDuplicate(from: number, to: number): boolean {
    if (!this.bit(this.starts, from) || this.anySet(this.starts, from + 1, to)) return false;
    if (this.bit(this.have, to) && !this.bit(this.starts, to)) return false;
    for (let word = from >> 5; word <= (to - 1) >> 5; word++) {
      const mask = maskOf(word, from, to);
      if ((this.have[word] & mask) !== mask) return false;
    }
    return true;
  }

  private bit(map: Int32Array, unit: number): boolean {
    const word = unit >> 5;
    return word < map.length && ((map[word] >>> (unit & 31)) & 1) !== 0;
  }

  private anySet(map: Int32Array, from: number, to: number): boolean {
    const last = Math.min((to - 1) >> 5, map.length - 1);
    for (let word = from >> 5; word <= last; word++) if ((map[word] & maskOf(word, from, to)) !== 0) return true;
    return false;
  }

  private reserve(units: number): void {
    const words = (units + 31) >> 5;
    if (words <= this.have.length) return;
    const size = Math.max(words, this.have.length * 2);
    const have = new Int32Array(size);
    const starts = new Int32Array(size);
    have.set(this.have);
    starts.set(this.starts);
    this.have = have;
    this.starts = starts;
  }
}

/** The bits of [from, to) that lie in word number `word`. */
function maskOf(word: number, from: number, to: number): number {
  const low = Math.max(from - (word << 5), 0);
  const high = Math.min(to - (word << 5), 32);
  if (low >= high) return 0;
  return (-1 << low) & (-1 >>> (32 - high));
}
