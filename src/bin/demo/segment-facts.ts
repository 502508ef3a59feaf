/** What the demo says about a segment, read from the frame on the wire and from nothing else. */

import { type Seq, seq, seqAdd } from '../../base/seq.ts';
import { parseIp } from '../../wire/ip.ts';
import { IpPacket } from '../../wire/ip-packet.ts';
import { ACK, CWR, ECE, FIN, PSH, parseTcp, RST, Segment, SYN, URG } from '../../wire/tcp.ts';

const TCP = 6;

export interface SegmentOptions {
  mss?: number;
  windowScale?: number;
  sackPermitted?: true;
  /** TSval and TSecr. */
  timestamps?: readonly [number, number];
  /** Left and right edges, right excluded. */
  sack?: readonly (readonly [Seq, Seq])[];
}

export interface SegmentFacts {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly seq: Seq;
  /** Zero on the wire where there is no ACK flag. */
  readonly ack: Seq;
  readonly window: number;
  readonly urgentPointer: number;
  readonly options: SegmentOptions;
  /** The text; its length is SEG.LEN without SYN and FIN. */
  readonly text: Uint8Array;
}

const packet = new IpPacket();
const segment = new Segment();

/** Null for a frame that carries no readable TCP segment. */
export function segmentFacts(frame: Uint8Array): SegmentFacts | null {
  if (parseIp(frame, 0, frame.length, packet) !== 0 || packet.protocol !== TCP) return null;
  if (parseTcp(frame, packet.payloadOffset, packet.payloadLength, segment) !== 0) return null;
  return {
    sourcePort: segment.sourcePort,
    destinationPort: segment.destinationPort,
    flags: segment.flags,
    seq: segment.seq,
    ack: segment.ack,
    window: segment.window,
    urgentPointer: segment.urgentPointer,
    options: optionsOf(segment),
    text: frame.slice(segment.payloadOffset, segment.payloadOffset + segment.payloadLength),
  };
}

function optionsOf(from: Segment): SegmentOptions {
  const options: SegmentOptions = {};
  if (from.mss > 0) options.mss = from.mss;
  if (from.windowScale >= 0) options.windowScale = from.windowScale;
  if (from.sackPermitted) options.sackPermitted = true;
  if (from.timestamps) options.timestamps = [from.tsVal >>> 0, from.tsEcr >>> 0];
  if (from.sackCount > 0) {
    const edge = (i: number): Seq => seq(from.sackEdges[i]);
    options.sack = Array.from({ length: from.sackCount }, (_, i) => [edge(2 * i), edge(2 * i + 1)] as const);
  }
  return options;
}

/** Whether all of `flags` are set. */
export function has(facts: SegmentFacts, flags: number): boolean {
  return (facts.flags & flags) === flags;
}

/** SEG.LEN: octets of sequence space, SYN and FIN counted. */
export function segmentLength(facts: SegmentFacts): number {
  return facts.text.length + (has(facts, SYN) ? 1 : 0) + (has(facts, FIN) ? 1 : 0);
}

/** The sequence number after the segment. */
export function segmentEnd(facts: SegmentFacts): Seq {
  return seqAdd(facts.seq, segmentLength(facts));
}

const LETTERS: readonly (readonly [number, string])[] = [
  [SYN, 'S'],
  [FIN, 'F'],
  [RST, 'R'],
  [PSH, 'P'],
  [ACK, 'A'],
  [URG, 'U'],
  [ECE, 'E'],
  [CWR, 'W'],
];

/** One letter a flag, always in the same order: `SA`, `PA`, `FA`, `RA`. */
export function flagLetters(flags: number): string {
  let letters = '';
  for (const [flag, letter] of LETTERS) if ((flags & flag) !== 0) letters += letter;
  return letters;
}

/** tcpdump's spelling: `S.` for SYN with ACK, `.` for a bare ACK. */
export function flagMarks(flags: number): string {
  const marks = flagLetters(flags).replace('A', '.');
  return marks === '' ? 'none' : marks;
}
