/** The curves of a connection, ready to be drawn: what each side sent and had acknowledged, its peer's window, RTT. */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import type { Facts } from './facts.ts';
import { type Side, Verdict } from './trace.ts';

export type Point = [time: number, value: number];

export interface GraphSide {
  /** [time, first octet, octet after the last, verdict: '' plain, lost, retransmission, needless, late, doubled]. */
  segments: [number, number, number, string][];
  acknowledged: Point[];
  /** Highest octet the receiver allows. */
  window: Point[];
  sack: [number, number, number][];
  /** [time, relative number, 'SYN' or 'FIN']. */
  marks: [number, number, string][];
  rtt: Point[];
  inFlight: Point[];
  /** Octets a second, over short intervals. */
  throughput: Point[];
  bytes: number;
}

export interface GraphData {
  client: GraphSide;
  server: GraphSide;
  start: number;
  end: number;
}

const NAMES: Readonly<Record<number, string>> = {
  [Verdict.RETRANSMISSION]: 'retransmission',
  [Verdict.RESIZED]: 'retransmission',
  [Verdict.NEEDLESS]: 'needless',
  [Verdict.REORDERED]: 'late',
  [Verdict.NETWORK_DUPLICATE]: 'doubled',
};

export function graphOf(f: Facts): GraphData {
  const { trace: t } = f;
  const sides: [GraphSide, GraphSide] = [newSide(), newSide()];
  const highest: [number, number] = [0, 0];
  const acked: [number, number] = [0, 0];
  const pending: [[number, number][], [number, number][]] = [[], []];
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if ((flags & RST) !== 0 || t.verdict[i] === Verdict.FOREIGN || t.verdict[i] === Verdict.CAPTURED_TWICE) continue;
    const side = t.side[i] as Side;
    const peer: Side = side === 0 ? 1 : 0;
    const time = t.time(i);
    const own = sides[side];
    if ((flags & (SYN | FIN)) !== 0) own.marks.push([time, t.end[i], (flags & SYN) !== 0 ? 'SYN' : 'FIN']);
    if (t.length(i) > 0) {
      const name = f.lost.has(i) ? 'lost' : (NAMES[t.verdict[i]] ?? '');
      own.segments.push([time, t.start[i], t.end[i], name]);
      if (name === '' && t.start[i] >= highest[side]) pending[side].push([t.end[i], time]);
      highest[side] = Math.max(highest[side], t.end[i]);
      own.inFlight.push([time, highest[side] - acked[side]]);
    }
    if ((flags & ACK) !== 0 && t.ack[i] >= 0) {
      const other = sides[peer];
      if (t.ack[i] > acked[peer]) {
        acked[peer] = t.ack[i];
        other.acknowledged.push([time, t.ack[i]]);
        other.inFlight.push([time, Math.max(0, highest[peer] - acked[peer])]);
        while (pending[peer].length > 0 && pending[peer][0][0] <= t.ack[i]) {
          const [end, sent] = pending[peer].shift() as [number, number];
          if (end === t.ack[i]) other.rtt.push([time, (time - sent) * 1000]);
        }
      }
      other.window.push([time, t.ack[i] + t.window(i)]);
      for (let b = 0; b < t.sackCount(i); b++) other.sack.push([time, t.sackEdge(i, 2 * b), t.sackEdge(i, 2 * b + 1)]);
    }
  }
  const start = t.time(0);
  const end = Math.max(t.time(t.n - 1), start + 0.000001);
  for (const side of sides) finish(side, start, end);
  return { client: sides[t.client], server: sides[t.client === 0 ? 1 : 0], start, end };
}

function newSide(): GraphSide {
  return {
    segments: [],
    acknowledged: [],
    window: [],
    sack: [],
    marks: [],
    rtt: [],
    inFlight: [],
    throughput: [],
    bytes: 0,
  };
}

/** Fifty intervals over the whole time: fewer would hide bursts, more would show single segments. */
function finish(side: GraphSide, start: number, end: number): void {
  const steps = 50;
  const width = (end - start) / steps;
  const sums = new Array<number>(steps).fill(0);
  for (const [time, first, last] of side.segments) {
    sums[Math.min(steps - 1, Math.floor((time - start) / width))] += last - first;
    side.bytes += last - first;
  }
  side.throughput = sums.map((sum, k): Point => [start + (k + 0.5) * width, sum / width]);
}
