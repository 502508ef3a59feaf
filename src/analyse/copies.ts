/**
 * The same IP packet seen more than once: duplicated by the network, or recorded twice (a mirror port that copies both
 * directions, a capture on two interfaces). Told from a retransmission by the IP identification and timestamp, which a
 * sender does not repeat; told from each other by how many packets it happens to and by the hop count.
 */

import { ACK, FIN, SYN } from '../wire/tcp.ts';
import { Bit } from './segment-log.ts';
import { type Trace, Verdict } from './trace.ts';

const LOOK_BACK = 64;
const MAX_RECORDS = 2 ** 31;
/** A share of doubled packets beyond which it is the capture, not the network. */
const SYSTEMATIC = 0.3;

export interface Copies {
  /** Indexes of packets recorded twice, and of those the network doubled. */
  capturedTwice: number[];
  duplicated: number[];
}

export function findCopies(t: Trace): Copies {
  base += MAX_RECORDS;
  const pairs: number[] = [];
  let hops = 0;
  for (let i = 0; i < t.n; i++) {
    const earlier = sameBefore(t, i);
    if (earlier < 0) continue;
    t.copyOf[i] = earlier;
    pairs.push(i);
    if (t.ttl(earlier) !== t.ttl(i)) hops++;
  }
  const systematic = pairs.length > 3 && pairs.length >= SYSTEMATIC * (t.n - pairs.length);
  const capturedTwice: number[] = [];
  const duplicated: number[] = [];
  for (const i of pairs) {
    const twice = systematic || (hops > 0 && t.ttl(t.copyOf[i]) !== t.ttl(i));
    t.verdict[i] = twice ? Verdict.CAPTURED_TWICE : Verdict.NETWORK_DUPLICATE;
    (twice ? capturedTwice : duplicated).push(i);
  }
  return { capturedTwice, duplicated };
}

/**
 * The latest two records for each fingerprint, as `base` plus index; shared between connections, each of which begins
 * with a higher base, so that nothing has to be cleared.
 */
const slots = new Float64Array(8192);
let base = 1;

/** The earlier record that is the same packet, or -1; to be called for each record in turn. */
function sameBefore(t: Trace, i: number): number {
  const { log } = t;
  const a = t.record[i];
  const key = Math.imul(log.seq[a] ^ Math.imul(log.ack[a], 31) ^ (log.ipId[a] << 8) ^ log.length[a], 0x9e3779b1);
  const slot = (key >>> 19) & 8190;
  const latest = slots[slot] - base;
  const before = slots[slot + 1] - base;
  slots[slot + 1] = slots[slot];
  slots[slot] = base + i;
  for (const k of [latest, before]) {
    if (k < 0 || k >= i || i - k > LOOK_BACK || !sameFields(t, i, k)) continue;
    if (log.ipId[a] !== 0) return t.verdict[k] !== Verdict.PLAIN && t.copyOf[k] >= 0 ? t.copyOf[k] : k;
    // Without an identification only a stamp can vouch for it, and only where text is repeated within its tick.
    const carries = log.length[a] > 0 || (log.flags[a] & (SYN | FIN)) !== 0;
    const stamped = t.has(i, Bit.TIMESTAMPS) && (log.flags[a] & ACK) !== 0;
    if (stamped && carries && t.time(i) - t.time(k) < 0.001) return k;
  }
  return -1;
}

function sameFields(t: Trace, i: number, k: number): boolean {
  const { log } = t;
  const a = t.record[i];
  const b = t.record[k];
  return (
    t.side[i] === t.side[k] &&
    log.seq[a] === log.seq[b] &&
    log.ack[a] === log.ack[b] &&
    log.length[a] === log.length[b] &&
    log.flags[a] === log.flags[b] &&
    log.ipId[a] === log.ipId[b] &&
    log.window[a] === log.window[b] &&
    log.hash[a] === log.hash[b] &&
    log.sackCount[a] === log.sackCount[b] &&
    (log.sackCount[a] === 0 || log.sack[log.sackAt[a]] === log.sack[log.sackAt[b]]) &&
    (!t.has(i, Bit.TIMESTAMPS) || (log.tsVal[a] === log.tsVal[b] && log.tsEcr[a] === log.tsEcr[b]))
  );
}
