/**
 * How many ICMP errors may leave: RFC 1812 section 4.3.2.8 and RFC 4443 section 2.4(f) ask for a limit, Linux has two,
 * and so have we. Per destination, a token bucket of one message every `icmp_ratelimit` ms with a burst of six. Over
 * all, `icmp_msgs_per_sec` with `icmp_msgs_burst`, from which up to two further tokens vanish at random: an exact
 * shared budget lets a stranger count our errors to others and so learn which ports are open (SAD DNS,
 * CVE-2020-25705).
 */

import { type RandomSource, randomBelow } from '../base/random.ts';
import { SECOND, type Time } from '../base/time.ts';
import { IpAddress } from '../wire/address.ts';
import { AddressCache, AddressEntry } from './address-cache.ts';
import { Counter } from './counters.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** The settings it goes by, by their Linux names; read at each use, so that they can change. */
export interface IcmpLimits {
  /** Least gap in ms between messages to one destination; 0: no limit of this kind. */
  readonly icmp_ratelimit: number;
  /** Messages a second to all; at least 1. */
  readonly icmp_msgs_per_sec: number;
  readonly icmp_msgs_burst: number;
  /** Bit set of the ICMPv4 types that are limited; ICMPv6 errors always are. */
  readonly icmp_ratemask: number;
}

const BURST_PER_DESTINATION = 6;
const CAPACITY = 1024;
const LOSS_BOUND = 3;

class Bucket extends AddressEntry {
  tokensMs = 0;
  at: Time = 0;
}

export class IcmpLimiter {
  private readonly limits: IcmpLimits;
  private readonly random: RandomSource;
  private readonly destinations: AddressCache<Bucket>;
  private credit = -1;
  private creditAt: Time = 0;

  constructor(limits: IcmpLimits, random: RandomSource, keyed: KeyedHash) {
    this.limits = limits;
    this.random = random;
    this.destinations = new AddressCache(CAPACITY, keyed);
  }

  /** 0 when a message of this ICMPv4 type (-1: an ICMPv6 error) may go to that destination, else the counter that says why not. */
  refuses(now: Time, type: number, w0: number, w1: number, w2: number, w3: number): number {
    if (type >= 0 && (type > 31 || ((this.limits.icmp_ratemask >>> type) & 1) === 0)) return 0;
    if (!this.globalAllows(now)) return Counter.IcmpOutRateLimitGlobal;
    if (!this.destinationAllows(now, w0, w1, w2, w3)) return Counter.IcmpOutRateLimitHost;
    this.credit = Math.max(0, this.credit - 1 - randomBelow(this.random, LOSS_BOUND));
    return 0;
  }

  private globalAllows(now: Time): boolean {
    const { icmp_msgs_per_sec: perSecond, icmp_msgs_burst: burst } = this.limits;
    if (this.credit < 0) this.credit = burst;
    const gained = (Math.min(now - this.creditAt, SECOND) * perSecond) / SECOND;
    this.credit = Math.min(burst, this.credit + gained);
    this.creditAt = now;
    return this.credit >= 1;
  }

  private destinationAllows(now: Time, w0: number, w1: number, w2: number, w3: number): boolean {
    const gap = this.limits.icmp_ratelimit;
    if (gap === 0) return true;
    let bucket = this.destinations.find(w0, w1, w2, w3);
    if (bucket === null) {
      bucket = new Bucket(new IpAddress(w0, w1, w2, w3));
      bucket.tokensMs = BURST_PER_DESTINATION * gap;
      this.destinations.add(bucket);
    } else {
      bucket.tokensMs = Math.min(bucket.tokensMs + now - bucket.at, BURST_PER_DESTINATION * gap);
      this.destinations.touch(bucket);
    }
    bucket.at = now;
    if (bucket.tokensMs < gap) return false;
    bucket.tokensMs -= gap;
    return true;
  }
}
