/** Segments written down the way people say them: flags as letters, numbers relative to both initial sequence numbers. */

import { type Seq, seqAdd, seqDiff } from '../base/seq.ts';
import { ACK, AE, CWR, ECE, FIN, PSH, RST, Segment, SYN, URG } from '../wire/tcp.ts';

/**
 * One segment. `seq` counts from its sender's initial sequence number (the SYN is 0, the first text octet 1), `ack`
 * from its receiver's. What is left out of an expectation is not checked.
 */
export interface SegmentSpec {
  /** Letters of SFRPAUEW (and N for AE): `SA`, `A`, `FA`, `PA`. */
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  /** Text, or only its length (then the octets count up from the sequence number). */
  readonly text?: string;
  readonly length?: number;
  /** The raw window field. */
  readonly window?: number;
  readonly urgentPointer?: number;
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  /** [TSval, TSecr] */
  readonly timestamps?: readonly [number, number];
  /** SACK blocks, edges relative like `ack`. */
  readonly sack?: ReadonlyArray<readonly [number, number]>;
  /** IP ECN codepoint 0 … 3. */
  readonly ecn?: number;
}

const LETTERS: ReadonlyArray<readonly [string, number]> = [
  ['S', SYN],
  ['F', FIN],
  ['R', RST],
  ['P', PSH],
  ['A', ACK],
  ['U', URG],
  ['E', ECE],
  ['W', CWR],
  ['N', AE],
];

/** `SA` → SYN | ACK. Unknown letters throw: a typo in a test must not pass for "no flags". */
export function flagsFrom(letters: string): number {
  let flags = 0;
  for (const letter of letters) {
    const entry = LETTERS.find(([name]) => name === letter);
    if (entry === undefined) throw new Error(`"${letter}" is no flag; use letters of SFRPAUEWN`);
    flags |= entry[1];
  }
  return flags;
}

/** SYN | ACK → `SA`; no flags at all is `-`. */
export function flagLetters(flags: number): string {
  const letters = LETTERS.filter(([, bit]) => (flags & bit) !== 0).map(([letter]) => letter);
  return letters.join('') || '-';
}

const encoder = new TextEncoder();

/** The text a spec stands for. */
export function textOf(spec: SegmentSpec): Uint8Array {
  if (spec.text !== undefined) return encoder.encode(spec.text);
  const bytes = new Uint8Array(spec.length ?? 0);
  for (let i = 0; i < bytes.length; i++) bytes[i] = ((spec.seq ?? 0) + i) & 0xff;
  return bytes;
}

/** Fills a segment from its spec; `from` and `to` are the initial sequence numbers of sender and receiver. */
export function buildSegment(spec: SegmentSpec, from: Seq, to: Seq): Segment {
  const segment = new Segment();
  segment.flags = flagsFrom(spec.flags ?? 'A');
  segment.seq = seqAdd(from, spec.seq ?? 0);
  segment.ack = (segment.flags & ACK) !== 0 ? seqAdd(to, spec.ack ?? 0) : seqAdd(to, 0);
  segment.window = spec.window ?? 65_535;
  segment.urgentPointer = spec.urgentPointer ?? 0;
  segment.mss = spec.mss ?? 0;
  segment.windowScale = spec.windowScale ?? -1;
  segment.sackPermitted = spec.sackPermitted ?? false;
  if (spec.timestamps !== undefined) {
    segment.timestamps = true;
    segment.tsVal = spec.timestamps[0] | 0;
    segment.tsEcr = spec.timestamps[1] | 0;
  }
  spec.sack?.forEach(([left, right], i) => {
    segment.sackEdges[2 * i] = seqAdd(to, left);
    segment.sackEdges[2 * i + 1] = seqAdd(to, right);
    segment.sackCount = i + 1;
  });
  segment.payload = textOf(spec);
  segment.payloadLength = segment.payload.length;
  segment.ecn = spec.ecn ?? 0;
  return segment;
}

/** A segment that was sent, as a spec with every field filled; `from` and `to` as in {@link buildSegment}. */
export function describeSegment(segment: Segment, text: Uint8Array, from: Seq, to: Seq): Required<SegmentSpec> {
  const sack: Array<readonly [number, number]> = [];
  for (let i = 0; i < segment.sackCount; i++) {
    sack.push([seqDiff(segment.sackEdges[2 * i] as Seq, to), seqDiff(segment.sackEdges[2 * i + 1] as Seq, to)]);
  }
  return {
    flags: flagLetters(segment.flags),
    seq: seqDiff(segment.seq, from),
    ack: (segment.flags & ACK) !== 0 ? seqDiff(segment.ack, to) : 0,
    text: new TextDecoder('latin1').decode(text),
    length: segment.payloadLength,
    window: segment.window,
    urgentPointer: segment.urgentPointer,
    mss: segment.mss,
    windowScale: segment.windowScale,
    sackPermitted: segment.sackPermitted,
    timestamps: segment.timestamps ? [segment.tsVal, segment.tsEcr] : [0, 0],
    sack,
    ecn: segment.ecn,
  };
}

/** What differs between an expectation and what was sent, in words; empty when nothing does. */
export function differences(expected: SegmentSpec, sent: Required<SegmentSpec>): string[] {
  const found: string[] = [];
  for (const [key, value] of Object.entries(expected)) {
    const actual = sent[key as keyof SegmentSpec];
    if (JSON.stringify(actual) !== JSON.stringify(value)) {
      found.push(`${key}: expected ${JSON.stringify(value)}, sent ${JSON.stringify(actual)}`);
    }
  }
  return found;
}
