/**
 * A TCP connection being collected: who, its chain of records, and what must be known at once to tell where the next
 * connection between the same ports begins.
 */

import { IpAddress } from '../wire/address.ts';
import type { Folded } from './folded.ts';
import type { Endpoint } from './report.ts';
import { NONE } from './segment-log.ts';
import type { SynOptions } from './syn-options.ts';

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
}

/** One end of a connection: where it is, and what it has said so far. */
export class FlowSide {
  /** Address words, IPv4 in the last. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly port: number;
  packets = 0;
  syn: SynOptions | null = null;
  synSeq = 0;
  synSeen = false;
  finSeen = false;
  /** The sequence number after the last octet seen, int32. */
  nextSeq = 0;
  lastAck = 0;

  constructor(w0: number, w1: number, w2: number, w3: number, port: number) {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.port = port;
  }
}

export class Flow {
  readonly id: number;
  readonly family: 4 | 6;
  /** Side 0 sent the first packet seen. */
  readonly sides: readonly [FlowSide, FlowSide];
  head = NONE;
  tail = NONE;
  count = 0;
  next: Flow | null = null;
  firstFrame = 0;
  firstTime = 0;
  lastTime = 0;
  textSeen = false;
  /** Whether records of it hold SACK blocks. */
  sackSeen = false;
  /** A reset with exactly the number expected (RFC 5961): others may be somebody else's. */
  resetSeen = false;
  /** A SYN with another number on a live connection: a new one only if it is answered. */
  pendingSyn = NONE;
  pendingOptions: SynOptions | null = null;
  icmp: IcmpEvent[] | null = null;
  /** Set when the same ports carried a connection before, in this capture. */
  previous: { id: number; lastTime: number; closed: boolean } | null = null;
  /** A flow of the same ports whose SYN had no answer when this one's came. */
  unanswered: Flow | null = null;
  /** Number of the connection that went on after this one's SYN, an old duplicate, had come in between. */
  strayOf = 0;
  /** The number under which the same ports follow this one; the flow is complete then. */
  replaced = false;
  /** It has been analysed; its records are gone. */
  taken = false;
  /** Records from which on its older parts are to be cut out, and what is known of those that were. */
  foldAt = Number.POSITIVE_INFINITY;
  folded: Folded | null = null;

  constructor(id: number, family: 4 | 6, first: FlowSide, second: FlowSide) {
    this.id = id;
    this.family = family;
    this.sides = [first, second];
  }

  get closed(): boolean {
    return this.resetSeen || (this.sides[0].finSeen && this.sides[1].finSeen);
  }

  endpoint(side: 0 | 1): Endpoint {
    const { w0, w1, w2, w3, port } = this.sides[side];
    const address = this.family === 4 ? IpAddress.v4(w3) : new IpAddress(w0, w1, w2, w3);
    return { address: address.toString(), port };
  }
}
