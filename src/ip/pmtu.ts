/**
 * The path MTU cache: RFC 1191 (IPv4) and RFC 8201 (IPv6). What the network has told about the way to a destination,
 * forgotten after ten minutes so that a path that grew again is found out (RFC 1191 section 6.3: not more often than
 * every ten minutes).
 */

import { MINUTE, NEVER, type Time } from '../base/time.ts';
import type { IpAddress } from '../wire/address.ts';
import { AddressCache, AddressEntry } from './address-cache.ts';
import type { KeyedHash } from './keyed-hash.ts';

/**
 * The least we believe for IPv4. The protocol's own least is 68, but a forged message must not cut segments into
 * crumbs: Linux's min_pmtu, 512 bytes of payload and 40 of headers.
 */
export const MIN_PMTU_V4 = 552;
/** RFC 8200 section 5: every IPv6 link carries this much. */
export const MIN_PMTU_V6 = 1280;

const AGE = 10 * MINUTE;
const CAPACITY = 1024;

/** RFC 1191 section 7.1: for routers that do not tell their MTU, the next lower of the sizes links have. */
const PLATEAUS = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 552];

class PmtuEntry extends AddressEntry {
  mtu = 0;
  expires: Time = 0;
}

export class PathMtu {
  private readonly cache: AddressCache<PmtuEntry>;

  constructor(keyed: KeyedHash) {
    this.cache = new AddressCache(CAPACITY, keyed);
  }

  /** The MTU towards a destination, never above that of the link. */
  get(now: Time, destination: IpAddress, linkMtu: number): number {
    const entry = this.cache.get(destination);
    if (entry === null) return linkMtu;
    if (now >= entry.expires) {
      this.cache.delete(entry);
      return linkMtu;
    }
    return Math.min(entry.mtu, linkMtu);
  }

  /** When what is known of a destination is forgotten; NEVER when nothing is. */
  expires(destination: IpAddress): Time {
    return this.cache.get(destination)?.expires ?? NEVER;
  }

  /**
   * Takes note of a "packet too big" that has been found worth belief.
   * @param mtu as {@link believablePmtu} made it.
   * @returns whether it is news, that is, lower than what was known.
   */
  lower(now: Time, destination: IpAddress, mtu: number, linkMtu: number): boolean {
    if (mtu >= this.get(now, destination, linkMtu)) return false;
    let entry = this.cache.get(destination);
    if (entry === null) {
      entry = new PmtuEntry(destination);
      this.cache.add(entry);
    } else {
      this.cache.touch(entry);
    }
    entry.mtu = mtu;
    entry.expires = now + AGE;
    return true;
  }
}

/**
 * What to make of the MTU in a "packet too big": below the floor it is the floor, and 0 (a router from before RFC 1191)
 * is the next plateau below the packet that was too big.
 * @param packetLength total length of the packet that the message quotes.
 */
export function believablePmtu(family: 4 | 6, mtu: number, packetLength: number): number {
  if (family === 6) return Math.max(mtu, MIN_PMTU_V6);
  const told = mtu === 0 ? (PLATEAUS.find((size) => size < packetLength) ?? MIN_PMTU_V4) : mtu;
  return Math.max(told, MIN_PMTU_V4);
}
