/**
 * A TCP connection being collected: who, its chain of records, and what must be known at once to tell where the next
 * connection between the same ports begins.
 */

import { IpAddress } from '../wire/address.ts';
import { NONE } from './segment-log.ts';

/** Options seen on a SYN. */
export interface SynOptions {
  mss: number;
  /** -1: not offered. */
  scale: number;
  sackPermitted: boolean;
  timestamps: boolean;
  /** Octets of the fast-open cookie, 0 for a request, -1: no such option. */
  cookie: number;
  multipath: boolean;
}

/** An ICMP error that quoted a segment of the connection. */
export interface IcmpEvent {
  frame: number;
  time: number;
  type: number;
  code: number;
  mtu: number;
  seq: number;
  /** Side the quoted segment came from. */
  side: 0 | 1;
  family: 4 | 6;
  ipLength: number;
  /** How many records the flow had when it came. */
  position: number;
}

export class Flow {
  readonly id: number;
  readonly family: 4 | 6;
  /** Address words of both sides: side 0 sent the first packet seen. */
  readonly words: Int32Array;
  readonly ports: [number, number];
  head = NONE;
  tail = NONE;
  count = 0;
  next: Flow | null = null;
  firstFrame = 0;
  firstTime = 0;
  lastTime = 0;
  /** Per side. */
  syn: [SynOptions | null, SynOptions | null] = [null, null];
  synSeq: [number, number] = [0, 0];
  synSeen: [boolean, boolean] = [false, false];
  finSeen: [boolean, boolean] = [false, false];
  packets: [number, number] = [0, 0];
  textSeen = false;
  /** A reset with exactly the number expected (RFC 5961): others may be somebody else's. */
  resetSeen = false;
  /** Per side, the sequence number after the last octet seen, int32. */
  nextSeq: [number, number] = [0, 0];
  lastAck: [number, number] = [0, 0];
  /** A SYN with another number on a live connection: a new one only if it is answered. */
  pendingSyn = NONE;
  icmp: IcmpEvent[] | null = null;
  /** Set when the same ports carried a connection before, in this capture. */
  previous: { id: number; lastTime: number; closed: boolean } | null = null;
  /** A flow of the same ports whose SYN had no answer when this one's came. */
  unanswered: Flow | null = null;
  /** Number of the connection that went on after this one's SYN, an old duplicate, had come in between. */
  strayOf = 0;
  /** The number under which the same ports follow this one; the flow is complete then. */
  replaced = false;

  constructor(id: number, family: 4 | 6, words: Int32Array, ports: [number, number]) {
    this.id = id;
    this.family = family;
    this.words = words;
    this.ports = ports;
  }

  get closed(): boolean {
    return this.resetSeen || (this.finSeen[0] && this.finSeen[1]);
  }

  address(side: 0 | 1): string {
    const at = side * 4;
    const { words } = this;
    if (this.family === 4) return IpAddress.v4(words[at + 3]).toString();
    return new IpAddress(words[at], words[at + 1], words[at + 2], words[at + 3]).toString();
  }
}
