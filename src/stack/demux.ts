/**
 * The demultiplexer: from a packet's addresses and ports to who it is for. One hash table over integers with chains
 * through the entries themselves; the hash is keyed, so nobody outside can choose ports that share a chain; the table
 * doubles, so that a lookup costs the same among ten connections and a hundred thousand.
 */

import type { KeyedHash } from '../ip/keyed-hash.ts';
import type { IpPacket } from '../wire/ip-packet.ts';
import { ANY_PORT, type Endpoint } from './endpoint.ts';

const FIRST_BUCKETS = 64;
const MAPPED = 0xffff;

export class Demux {
  /** Entries in the table. */
  size = 0;
  private readonly keyed: KeyedHash;
  private heads: (Endpoint | null)[] = new Array<Endpoint | null>(FIRST_BUCKETS).fill(null);
  private mask = FIRST_BUCKETS - 1;

  constructor(keyed: KeyedHash) {
    this.keyed = keyed;
  }

  /** Adds an entry; no other with the same ends may be in the table. */
  add(entry: Endpoint): void {
    if (this.size > this.mask) this.grow();
    const { local } = entry;
    entry.hash = this.hash(local.w0, local.w1, local.w2, local.w3, entry.r0, entry.r1, entry.r2, entry.r3, entry.ports);
    const bucket = entry.hash & this.mask;
    entry.chain = this.heads[bucket];
    this.heads[bucket] = entry;
    this.size++;
  }

  /** Removes an entry; whether it was there. */
  delete(entry: Endpoint): boolean {
    const bucket = entry.hash & this.mask;
    let at = this.heads[bucket];
    if (at === entry) {
      this.heads[bucket] = entry.chain;
    } else {
      while (at !== null && at.chain !== entry) at = at.chain;
      if (at === null) return false;
      at.chain = entry.chain;
    }
    entry.chain = null;
    this.size--;
    return true;
  }

  /** All entries, in no order that means anything. Nothing may be added or removed meanwhile. */
  *entries(): Generator<Endpoint> {
    for (const head of this.heads) for (let e = head; e !== null; e = e.chain) yield e;
  }

  /** The entry with exactly these ends; addresses as words, `ports` as {@link Endpoint.ports}. */
  find(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    ports: number,
  ): Endpoint | null {
    const hash = this.hash(l0, l1, l2, l3, r0, r1, r2, r3, ports);
    for (let e = this.heads[hash & this.mask]; e !== null; e = e.chain) {
      if (e.ports !== ports || e.r3 !== r3 || e.hash !== hash) continue;
      const local = e.local;
      if (local.w3 !== l3 || local.w2 !== l2 || local.w1 !== l1 || local.w0 !== l0) continue;
      if (e.r2 === r2 && e.r1 === r1 && e.r0 === r0) return e;
    }
    return null;
  }

  /** The connection that an arriving packet belongs to. */
  findConnected(p: IpPacket, sourcePort: number, destinationPort: number): Endpoint | null {
    const ports = (destinationPort << 16) | sourcePort;
    return this.find(p.d0, p.d1, p.d2, p.d3, p.s0, p.s1, p.s2, p.s3, ports);
  }

  /** The connection whose own packet an ICMP error quotes. */
  findQuoted(p: IpPacket, sourcePort: number, destinationPort: number): Endpoint | null {
    const ports = (sourcePort << 16) | destinationPort;
    return this.find(p.s0, p.s1, p.s2, p.s3, p.d0, p.d1, p.d2, p.d3, ports);
  }

  /**
   * The entry without a remote end that takes what is sent to an address and port. The more exact wins: address and
   * port, port alone, address alone, anything. "Any address" is 0.0.0.0 or :: for its own family, and :: for IPv4 too
   * unless the entry says otherwise.
   */
  findBound(w0: number, w1: number, w2: number, w3: number, port: number): Endpoint | null {
    return this.boundTo(w0, w1, w2, w3, port) ?? this.boundTo(w0, w1, w2, w3, ANY_PORT);
  }

  private boundTo(w0: number, w1: number, w2: number, w3: number, port: number): Endpoint | null {
    const ports = port << 16;
    const exact = this.find(w0, w1, w2, w3, 0, 0, 0, 0, ports);
    if (exact !== null) return exact;
    if ((w0 | w1) === 0 && w2 === MAPPED) {
      const any4 = this.find(0, 0, MAPPED, 0, 0, 0, 0, 0, ports);
      if (any4 !== null) return any4;
      const any6 = this.find(0, 0, 0, 0, 0, 0, 0, 0, ports);
      return any6 !== null && !any6.v6Only ? any6 : null;
    }
    return this.find(0, 0, 0, 0, 0, 0, 0, 0, ports);
  }

  private hash(
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    ports: number,
  ): number {
    const keyed = this.keyed;
    keyed.begin();
    if ((l0 | l1) !== 0 || l2 !== MAPPED) {
      keyed.add(l0);
      keyed.add(l1);
      keyed.add(l2);
      keyed.add(r0);
      keyed.add(r1);
      keyed.add(r2);
    }
    keyed.add(l3);
    keyed.add(r3);
    keyed.add(ports);
    return keyed.end();
  }

  private grow(): void {
    const old = this.heads;
    this.mask = old.length * 2 - 1;
    this.heads = new Array<Endpoint | null>(old.length * 2).fill(null);
    for (const head of old) {
      for (let e = head; e !== null; ) {
        const next: Endpoint | null = e.chain;
        const bucket = e.hash & this.mask;
        e.chain = this.heads[bucket];
        this.heads[bucket] = e;
        e = next;
      }
    }
  }
}
