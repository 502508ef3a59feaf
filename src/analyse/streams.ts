/**
 * The byte streams of a connection: each side's text in order, once, as its receiver got it. What came out of order
 * waits for what is missing; what was acknowledged but is not in the capture is reported as a gap of so many octets.
 */

import type { Packet } from '../dissect/packet.ts';

const SYN = 2;
const RST = 4;
const ACK = 16;

/** Octets kept waiting on one side; beyond it the gap before them is given up. */
const MAX_WAITING = 16 * 1024 * 1024;

export interface StreamHandler {
  /** Text in order; valid after the call. `side` 0 is the one who sent the connection's first packet. */
  text(side: 0 | 1, bytes: Uint8Array): void;
  /** So many octets are missing here. */
  gap(side: 0 | 1, octets: number): void;
}

interface Half {
  known: boolean;
  next: number;
  waiting: { seq: number; bytes: Uint8Array; length: number }[];
  octets: number;
}

export class StreamReader {
  private readonly handler: StreamHandler;
  private readonly halves: [Half, Half] = [newHalf(), newHalf()];

  constructor(handler: StreamHandler) {
    this.handler = handler;
  }

  /** A segment of the connection, in the capture's order. */
  add(p: Packet, side: 0 | 1): void {
    if ((p.flags & RST) !== 0) return;
    const own = this.halves[side];
    const peer = this.halves[side === 0 ? 1 : 0];
    if (!own.known) {
      own.known = true;
      own.next = (p.flags & SYN) !== 0 ? (p.seq + 1) | 0 : p.seq;
    }
    if ((p.flags & ACK) !== 0 && peer.known) this.acknowledge(side === 0 ? 1 : 0, peer, p.ack);
    if (p.payloadLength === 0) return;
    const seq = (p.flags & SYN) !== 0 ? (p.seq + 1) | 0 : p.seq;
    const bytes = p.data.slice(p.payloadOffset, p.payloadOffset + p.payloadCaptured);
    this.insert(side, own, seq, bytes, p.payloadLength);
  }

  /** The capture is over: what still waits is handed out, its gaps named. */
  end(): void {
    for (const side of [0, 1] as const) {
      const half = this.halves[side];
      while (half.waiting.length > 0) this.skipTo(side, half, half.waiting[0].seq);
    }
  }

  private insert(side: 0 | 1, half: Half, seq: number, bytes: Uint8Array, length: number): void {
    const ahead = (seq - half.next) | 0;
    if (ahead + length <= 0) return;
    if (ahead > 0) {
      let at = half.waiting.length;
      while (at > 0 && ((half.waiting[at - 1].seq - seq) | 0) > 0) at--;
      half.waiting.splice(at, 0, { seq, bytes, length });
      half.octets += bytes.length;
      if (half.octets > MAX_WAITING) this.skipTo(side, half, half.waiting[0].seq);
      return;
    }
    this.deliver(side, half, bytes, length, -ahead);
    this.drain(side, half);
  }

  private deliver(side: 0 | 1, half: Half, bytes: Uint8Array, length: number, skip: number): void {
    if (bytes.length > skip) this.handler.text(side, bytes.subarray(skip));
    // The capture may have kept only a packet's beginning.
    const cut = length - Math.max(bytes.length, skip);
    if (cut > 0) this.handler.gap(side, cut);
    half.next = (half.next + length - skip) | 0;
  }

  private drain(side: 0 | 1, half: Half): void {
    while (half.waiting.length > 0) {
      const { seq, bytes, length } = half.waiting[0];
      const ahead = (seq - half.next) | 0;
      if (ahead > 0) return;
      half.waiting.shift();
      half.octets -= bytes.length;
      if (ahead + length > 0) this.deliver(side, half, bytes, length, -ahead);
    }
  }

  /** What the peer acknowledged beyond what was seen is missing from the capture. */
  private acknowledge(side: 0 | 1, half: Half, ack: number): void {
    if (half.waiting.length === 0) return;
    if (((ack - half.waiting[0].seq) | 0) >= 0) this.skipTo(side, half, half.waiting[0].seq);
  }

  private skipTo(side: 0 | 1, half: Half, seq: number): void {
    const missing = (seq - half.next) | 0;
    if (missing > 0) this.handler.gap(side, missing);
    half.next = seq;
    this.drain(side, half);
  }
}

function newHalf(): Half {
  return { known: false, next: 0, waiting: [], octets: 0 };
}
