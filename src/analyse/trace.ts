/**
 * One connection laid out for analysis: its records in order, sequence and acknowledgment numbers unwrapped to plain
 * numbers relative to each side's SYN (so a wrap, or another ISN, changes nothing), and a verdict for each record.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import type { Flow } from './flow.ts';
import { Bit, NONE, type SegmentLog } from './segment-log.ts';

/** What a record turned out to be. */
export const Verdict = {
  PLAIN: 0,
  RETRANSMISSION: 1,
  NEEDLESS: 2,
  REORDERED: 3,
  NETWORK_DUPLICATE: 4,
  CAPTURED_TWICE: 5,
  WINDOW_PROBE: 6,
  KEEP_ALIVE: 7,
  /** Not from the endpoint it names, or not part of the connection: injected, or answered with a challenge. */
  FOREIGN: 8,
  /** Sent again in smaller pieces after the path's MTU was learnt. */
  RESIZED: 9,
  CORRUPT: 10,
} as const;

export type Side = 0 | 1;

/** The records with indexes from … to - 1 of a connection. */
export interface Part {
  from: number;
  to: number;
}

export const WHOLE: Part = { from: 0, to: Number.POSITIVE_INFINITY };

/** Beside the flags of {@link Trace.union}: some segment of the side carries text. */
export const TEXT = 1 << 16;

/** Octets of a timestamps option with its padding. */
const TIMESTAMPS = 12;

let capacity = 0;
let records = new Int32Array(0);
let sides = new Uint8Array(0);
let starts = new Float64Array(0);
let ends = new Float64Array(0);
let acks = new Float64Array(0);
let verdicts = new Uint8Array(0);
let previous = new Int32Array(0);
let flagBits = new Uint16Array(0);
let lengths = new Int32Array(0);
let times = new Float64Array(0);

function reserve(n: number): void {
  if (n <= capacity) return;
  capacity = Math.max(1024, Math.ceil(n * 1.5));
  records = new Int32Array(capacity);
  sides = new Uint8Array(capacity);
  starts = new Float64Array(capacity);
  ends = new Float64Array(capacity);
  acks = new Float64Array(capacity);
  verdicts = new Uint8Array(capacity);
  previous = new Int32Array(capacity);
  flagBits = new Uint16Array(capacity);
  lengths = new Int32Array(capacity);
  times = new Float64Array(capacity);
}

/** Valid until the next one is made: the arrays are shared, since connections are analysed one after the other. */
export class Trace {
  readonly flow: Flow;
  readonly log: SegmentLog;
  readonly n: number;
  readonly record: Int32Array;
  readonly side: Uint8Array;
  /** Relative number of the first octet (SYN counts as one), and of the one after the last. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Relative to the other side; -1 without ACK. */
  readonly ack: Float64Array;
  readonly verdict: Uint8Array;
  /** Index of the earlier copy of the same text, -1 for none. */
  readonly copyOf: Int32Array;
  /** What every pass asks for, beside each other instead of a cache line apart. */
  private readonly flagBits: Uint16Array;
  private readonly lengths: Int32Array;
  private readonly times: Float64Array;
  /** All flags each side ever set, and all {@link Bit}s: what none of them hints at need not be looked for. */
  readonly union: [number, number] = [0, 0];
  traits = 0;
  /** Whether a side's packets, resets aside, came with different hop counts. */
  readonly hopsDiffer: [boolean, boolean] = [false, false];
  /** Seconds between the earliest and the latest record; clocks of captures also step back. */
  span = 0;
  /** Whether a SYN without ACK carries another number than the connection's. */
  straySyn = false;
  /** The first record behind a part that has been cut out, see {@link Folded}; -1 where all is here. */
  readonly cutAt: number;
  /** What each side's window field counts in. */
  private readonly scale: [number, number];
  /** Which side is the client. */
  client: Side = 0;

  constructor(flow: Flow, log: SegmentLog) {
    reserve(flow.count + (flow.folded?.evidence.count ?? 0));
    this.flow = flow;
    this.log = log;
    this.n = flow.count;
    this.cutAt = flow.folded?.opening ?? -1;
    this.record = records;
    this.side = sides;
    this.start = starts;
    this.end = ends;
    this.ack = acks;
    this.verdict = verdicts;
    this.copyOf = previous;
    this.flagBits = flagBits;
    this.lengths = lengths;
    this.times = times;
    const [{ syn: a }, { syn: b }] = flow.sides;
    const scaled = a !== null && b !== null && a.scale >= 0 && b.scale >= 0;
    this.scale = scaled ? [2 ** a.scale, 2 ** b.scale] : [1, 1];
    this.unwrap();
  }

  time(i: number): number {
    return this.times[i];
  }

  frame(i: number): number {
    return this.log.frame(this.record[i]);
  }

  flags(i: number): number {
    return this.flagBits[i];
  }

  length(i: number): number {
    return this.lengths[i];
  }

  /** Sequence space taken: text, SYN and FIN. */
  size(i: number): number {
    return this.end[i] - this.start[i];
  }

  has(i: number, bit: number): boolean {
    return (this.log.bits(this.record[i]) & bit) !== 0;
  }

  tsVal(i: number): number {
    return this.log.tsVal(this.record[i]);
  }

  tsEcr(i: number): number {
    return this.log.tsEcr(this.record[i]);
  }

  ipId(i: number): number {
    return this.log.ipId(this.record[i]);
  }

  ttl(i: number): number {
    return this.log.ttl(this.record[i]);
  }

  ecn(i: number): number {
    return (this.log.bits(this.record[i]) / Bit.ECN) & 3;
  }

  /** The window in octets: scaled once the SYNs have agreed on it (RFC 7323 section 2.3). */
  window(i: number): number {
    const raw = this.log.window(this.record[i]);
    return (this.flags(i) & SYN) !== 0 ? raw : raw * this.scale[this.side[i]];
  }

  /** Whether the side sent text or a FIN. */
  speaks(side: Side): boolean {
    return (this.union[side] & (FIN | TEXT)) !== 0;
  }

  /** Whether the side sent text. */
  writes(side: Side): boolean {
    return (this.union[side] & TEXT) !== 0;
  }

  /** Whether any segment of either side carries one of these flags. */
  ever(flags: number): boolean {
    return ((this.union[0] | this.union[1]) & flags) !== 0;
  }

  /** Whether the scale is not known since a SYN is missing. */
  get windowUnknown(): boolean {
    return this.flow.sides[0].syn === null || this.flow.sides[1].syn === null;
  }

  /** Octets a segment of this side can carry, 0 where that is not known: the other's MSS less the options of its own (RFC 6691). */
  roomIn(side: Side): number {
    const { sides } = this.flow;
    const offered = sides[side === 0 ? 1 : 0].syn;
    if (offered === null || offered.mss === 0) return 0;
    return offered.mss - (offered.timestamps && sides[side].syn?.timestamps === true ? TIMESTAMPS : 0);
  }

  /** Segments record i stands for: more than one where a host's card cuts and joins them behind the capture's back. */
  segments(i: number): number {
    const room = this.roomIn(this.side[i] as Side);
    return room <= 0 || this.lengths[i] <= room ? 1 : Math.ceil(this.lengths[i] / room);
  }

  /** Edge k (0, 1 of the first block, 2, 3 of the second …) relative to the other side. */
  sackEdge(i: number, k: number): number {
    const edge = this.log.sack[this.log.sackAt(this.record[i]) + k];
    const ack = this.log.ack(this.record[i]);
    return this.ack[i] + ((edge - ack) | 0);
  }

  sackCount(i: number): number {
    return this.log.sackCount(this.record[i]);
  }

  /** Gives the records behind the opening the numbers that they have in the whole connection. */
  restore(opening: number, cut: readonly [number, number]): void {
    for (let i = opening; i < this.n; i++) {
      const side = this.side[i] as Side;
      this.start[i] += cut[side];
      this.end[i] += cut[side];
      if (this.ack[i] >= 0) this.ack[i] += cut[side === 0 ? 1 : 0];
    }
  }

  /** Lays out a record beyond the connection's n, for facts to speak of. */
  place(
    i: number,
    r: number,
    side: Side,
    start: number,
    end: number,
    ack: number,
    verdict: number,
    copyOf: number,
  ): void {
    this.record[i] = r;
    this.side[i] = side;
    this.start[i] = start;
    this.end[i] = end;
    this.ack[i] = ack;
    this.verdict[i] = verdict;
    this.copyOf[i] = copyOf;
    this.flagBits[i] = this.log.flags(r);
    this.lengths[i] = this.log.length(r);
    this.times[i] = this.log.time(r);
  }

  private unwrap(): void {
    const { flow, log, n } = this;
    const base: [number, number] = [0, 0];
    const known: [boolean, boolean] = [flow.sides[0].synSeen, flow.sides[1].synSeen];
    if (known[0]) base[0] = flow.sides[0].synSeq;
    if (known[1]) base[1] = flow.sides[1].synSeq;
    const last: [number, number] = [0, 0];
    let first = 0;
    let second = 0;
    let traits = 0;
    let earliest = Number.POSITIVE_INFINITY;
    let latest = Number.NEGATIVE_INFINITY;
    const hops: [number, number] = [-1, -1];
    let r = flow.head;
    const { folded } = flow;
    for (let i = 0; i < n && r !== NONE; i++, r = log.next(r)) {
      if (folded !== null && i === this.cutAt) skipCut(base, folded.cut);
      const bits = log.bits(r);
      const side: Side = (bits & Bit.REVERSE) !== 0 ? 1 : 0;
      const other: Side = side === 0 ? 1 : 0;
      const flags = log.flags(r);
      const hop = log.ttl(r);
      if (hop !== hops[side] && (flags & RST) === 0) {
        if (hops[side] >= 0) this.hopsDiffer[side] = true;
        hops[side] = hop;
      }
      const length = log.length(r);
      const shown = length > 0 ? flags | TEXT : flags;
      if (side === 0) first |= shown;
      else second |= shown;
      traits |= bits;
      flagBits[i] = flags;
      lengths[i] = length;
      const time = log.time(r);
      times[i] = time;
      if (time < earliest) earliest = time;
      if (time > latest) latest = time;
      if (!known[side] && ((flags & RST) === 0 || n === 1)) {
        base[side] = (log.seq(r) - ((flags & SYN) !== 0 ? 0 : 1)) | 0;
        known[side] = true;
      }
      if (!known[other] && (flags & (ACK | RST)) === ACK) {
        base[other] = (log.ack(r) - 1) | 0;
        known[other] = true;
      }
      records[i] = r;
      sides[i] = side;
      const start = known[side] ? last[side] + ((log.seq(r) - ((base[side] + last[side]) | 0)) | 0) : 0;
      const size = length + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0);
      starts[i] = start;
      ends[i] = start + size;
      const ack = (flags & ACK) !== 0 && known[other];
      acks[i] = ack ? last[other] + ((log.ack(r) - ((base[other] + last[other]) | 0)) | 0) : -1;
      verdicts[i] = Verdict.PLAIN;
      previous[i] = -1;
      // What is far from the connection's numbers (a stray SYN, a forged reset) must not move the reference.
      const stray = (flags & RST) !== 0 || ((flags & SYN) !== 0 && start !== 0);
      if ((flags & (SYN | RST | ACK)) === SYN && start !== 0) this.straySyn = true;
      if (!stray && ends[i] > last[side]) last[side] = ends[i];
      if (!stray && ack && acks[i] > last[other] && acks[i] - last[other] < 2 ** 30) last[other] = acks[i];
    }
    this.union[0] = first;
    this.union[1] = second;
    this.traits = traits;
    this.span = latest - earliest;
  }
}

/** What follows a connection's opening at once was sent after so many octets more. */
function skipCut(base: [number, number], cut: readonly [number, number]): void {
  base[0] = (base[0] + cut[0]) | 0;
  base[1] = (base[1] + cut[1]) | 0;
}
