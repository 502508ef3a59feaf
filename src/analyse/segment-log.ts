/**
 * The segments of all connections that are still open to question, in parallel typed arrays: one record a segment, the
 * records of a connection chained, freed ones used again. Memory follows what is open, not how long the capture is.
 */

import { type Packet, Sum } from '../dissect/packet.ts';
import { Option } from '../dissect/packet-options.ts';

/** Bits of {@link SegmentLog.bits}. */
export const Bit = {
  /** From the second endpoint (side 1) of the connection. */
  REVERSE: 1,
  TIMESTAMPS: 2,
  /** Two bits: the ECN field of the IP header. */
  ECN: 4,
  WRONG_SUM: 16,
  GOOD_SUM: 32,
  OPTIONS_OF_SYN: 64,
} as const;

export const NONE = -1;

export class SegmentLog {
  frame = new Int32Array(0);
  /** Seconds since the capture's first packet. */
  time = new Float64Array(0);
  seq = new Int32Array(0);
  ack = new Int32Array(0);
  /** Octets of text by the IP header. */
  length = new Int32Array(0);
  flags = new Uint16Array(0);
  bits = new Uint16Array(0);
  window = new Uint16Array(0);
  urgent = new Uint16Array(0);
  tsVal = new Int32Array(0);
  tsEcr = new Int32Array(0);
  ipId = new Uint16Array(0);
  ipLength = new Int32Array(0);
  ttl = new Uint8Array(0);
  sackCount = new Uint8Array(0);
  /** Where in {@link sack} a record's edges stand, for records with blocks. */
  sackAt = new Int32Array(0);
  /** Eight words a record with SACK: the edges of up to four blocks. */
  sack = new Int32Array(0);
  private sackHigh = 0;
  private readonly sackFree: number[] = [];
  /** A fingerprint of the captured text. */
  hash = new Int32Array(0);
  next = new Int32Array(0);
  /** Records in use. */
  used = 0;
  private free = NONE;
  private high = 0;

  /** Adds a segment; the caller chains it. */
  append(p: Packet, frame: number, time: number, reverse: boolean): number {
    let r = this.free;
    if (r !== NONE) this.free = this.next[r];
    else {
      if (this.high === this.frame.length) this.grow();
      r = this.high++;
    }
    this.used++;
    this.frame[r] = frame;
    this.time[r] = time;
    this.seq[r] = p.seq;
    this.ack[r] = p.ack;
    this.length[r] = p.payloadLength;
    this.flags[r] = p.flags;
    let bits = (reverse ? Bit.REVERSE : 0) | (p.ecn * Bit.ECN);
    if ((p.options & Option.TIMESTAMPS) !== 0) {
      bits |= Bit.TIMESTAMPS;
      this.tsVal[r] = p.tsVal;
      this.tsEcr[r] = p.tsEcr;
    }
    if (p.checksum === Sum.WRONG) bits |= Bit.WRONG_SUM;
    else if (p.checksum === Sum.RIGHT) bits |= Bit.GOOD_SUM;
    this.bits[r] = bits;
    this.window[r] = p.window;
    this.urgent[r] = p.urgentPointer;
    this.ipId[r] = p.ipId;
    this.ipLength[r] = p.ipLength;
    this.ttl[r] = p.ttl;
    this.sackCount[r] = p.sackCount;
    if (p.sackCount > 0) {
      const at = this.sackSlot();
      this.sackAt[r] = at;
      for (let i = 0; i < 2 * p.sackCount; i++) this.sack[at + i] = p.sack[i];
    }
    this.hash[r] = p.payloadCaptured > 0 ? fingerprint(p) : 0;
    this.next[r] = NONE;
    return r;
  }

  /** A second record with the same content. */
  copy(from: number): number {
    let r = this.free;
    if (r !== NONE) this.free = this.next[r];
    else {
      if (this.high === this.frame.length) this.grow();
      r = this.high++;
    }
    this.used++;
    for (const field of FIELDS) this[field][r] = this[field][from];
    if (this.sackCount[from] > 0) {
      const at = this.sackSlot();
      this.sackAt[r] = at;
      for (let i = 0; i < 8; i++) this.sack[at + i] = this.sack[this.sackAt[from] + i];
    }
    this.next[r] = NONE;
    return r;
  }

  /** Gives back a whole chain of `count` records. */
  release(head: number, tail: number, count: number): void {
    if (head === NONE) return;
    for (let r = head; r !== NONE; r = this.next[r]) if (this.sackCount[r] > 0) this.sackFree.push(this.sackAt[r]);
    this.next[tail] = this.free;
    this.free = head;
    this.used -= count;
  }

  private grow(): void {
    const size = Math.max(1 << 15, this.frame.length * 2);
    for (const field of FIELDS) {
      const old = this[field];
      const made = new (old.constructor as new (n: number) => typeof old)(size);
      made.set(old as never);
      (this as unknown as Record<string, unknown>)[field] = made;
    }
  }

  private sackSlot(): number {
    const free = this.sackFree.pop();
    if (free !== undefined) return free;
    if (this.sackHigh === this.sack.length) {
      const grown = new Int32Array(Math.max(1 << 13, this.sack.length * 2));
      grown.set(this.sack);
      this.sack = grown;
    }
    this.sackHigh += 8;
    return this.sackHigh - 8;
  }
}

const FIELDS = [
  ...(['frame', 'time', 'seq', 'ack', 'length', 'flags', 'bits', 'window', 'urgent', 'tsVal', 'tsEcr'] as const),
  ...(['ipId', 'ipLength', 'ttl', 'sackCount', 'sackAt', 'hash', 'next'] as const),
];

/** FNV-1a over up to 32 octets spread over the text: enough to tell "the same bytes again" from "other bytes". */
function fingerprint(p: Packet): number {
  const { data, payloadOffset, payloadCaptured } = p;
  let hash = 0x811c9dc5 | 0;
  const step = payloadCaptured <= 32 ? 1 : payloadCaptured / 32;
  for (let i = 0; i < payloadCaptured; i += step) {
    hash = Math.imul(hash ^ data[payloadOffset + (i | 0)], 0x01000193);
  }
  return hash;
}
