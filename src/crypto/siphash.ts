/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for short inputs, the pseudorandom function behind initial
 * sequence numbers, cookies and ephemeral ports, as in Linux and the BSDs. Who does not know the 128-bit key cannot
 * tell its output from random numbers, and it takes tens of nanoseconds.
 *
 * Its 64-bit words stand as pairs of int32 in local variables: BigInt would allocate at every step.
 */

import type { RandomSource } from '../base/random.ts';

/** Octets of a key. */
export const SIPHASH_KEY_LENGTH = 16;

/** SipHash-2-4 under one key. */
export class SipHash {
  private readonly k0Low: number;
  private readonly k0High: number;
  private readonly k1Low: number;
  private readonly k1High: number;

  /** The high 32 bits, an int32, of the hash computed last. */
  high = 0;

  /** @param key 16 octets; more are ignored. */
  constructor(key: Uint8Array) {
    this.k0Low = wordAt(key, 0);
    this.k0High = wordAt(key, 4);
    this.k1Low = wordAt(key, 8);
    this.k1High = wordAt(key, 12);
  }

  /** A hash under a fresh key of 128 bits drawn from `secret`. */
  static withKeyFrom(secret: RandomSource): SipHash {
    const key = new Uint8Array(SIPHASH_KEY_LENGTH);
    for (let i = 0; i < SIPHASH_KEY_LENGTH; i += 4) {
      const word = secret.nextUint32();
      for (let k = 0; k < 4; k++) key[i + k] = word >>> (8 * k);
    }
    return new SipHash(key);
  }

  /**
   * Hashes the first `count` words, each as four octets in little-endian order.
   * @returns the low 32 bits of the hash as an int32; the high ones are in {@link high}.
   */
  hashWords(words: Int32Array, count: number): number {
    return this.hash(words, count << 2);
  }

  /** Hashes octets. Allocates: not for the path of every segment. Returns as {@link hashWords} does. */
  hashBytes(bytes: Uint8Array): number {
    const words = new Int32Array((bytes.length + 3) >>> 2);
    for (let i = 0; i < words.length; i++) words[i] = wordAt(bytes, 4 * i);
    return this.hash(words, bytes.length);
  }

  /** The function itself, over `length` octets packed in words, the last one padded with zeros. */
  private hash(words: Int32Array, length: number): number {
    // "somepseudorandomlygeneratedbytes", as the paper has it.
    let v0l = this.k0Low ^ 0x70736575;
    let v0h = this.k0High ^ 0x736f6d65;
    let v1l = this.k1Low ^ 0x6e646f6d;
    let v1h = this.k1High ^ 0x646f7261;
    let v2l = this.k0Low ^ 0x6e657261;
    let v2h = this.k0High ^ 0x6c796765;
    let v3l = this.k1Low ^ 0x79746573;
    let v3h = this.k1High ^ 0x74656462;

    const full = length >>> 3;
    const rest = length & 7;
    // Blocks 0 … full - 1 are the input's, block `full` is its remainder under the length octet, the one after it
    // stands for the finalisation: four rounds instead of two.
    for (let block = 0; block <= full + 1; block++) {
      let rounds = 2;
      let ml = 0;
      let mh = 0;
      if (block < full) {
        ml = words[2 * block];
        mh = words[2 * block + 1];
      } else if (block === full) {
        if (rest > 0) ml = words[2 * block];
        if (rest > 4) mh = words[2 * block + 1];
        mh |= length << 24;
      } else {
        v2l ^= 0xff;
        rounds = 4;
      }
      v3l ^= ml;
      v3h ^= mh;
      for (; rounds > 0; rounds--) {
        // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
        v0l = (v0l + v1l) | 0;
        v0h = (v0h + v1h + carry(v0l, v1l)) | 0;
        let low = (v1l << 13) | (v1h >>> 19);
        v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
        v1l = low ^ v0l;
        low = v0h;
        v0h = v0l;
        v0l = low;
        // v2 += v3; v3 <<<= 16; v3 ^= v2
        v2l = (v2l + v3l) | 0;
        v2h = (v2h + v3h + carry(v2l, v3l)) | 0;
        low = (v3l << 16) | (v3h >>> 16);
        v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
        v3l = low ^ v2l;
        // v0 += v3; v3 <<<= 21; v3 ^= v0
        v0l = (v0l + v3l) | 0;
        v0h = (v0h + v3h + carry(v0l, v3l)) | 0;
        low = (v3l << 21) | (v3h >>> 11);
        v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
        v3l = low ^ v0l;
        // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
        v2l = (v2l + v1l) | 0;
        v2h = (v2h + v1h + carry(v2l, v1l)) | 0;
        low = (v1l << 17) | (v1h >>> 15);
        v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
        v1l = low ^ v2l;
        low = v2h;
        v2h = v2l;
        v2l = low;
      }
      v0l ^= ml;
      v0h ^= mh;
    }
    this.high = v0h ^ v1h ^ v2h ^ v3h;
    return v0l ^ v1l ^ v2l ^ v3l;
  }
}

/** The carry out of the 32-bit addition that gave `sum`, `addend` being either of its terms. */
function carry(sum: number, addend: number): number {
  return sum >>> 0 < addend >>> 0 ? 1 : 0;
}

/** Four octets from `offset` on, little-endian; what lies past the end counts as zero. */
function wordAt(bytes: Uint8Array, offset: number): number {
  let word = 0;
  for (let i = Math.min(bytes.length - offset, 4) - 1; i >= 0; i--) word = (word << 8) | bytes[offset + i];
  return word;
}
