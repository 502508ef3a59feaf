/**
 * The short remark a ladder line may carry, worked out from the segments themselves: a retransmission and whether it
 * was needed, a closed window, a probe, an ACK that asks for the same octet again.
 */

import { type Seq, seqDiff } from '../../base/seq.ts';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts';
import { duration } from './paint.ts';
import { type EndName, otherEnd, type Record, type Sent } from './record.ts';
import { has, type SegmentFacts, segmentEnd, segmentLength } from './segment-facts.ts';

export type RemarkKind =
  | 'again'
  | 'needless'
  | 'copy'
  | 'injected'
  | 'damaged'
  | 'probe'
  | 'keep-alive'
  | 'duplicate-ack'
  | 'window-closed'
  | 'window-open';

export interface Remark {
  readonly kind: RemarkKind;
  readonly text: string;
  /** For where there is little room. */
  readonly short: string;
}

interface Speaker {
  /** The number after the highest sent so far; null before the first. */
  next: Seq | null;
  lastAck: SegmentFacts | null;
  /** Transmissions of the same first octet so far. */
  readonly sent: Map<number, Sent[]>;
}

/** A remark for those segments that deserve one. */
export function remarksOf(record: Record): Map<Sent, Remark> {
  const remarks = new Map<Sent, Remark>();
  const speakers: { [end in EndName]: Map<string, Speaker> } = { client: new Map(), server: new Map() };
  const speakerOf = (end: EndName, facts: SegmentFacts): Speaker => {
    const ports = [facts.sourcePort, facts.destinationPort].sort((a, b) => a - b).join(' ');
    let speaker = speakers[end].get(ports);
    if (speaker === undefined) {
      speaker = { next: null, lastAck: null, sent: new Map() };
      speakers[end].set(ports, speaker);
    }
    return speaker;
  };
  for (const sent of record.segments) {
    const speaker = speakerOf(sent.from, sent.facts);
    const remark = remarkOn(sent, speaker, speakerOf(otherEnd(sent.from), sent.facts));
    if (remark !== null) remarks.set(sent, remark);
    if (!sent.copy && !sent.injected) remember(sent, speaker);
  }
  return remarks;
}

function remarkOn(sent: Sent, speaker: Speaker, other: Speaker): Remark | null {
  if (sent.copy) return { kind: 'copy', text: 'second copy, made by the wire', short: 'copy' };
  if (sent.injected) return { kind: 'injected', text: 'no host sent this now', short: 'stray' };
  if (sent.damaged) return { kind: 'damaged', text: 'damaged on the way', short: 'damaged' };
  const { facts } = sent;
  if (has(facts, RST)) return null;
  return (
    probe(facts, speaker, other) ??
    again(sent, speaker) ??
    windowChange(facts, speaker) ??
    duplicateAck(facts, speaker, other)
  );
}

function again(sent: Sent, speaker: Speaker): Remark | null {
  const { facts } = sent;
  if (segmentLength(facts) === 0 || speaker.next === null || seqDiff(segmentEnd(facts), speaker.next) > 0) return null;
  const earlier = speaker.sent.get(facts.seq);
  if (earlier === undefined) return { kind: 'again', text: 'again', short: 'again' };
  const first = earlier[0];
  if (has(first.facts, SYN) !== has(facts, SYN)) return null;
  // What the sender did not send itself it could not know; the reader can.
  const needless = earlier.some((other) => other.arrival !== null && !other.damaged && other.arrival.time <= sent.time);
  const after = `again, ${duration(sent.time - first.time)} after the first`;
  return needless
    ? { kind: 'needless', text: `${after}, needless`, short: 'needless' }
    : { kind: 'again', text: after, short: 'again' };
}

/**
 * Segments that ask for an ACK: one octet into a window the peer has closed, or, with nothing to send, a number that
 * was acknowledged long ago.
 */
function probe(facts: SegmentFacts, speaker: Speaker, other: Speaker): Remark | null {
  if (speaker.next === null || has(facts, SYN)) return null;
  const closed = other.lastAck !== null && other.lastAck.window === 0 && !has(other.lastAck, SYN);
  if (closed && segmentLength(facts) === 1) {
    return { kind: 'probe', text: 'probe of the closed window', short: 'probe' };
  }
  if (has(facts, FIN) || facts.text.length > 1 || seqDiff(facts.seq, speaker.next) !== -1) return null;
  return { kind: 'keep-alive', text: 'keep-alive: still there?', short: 'keep-alive' };
}

function windowChange(facts: SegmentFacts, speaker: Speaker): Remark | null {
  if (!has(facts, ACK) || has(facts, SYN)) return null;
  const before = speaker.lastAck;
  if (facts.window === 0) {
    return before !== null && before.window === 0
      ? { kind: 'window-closed', text: 'still closed', short: 'closed' }
      : { kind: 'window-closed', text: 'window closed', short: 'closed' };
  }
  return before !== null && before.window === 0 && !has(before, SYN)
    ? { kind: 'window-open', text: 'window open again', short: 'open' }
    : null;
}

function duplicateAck(facts: SegmentFacts, speaker: Speaker, other: Speaker): Remark | null {
  const before = speaker.lastAck;
  if (before === null || !has(facts, ACK) || segmentLength(facts) > 0 || has(before, SYN)) return null;
  if (facts.ack !== before.ack || facts.window !== before.window) return null;
  if (other.next === null || seqDiff(other.next, facts.ack) <= 0) return null;
  return { kind: 'duplicate-ack', text: 'duplicate ack', short: 'dup' };
}

function remember(sent: Sent, speaker: Speaker): void {
  const { facts } = sent;
  if (has(facts, RST)) return;
  if (has(facts, ACK)) speaker.lastAck = facts;
  if (segmentLength(facts) === 0) return;
  const end = segmentEnd(facts);
  // A new SYN begins a new connection: its numbers have nothing to do with the last one's.
  if (has(facts, SYN) && !speaker.sent.has(facts.seq)) {
    speaker.sent.clear();
    speaker.next = end;
  }
  if (speaker.next === null || seqDiff(end, speaker.next) > 0) speaker.next = end;
  const same = speaker.sent.get(facts.seq);
  if (same === undefined) speaker.sent.set(facts.seq, [sent]);
  else same.push(sent);
}
