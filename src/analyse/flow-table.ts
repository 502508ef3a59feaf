/**
 * Packets to connections, keyed by integers. A connection ends, and the next one between the same ports begins, with a
 * SYN of another number: at once where the old one was closed or never answered, otherwise only when the SYN is
 * answered, since a SYN into a live connection is an attack or a stale packet (RFC 5961 section 4).
 */

import type { Packet } from '../dissect/packet.ts';
import { Option } from '../dissect/packet-options.ts';
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { Flow, type SynOptions } from './flow.ts';
import { Bit, NONE, type SegmentLog } from './segment-log.ts';

export class FlowTable {
  readonly log: SegmentLog;
  /** All flows not yet taken, in order of their first packet. */
  flows: Flow[] = [];
  private readonly chains = new Map<number, Flow>();
  private readonly retired: (flow: Flow) => void;
  private nextId = 1;

  /** @param retired told of each flow that can get no more packets. */
  constructor(log: SegmentLog, retired: (flow: Flow) => void) {
    this.log = log;
    this.retired = retired;
  }

  get open(): number {
    return this.chains.size;
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
    this.record(flow, p, frame, time, reverse ? 1 : 0);
    return flow;
  }

  /** The flow a quoted segment (in an ICMP error) belongs to. */
  quoted(p: Packet): Flow | null {
    return this.find(keyOf(p), p);
  }

  /** Retires flows last seen before `time` that are over (closed, or never opened); with Infinity, all of them. */
  expire(time: number): void {
    const kept: Flow[] = [];
    for (const flow of this.flows) {
      if (flow.replaced) continue;
      const over =
        flow.closed ||
        flow.packets[0] === 0 ||
        flow.packets[1] === 0 ||
        flow.count <= 6 ||
        time === Number.POSITIVE_INFINITY;
      if (flow.lastTime >= time || !over) kept.push(flow);
      else {
        this.unlink(flow);
        this.retired(flow);
      }
    }
    this.flows = kept;
  }

  private find(key: number, p: Packet): Flow | null {
    for (let flow = this.chains.get(key) ?? null; flow !== null; flow = flow.next) {
      if (isForward(flow, p) || isReverse(flow, p)) return flow;
    }
    return null;
  }

  private create(key: number, p: Packet): Flow {
    const words = Int32Array.of(p.s0, p.s1, p.s2, p.s3, p.d0, p.d1, p.d2, p.d3);
    const flow = new Flow(this.nextId++, p.family, words, [p.sourcePort, p.destinationPort]);
    flow.next = this.chains.get(key) ?? null;
    this.chains.set(key, flow);
    this.flows.push(flow);
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
      if (first !== null && side === 1 && p.ack === ((first.synSeq[0] + 1) | 0)) return this.resume(first, flow);
      const pending = flow.pendingSyn;
      if (pending === NONE || p.ack !== ((this.log.seq(pending) + 1) | 0)) return null;
      if (((this.log.bits(pending) & Bit.REVERSE) !== 0 ? 1 : 0) === side) return null;
      return this.succeed(flow, p, pending);
    }
    if (!flow.synSeen[side] && flow.packets[side] === 0) return null; // its first word: simultaneous open
    if (flow.synSeen[side] && flow.synSeq[side] === p.seq) return null; // the same SYN again
    if (flow.closed) return this.succeed(flow, p, NONE);
    if (flow.packets[other] === 0 && flow.synSeen[side]) return this.overtake(flow, p);
    return null;
  }

  private succeed(old: Flow, p: Packet, pending: number): Flow {
    this.unlink(old);
    old.replaced = true;
    const made = this.create(keyOf(p), p);
    made.previous = { id: old.id, lastTime: old.lastTime, closed: old.closed };
    if (pending !== NONE) {
      // The SYN came from the other side; side 0 of the new flow must be its sender.
      made.words.set([p.d0, p.d1, p.d2, p.d3, p.s0, p.s1, p.s2, p.s3]);
      made.ports[0] = p.destinationPort;
      made.ports[1] = p.sourcePort;
      const { log } = this;
      const r = log.copy(pending);
      log.turn(r);
      this.chain(made, r);
      made.firstFrame = log.frame(r);
      made.firstTime = log.time(r);
      made.packets[0] = 1;
      made.synSeen[0] = true;
      made.synSeq[0] = log.seq(r);
      made.syn[0] = old.syn[0];
    }
    this.retired(old);
    return made;
  }

  /** A SYN of another number while the first has no answer: a second try, or an old one that wandered. */
  private overtake(first: Flow, p: Packet): Flow {
    this.unlink(first);
    const made = this.create(keyOf(p), p);
    made.previous = { id: first.id, lastTime: first.lastTime, closed: false };
    if (first.synSeen[0] && isForward(first, p)) made.unanswered = first;
    return made;
  }

  /** The first SYN is answered after all: the one in between was not part of this connection. */
  private resume(first: Flow, stray: Flow): Flow {
    this.unlink(stray);
    stray.replaced = true;
    stray.unanswered = null;
    stray.strayOf = first.id;
    this.retired(stray);
    const key = keyOfFlow(first);
    first.next = this.chains.get(key) ?? null;
    this.chains.set(key, first);
    return first;
  }

  private chain(flow: Flow, r: number): void {
    if (flow.tail === NONE) flow.head = r;
    else this.log.link(flow.tail, r);
    flow.tail = r;
    flow.count++;
  }

  private record(flow: Flow, p: Packet, frame: number, time: number, side: 0 | 1): void {
    const r = this.log.append(p, frame, time, side === 1);
    if (flow.count === 0) {
      flow.firstFrame = frame;
      flow.firstTime = time;
    }
    this.chain(flow, r);
    flow.lastTime = time;
    flow.packets[side]++;
    if (p.payloadLength > 0) flow.textSeen = true;
    if ((p.flags & RST) === 0) {
      const size = p.payloadLength + ((p.flags & SYN) !== 0 ? 1 : 0) + ((p.flags & FIN) !== 0 ? 1 : 0);
      const end = (p.seq + size) | 0;
      const stray = (p.flags & (SYN | ACK)) === SYN && flow.synSeen[side];
      if (!stray && (flow.packets[side] === 1 || ((end - flow.nextSeq[side]) | 0) > 0)) flow.nextSeq[side] = end;
      if ((p.flags & ACK) !== 0) flow.lastAck[side] = p.ack;
    }
    if ((p.flags & (SYN | FIN | RST)) === 0) return;
    if ((p.flags & SYN) !== 0) {
      // Before any text, a side's SYN belongs to this opening, even if it has acknowledged before (a split handshake).
      if (!flow.synSeen[side] && !flow.closed && (flow.packets[side] === 1 || !flow.textSeen)) {
        flow.synSeen[side] = true;
        flow.synSeq[side] = p.seq;
        flow.syn[side] = optionsOf(p);
      } else if (flow.synSeq[side] !== p.seq && (p.flags & ACK) === 0) flow.pendingSyn = r;
    }
    if ((p.flags & FIN) !== 0) flow.finSeen[side] = true;
    if ((p.flags & RST) === 0) return;
    const other = side === 0 ? 1 : 0;
    const first = flow.packets[side] === 1;
    if (first || p.seq === flow.nextSeq[side] || p.seq === flow.lastAck[other]) flow.resetSeen = true;
  }
}

function optionsOf(p: Packet): SynOptions {
  return {
    mss: (p.options & Option.MSS) !== 0 ? p.mss : 0,
    scale: (p.options & Option.SCALE) !== 0 ? Math.min(14, p.scale) : -1,
    sackPermitted: (p.options & Option.SACK_PERMITTED) !== 0,
    timestamps: (p.options & Option.TIMESTAMPS) !== 0,
    cookie: (p.options & Option.FAST_OPEN) !== 0 ? p.cookieLength : -1,
    multipath: (p.options & Option.MULTIPATH) !== 0,
  };
}

/** The same number for both directions: sums, mixed. */
function keyOf(p: Packet): number {
  const addresses = mix(p.s0, p.s1, p.s2, p.s3) + mix(p.d0, p.d1, p.d2, p.d3);
  return (Math.imul(addresses ^ (addresses >>> 15), 0x2c1b3c6d) + (p.sourcePort + p.destinationPort) * 40503) | 0;
}

function keyOfFlow(flow: Flow): number {
  const w = flow.words;
  const addresses = mix(w[0], w[1], w[2], w[3]) + mix(w[4], w[5], w[6], w[7]);
  return (Math.imul(addresses ^ (addresses >>> 15), 0x2c1b3c6d) + (flow.ports[0] + flow.ports[1]) * 40503) | 0;
}

function mix(a: number, b: number, c: number, d: number): number {
  const h = Math.imul(a, 31) ^ Math.imul(b, 17) ^ Math.imul(c, 13) ^ d;
  return Math.imul(h ^ (h >>> 16), 0x7feb352d);
}

function isForward(flow: Flow, p: Packet): boolean {
  const w = flow.words;
  return (
    flow.ports[0] === p.sourcePort &&
    flow.ports[1] === p.destinationPort &&
    w[3] === p.s3 &&
    w[7] === p.d3 &&
    w[2] === p.s2 &&
    w[6] === p.d2 &&
    w[1] === p.s1 &&
    w[5] === p.d1 &&
    w[0] === p.s0 &&
    w[4] === p.d0
  );
}

function isReverse(flow: Flow, p: Packet): boolean {
  const w = flow.words;
  return (
    flow.ports[1] === p.sourcePort &&
    flow.ports[0] === p.destinationPort &&
    w[7] === p.s3 &&
    w[3] === p.d3 &&
    w[6] === p.s2 &&
    w[2] === p.d2 &&
    w[5] === p.s1 &&
    w[1] === p.d1 &&
    w[4] === p.s0 &&
    w[0] === p.d0
  );
}
