/**
 * The same IP packet seen more than once: duplicated by the network, or recorded twice (a mirror port that copies both
 * directions, a capture on two interfaces). Told from a retransmission by the IP identification and timestamp, which a
 * sender does not repeat; told from each other by how many packets it happens to and by the hop count.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

const LOOK_BACK = 64;
const MAX_RECORDS = 2 ** 31;
/** A share of a side's packets, doubled, beyond which it is the capture, not the network. */
const SYSTEMATIC = 0.6;

export interface Copies {
  /** Indexes of packets recorded twice, and of those the network doubled. */
  capturedTwice: number[];
  duplicated: number[];
}

export function findCopies(t: Trace): Copies {
  const unasked = timeUnasked(t);
  let found = collect(t, unasked, false);
  if (found.unsure && found.pairs.length > 3) found = collect(t, unasked, true);
  const { pairs, hops } = found;
  const systematic = doubledBySystem(t, pairs);
  const capturedTwice: number[] = [];
  const duplicated: number[] = [];
  for (const i of pairs) {
    const twice = systematic[t.side[i]] || (hops > 0 && t.ttl(t.copyOf[i]) !== t.ttl(i));
    t.verdict[i] = twice ? Verdict.CAPTURED_TWICE : Verdict.NETWORK_DUPLICATE;
    (twice ? capturedTwice : duplicated).push(i);
  }
  return { capturedTwice, duplicated };
}

/**
 * Goes through the records for pairs. `unsure`: packets without an identification came doubled wherever time vouched for
 * it, so that it is the capture, and `system` may be told.
 */
function collect(t: Trace, unasked: number, system: boolean): { pairs: number[]; hops: number; unsure: boolean } {
  base += MAX_RECORDS;
  const pairs: number[] = [];
  let hops = 0;
  let single = 0;
  let doubled = 0;
  const highest: [number, number] = [0, 0];
  const repeated: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < t.n; i++) {
    const side = t.side[i] as Side;
    // A sender in recovery may repeat at once what it has just sent (RFC 6582): then time vouches for nothing.
    const recovering = !system && t.time(i) - repeated[side] < 4 * unasked;
    const earlier = sameBefore(t, i, recovering ? 0 : unasked, system);
    if (t.ipId(i) === 0 && t.size(i) > 0 && !recovering) earlier < 0 ? single++ : doubled++;
    if (earlier < 0) {
      if (t.end[i] > highest[side]) highest[side] = t.end[i];
      else if (t.start[i] < t.end[i]) repeated[side] = t.time(i);
      continue;
    }
    t.copyOf[i] = earlier;
    pairs.push(i);
    if (t.ttl(earlier) !== t.ttl(i)) hops++;
  }
  return { pairs, hops, unsure: !system && doubled > 2 && doubled >= SYSTEMATIC * single };
}

/** Of each side, whether so many of its packets are here twice that the capture made it so. */
function doubledBySystem(t: Trace, pairs: readonly number[]): [boolean, boolean] {
  if (pairs.length < 2) return [false, false];
  const doubled: [number, number] = [0, 0];
  const single: [number, number] = [0, 0];
  for (let i = 0; i < t.n; i++) single[t.side[i] as Side]++;
  for (const i of pairs) {
    doubled[t.side[i] as Side]++;
    single[t.side[i] as Side]--;
  }
  const all = doubled[0] === single[0] && doubled[1] === single[1];
  const most = (side: Side): boolean => pairs.length > 3 && doubled[side] >= SYSTEMATIC * single[side];
  return [all || most(0), all || most(1)];
}

/**
 * Seconds within which nobody sends a segment again: no answer can have come back, no timer runs out. Half the round
 * trip, which is the whole handshake's time wherever the capture was taken; 0 where it was not seen.
 */
function timeUnasked(t: Trace): number {
  let syn = -1;
  let synAck = -1;
  for (let i = 0; i < t.n && i < 32; i++) {
    const flags = t.flags(i) & (SYN | ACK | RST);
    if (flags === SYN && synAck < 0) syn = i;
    else if (flags === (SYN | ACK) && syn >= 0 && t.side[i] !== t.side[syn]) synAck = i;
    else if (flags === ACK && synAck >= 0 && t.side[i] === t.side[syn])
      return Math.min(SHORTEST_TIMER / 2, (t.time(i) - t.time(syn)) / 2);
  }
  return 0;
}

/** Two points of one capture see a packet within this time, seconds. */
const AT_ONCE = 0.0005;
/** No retransmission timer in use is shorter, seconds. */
const SHORTEST_TIMER = 0.2;

/**
 * The latest two records for each fingerprint, as `base` plus index; shared between connections, each of which begins
 * with a higher base, so that nothing has to be cleared.
 */
const slots = new Float64Array(8192);
let base = 1;

/** The earlier record that is the same packet, or -1; to be called for each record in turn. */
function sameBefore(t: Trace, i: number, unasked: number, system: boolean): number {
  const { log } = t;
  const a = t.record[i];
  const key = Math.imul(log.seq(a) ^ Math.imul(log.ack(a), 31) ^ (log.ipId(a) << 8) ^ log.length(a), 0x9e3779b1);
  const slot = (key >>> 19) & 8190;
  const latest = slots[slot] - base;
  const before = slots[slot + 1] - base;
  slots[slot + 1] = slots[slot];
  slots[slot] = base + i;
  for (let n = 0; n < 2; n++) {
    const k = n === 0 ? latest : before;
    if (k < 0 || k >= i || i - k > LOOK_BACK || !sameFields(t, i, k)) continue;
    if (log.ipId(a) !== 0) return t.verdict[k] !== Verdict.PLAIN && t.copyOf[k] >= 0 ? t.copyOf[k] : k;
    // Without an identification, time has to vouch for it: text that comes again before its sender can have heard
    // anything about it, or within the tick of its stamp, was not sent again.
    const carries = log.length(a) > 0 || (log.flags(a) & (SYN | FIN)) !== 0;
    // Nobody waits that little for the answer to a SYN (RFC 6298 section 2.1).
    if ((log.flags(a) & (SYN | ACK)) === SYN && t.time(i) - t.time(k) < 0.01) return k;
    if (system && t.time(i) - t.time(k) < AT_ONCE) return k;
    const stamped = t.has(i, Bit.TIMESTAMPS) && (log.flags(a) & ACK) !== 0;
    if (carries && t.time(i) - t.time(k) < (stamped ? Math.max(unasked, 0.001) : unasked)) return k;
  }
  return -1;
}

function sameFields(t: Trace, i: number, k: number): boolean {
  const { log } = t;
  const a = t.record[i];
  const b = t.record[k];
  return (
    t.side[i] === t.side[k] &&
    log.seq(a) === log.seq(b) &&
    log.ack(a) === log.ack(b) &&
    log.length(a) === log.length(b) &&
    log.flags(a) === log.flags(b) &&
    log.ipId(a) === log.ipId(b) &&
    log.window(a) === log.window(b) &&
    log.hash(a) === log.hash(b) &&
    log.sackCount(a) === log.sackCount(b) &&
    (log.sackCount(a) === 0 || log.sack[log.sackAt(a)] === log.sack[log.sackAt(b)]) &&
    (!t.has(i, Bit.TIMESTAMPS) || (log.tsVal(a) === log.tsVal(b) && log.tsEcr(a) === log.tsEcr(b)))
  );
}
