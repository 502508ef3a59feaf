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
  | 'challenge'
  | 'window-closed'
  | 'window-open';

export interface Remark {
  readonly kind: RemarkKind;
  readonly text: string;
  /** For where there is little room. */
  readonly short: string;
}

/** No story carries this much. */
const NEAR = 1 << 24;

interface Speaker {
  /** The number after the highest sent so far; null before the first. */
  next: Seq | null;
  /** That of its last SYN. */
  first: Seq | null;
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
      speaker = { next: null, first: null, lastAck: null, sent: new Map() };
      speakers[end].set(ports, speaker);
    }
    return speaker;
  };
  const own = record.segments.filter((sent) => sent.stray === null);
  const said: { [end in EndName]: Sent[] } = {
    client: own.filter((sent) => sent.from === 'client'),
    server: own.filter((sent) => sent.from === 'server'),
  };
  for (const sent of record.segments) {
    const speaker = speakerOf(sent.from, sent.facts);
    const other = otherEnd(sent.from);
    const answers = said[other].filter((answer) => answersPorts(answer.facts, sent.facts));
    const remark = remarkOn(sent, speaker, speakerOf(other, sent.facts), said[sent.from], answers);
    if (remark !== null) remarks.set(sent, remark);
    if (!sent.copy && sent.stray === null) remember(sent, speaker);
  }
  return remarks;
}

function remarkOn(
  sent: Sent,
  speaker: Speaker,
  other: Speaker,
  said: readonly Sent[],
  answers: readonly Sent[],
): Remark | null {
  if (sent.copy) return { kind: 'copy', text: 'second copy, made by the wire', short: 'copy' };
  if (sent.stray !== null) return { kind: 'injected', text: sent.stray, short: sent.stray.split(' ')[0] };
  if (sent.damaged) return { kind: 'damaged', text: 'damaged on the way', short: 'damaged' };
  const { facts } = sent;
  if (has(facts, RST)) return null;
  if (isChallenge(facts, other)) {
    return { kind: 'challenge', text: 'challenge ACK: what it still knows', short: 'challenge' };
  }
  return (
    probe(facts, speaker, other) ??
    again(sent, speaker, said, answers) ??
    windowChange(facts, speaker) ??
    duplicateAck(facts, speaker, other)
  );
}

function again(sent: Sent, speaker: Speaker, said: readonly Sent[], answers: readonly Sent[]): Remark | null {
  const { facts } = sent;
  if (segmentLength(facts) === 0 || speaker.next === null || seqDiff(segmentEnd(facts), speaker.next) > 0) return null;
  // Another SYN is another connection, wherever its number stands.
  if (has(facts, SYN) && !speaker.sent.has(facts.seq)) return null;
  const earlier = speaker.sent.get(facts.seq) ?? [];
  const [first] = earlier;
  if (first === undefined) return { kind: 'again', text: 'again', short: 'again' };
  // A SYN-ACK after a SYN of the same number is the next step of a simultaneous open.
  if (has(facts, SYN) && has(first.facts, ACK) !== has(facts, ACK)) return null;
  const after = `again, ${duration(sent.time - first.time)} after the first`;
  const copies = said.filter((other) => other.facts.seq === facts.seq && samePorts(other.facts, first.facts));
  return earlier.some((other) => isAnswered(other, copies, answers))
    ? { kind: 'needless', text: `${after}, needless`, short: 'needless' }
    : { kind: 'again', text: after, short: 'again' };
}

/**
 * The earlier copy arrived, and so did (or will) an acknowledgment that it brought about, before any other copy could:
 * sending it again was needless then, though the sender could not know.
 */
function isAnswered(copy: Sent, copies: readonly Sent[], answers: readonly Sent[]): boolean {
  if (copy.arrival === null || copy.damaged) return false;
  const from = copy.arrival.order;
  const arrivals = copies.map((other) => other.arrival?.order ?? Number.POSITIVE_INFINITY);
  const until = Math.min(...arrivals.filter((order) => order > from), Number.POSITIVE_INFINITY);
  const end = segmentEnd(copy.facts);
  return answers.some(
    (answer) =>
      answer.order > from &&
      answer.order < until &&
      answer.lost === null &&
      !answer.damaged &&
      has(answer.facts, ACK) &&
      !has(answer.facts, RST) &&
      isSoonAfter(answer.facts.ack, end),
  );
}

/** At or after, and near enough to be of the same connection: an old one's numbers lie anywhere on the ring. */
function isSoonAfter(value: Seq, base: Seq): boolean {
  const distance = seqDiff(value, base);
  return distance >= 0 && distance < NEAR;
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
  // The number has been acknowledged long ago: nothing is missing, only a sign of life.
  if (other.lastAck === null || seqDiff(other.lastAck.ack, facts.seq) <= 0) return null;
  return { kind: 'keep-alive', text: 'keep-alive: still there?', short: 'keep-alive' };
}

/** An ACK of nothing the other has said since its last SYN: what a half-open connection answers to a new one. */
function isChallenge(facts: SegmentFacts, other: Speaker): boolean {
  if (facts.flags !== ACK || facts.text.length > 0 || other.next === null || other.first === null) return false;
  return seqDiff(facts.ack, other.first) < 0 || seqDiff(facts.ack, other.next) > 0;
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
  if (facts.ack !== before.ack) return null;
  // RFC 5681 wants the same window too; a SACK block says more plainly what the ACK is for.
  if (facts.window !== before.window && facts.options.sack === undefined) return null;
  if (other.next === null || seqDiff(other.next, facts.ack) <= 0) return null;
  return { kind: 'duplicate-ack', text: 'duplicate ack', short: 'dup' };
}

function samePorts(a: SegmentFacts, b: SegmentFacts): boolean {
  return a.sourcePort === b.sourcePort && a.destinationPort === b.destinationPort;
}

function answersPorts(a: SegmentFacts, b: SegmentFacts): boolean {
  return a.sourcePort === b.destinationPort && a.destinationPort === b.sourcePort;
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
    speaker.first = facts.seq;
    speaker.next = end;
  }
  if (speaker.next === null || seqDiff(end, speaker.next) > 0) speaker.next = end;
  const same = speaker.sent.get(facts.seq);
  if (same === undefined) speaker.sent.set(facts.seq, [sent]);
  else same.push(sent);
}
