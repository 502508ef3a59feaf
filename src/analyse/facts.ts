/** Everything found out about one connection, before it is put into words. */

import { ACK, CWR, ECE, RST, SYN, URG } from '../wire/tcp.ts';
import { type BlackHole, findBlackHoles } from './black-hole.ts';
import type { Close } from './close.ts';
import { findClose } from './close.ts';
import { type Copies, findCopies } from './copies.ts';
import { type Delivery, followDelivery } from './delivery.ts';
import { findForeign, type Stray } from './foreign.ts';
import { findHandshake, type Handshake } from './handshake.ts';
import { findPlace, type Place } from './place.ts';
import { lookForNothing } from './plain.ts';
import { findProbes, type Probes } from './probes.ts';
import { type Counts, emptyCounts } from './report.ts';
import { CONGESTION } from './segment-log.ts';
import { type BackOff, findBackOff, findStalls, longestSilence, type Silence, type Stall } from './timing.ts';
import { type Part, type Side, type Trace, Verdict, WHOLE } from './trace.ts';

export interface Ecn {
  /** Packets marked "congestion experienced", by the side that sent them. */
  marked: [number[], number[]];
  /** First segment of each run of echoes (ECE), by the side that echoes. */
  echoes: [number[], number[]];
  reduced: [number[], number[]];
}

export interface Facts {
  trace: Trace;
  /** At first look nothing happened; see {@link lookForNothing}. */
  plain: boolean;
  copies: Copies;
  strays: Stray[];
  probes: Probes;
  place: Place;
  handshake: Handshake;
  delivery: [Delivery, Delivery];
  close: Close;
  stalls: Stall[];
  backOff: BackOff[];
  ecn: Ecn;
  urgent: number[];
  /** Copies of text whose bytes differ from the first. */
  conflicts: number[];
  counts: Counts;
  /** Copies lost before the capture, of each side, that identifications give away. */
  hiddenCopies: [number, number];
  /** Indexes of records known to have been lost behind the capture's place. */
  lost: ReadonlySet<number>;
  blackHoles: BlackHole[];
  silence: Silence | null;
}

const NOTHING: ReadonlySet<number> = new Set();

/** Everything about a whole connection. */
export function findFacts(trace: Trace): Facts {
  const facts = gatherFacts(trace);
  judgeFacts(facts, WHOLE);
  countHiddenCopies(facts);
  return facts;
}

/**
 * What single records tell. Counts, and what follows from it all, come with {@link judgeFacts}.
 * @param answers the soonest answers of both sides known from elsewhere, seconds.
 */
export function gatherFacts(trace: Trace, answers?: readonly [number, number]): Facts {
  const plain = lookForNothing(trace);
  const copies = plain?.copies ?? findCopies(trace);
  const strays = findForeign(trace);
  const probes = plain?.probes ?? findProbes(trace);
  const place = findPlace(trace, answers);
  const handshake = findHandshake(trace, place);
  const crossed = handshake.kind === 'simultaneous-open' || handshake.kind === 'split';
  const delivery = plain?.delivery ?? followDelivery(trace, place, crossed);
  const foreign = strays.length === 0 ? NOTHING : new Set(strays.filter((s) => !s.deadly).map((s) => s.index));
  const close = findClose(trace, place, handshake, delivery, foreign);
  const facts: Facts = {
    trace,
    plain: plain !== null,
    copies,
    strays,
    probes,
    place,
    handshake,
    delivery,
    close,
    stalls: findStalls(trace, place),
    backOff: findBackOff(trace, delivery),
    ecn: findEcn(trace),
    urgent: [],
    conflicts: [],
    counts: emptyCounts(),
    hiddenCopies: [0, 0],
    lost: NOTHING,
    blackHoles: [],
    silence: null,
  };
  if (plain === null) findOddities(facts);
  return facts;
}

/** Counts what `part` holds; facts about other parts have been left out before. */
export function judgeFacts(facts: Facts, part: Part): void {
  if (!facts.plain) count(facts, part);
  if (part.from === 0) countOpening(facts);
  facts.silence = longestSilence(facts.trace, part);
  if (facts.counts.lost + facts.backOff.length > 0) facts.blackHoles = findBlackHoles(facts);
}

const NO_ECN: Ecn = { marked: [[], []], echoes: [[], []], reduced: [[], []] };

function findEcn(t: Trace): Ecn {
  if (!t.ever(ECE | CWR) && (t.traits & CONGESTION) !== CONGESTION) return NO_ECN;
  const e: Ecn = { marked: [[], []], echoes: [[], []], reduced: [[], []] };
  const echoing: [boolean, boolean] = [false, false];
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if (t.verdict[i] === Verdict.CAPTURED_TWICE) continue;
    const side = t.side[i] as Side;
    if (t.ecn(i) === 3) e.marked[side].push(i);
    if ((flags & (SYN | RST)) !== 0) continue;
    const echo = (flags & ECE) !== 0;
    if (echo && !echoing[side]) e.echoes[side].push(i);
    if ((flags & ACK) !== 0) echoing[side] = echo;
    if ((flags & CWR) !== 0) e.reduced[side].push(i);
  }
  return e;
}

function findOddities(f: Facts): void {
  const t = f.trace;
  for (const stray of f.strays) if (stray.what === 'text' && contradicts(t, stray.index)) f.conflicts.push(stray.index);
  const repeated = f.copies.capturedTwice.length + f.copies.duplicated.length > 0;
  const repaired = f.delivery[0].retransmissions.length + f.delivery[1].retransmissions.length > 0;
  const reordered = f.delivery[0].reordered.length + f.delivery[1].reordered.length > 0;
  if (!t.ever(URG) && !repeated && !repaired && !reordered) return;
  for (let i = 0; i < t.n; i++) {
    if ((t.flags(i) & URG) !== 0 && (t.flags(i) & (SYN | RST)) === 0 && t.verdict[i] !== Verdict.FOREIGN)
      f.urgent.push(i);
    const earlier = t.copyOf[i];
    if (earlier < 0 || t.length(i) === 0 || t.start[i] !== t.start[earlier] || t.length(i) !== t.length(earlier))
      continue;
    const a = t.log.hash(t.record[i]);
    const b = t.log.hash(t.record[earlier]);
    if (a !== b && a !== 0 && b !== 0) f.conflicts.push(i);
  }
}

/** The same octets are here from their own sender, and are others. */
function contradicts(t: Trace, i: number): boolean {
  for (let k = 0; k < t.n; k++) {
    if (k === i || t.side[k] !== t.side[i] || t.start[k] !== t.start[i] || t.length(k) !== t.length(i)) continue;
    if (t.log.hash(t.record[k]) !== t.log.hash(t.record[i])) return true;
  }
  return false;
}

function count(f: Facts, part: Part): void {
  const { counts: c, trace: t } = f;
  c.capturedTwice = f.copies.capturedTwice.length;
  c.networkDuplicates = f.copies.duplicated.length;
  c.corrupted = f.probes.corrupted.length;
  c.windowFull = f.probes.windowFull.length;
  c.keepAlives = f.probes.keepAlives.length;
  for (const zero of f.probes.zeroWindows) {
    c.zeroWindows += zero.segments.length;
    c.windowProbes += zero.probes.length;
  }
  for (const stray of f.strays) if (stray.challenge >= 0) c.challengeAcks++;
  for (const side of [0, 1] as const) {
    const d = f.delivery[side];
    c.ceMarks += f.ecn.marked[side].length;
    c.captureGaps += d.gaps.length;
    c.reordered += d.reordered.length;
    c.networkDuplicates += d.unexplainedDsacks.length + d.doubledParts.length;
    c.lostAcks += d.lostAcks.length + d.hiddenAcks.length;
    for (const i of d.lostAcks) markLost(f, i);
    for (const r of d.retransmissions) countRetransmission(f, r.index, r.original, r.needless, r.tooBig, r.trigger);
  }
  c.lost += c.lostAcks;
  c.duplicateAcks = duplicateAcks(t, part);
}

function countOpening(f: Facts): void {
  const { counts: c, handshake: h } = f;
  c.retransmitted += h.hiddenRepeats;
  c.lostAcks += h.lostAcks;
  c.lost += h.lostAcks + h.lostSyns + h.lostSynAcks;
  if (h.syns.length > 1) for (const i of h.syns.slice(0, h.lostSyns)) markLost(f, i);
}

/** Adds them to the counts; all facts of the connection have to be at hand. */
export function countHiddenCopies(f: Facts): void {
  if (f.plain) return;
  for (const side of [0, 1] as const) {
    const copies = hiddenCopies(f, side);
    f.hiddenCopies[side] = copies;
    f.counts.lost += copies;
    f.counts.retransmitted += copies;
  }
}

/**
 * Copies of a side's text that were lost before the capture, beyond those that holes show. Its sender's identifications
 * skip them; acknowledgments they skip as well, so that of a side that sends many only its pauses tell.
 */
function hiddenCopies(f: Facts, side: Side): number {
  const { trace: t } = f;
  const d = f.delivery[side];
  if (d.gaps.length > 0 || d.skips.length === 0) return 0;
  const shown = d.retransmissions.filter((r) => r.original < 0 && !r.needless).length;
  if (shown === 0) return 0;
  let bare = 0;
  let text = 0;
  for (let i = 0; i < t.n; i++) if (t.side[i] === side) t.size(i) > 0 ? text++ : bare++;
  const sum = (of: 'packets' | 'copies'): number => d.skips.reduce((total, skip) => total + skip[of], 0);
  const skipped = bare <= 2 + 0.1 * text ? sum('packets') - shown : sum('copies');
  // Of what was skipped, some were acknowledgments whose loss the other side's repetitions already tell.
  return Math.max(0, skipped - f.delivery[side === 0 ? 1 : 0].hiddenAcks.length);
}

function countRetransmission(
  f: Facts,
  index: number,
  original: number,
  needless: boolean,
  tooBig: boolean,
  trigger: string,
): void {
  const { counts: c, trace: t } = f;
  const segments = t.segments(index);
  c.retransmitted += segments;
  if (trigger === 'tail-probe') c.tailProbes++;
  if (trigger === 'timeout') c.timeouts++;
  if (needless) c.needless += segments;
  else if (tooBig) t.verdict[index] = Verdict.RESIZED;
  else if ((t.flags(index) & SYN) === 0 && wasNeeded(f, index)) {
    // Sent again in two pieces, it was lost once.
    if (original >= 0 && f.lost.has(original) && t.segments(original) === 1) return;
    c.lost += segments;
    if (original >= 0) markLost(f, original);
  }
}

/** The set is made for the first one: in most connections nothing is lost. */
function markLost(f: Facts, i: number): void {
  if (f.lost === NOTHING) f.lost = new Set();
  (f.lost as Set<number>).add(i);
}

/**
 * A copy says that the one before was lost only if it was acknowledged in the end: text that never was may have met a
 * peer that is gone.
 */
function wasNeeded(f: Facts, index: number): boolean {
  const t = f.trace;
  return f.delivery[t.side[index] as Side].acknowledged >= t.end[index];
}

function duplicateAcks(t: Trace, part: Part): number {
  const last: [number, number] = [-1, -1];
  const window: [number, number] = [-1, -1];
  let count = 0;
  for (let i = 0; i < t.n; i++) {
    if (t.verdict[i] !== Verdict.PLAIN || (t.flags(i) & (SYN | RST)) !== 0 || t.ack[i] < 0) continue;
    const side = t.side[i] as Side;
    const same = t.size(i) === 0 && t.ack[i] === last[side] && t.window(i) === window[side];
    if (same && i >= part.from && i < part.to) count++;
    last[side] = t.ack[i];
    window[side] = t.window(i);
  }
  return count;
}
