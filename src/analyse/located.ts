/**
 * The facts that lie at certain records of a connection, as opposed to those about all of it: they can be told by part,
 * moved to other indexes, and put together.
 */

import type { BlackHole } from './black-hole.ts';
import type { Delivery, Retransmission } from './delivery.ts';
import type { Ecn, Facts } from './facts.ts';
import type { Stray } from './foreign.ts';
import type { Probes } from './probes.ts';
import type { BackOff, Silence, Stall } from './timing.ts';

/** Facts about the connection as a whole. */
type Whole = 'trace' | 'plain' | 'place' | 'handshake' | 'close' | 'counts' | 'hiddenCopies';

export type Located = Omit<Facts, Whole>;

/** Where a fact is to go: an index for an index. */
type Move = (i: number) => number;
type Keep = (i: number) => boolean;

/** The facts whose record is to be kept, with every index moved; -1, for "none", stays. */
export function sift(f: Located, keep: Keep, move: Move): Located {
  const at: Move = (i) => (i < 0 ? i : move(i));
  const list = (indexes: readonly number[]): number[] => indexes.filter(keep).map(at);
  return {
    copies: { capturedTwice: list(f.copies.capturedTwice), duplicated: list(f.copies.duplicated) },
    strays: f.strays
      .filter((s) => keep(s.index))
      .map((s): Stray => ({ ...s, index: at(s.index), challenge: at(s.challenge) })),
    probes: siftProbes(f.probes, keep, at),
    delivery: [siftDelivery(f.delivery[0], keep, at), siftDelivery(f.delivery[1], keep, at)],
    stalls: f.stalls
      .filter((s) => keep(s.segment))
      .map((s): Stall => ({ ...s, segment: at(s.segment), ack: at(s.ack), released: at(s.released) })),
    backOff: f.backOff
      .filter((b) => keep(b.copies[b.copies.length - 1]))
      .map((b): BackOff => ({ ...b, copies: b.copies.map(at) })),
    ecn: siftEcn(f.ecn, list),
    urgent: list(f.urgent),
    conflicts: list(f.conflicts),
    lost: f.lost.size === 0 ? f.lost : new Set(list([...f.lost])),
    // Made of facts that have been sifted.
    blackHoles: f.blackHoles.map(
      (h): BlackHole => ({ ...h, lost: new Set([...h.lost].map(at)), resized: h.resized.map(at) }),
    ),
    silence: moveSilence(f.silence, at),
  };
}

function moveSilence(silence: Silence | null, at: Move): Silence | null {
  return silence === null ? null : { ...silence, before: at(silence.before), after: at(silence.after) };
}

function siftProbes(p: Probes, keep: Keep, at: Move): Probes {
  return {
    zeroWindows: p.zeroWindows
      .filter((z) => keep(z.segments[0]))
      .map((z) => ({ ...z, segments: z.segments.map(at), probes: z.probes.map(at), opened: at(z.opened) })),
    keepAlives: p.keepAlives.filter((k) => keep(k.index)).map((k) => ({ ...k, index: at(k.index) })),
    windowFull: p.windowFull.filter(keep).map(at),
    corrupted: p.corrupted.filter(keep).map(at),
  };
}

function siftDelivery(d: Delivery, keep: Keep, at: Move): Delivery {
  const list = (indexes: readonly number[]): number[] => indexes.filter(keep).map(at);
  return {
    retransmissions: d.retransmissions
      .filter((r) => keep(r.index))
      .map((r): Retransmission => ({ ...r, index: at(r.index), original: at(r.original), dsack: at(r.dsack) })),
    reordered: list(d.reordered),
    lateness: d.lateness.filter((l) => keep(l.index)).map((l) => ({ ...l, index: at(l.index) })),
    doubledParts: list(d.doubledParts),
    unexplainedDsacks: list(d.unexplainedDsacks),
    gaps: d.gaps.filter((g) => keep(g.acknowledged)).map((g) => ({ ...g, acknowledged: at(g.acknowledged) })),
    lostAcks: list(d.lostAcks),
    hiddenAcks: list(d.hiddenAcks),
    skips: d.skips.filter((s) => keep(s.index)).map((s) => ({ ...s, index: at(s.index) })),
    maxEnd: d.maxEnd,
    acknowledged: d.acknowledged,
  };
}

function siftEcn(e: Ecn, list: (indexes: readonly number[]) => number[]): Ecn {
  const both = ([a, b]: readonly [number[], number[]]): [number[], number[]] => [list(a), list(b)];
  return { marked: both(e.marked), echoes: both(e.echoes), reduced: both(e.reduced) };
}

/** The facts of two parts, the earlier one first. */
export function join(a: Located, b: Located): Located {
  const silent = a.silence !== null && (b.silence === null || a.silence.seconds >= b.silence.seconds);
  return {
    copies: {
      capturedTwice: [...a.copies.capturedTwice, ...b.copies.capturedTwice],
      duplicated: [...a.copies.duplicated, ...b.copies.duplicated],
    },
    strays: [...a.strays, ...b.strays],
    probes: {
      zeroWindows: [...a.probes.zeroWindows, ...b.probes.zeroWindows],
      keepAlives: [...a.probes.keepAlives, ...b.probes.keepAlives],
      windowFull: [...a.probes.windowFull, ...b.probes.windowFull],
      corrupted: [...a.probes.corrupted, ...b.probes.corrupted],
    },
    delivery: [joinDelivery(a.delivery[0], b.delivery[0]), joinDelivery(a.delivery[1], b.delivery[1])],
    stalls: [...a.stalls, ...b.stalls],
    backOff: [...a.backOff, ...b.backOff],
    ecn: {
      marked: joinSides(a.ecn.marked, b.ecn.marked),
      echoes: joinSides(a.ecn.echoes, b.ecn.echoes),
      reduced: joinSides(a.ecn.reduced, b.ecn.reduced),
    },
    urgent: [...a.urgent, ...b.urgent],
    conflicts: [...a.conflicts, ...b.conflicts],
    lost: new Set([...a.lost, ...b.lost]),
    blackHoles: [...a.blackHoles, ...b.blackHoles],
    silence: silent ? a.silence : b.silence,
  };
}

function joinSides(a: readonly [number[], number[]], b: readonly [number[], number[]]): [number[], number[]] {
  return [
    [...a[0], ...b[0]],
    [...a[1], ...b[1]],
  ];
}

function joinDelivery(a: Delivery, b: Delivery): Delivery {
  return {
    retransmissions: [...a.retransmissions, ...b.retransmissions],
    reordered: [...a.reordered, ...b.reordered],
    lateness: [...a.lateness, ...b.lateness],
    doubledParts: [...a.doubledParts, ...b.doubledParts],
    unexplainedDsacks: [...a.unexplainedDsacks, ...b.unexplainedDsacks],
    gaps: [...a.gaps, ...b.gaps],
    lostAcks: [...a.lostAcks, ...b.lostAcks],
    hiddenAcks: [...a.hiddenAcks, ...b.hiddenAcks],
    skips: [...a.skips, ...b.skips],
    maxEnd: Math.max(a.maxEnd, b.maxEnd),
    acknowledged: Math.max(a.acknowledged, b.acknowledged),
  };
}
