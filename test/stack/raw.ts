/** Segments made by hand, for peers that do not keep to the rules. */

import { seq } from '../../src/base/seq.ts';
import { IpAddress } from '../../src/wire/address.ts';
import {
  emitIpHeader,
  IpPacket,
  Protocol,
  parseIp,
  setTransportChecksum,
  transportChecksumOk,
} from '../../src/wire/ip.ts';
import { ACK, emitTcp, FIN, PSH, parseTcp, RST, Segment, SYN } from '../../src/wire/tcp.ts';
import type { Node, Pair } from './pair.ts';

export interface RawSegment {
  readonly from?: string;
  readonly to?: string;
  readonly sport?: number;
  readonly dport?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags: number;
  readonly window?: number;
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: readonly [value: number, echo: number];
  readonly text?: Uint8Array;
  readonly ecn?: number;
}

/** An IP packet with the segment in it, checksums right. */
export function tcp(raw: RawSegment): Uint8Array {
  const { from = '10.0.0.77', to = '10.0.0.2', text = new Uint8Array(0) } = raw;
  const segment = new Segment();
  segment.sourcePort = raw.sport ?? 4000;
  segment.destinationPort = raw.dport ?? 80;
  segment.seq = seq(raw.seq ?? 0);
  segment.ack = seq(raw.ack ?? 0);
  segment.flags = raw.flags;
  segment.window = raw.window ?? 65_535;
  segment.mss = raw.mss ?? 0;
  segment.windowScale = raw.windowScale ?? -1;
  segment.sackPermitted = raw.sackPermitted ?? false;
  if (raw.timestamps !== undefined) {
    segment.timestamps = true;
    segment.tsVal = raw.timestamps[0];
    segment.tsEcr = raw.timestamps[1];
  }
  return ip(
    from,
    to,
    Protocol.TCP,
    (out, at) => {
      const headerLength = emitTcp(segment, out, at);
      out.set(text, at + headerLength);
      return headerLength + text.length;
    },
    raw.ecn ?? 0,
    100 + text.length,
  );
}

/** An IP packet around whatever `write` puts behind its header; the checksum inside is made. */
export function ip(
  from: string,
  to: string,
  protocol: number,
  write: (out: Uint8Array, at: number) => number,
  trafficClass = 0,
  room = 70_000,
): Uint8Array {
  const packet = new IpPacket();
  packet.setSource(IpAddress.parse(from));
  packet.setDestination(IpAddress.parse(to));
  packet.family = packet.destination.family;
  packet.protocol = protocol;
  packet.hopLimit = 64;
  packet.trafficClass = trafficClass;
  const out = new Uint8Array(room);
  const headerLength = packet.family === 4 ? 20 : 40;
  packet.payloadLength = write(out, headerLength);
  emitIpHeader(packet, out, 0);
  setTransportChecksum(out, headerLength, packet.payloadLength, packet);
  return out.slice(0, headerLength + packet.payloadLength);
}

/** A segment as it was seen on the wire. */
export interface Seen {
  readonly from: string;
  readonly to: string;
  readonly segment: Segment;
  readonly packet: IpPacket;
  readonly text: Uint8Array;
  readonly at: number;
}

/** Reads a bare IP packet; null when there is no TCP in it. Fails on a wrong checksum. */
export function seen(frame: Uint8Array, at = 0): Seen | null {
  const packet = new IpPacket();
  if (parseIp(frame, 0, frame.length, packet) !== 0) throw new Error('an invalid IP packet was sent');
  if (packet.protocol !== Protocol.TCP) return null;
  const segment = new Segment();
  if (parseTcp(frame, packet.payloadOffset, packet.payloadLength, segment) !== 0)
    throw new Error('invalid TCP was sent');
  if (!transportChecksumOk(frame, packet.payloadOffset, packet.payloadLength, packet))
    throw new Error('wrong checksum');
  const text = frame.slice(segment.payloadOffset, segment.payloadOffset + segment.payloadLength);
  return { from: packet.source.toString(), to: packet.destination.toString(), segment, packet, text, at };
}

/** A host's segments since the last look, while nobody else takes them: for tests without a pair. */
export function drain(node: Node, now: number): Seen[] {
  const list: Seen[] = [];
  for (let frame = node.poll(now); frame !== null; frame = node.poll(now)) {
    const one = seen(frame, now);
    if (one !== null) list.push(one);
  }
  return list;
}

/** Gives a hand-made segment to a host. */
export function inject(node: Node, now: number, raw: RawSegment): void {
  node.stack.handleFrame(now, node.iface, tcp(raw));
}

/** Runs a lone host's timers up to `until`, and collects what it sends, with the time. */
export function runAlone(node: Node, until: number): Seen[] {
  const list: Seen[] = [];
  for (let at = node.stack.nextDeadline(); at <= until; at = node.stack.nextDeadline()) {
    node.stack.handleTimeout(at);
    while (node.stack.deliverEvents());
    list.push(...drain(node, at));
  }
  return list;
}

/** The segments a pair's node sent so far. */
export function sentBy(pair: Pair, node: Node): Seen[] {
  return pair.log.flatMap(({ at, from, frame }) => {
    const one = from === node ? seen(frame, at) : null;
    return one === null ? [] : [one];
  });
}

const LETTERS: readonly [number, string][] = [
  [SYN, 'S'],
  [FIN, 'F'],
  [RST, 'R'],
  [PSH, 'P'],
  [ACK, 'A'],
];

/** `SA` for a SYN,ACK. */
export function flagsOf(segment: Segment): string {
  return LETTERS.flatMap(([bit, letter]) => ((segment.flags & bit) !== 0 ? [letter] : [])).join('');
}
