/**
 * Ephemeral ports, RFC 6056: an attacker who has to guess a connection's port as well needs ten thousands of times the
 * packets. The frame is the RFC's algorithm 4, the double hash: one keyed hash gives each destination its own sequence
 * of ports, another one of many counters that says how far along it is.
 *
 * Where the RFC's sequence then goes up by one (and Linux's by a few), ours is a keyed permutation of the whole range:
 *
 * - The next port is unpredictable even to who sees all connections to that destination; steps of a few are not. A
 *   sequence is left half-way for a new one, so that at least half of the range is still possible at any time.
 * - A port comes round again only then: no other way keeps predecessors in TIME-WAIT out of the way for longer.
 * - Nobody can tell how far a counter has moved between two ports, which is how colliding counters gave hosts away
 *   (CVE-2022-32296).
 * - Every port of the range comes up exactly once in a search, so a search finds the last free one.
 *
 * The permutation is a Feistel network, cycle-walked down to the size of the range. Its 64-bit seed comes from SipHash;
 * its rounds are a plain integer mixer, because a search through a crowded range takes thousands of them, and because
 * only who sees all those connections anyway could try to work the seed out.
 */

import { EstabError } from '../base/errors.ts';
import type { RandomSource } from '../base/random.ts';
import { SipHash } from './siphash.ts';
import { type IpWords, TUPLE_WORDS, writeTuple } from './tuple.ts';

/** As many as Linux has had since CVE-2022-32296. */
const COUNTERS = 0x10000;

/** As many as NIST's FF3 has; the theory asks for four, on large domains. */
const ROUNDS = 8;

/** 2^32 over the golden ratio: makes each round's key another one. */
const GOLDEN_RATIO = 0x9e3779b9;

/** Proposes local ports for outgoing connections; the caller says which are free by asking on or not. */
export class PortSelector {
  private readonly low: number;
  private readonly range: number;
  /** Ports of one permutation that are used before the next one begins. */
  private readonly stretch: number;
  /** Bits in each half of the Feistel network's numbers. */
  private readonly halfBits: number;

  private readonly sequenceHash: SipHash;
  private readonly counterHash: SipHash;
  /** Made at the first connect: servers have no use for it. */
  private counters: Uint32Array | null = null;

  /** The search under way: counter, permutation, position in it, ports proposed so far. */
  private counter = 0;
  private seedLow = 0;
  private seedHigh = 0;
  private position = 0;
  private proposed = 0;

  private readonly words = new Int32Array(TUPLE_WORDS + 1);

  /**
   * Proposes ports from `low` to `high`, both included (net.ipv4.ip_local_port_range), under two keys from `secret`.
   * @throws EstabError EINVAL when that is no range within 1 … 65535.
   */
  constructor(secret: RandomSource, low: number, high: number) {
    if (!(Number.isInteger(low) && Number.isInteger(high) && low >= 1 && low <= high && high <= 65535))
      throw new EstabError(
        'EINVAL',
        `a port range goes from 1 to 65535 at most, low end first; this one is ${low} ${high}`,
      );
    this.low = low;
    this.range = high - low + 1;
    this.stretch = (this.range + 1) >> 1;
    // The least even number of bits that holds every position; two for a range of one port.
    this.halfBits = Math.max(1, (33 - Math.clz32(this.range - 1)) >> 1);
    this.sequenceHash = SipHash.withKeyFrom(secret);
    this.counterHash = SipHash.withKeyFrom(secret);
  }

  /** Begins a search for a port towards `remote`; then call {@link next}. */
  start(local: IpWords, remote: IpWords, remotePort: number): void {
    if (this.counters === null) this.counters = new Uint32Array(COUNTERS);
    writeTuple(this.words, local, 0, remote, remotePort);
    this.counter = this.counterHash.hashWords(this.words, TUPLE_WORDS) & (COUNTERS - 1);
    const count = this.counters[this.counter];
    this.position = count % this.stretch;
    this.words[TUPLE_WORDS] = (count / this.stretch) | 0;
    this.seedLow = this.sequenceHash.hashWords(this.words, TUPLE_WORDS + 1);
    this.seedHigh = this.sequenceHash.high;
    this.proposed = 0;
  }

  /** The next port to try, or 0 when all have been proposed since {@link start}. */
  next(): number {
    if (this.counters === null || this.proposed === this.range) return 0;
    this.counters[this.counter]++;
    const place = (this.position + this.proposed) % this.range;
    this.proposed++;
    return this.low + this.permute(place);
  }

  /** Where the permutation under way sends `place`, both in 0 … range - 1. */
  private permute(place: number): number {
    // Cycle walking: what lands beyond the range goes round again. Some of its cycle lies within: `place` itself.
    let value = place;
    do value = this.feistel(value);
    while (value >= this.range);
    return value;
  }

  private feistel(value: number): number {
    const mask = (1 << this.halfBits) - 1;
    let left = value >>> this.halfBits;
    let right = value & mask;
    for (let round = 0; round < ROUNDS; round++) {
      const key = (round & 1) === 0 ? this.seedLow : this.seedHigh;
      const mixed = left ^ (mix(right ^ (key + Math.imul(round, GOLDEN_RATIO))) & mask);
      left = right;
      right = mixed;
    }
    return (left << this.halfBits) | right;
  }
}

/** A bijection of 32-bit words in which every input bit reaches every output bit (MurmurHash3's finaliser). */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
