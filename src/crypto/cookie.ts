/**
 * SYN cookies, RFC 4987 section 3.6 and appendix A: all a listener must remember of a SYN goes into the ISN of the
 * SYN-ACK, and comes back in the acknowledgement. A flood of SYNs then costs no memory at all. In Linux's form,
 *
 *     cookie = H1(sockets) + client ISN + (period << 24) + (H2(sockets, client ISN, period) + MSS index) mod 2^24
 *
 * Periods are 64 s long, and a cookie is good in its own and the next: for 64 to 128 s. H1 hides the period, H2 proves
 * that the cookie is ours. Unlike Linux's, H2 covers the client's ISN, or an acknowledgement with a sequence number a
 * little off would pass as a cookie with another MSS.
 *
 * A guess is accepted with a probability of (2 periods / 2^8) x (6 MSS values / 2^24), about 1 in 3.6 x 10^8.
 *
 * Window scale, SACK and ECN find no room in 32 bits. When the client offered timestamps they ride in the low six bits
 * of ours, which it echoes; otherwise they are lost.
 */

import type { RandomSource } from '../base/random.ts';
import { type Seq, seqAdd, seqDiff } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { SipHash } from './siphash.ts';
import { type IpWords, TUPLE_WORDS, writeTuple } from './tuple.ts';

const PERIOD_MS = 64_000;

/** A cookie is accepted in this many periods, the one it was made in included. */
const VALID_PERIODS = 2;

/** H2's key is replaced every 64 periods, about 68 minutes. */
const PERIODS_PER_KEY = 64;

const PERIOD_SHIFT = 24;
const LOW_BITS = 0xffffff;

/**
 * The values a client's MSS is rounded down to. 536 and up are Linux's, the sizes most often seen; the two below are
 * ours, because Linux rounds smaller ones up to 536 and then sends segments larger than the client said it takes. 48 is
 * the least a peer can make us send (net.ipv4.tcp_min_snd_mss).
 */
const MSS_IPV4: readonly number[] = [48, 256, 536, 1300, 1440, 1460];
const MSS_IPV6: readonly number[] = [48, 536, 1280 - 60, 1480 - 60, 1500 - 60, 9000 - 60];

/** Makes and checks SYN cookies. */
export class SynCookies {
  private readonly secret: RandomSource;
  private readonly placeHash: SipHash;
  private proofHash: SipHash;
  /** The proof key before this one: cookies made under it may still be on their way. */
  private previousProofHash: SipHash;
  private keyEpoch = Number.NEGATIVE_INFINITY;
  private readonly words = new Int32Array(TUPLE_WORDS + 2);

  /** Draws its keys from `secret`, now and whenever one has served its time. */
  constructor(secret: RandomSource) {
    this.secret = secret;
    this.placeHash = SipHash.withKeyFrom(secret);
    this.proofHash = SipHash.withKeyFrom(secret);
    this.previousProofHash = this.proofHash;
  }

  /** The ISN for the SYN-ACK to a SYN with this ISN and MSS (1 … 65535; 536 or 1220 when it had no such option). */
  make(
    now: Time,
    local: IpWords,
    localPort: number,
    remote: IpWords,
    remotePort: number,
    clientIsn: Seq,
    mss: number,
  ): Seq {
    const period = Math.floor(now / PERIOD_MS);
    const table = mssTable(remote);
    let index = table.length - 1;
    while (index > 0 && table[index] > mss) index--;
    writeTuple(this.words, local, localPort, remote, remotePort);
    const place = seqAdd(clientIsn, this.placeHash.hashWords(this.words, TUPLE_WORDS));
    return seqAdd(place, (period << PERIOD_SHIFT) + ((this.proof(period, period, clientIsn) + index) & LOW_BITS));
  }

  /**
   * Checks the acknowledgement that should complete a handshake.
   * @param clientIsn SEG.SEQ - 1
   * @param cookie SEG.ACK - 1
   * @returns the MSS the cookie holds, or 0 when it is not one of ours, for other sockets, or too old.
   */
  check(
    now: Time,
    local: IpWords,
    localPort: number,
    remote: IpWords,
    remotePort: number,
    clientIsn: Seq,
    cookie: Seq,
  ): number {
    const period = Math.floor(now / PERIOD_MS);
    writeTuple(this.words, local, localPort, remote, remotePort);
    const place = seqAdd(clientIsn, this.placeHash.hashWords(this.words, TUPLE_WORDS));
    const bare = seqDiff(cookie, place);
    const age = (period - (bare >>> PERIOD_SHIFT)) & 0xff;
    if (age >= VALID_PERIODS) return 0;
    const table = mssTable(remote);
    const index = (bare - this.proof(period, period - age, clientIsn)) & LOW_BITS;
    return index < table.length ? table[index] : 0;
  }

  /** H2 for a cookie made in period `made`, over the sockets that stand in `words`. */
  private proof(period: number, made: number, clientIsn: Seq): number {
    const epoch = Math.floor(period / PERIODS_PER_KEY);
    if (epoch > this.keyEpoch) {
      this.previousProofHash = this.proofHash;
      this.proofHash = SipHash.withKeyFrom(this.secret);
      this.keyEpoch = epoch;
    }
    this.words[TUPLE_WORDS] = clientIsn;
    this.words[TUPLE_WORDS + 1] = made;
    const hash = Math.floor(made / PERIODS_PER_KEY) < this.keyEpoch ? this.previousProofHash : this.proofHash;
    return hash.hashWords(this.words, TUPLE_WORDS + 2);
  }
}

function mssTable(address: IpWords): readonly number[] {
  return (address.w0 | address.w1) === 0 && address.w2 === 0xffff ? MSS_IPV4 : MSS_IPV6;
}

const OPTION_BITS = 6;
const SCALE_BITS = 0b1111;
/** No valid shift (RFC 7323 section 2.3 ends at 14): the SYN had no window scale option. */
const NO_SCALE = 15;
const MAX_SCALE = 14;
const SACK_BIT = 1 << 4;
const ECN_BIT = 1 << 5;

/** What a SYN offered besides its MSS. */
export interface CookieOptions {
  /** The client's shift count, -1 when it offered none. */
  windowScale: number;
  sack: boolean;
  ecn: boolean;
}

/**
 * The timestamp for a SYN-ACK with a cookie: the clock's, before the connection's offset is added, with the client's
 * options in its low bits. It is at most 63 behind the clock and never ahead, or the next segment's timestamp would
 * look like an old one to the client (PAWS).
 * @param clock our timestamp clock, an int32
 * @param windowScale the client's shift count; -1 when it offered none
 */
export function encodeOptions(clock: number, windowScale: number, sack: boolean, ecn: boolean): number {
  const scale = windowScale < 0 ? NO_SCALE : Math.min(windowScale, MAX_SCALE);
  const bits = scale | (sack ? SACK_BIT : 0) | (ecn ? ECN_BIT : 0);
  const stamp = ((clock >> OPTION_BITS) << OPTION_BITS) | bits;
  const ahead = bits > (clock & ((1 << OPTION_BITS) - 1));
  return ahead ? (stamp - (1 << OPTION_BITS)) | 0 : stamp;
}

/** What {@link encodeOptions} put into the timestamp that came back, the connection's offset already taken off. */
export function decodeOptions(echo: number): CookieOptions {
  const scale = echo & SCALE_BITS;
  return {
    windowScale: scale === NO_SCALE ? -1 : scale,
    sack: (echo & SACK_BIT) !== 0,
    ecn: (echo & ECN_BIT) !== 0,
  };
}
