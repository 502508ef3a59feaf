/**
 * HalfSipHash-1-3 over 32-bit words: the hash of every table whose keys a peer chooses (connections, neighbours, path
 * MTUs, fragments). Keyed with secret bits, so that nobody outside can pick addresses and ports that fall into one
 * bucket; about forty integer operations for an IPv4 connection, so that the lookup stays cheap.
 *
 * Not a message authentication code: cookies and sequence numbers use the full SipHash.
 */

import type { RandomSource } from '../base/random.ts';

/** Call {@link begin}, {@link add} for each word, {@link end}. One instance serves many tables, one hash at a time. */
export class KeyedHash {
  private readonly k0: number;
  private readonly k1: number;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;
  private count = 0;

  /** @param secret 64 bits are drawn from it. */
  constructor(secret: RandomSource) {
    this.k0 = secret.nextUint32() | 0;
    this.k1 = secret.nextUint32() | 0;
  }

  begin(): void {
    this.v0 = this.k0;
    this.v1 = this.k1;
    this.v2 = this.k0 ^ 0x6c796765;
    this.v3 = this.k1 ^ 0x74656462;
    this.count = 0;
  }

  add(word: number): void {
    this.v3 ^= word;
    this.round();
    this.v0 ^= word;
    this.count++;
  }

  /** The hash as an int32; mask it for a table whose size is a power of two. */
  end(): number {
    const last = this.count << 26; // the length in bytes, in the top octet
    this.v3 ^= last;
    this.round();
    this.v0 ^= last;
    this.v2 ^= 0xff;
    this.round();
    this.round();
    this.round();
    return this.v1 ^ this.v3;
  }

  /** The hash of one IP address. IPv4 addresses differ in their last word alone. */
  address(w0: number, w1: number, w2: number, w3: number): number {
    this.begin();
    if ((w0 | w1) !== 0 || w2 !== 0xffff) {
      this.add(w0);
      this.add(w1);
      this.add(w2);
    }
    this.add(w3);
    return this.end();
  }

  private round(): void {
    let v0 = (this.v0 + this.v1) | 0;
    let v1 = ((this.v1 << 5) | (this.v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    let v2 = (this.v2 + this.v3) | 0;
    let v3 = ((this.v3 << 8) | (this.v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}
