/**
 * Windows that are zero or full, the probes into them (RFC 9293 section 3.8.6.1), and keep-alives (section 3.8.4): both
 * repeat an octet that was acknowledged long ago, and the window at the time tells which it is.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import { Bit } from './segment-log.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

export interface ZeroWindow {
  /** The side whose window closed. */
  side: Side;
  /** Indexes of the segments that advertised it. */
  segments: number[];
  /** Index of the segment that opened it again, -1 when none did. */
  opened: number;
  probes: number[];
}

export interface KeepAlive {
  side: Side;
  index: number;
  answered: boolean;
}

export interface Probes {
  zeroWindows: ZeroWindow[];
  keepAlives: KeepAlive[];
  /** Segments that filled the advertised window to the last octet. */
  windowFull: number[];
  corrupted: number[];
}

interface SideState {
  maxEnd: number;
  acknowledged: number;
  /** The window this side advertised last, octets. */
  window: number;
  rightEdge: number;
  zero: ZeroWindow | null;
  /** The other side's closed window that this side has been probing, until it sends something else. */
  probing: ZeroWindow | null;
  seen: boolean;
  /** It has reset the connection: nothing answers it any more. */
  reset: boolean;
  /** When this side last sent anything, and the most it has acknowledged. */
  lastTime: number;
  acknowledges: number;
}

/** No keep-alive comes sooner after its sender's last segment, seconds: what does is a late or doubled segment. */
const SOONEST_KEEP_ALIVE = 0.25;

/** Finds them and marks probes and keep-alives, so that nothing takes them for retransmissions. */
export function findProbes(t: Trace): Probes {
  const found: Probes = { zeroWindows: [], keepAlives: [], windowFull: [], corrupted: [] };
  markCorrupted(t, found);
  const s: [SideState, SideState] = [newSide(), newSide()];
  for (let i = 0; i < t.n; i++) {
    if (t.verdict[i] !== Verdict.PLAIN) continue;
    const side = t.side[i] as Side;
    const other: Side = side === 0 ? 1 : 0;
    if ((t.flags(i) & RST) !== 0) {
      s[side].reset = true;
      continue;
    }
    markProbe(t, found, s[side], s[other], i);
    if (t.verdict[i] === Verdict.PLAIN && t.length(i) > 0 && t.end[i] > s[side].maxEnd && fillsWindow(t, s[other], i)) {
      found.windowFull.push(i);
    }
    if (t.end[i] > s[side].maxEnd) s[side].maxEnd = t.end[i];
    s[side].seen = true;
    s[side].lastTime = t.time(i);
    s[side].acknowledges = Math.max(s[side].acknowledges, t.ack[i]);
    if (t.verdict[i] === Verdict.PLAIN && t.size(i) > 0) s[side].probing = null;
    if (t.ack[i] >= 0) advertise(t, found, s[side], s[other], i);
  }
  return found;
}

function newSide(): SideState {
  return {
    maxEnd: 0,
    acknowledged: 0,
    window: -1,
    rightEdge: -1,
    zero: null,
    probing: null,
    seen: false,
    reset: false,
    lastTime: Number.NEGATIVE_INFINITY,
    acknowledges: -1,
  };
}

/** Checksums that are wrong now and then are damage; on a host that leaves them to its card, they all are. */
function markCorrupted(t: Trace, found: Probes): void {
  if ((t.traits & Bit.WRONG_SUM) === 0) return;
  const wrong: [number[], number[]] = [[], []];
  const right: [number, number] = [0, 0];
  for (let i = 0; i < t.n; i++) {
    if (t.verdict[i] === Verdict.CAPTURED_TWICE) continue;
    if (t.has(i, Bit.WRONG_SUM)) wrong[t.side[i] as Side].push(i);
    else if (t.has(i, Bit.GOOD_SUM)) right[t.side[i] as Side]++;
  }
  for (const side of [0, 1] as const) {
    if (wrong[side].length === 0 || wrong[side].length > 0.2 * right[side]) continue;
    for (const i of wrong[side]) {
      t.verdict[i] = Verdict.CORRUPT;
      found.corrupted.push(i);
    }
  }
}

function markProbe(t: Trace, found: Probes, own: SideState, peer: SideState, i: number): void {
  const length = t.length(i);
  if (length > 1 || !own.seen || (t.flags(i) & (SYN | FIN)) !== 0 || (t.flags(i) & ACK) === 0) return;
  const repeats = t.start[i] === own.maxEnd - 1;
  const beyond = length === 1 && t.start[i] === own.maxEnd && peer.window === 0 && own.maxEnd >= peer.rightEdge;
  if (peer.window === 0 && (repeats || beyond)) {
    // A probe with a new octet is text if it was taken, which the next answer tells.
    if (!beyond || !taken(t, i)) t.verdict[i] = Verdict.WINDOW_PROBE;
    peer.zero?.probes.push(i);
    own.probing = peer.zero;
    return;
  }
  if (repeats && own.probing !== null) {
    // The window has opened, but its prober has not heard of it: the update was lost, or is on its way.
    t.verdict[i] = Verdict.WINDOW_PROBE;
    own.probing.probes.push(i);
    return;
  }
  if (!repeats || own.acknowledged < own.maxEnd || own.maxEnd < 1) return;
  if (t.ack[i] < own.acknowledges || t.time(i) - own.lastTime < SOONEST_KEEP_ALIVE) return;
  t.verdict[i] = Verdict.KEEP_ALIVE;
  found.keepAlives.push({ side: t.side[i] as Side, index: i, answered: false });
}

function taken(t: Trace, i: number): boolean {
  for (let k = i + 1; k < t.n; k++) if (t.side[k] !== t.side[i] && t.ack[k] >= 0) return t.ack[k] >= t.end[i];
  return false;
}

function fillsWindow(t: Trace, peer: SideState, i: number): boolean {
  return peer.rightEdge >= 0 && !t.windowUnknown && t.end[i] === peer.rightEdge;
}

function advertise(t: Trace, found: Probes, own: SideState, peer: SideState, i: number): void {
  const ack = t.ack[i];
  if (ack > peer.acknowledged) peer.acknowledged = ack;
  const last = found.keepAlives.at(-1);
  const answers = last !== undefined && last.side !== t.side[i] && t.verdict[i] !== Verdict.KEEP_ALIVE;
  if (answers && !peer.reset) last.answered = true;
  if (t.verdict[i] !== Verdict.PLAIN && t.verdict[i] !== Verdict.KEEP_ALIVE) return;
  const window = t.window(i);
  own.window = window;
  own.rightEdge = ack + window;
  if (window === 0 && (t.flags(i) & (SYN | FIN)) === 0) {
    if (own.zero === null) {
      own.zero = { side: t.side[i] as Side, segments: [], opened: -1, probes: [] };
      found.zeroWindows.push(own.zero);
    }
    own.zero.segments.push(i);
  } else if (own.zero !== null && window > 0) {
    own.zero.opened = i;
    own.zero = null;
  }
}
