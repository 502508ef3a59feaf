/**
 * Packets to connections, keyed by integers. A connection ends, and the next one between the same ports begins, with a
 * SYN of another number: at once where the old one was closed or never answered, otherwise only when the SYN is
 * answered, since a SYN into a live connection is an attack or a stale packet (RFC 5961 section 4).
 */

import type { Packet } from '../dissect/packet.ts';
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { Flow, FlowSide } from './flow.ts';
import { Bit, NONE, type SegmentLog } from './segment-log.ts';
import { synOptionsOf } from './syn-options.ts';

export class FlowTable {
  readonly log: SegmentLog;
  /** All flows not yet taken, in order of their first packet. */
  flows: Flow[] = [];
  /** Flows taken already whose ports may still see a packet, in the order of their last ones. */
  private graves: Flow[] = [];
  private readonly chains = new Map<number, Flow>();
  private readonly retired: (flow: Flow) => void;
  private readonly begun: (flow: Flow) => void;
  private readonly full: (flow: Flow) => void;
  private nextId = 1;

  /**
   * @param retired told of each flow that can get no more packets.
   * @param begun told of each new flow, which may set when it is `full`.
   */
  constructor(
    log: SegmentLog,
    retired: (flow: Flow) => void,
    begun: (flow: Flow) => void = () => undefined,
    full: (flow: Flow) => void = () => undefined,
  ) {
    this.log = log;
    this.retired = retired;
    this.begun = begun;
    this.full = full;
  }

  /** Files a TCP segment. */
  add(p: Packet, frame: number, time: number): Flow {
    const key = keyOf(p);
    let flow = this.find(key, p);
    let reverse = flow !== null && !isForward(flow, p);
    const syn = (p.flags & (SYN | RST)) === SYN;
    if (flow !== null && syn) {
      const begun = this.begins(flow, p, reverse ? 1 : 0);
      if (begun !== null) {
        flow = begun;
        reverse = !isForward(flow, p);
      }
    }
    if (flow === null) {
      flow = this.create(key, p);
      reverse = false;
    }
    if (!flow.taken) this.record(flow, p, frame, time, reverse ? 1 : 0);
    return flow;
  }

  /** The flow a quoted segment (in an ICMP error) belongs to. */
  quoted(p: Packet): Flow | null {
    return this.find(keyOf(p), p);
  }

  /** Retires all flows: the capture is over. */
  finish(): void {
    this.chains.clear();
    for (const flow of this.flows) if (!flow.replaced) this.take(flow);
    this.flows = [];
    this.graves = [];
  }

  /**
   * Retires flows last seen before `time` that are over: closed, or never opened. Nothing more can come for them
   * (RFC 9293 section 3.4.2: twice the MSL), so their ports are forgotten.
   */
  expire(time: number): void {
    this.takeAway((flow) => {
      const oneSided = flow.sides[0].packets === 0 || flow.sides[1].packets === 0;
      return flow.lastTime < time && (flow.closed || oneSided || flow.count <= 6);
    });
    const forgotten = this.graves.findIndex((flow) => flow.lastTime >= time);
    for (const flow of this.graves.splice(0, forgotten < 0 ? this.graves.length : forgotten)) {
      if (!flow.replaced) this.unlink(flow);
    }
  }

  /**
   * Retires closed flows last seen before `time` although something may still come for them, a last FIN once more, say:
   * that is passed over, but does not begin another connection.
   */
  bury(time: number): void {
    const buried = this.takeAway((flow) => flow.closed && flow.lastTime < time, false);
    for (const flow of buried.sort((a, b) => a.lastTime - b.lastTime)) this.graves.push(flow);
  }

  /** Retires those that are `over`, and returns them. */
  private takeAway(over: (flow: Flow) => boolean, unlinked = true): Flow[] {
    const kept: Flow[] = [];
    const taken: Flow[] = [];
    for (const flow of this.flows) {
      if (flow.replaced) continue;
      (over(flow) ? taken : kept).push(flow);
    }
    this.flows = kept;
    for (const flow of taken) {
      if (unlinked) this.unlink(flow);
      this.take(flow);
    }
    return taken;
  }

  private take(flow: Flow): void {
    flow.taken = true;
    this.retired(flow);
    flow.pendingSyn = NONE;
  }

  private find(key: number, p: Packet): Flow | null {
    for (let flow = this.chains.get(key) ?? null; flow !== null; flow = flow.next) {
      if (isForward(flow, p) || isReverse(flow, p)) return flow;
    }
    return null;
  }

  private create(key: number, p: Packet, turned = false): Flow {
    const source = new FlowSide(p.s0, p.s1, p.s2, p.s3, p.sourcePort);
    const destination = new FlowSide(p.d0, p.d1, p.d2, p.d3, p.destinationPort);
    // A SYN that is answered later began it: its sender, not the answer's, is side 0.
    const [first, second] = turned ? [destination, source] : [source, destination];
    const flow = new Flow(this.nextId++, p.family, first, second);
    flow.next = this.chains.get(key) ?? null;
    this.chains.set(key, flow);
    this.flows.push(flow);
    this.begun(flow);
    return flow;
  }

  private unlink(flow: Flow): void {
    const key = keyOfFlow(flow);
    const first = this.chains.get(key) ?? null;
    if (first === flow) {
      if (flow.next === null) this.chains.delete(key);
      else this.chains.set(key, flow.next);
      return;
    }
    for (let f = first; f !== null; f = f.next) {
      if (f.next === flow) {
        f.next = flow.next;
        return;
      }
    }
  }

  /** The new flow this SYN begins, or null when it belongs to the old one. */
  private begins(flow: Flow, p: Packet, side: 0 | 1): Flow | null {
    const other = side === 0 ? 1 : 0;
    if ((p.flags & ACK) !== 0) {
      const first = flow.unanswered;
      if (first !== null && !first.taken && side === 1 && p.ack === ((first.sides[0].synSeq + 1) | 0))
        return this.resume(first, flow);
      const pending = flow.pendingSyn;
      if (pending === NONE || p.ack !== ((this.log.seq(pending) + 1) | 0)) return null;
      if (((this.log.bits(pending) & Bit.REVERSE) !== 0 ? 1 : 0) === side) return null;
      return this.succeed(flow, p, pending);
    }
    if (!flow.sides[side].synSeen && flow.sides[side].packets === 0) return null; // its first word: simultaneous open
    if (flow.sides[side].synSeen && flow.sides[side].synSeq === p.seq) return null; // the same SYN again
    if (flow.closed) return this.succeed(flow, p, NONE);
    if (flow.sides[other].packets === 0 && flow.sides[side].synSeen) return this.overtake(flow, p);
    return null;
  }

  private succeed(old: Flow, p: Packet, pending: number): Flow {
    this.unlink(old);
    old.replaced = true;
    const made = this.create(keyOf(p), p, pending !== NONE);
    made.previous = { id: old.id, lastTime: old.lastTime, closed: old.closed };
    if (pending !== NONE) {
      const { log } = this;
      const r = log.copy(pending);
      log.turn(r);
      made.head = r;
      made.tail = r;
      made.count = 1;
      made.firstFrame = log.frame(r);
      made.firstTime = log.time(r);
      made.sackSeen = old.sackSeen;
      const [opener] = made.sides;
      opener.packets = 1;
      opener.synSeen = true;
      opener.synSeq = log.seq(r);
      opener.syn = old.pendingOptions;
    }
    if (!old.taken) this.take(old);
    return made;
  }

  /** A SYN of another number while the first has no answer: a second try, or an old one that wandered. */
  private overtake(first: Flow, p: Packet): Flow {
    this.unlink(first);
    const made = this.create(keyOf(p), p);
    made.previous = { id: first.id, lastTime: first.lastTime, closed: false };
    if (first.sides[0].synSeen && isForward(first, p)) made.unanswered = first;
    return made;
  }

  /** The first SYN is answered after all: the one in between was not part of this connection. */
  private resume(first: Flow, stray: Flow): Flow {
    this.unlink(stray);
    stray.replaced = true;
    stray.unanswered = null;
    stray.strayOf = first.id;
    this.take(stray);
    const key = keyOfFlow(first);
    first.next = this.chains.get(key) ?? null;
    this.chains.set(key, first);
    return first;
  }

  private record(flow: Flow, p: Packet, frame: number, time: number, side: 0 | 1): void {
    const r = this.log.append(p, frame, time, side === 1, flow.tail);
    if (flow.count++ === 0) {
      flow.head = r;
      flow.firstFrame = frame;
      flow.firstTime = time;
    }
    flow.tail = r;
    flow.lastTime = time;
    if (p.payloadLength > 0) flow.textSeen = true;
    if (p.sackCount > 0) flow.sackSeen = true;
    const own = flow.sides[side];
    own.packets++;
    if ((p.flags & RST) === 0) {
      const size = p.payloadLength + ((p.flags & SYN) !== 0 ? 1 : 0) + ((p.flags & FIN) !== 0 ? 1 : 0);
      const end = (p.seq + size) | 0;
      const stray = (p.flags & (SYN | ACK)) === SYN && own.synSeen;
      if (!stray && (own.packets === 1 || ((end - own.nextSeq) | 0) > 0)) own.nextSeq = end;
      if ((p.flags & ACK) !== 0) own.lastAck = p.ack;
    }
    if ((p.flags & (SYN | FIN | RST)) !== 0) control(flow, p, r, side);
    if (flow.count >= flow.foldAt) this.full(flow);
  }
}

/** What a SYN, FIN or RST tells at once of where the connection begins and ends. */
function control(flow: Flow, p: Packet, r: number, side: 0 | 1): void {
  const own = flow.sides[side];
  if ((p.flags & SYN) !== 0) {
    // Before any text, a side's SYN belongs to this opening, even if it has acknowledged before (a split handshake).
    if (!own.synSeen && !flow.closed && (own.packets === 1 || !flow.textSeen)) {
      own.synSeen = true;
      own.synSeq = p.seq;
      own.syn = synOptionsOf(p);
    } else if (own.synSeq !== p.seq && (p.flags & ACK) === 0) {
      flow.pendingSyn = r;
      flow.pendingOptions = synOptionsOf(p);
    }
  }
  if ((p.flags & FIN) !== 0) own.finSeen = true;
  if ((p.flags & RST) === 0) return;
  const other = flow.sides[side === 0 ? 1 : 0];
  // An old connection's numbers, in which a challenge ACK was given, are not this one's (RFC 9293 section 3.5.1).
  const within = !own.synSeen || (((p.seq - own.synSeq) | 0) >= 0 && ((p.seq - own.nextSeq) | 0) <= 0);
  if (own.packets === 1 || p.seq === own.nextSeq || (p.seq === other.lastAck && within)) flow.resetSeen = true;
}

/** The same number for both directions: sums, mixed. */
function keyOf(p: Packet): number {
  return mixKey((mix(p.s0, p.s1, p.s2, p.s3) + mix(p.d0, p.d1, p.d2, p.d3)) | 0, p.sourcePort + p.destinationPort);
}

function keyOfFlow(flow: Flow): number {
  const [a, b] = flow.sides;
  return mixKey((mix(a.w0, a.w1, a.w2, a.w3) + mix(b.w0, b.w1, b.w2, b.w3)) | 0, a.port + b.port);
}

function mixKey(addresses: number, ports: number): number {
  return (Math.imul(addresses ^ (addresses >>> 15), 0x2c1b3c6d) + Math.imul(ports, 40503)) | 0;
}

function mix(a: number, b: number, c: number, d: number): number {
  const h = Math.imul(a, 31) ^ Math.imul(b, 17) ^ Math.imul(c, 13) ^ d;
  return Math.imul(h ^ (h >>> 16), 0x7feb352d);
}

/** Whether the packet goes from the flow's first side to its second. */
export function isForward(flow: Flow, p: Packet): boolean {
  const [a, b] = flow.sides;
  return a.port === p.sourcePort && b.port === p.destinationPort && sends(a, p) && receives(b, p);
}

function isReverse(flow: Flow, p: Packet): boolean {
  const [a, b] = flow.sides;
  return b.port === p.sourcePort && a.port === p.destinationPort && sends(b, p) && receives(a, p);
}

function sends(side: FlowSide, p: Packet): boolean {
  return side.w3 === p.s3 && side.w2 === p.s2 && side.w1 === p.s1 && side.w0 === p.s0;
}

function receives(side: FlowSide, p: Packet): boolean {
  return side.w3 === p.d3 && side.w2 === p.d2 && side.w1 === p.d1 && side.w0 === p.d0;
}
