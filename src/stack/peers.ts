/**
 * Peers that have proved to exist: a connection with them measured a round trip. While a listener without cookies is
 * flooded, the last quarter of its SYN queue is kept for them (Linux: tcp_peer_is_proven, from its tcp_metrics).
 */

import { AddressCache, AddressEntry } from '../ip/address-cache.ts';
import type { KeyedHash } from '../ip/keyed-hash.ts';
import type { IpAddress } from '../wire/address.ts';

const CAPACITY = 4096;

class Peer extends AddressEntry {
  rttMs = 0;
}

export class ProvenPeers {
  private readonly cache: AddressCache<Peer>;

  constructor(keyed: KeyedHash) {
    this.cache = new AddressCache(CAPACITY, keyed);
  }

  /** Remembers the smoothed round-trip time of a connection that ends. */
  remember(address: IpAddress, rttMs: number): void {
    let peer = this.cache.get(address);
    if (peer === null) {
      peer = new Peer(address);
      this.cache.add(peer);
    } else {
      this.cache.touch(peer);
    }
    peer.rttMs = rttMs;
  }

  /** The address is given as words. */
  isProven(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.cache.find(w0, w1, w2, w3) !== null;
  }
}
