/**
 * A bounded table keyed by IP address: what a host remembers about other hosts (neighbours, path MTUs, ICMP budgets,
 * proven peers). A peer can invent addresses without end, so the table has a fixed size, a keyed hash, and forgets
 * the least recently used entry. All operations are O(1).
 */

import type { IpAddress } from '../wire/address.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** Base class of the entries: the address, and the links of chain and use order. */
export class AddressEntry {
  readonly address: IpAddress;
  /** Owned by the cache. */
  hash = 0;
  chain: AddressEntry | null = null;
  older: AddressEntry | null = null;
  newer: AddressEntry | null = null;

  constructor(address: IpAddress) {
    this.address = address;
  }
}

export class AddressCache<E extends AddressEntry> {
  /** Entries held. */
  size = 0;
  readonly capacity: number;
  private readonly keyed: KeyedHash;
  private readonly heads: (AddressEntry | null)[];
  private readonly mask: number;
  private oldestEntry: AddressEntry | null = null;
  private newestEntry: AddressEntry | null = null;

  /** @param capacity most entries kept, at least 1. */
  constructor(capacity: number, keyed: KeyedHash) {
    this.capacity = capacity;
    this.keyed = keyed;
    let buckets = 16;
    while (buckets < capacity) buckets *= 2;
    this.heads = new Array<AddressEntry | null>(buckets).fill(null);
    this.mask = buckets - 1;
  }

  /** The entry of an address, given as its four words; null when there is none. Does not count as use. */
  find(w0: number, w1: number, w2: number, w3: number): E | null {
    const hash = this.keyed.address(w0, w1, w2, w3);
    for (let entry = this.heads[hash & this.mask]; entry !== null; entry = entry.chain) {
      const a = entry.address;
      if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return entry as E;
    }
    return null;
  }

  get(address: IpAddress): E | null {
    return this.find(address.w0, address.w1, address.w2, address.w3);
  }

  /** Marks the entry as the most recently used one. */
  touch(entry: E): void {
    if (this.newestEntry === entry) return;
    this.unlinkUse(entry);
    this.linkNewest(entry);
  }

  /** Adds an entry whose address is not in the table; when full, the least recently used one goes and is returned. */
  add(entry: E): E | null {
    let evicted: E | null = null;
    if (this.size >= this.capacity) {
      evicted = this.oldestEntry as E;
      this.delete(evicted);
    }
    const { w0, w1, w2, w3 } = entry.address;
    entry.hash = this.keyed.address(w0, w1, w2, w3);
    const bucket = entry.hash & this.mask;
    entry.chain = this.heads[bucket];
    this.heads[bucket] = entry;
    this.linkNewest(entry);
    this.size++;
    return evicted;
  }

  /** Removes an entry that is in the table. */
  delete(entry: E): void {
    const bucket = entry.hash & this.mask;
    let at = this.heads[bucket];
    if (at === entry) {
      this.heads[bucket] = entry.chain;
    } else {
      while (at !== null && at.chain !== entry) at = at.chain;
      if (at === null) return;
      at.chain = entry.chain;
    }
    entry.chain = null;
    this.unlinkUse(entry);
    this.size--;
  }

  /** The least recently used entry; follow `newer` from it to walk all in order of use. */
  oldest(): E | null {
    return this.oldestEntry as E | null;
  }

  private linkNewest(entry: AddressEntry): void {
    entry.older = this.newestEntry;
    entry.newer = null;
    if (this.newestEntry === null) this.oldestEntry = entry;
    else this.newestEntry.newer = entry;
    this.newestEntry = entry;
  }

  private unlinkUse(entry: AddressEntry): void {
    if (entry.older === null) this.oldestEntry = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.newestEntry = entry.older;
    else entry.newer.older = entry.older;
    entry.older = null;
    entry.newer = null;
  }
}
