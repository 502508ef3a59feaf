/**
 * The routing table: longest prefix match for IPv4 and IPv6, on-link prefixes and gateways (RFC 1122 section 3.3.1,
 * RFC 4861 section 5.2 for what "on-link" means). One hash lookup for each prefix length in use, longest first.
 */

import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';

/** A prefix as people write it: `10.0.0.0/24`, `2001:db8::/32`, `0.0.0.0/0`. */
export interface Prefix {
  readonly address: IpAddress;
  /** Bits, counted in the address's own family. */
  readonly length: number;
}

/**
 * Reads `ADDRESS/LENGTH`; a bare address is a host prefix (/32 or /128). Host bits are kept.
 * @throws EstabError EINVAL when it is neither.
 */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const address = IpAddress.parse(slash < 0 ? text : text.slice(0, slash));
  const max = address.family === 4 ? 32 : 128;
  const lengthText = slash < 0 ? String(max) : text.slice(slash + 1);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= max)) throw new EstabError('EINVAL', `"${text}": the prefix length must be 0 … ${max}`);
  return { address, length };
}

/** The address with all bits behind the prefix cleared. */
export function maskAddress(address: IpAddress, length: number): IpAddress {
  const bits = address.family === 4 ? length + 96 : length;
  return new IpAddress(
    address.w0 & maskWord(bits),
    address.w1 & maskWord(bits - 32),
    address.w2 & maskWord(bits - 64),
    address.w3 & maskWord(bits - 96),
  );
}

function maskWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : ~(-1 >>> bits);
}

/** One route. `D` is what it leads out of: the stack's interface. */
export interface Route<D> {
  readonly prefix: Prefix;
  /** The gateway; null: destinations are on the link itself. */
  readonly via: IpAddress | null;
  readonly device: D;
  /** Source address to prefer, null: the device's choice. */
  readonly source: IpAddress | null;
}

interface Bucket<D> {
  readonly length: number;
  /** Keyed by a hash of the masked words; the lists hold what collides. Routes come from the owner, not from peers. */
  readonly routes: Map<number, Route<D>[]>;
}

export class Routes<D> {
  /** Grows with every change: who remembers a lookup compares it. */
  generation = 0;
  private readonly v4: Bucket<D>[] = [];
  private readonly v6: Bucket<D>[] = [];

  /** Adds a route, or replaces the one for the same prefix. */
  add(route: Route<D>): void {
    const { address, length } = route.prefix;
    const network = maskAddress(address, length);
    const kept = { ...route, prefix: { address: network, length } };
    const bucket = this.bucketFor(network.family, length);
    const key = keyOf(network.w0, network.w1, network.w2, network.w3);
    const list = bucket.routes.get(key) ?? [];
    bucket.routes.set(key, [...list.filter((r) => !r.prefix.address.equals(network)), kept]);
    this.generation++;
  }

  /** Removes the route for a prefix; whether there was one. */
  delete(prefix: Prefix): boolean {
    const network = maskAddress(prefix.address, prefix.length);
    const buckets = network.family === 4 ? this.v4 : this.v6;
    const at = buckets.findIndex((bucket) => bucket.length === prefix.length);
    const bucket = buckets[at];
    const key = keyOf(network.w0, network.w1, network.w2, network.w3);
    const list = bucket?.routes.get(key) ?? [];
    const rest = list.filter((r) => !r.prefix.address.equals(network));
    if (rest.length === list.length) return false;
    if (rest.length > 0) bucket.routes.set(key, rest);
    else bucket.routes.delete(key);
    if (bucket.routes.size === 0) buckets.splice(at, 1);
    this.generation++;
    return true;
  }

  /** The most specific route to a destination, null when there is none. */
  lookup(destination: IpAddress): Route<D> | null {
    const v4 = destination.family === 4;
    const buckets = v4 ? this.v4 : this.v6;
    for (const bucket of buckets) {
      const bits = v4 ? bucket.length + 96 : bucket.length;
      const w0 = destination.w0 & maskWord(bits);
      const w1 = destination.w1 & maskWord(bits - 32);
      const w2 = destination.w2 & maskWord(bits - 64);
      const w3 = destination.w3 & maskWord(bits - 96);
      const list = bucket.routes.get(keyOf(w0, w1, w2, w3));
      if (list === undefined) continue;
      for (const route of list) {
        const a = route.prefix.address;
        if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return route;
      }
    }
    return null;
  }

  private bucketFor(family: 4 | 6, length: number): Bucket<D> {
    const buckets = family === 4 ? this.v4 : this.v6;
    const found = buckets.find((bucket) => bucket.length === length);
    if (found !== undefined) return found;
    const bucket: Bucket<D> = { length, routes: new Map() };
    buckets.push(bucket);
    buckets.sort((a, b) => b.length - a.length);
    return bucket;
  }
}

function keyOf(w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w0, 0x9e3779b1) ^ w1;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ w2;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) ^ w3;
  return h | 0;
}
