/**
 * What an analysis says: the shape of `estab explain --json`, described for others in docs/explain.schema.json. Times
 * are seconds from the capture's first packet, durations milliseconds, sequence numbers relative to the SYN (the first
 * octet of text is 1), frames counted from 1.
 */

import type { FindingKind } from './kinds.ts';

/** How sure a finding is: `proven` by the packets, `likely` by their pattern, `possible` when another cause would fit. */
export type Confidence = 'proven' | 'likely' | 'possible';

export interface Finding {
  kind: FindingKind;
  /** One plain sentence, with numbers. */
  text: string;
  frames: number[];
  confidence: Confidence;
  /** The section that describes what happened, where there is one. */
  rfc: string | null;
}

export type Role = 'client' | 'server';

export interface Endpoint {
  address: string;
  port: number;
}

/** Statistics of round-trip times in milliseconds. */
export interface RttStatistics {
  samples: number;
  min: number;
  median: number;
  max: number;
}

export interface Counts {
  /** Segments lost on the way (provably lost acknowledgments included). */
  lost: number;
  /** Of those, segments without text that only acknowledged. */
  lostAcks: number;
  retransmitted: number;
  /** Retransmissions of what had arrived. */
  needless: number;
  /** Segments that came later than ones sent after them. */
  reordered: number;
  networkDuplicates: number;
  capturedTwice: number;
  /** Stretches that were acknowledged but are not in the capture. */
  captureGaps: number;
  zeroWindows: number;
  windowProbes: number;
  keepAlives: number;
  challengeAcks: number;
  duplicateAcks: number;
  windowFull: number;
  /** Packets that carry the mark "congestion experienced". */
  ceMarks: number;
  tailProbes: number;
  timeouts: number;
  corrupted: number;
}

/** One side's share. */
export interface SideReport {
  packets: number;
  /** Octets of text, each counted once. */
  bytes: number;
  mss: number | null;
  windowScale: number | null;
  sackPermitted: boolean | null;
  timestamps: boolean | null;
  initialSequence: number | null;
  /** Round trips of this side's text to its acknowledgment, from the capture's place. */
  rtt: RttStatistics | null;
  maxWindow: number;
  ttl: number;
}

export interface Agreed {
  mss: { client: number; server: number } | null;
  windowScale: boolean;
  sack: boolean;
  timestamps: boolean;
  ecn: boolean;
  fastOpen: boolean;
  multipath: boolean;
}

/** A change of either end's state as RFC 9293 section 3.3.2 names them. */
export interface StateChange {
  frame: number;
  time: number;
  client: string;
  server: string;
}

export interface ConnectionReport {
  id: number;
  client: Endpoint;
  server: Endpoint;
  firstFrame: number;
  lastFrame: number;
  start: number;
  duration: number;
  packets: number;
  handshake: string;
  close: string;
  /** How the connection ended, in one word: four-segments, three-segments, simultaneous, half-close, abort, … */
  closing: string;
  firstCloser: Role | 'both' | null;
  timeWaitHolder: Role | 'both' | null;
  capturePoint: Role | 'middle' | null;
  rtt: { handshake: number | null; client: RttStatistics | null; server: RttStatistics | null };
  options: Agreed;
  sides: { client: SideReport; server: SideReport };
  counts: Counts;
  states: StateChange[];
  findings: Finding[];
  wireshark: { completeness: number; flags: Record<string, number> };
  zeek: { connState: string; history: string };
}

export interface CaptureReport {
  file: string;
  packets: number;
  tcpPackets: number;
  /** Seconds from the first to the last packet. */
  duration: number;
  /** When the first packet was seen, seconds since 1970 and nanoseconds. */
  start: { seconds: number; nanoseconds: number } | null;
  connections: ConnectionReport[];
  /** About several connections, and the most important of single ones, most important first. */
  findings: Finding[];
  /** What was wrong with the file, null when nothing was. */
  problem: string | null;
}

export function emptyCounts(): Counts {
  return {
    lost: 0,
    lostAcks: 0,
    retransmitted: 0,
    needless: 0,
    reordered: 0,
    networkDuplicates: 0,
    capturedTwice: 0,
    captureGaps: 0,
    zeroWindows: 0,
    windowProbes: 0,
    keepAlives: 0,
    challengeAcks: 0,
    duplicateAcks: 0,
    windowFull: 0,
    ceMarks: 0,
    tailProbes: 0,
    timeouts: 0,
    corrupted: 0,
  };
}
