/**
 * Initial sequence numbers, RFC 6528: ISN = M + F(localip, localport, remoteip, remoteport, secretkey).
 *
 * M is RFC 9293's clock of 4 microseconds (section 3.4.1, MUST-8): for one pair of sockets the ISN only rises, so that
 * a successor's numbers lie above its predecessor's and a TIME-WAIT can tell them apart. F, SipHash under a secret key,
 * gives each pair its own place on the ring: what one connection shows of its numbers says nothing about another's.
 *
 * The same for timestamps, RFC 7323 section 5.4: an offset for each pair of sockets, under a key of its own. A clock
 * without offset tells the whole world how long the host has been up and which connections are its. The offset is fixed
 * for one pair, because RFC 6191 compares the timestamps of successive connections.
 */

import type { RandomSource } from '../base/random.ts';
import { type Seq, seq, seqAdd } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { SipHash } from './siphash.ts';
import { type IpWords, TUPLE_WORDS, writeTuple } from './tuple.ts';

/** 4 microseconds each. */
const TICKS_PER_MS = 250;

/** Chooses initial sequence numbers and timestamp offsets. */
export class IsnGenerator {
  private readonly isnHash: SipHash;
  private readonly timestampHash: SipHash;
  private readonly words = new Int32Array(TUPLE_WORDS);

  /** Draws two keys of 128 bits from `secret`, which must be unpredictable but in simulations. */
  constructor(secret: RandomSource) {
    this.isnHash = SipHash.withKeyFrom(secret);
    this.timestampHash = SipHash.withKeyFrom(secret);
  }

  /** The ISN of a connection between these sockets opened at `now`. */
  isn(now: Time, local: IpWords, localPort: number, remote: IpWords, remotePort: number): Seq {
    writeTuple(this.words, local, localPort, remote, remotePort);
    return seqAdd(seq(this.isnHash.hashWords(this.words, TUPLE_WORDS)), Math.floor(now * TICKS_PER_MS));
  }

  /** Snd.TSoffset of RFC 7323 for these sockets, an int32 to be added to the timestamp clock. */
  timestampOffset(local: IpWords, localPort: number, remote: IpWords, remotePort: number): number {
    writeTuple(this.words, local, localPort, remote, remotePort);
    return this.timestampHash.hashWords(this.words, TUPLE_WORDS);
  }
}
