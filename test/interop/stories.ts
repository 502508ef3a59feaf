/**
 * What the packets of a connection must show, whoever opened or closed it: judged on what tcpdump saw, never on what
 * either side says of itself.
 */
import type { SeenSegment } from './packets.ts';

/** `a - b` on sequence numbers, as tshark prints them (0 … 2^32 - 1). */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

const has = (segment: SeenSegment, flag: string): boolean => segment.flags.includes(flag);

/** Both directions of one connection. */
export interface Story {
  all: SeenSegment[];
  /** Sent by the end that opened, and by the other. */
  opener: SeenSegment[];
  accepter: SeenSegment[];
}

/** Splits the segments of one connection; the first must be its SYN. */
export function tell(segments: SeenSegment[]): Story {
  const [syn] = segments;
  if (syn === undefined || syn.flags.replace(/[EC]/g, '') !== 'S') {
    throw new Error(`the first segment is no SYN but ${JSON.stringify(syn)}`);
  }
  const fromOpener = (segment: SeenSegment): boolean =>
    segment.from === syn.from && segment.fromPort === syn.fromPort && segment.toPort === syn.toPort;
  return {
    all: segments,
    opener: segments.filter(fromOpener),
    accepter: segments.filter((segment) => !fromOpener(segment)),
  };
}

/**
 * Problems with an orderly connection, as lines; none when it is as RFC 9293 wants it: three segments open it, each end
 * announces `mss` and window scaling, no segment carries more than the other end's MSS, no sequence number is skipped,
 * every checksum is right (where whole packets were captured), each end's FIN is acknowledged, and nothing is reset.
 */
export function problems(story: Story, mss: number, whole = true): string[] {
  const { all, opener, accepter } = story;
  const found = [
    ...openingProblems(story, mss),
    ...closingProblems(opener, accepter),
    ...closingProblems(accepter, opener),
  ];
  found.push(...streamProblems(opener, mss), ...streamProblems(accepter, mss));
  const reset = all.slice(0, endOf(all)).find((segment) => has(segment, 'R'));
  if (reset !== undefined) found.push(`a RST in an orderly connection: ${describe(reset, all)}`);
  const corrupt = all.find((segment) => whole && !segment.checksumGood);
  if (corrupt !== undefined) found.push(`a wrong checksum: ${describe(corrupt, all)}`);
  return found;
}

/**
 * How many segments the connection took until each end's FIN was acknowledged. What comes later may be answered with a
 * RST: a FIN that was sent twice is acknowledged twice, and the second ACK finds a socket that is gone.
 */
function endOf(all: SeenSegment[]): number {
  const ends = new Map<string, number>();
  const acknowledged = new Set<string>();
  for (const [i, segment] of all.entries()) {
    for (const [from, end] of ends) {
      if (from !== segment.from && has(segment, 'A') && distance(segment.ack, end) >= 0) acknowledged.add(from);
    }
    if (acknowledged.size === 2) return i + 1;
    if (has(segment, 'F')) ends.set(segment.from, (segment.seq + segment.length + 1) >>> 0);
  }
  return all.length;
}

/** A segment and the five before it, for whoever has to find out. */
function describe(segment: SeenSegment, all: SeenSegment[]): string {
  const at = all.indexOf(segment);
  return all
    .slice(Math.max(0, at - 5), at + 1)
    .map(({ time, from, flags, seq, ack, length }) => `${time.toFixed(6)} ${from} ${flags} ${seq} ${ack} ${length}`)
    .join('; ');
}

function openingProblems({ all }: Story, mss: number): string[] {
  const [syn, synAck, ack] = all;
  if (syn === undefined || synAck === undefined || ack === undefined) return ['fewer than three segments'];
  const found: string[] = [];
  if (!has(synAck, 'S') || !has(synAck, 'A')) found.push(`the second segment is ${synAck.flags}, no SYN-ACK`);
  if (distance(synAck.ack, syn.seq) !== 1) found.push('the SYN-ACK does not acknowledge the SYN');
  if (has(ack, 'S') || !has(ack, 'A')) found.push(`the third segment is ${ack.flags}, no ACK`);
  if (distance(ack.ack, synAck.seq) !== 1) found.push('the third segment does not acknowledge the SYN-ACK');
  if (distance(ack.seq, syn.seq) !== 1) found.push('the third segment does not follow the SYN');
  for (const segment of [syn, synAck]) {
    if (segment.mss !== mss) found.push(`${segment.flags} announces an MSS of ${segment.mss}, not ${mss}`);
    if (segment.windowScale === null) found.push(`${segment.flags} has no window scale`);
  }
  return found;
}

/** One direction: text without holes, FIN last, and segments within the MSS (options count against it). */
function streamProblems(segments: SeenSegment[], mss: number): string[] {
  const found: string[] = [];
  let next: number | null = null;
  for (const segment of segments) {
    if (has(segment, 'R')) continue;
    if (next !== null && distance(segment.seq, next) > 0)
      found.push(`${segment.from} skips from ${next} to ${segment.seq}`);
    if (segment.length > mss)
      found.push(`${segment.from} sends ${segment.length} bytes at once, over the MSS of ${mss}`);
    const end = (segment.seq + segment.length + (has(segment, 'S') ? 1 : 0) + (has(segment, 'F') ? 1 : 0)) >>> 0;
    if (next === null || distance(end, next) > 0) next = end;
    if (found.length > 5) break;
  }
  return found;
}

function closingProblems(one: SeenSegment[], other: SeenSegment[]): string[] {
  const fin = one.find((segment) => has(segment, 'F'));
  if (fin === undefined) return [`${one[0]?.from} sent no FIN`];
  const end = (fin.seq + fin.length + 1) >>> 0;
  const acked = other.some((segment) => has(segment, 'A') && distance(segment.ack, end) >= 0);
  return acked ? [] : [`nobody acknowledged the FIN of ${fin.from}`];
}

/** Which end's first FIN was seen first. */
export function firstToClose({ all }: Story): string {
  return all.find((segment) => has(segment, 'F'))?.from ?? 'nobody';
}

/** Text bytes that one end sent after it had seen the other end's FIN. */
export function textAfterFinOf(one: SeenSegment[], other: SeenSegment[]): number {
  const fin = other.find((segment) => has(segment, 'F'));
  if (fin === undefined) return 0;
  const end = (fin.seq + fin.length + 1) >>> 0;
  return one
    .filter((segment) => has(segment, 'A') && distance(segment.ack, end) >= 0)
    .reduce((sum, segment) => sum + segment.length, 0);
}

/** Text bytes in one direction, each counted once. */
export function textLength(segments: SeenSegment[]): number {
  const syn = segments.find((segment) => has(segment, 'S'));
  if (syn === undefined) return 0;
  // Not modulo 2^32: a difference in steps, so that more than 4 GiB could not fool it either.
  let total = 0;
  let at = (syn.seq + 1) >>> 0;
  for (const segment of segments) {
    const end = (segment.seq + segment.length) >>> 0;
    if (segment.length > 0 && distance(end, at) > 0) {
      total += distance(end, at);
      at = end;
    }
  }
  return total;
}

/** Segments of each connection of a capture, in order of their first segment. */
export function byConnection(segments: SeenSegment[]): SeenSegment[][] {
  const streams = new Map<number, SeenSegment[]>();
  for (const segment of segments) {
    const list = streams.get(segment.stream);
    if (list === undefined) streams.set(segment.stream, [segment]);
    else list.push(segment);
  }
  return [...streams.values()];
}
