/** Loss, repetition, order, gaps, the path and its marks, in words. */

import { SYN } from '../wire/tcp.ts';
import type { BlackHole } from './black-hole.ts';
import type { Retransmission } from './delivery.ts';
import type { Facts } from './facts.ts';
import type { Confidence } from './report.ts';
import { name, other, type Say } from './say.ts';
import type { SynOptions } from './syn-options.ts';
import { type Side, type Trace, Verdict } from './trace.ts';
import { duration, largest, list, plural, smallest } from './words.ts';

export function lossFindings(f: Facts, say: Say): void {
  const { trace: t, counts: c } = f;
  for (const side of [0, 1] as const) {
    const d = f.delivery[side];
    const needed = d.retransmissions.filter(
      (r) => !r.needless && !r.tooBig && (t.flags(r.index) & SYN) === 0 && d.acknowledged >= t.end[r.index],
    );
    const vanished = f.blackHoles.find((hole) => hole.side === side)?.lost;
    const counted = needed.filter(
      (r) => t.verdict[r.index] === Verdict.RETRANSMISSION && vanished?.has(r.original) !== true,
    );
    if (counted.length > 0) sayLoss(f, say, side, counted);
    sayNeedless(f, say, side);
    if (d.reordered.length > 0) sayReordering(f, say, side);
    if (d.hiddenAcks.length > 0) {
      const repeated = d.retransmissions.filter((r) => r.needless).map((r) => r.index);
      say(
        'ack-loss',
        'likely',
        'RFC 9293 3.8.1',
        repeated,
        `${plural(d.hiddenAcks.length, 'acknowledgment')} of the ${name(f, other(side))} lost on the way here: the text had arrived, no answer did.`,
      );
    }
    if (d.lostAcks.length > 0) {
      say(
        'ack-loss',
        'likely',
        'RFC 9293 3.8.1',
        d.lostAcks,
        `${plural(d.lostAcks.length, 'acknowledgment')} of the ${name(f, other(side))} did not arrive: the ${name(f, side)} repeated what they had covered.`,
      );
    }
    for (const gap of d.gaps) {
      const bytes = gap.end - gap.start;
      say(
        'capture-gap',
        'proven',
        null,
        [gap.acknowledged],
        `The capture missed ${plural(bytes, 'byte')} of the ${name(f, side)} (${gap.start}:${gap.end}): acknowledged, but never seen.`,
      );
    }
    if (d.unexplainedDsacks.length > 0) {
      say(
        'network-duplicate',
        'likely',
        'RFC 2883 4',
        d.unexplainedDsacks,
        `The network doubled ${plural(d.unexplainedDsacks.length, 'segment')} of the ${name(f, side)}: the receiver reports a second copy (DSACK), the sender sent one.`,
      );
    }
  }
  const doubled = [...f.copies.duplicated, ...f.delivery.flatMap((d) => d.doubledParts)];
  if (doubled.length > 0) {
    say(
      'network-duplicate',
      'proven',
      'RFC 9293 3.4',
      doubled,
      `The network doubled ${plural(doubled.length, 'packet')}: each copy has the IP identification and timestamp of the first, which no sender repeats.`,
    );
  }
  if (c.capturedTwice > 0) {
    say(
      'captured-twice',
      'proven',
      null,
      f.copies.capturedTwice,
      `${plural(c.capturedTwice, 'packet')} recorded twice: the copies differ in nothing${ttlDiffers(f) ? ' but the hop count' : ''}. That is how the capture was made, not the connection.`,
    );
  }
  if (c.corrupted > 0) {
    say(
      'corruption',
      'proven',
      'RFC 9293 3.1',
      f.probes.corrupted,
      `${plural(c.corrupted, 'segment')} damaged on the way: the checksum is wrong, the receiver drops it.`,
    );
  }
}

function ttlDiffers(f: Facts): boolean {
  return f.copies.capturedTwice.some((i) => f.trace.ttl(i) !== f.trace.ttl(f.trace.copyOf[i]));
}

function sayLoss(f: Facts, say: Say, side: Side, lost: readonly Retransmission[]): void {
  const seen = lost.filter((r) => r.original >= 0).length;
  // Sent again in two pieces, it was lost once.
  const { trace: t } = f;
  const again = (r: Retransmission, k: number): boolean =>
    r.original >= 0 && lost[k - 1]?.original === r.original && t.segments(r.original) === 1;
  const copies = segmentsOf(t, lost) - segmentsOf(t, lost.filter(again));
  const byTrigger = (kind: string): number =>
    segmentsOf(
      t,
      lost.filter((r) => r.trigger === kind),
    );
  const how: string[] = [];
  const fast = byTrigger('fast') + byTrigger('partial-ack') + byTrigger('unknown');
  if (fast > 0) how.push(`${fast} by fast recovery`);
  if (byTrigger('timeout') > 0) how.push(`${byTrigger('timeout')} after a timeout`);
  if (byTrigger('after-timeout') > 0) how.push(`${byTrigger('after-timeout')} in the slow start that followed`);
  if (byTrigger('tail-probe') > 0) how.push(`${byTrigger('tail-probe')} by a tail probe`);
  if (byTrigger('timer') > 0) how.push(`${byTrigger('timer')} after a pause, by a probe or timeout`);
  const timeouts = byTrigger('timeout') + byTrigger('timer') === 0 ? ', 0 timeouts' : '';
  const view = lossView(f, side, lost);
  // Without SACK or timestamps a copy that was needed looks like one sent since its acknowledgment was lost.
  const unseen = f.hiddenCopies[side];
  const more =
    unseen === 0
      ? ''
      : ` ${plural(unseen, 'further copy', 'further copies')} never came this far: the IP identification skips ${unseen === 1 ? 'it' : 'them'}.`;
  const told = seen === 0 || bothOffer(f, (syn) => syn.sackPermitted || syn.timestamps);
  const confidence: Confidence = f.delivery[side].acknowledged > 0 && told ? 'proven' : 'likely';
  say(
    'loss',
    confidence,
    'RFC 5681 3.2',
    lost.map((r) => r.index),
    `${plural(copies + unseen, 'segment')} of the ${name(f, side)} lost and retransmitted (${how.join(', ')}${timeouts}); ${view}.${more}`,
  );
}

/** Where they were lost, as seen from the capture's place. */
function lossView(f: Facts, side: Side, lost: readonly Retransmission[]): string {
  const { trace: t } = f;
  const damaged = f.probes.corrupted.filter((i) => t.side[i] === side);
  const isDamaged = (r: Retransmission): boolean =>
    r.original < 0 && damaged.some((i) => i < r.index && t.start[i] < t.end[r.index] && t.end[i] > t.start[r.index]);
  const seen = lost.filter((r) => r.original >= 0).length;
  const dropped = damaged.length === 0 ? 0 : lost.filter(isDamaged).length;
  if (seen === lost.length) return 'both copies are in the capture, so it was lost behind it';
  if (dropped === lost.length) return 'the first copies are in the capture, damaged: the receiver dropped them';
  if (seen + dropped > 0) return 'some first copies are in the capture, some are not';
  return 'the lost copies are not in the capture, so it was lost before it';
}

function segmentsOf(t: Trace, retransmissions: readonly Retransmission[]): number {
  return retransmissions.reduce((n, r) => n + t.segments(r.index), 0);
}

function bothOffer(f: Facts, has: (syn: SynOptions) => boolean): boolean {
  return f.trace.flow.sides.every(({ syn }) => syn === null || has(syn));
}

function sayNeedless(f: Facts, say: Say, side: Side): void {
  const needless = f.delivery[side].retransmissions.filter((r) => r.needless);
  if (needless.length === 0) return;
  const { trace: t } = f;
  const probes = needless.filter((r) => r.trigger === 'tail-probe').length;
  const late = f.delivery[side].lostAcks.length > 0;
  const reordering = f.delivery[side].reordered.length > 0;
  const dsacks = needless.filter((r) => r.dsack >= 0);
  const cause = late
    ? 'its acknowledgments had been lost'
    : reordering
      ? 'the sender took reordering for loss'
      : probes === needless.length
        ? 'a tail probe sent while the acknowledgment was delayed'
        : 'the acknowledgment was on its way';
  const proof =
    dsacks.length > 0 ? `, the receiver says so (DSACK in ${list(dsacks.map((r) => t.frame(r.dsack)))})` : '';
  say(
    'needless-retransmission',
    'proven',
    dsacks.length > 0 ? 'RFC 2883' : 'RFC 3522',
    needless.flatMap((r) => [r.index, r.dsack]),
    `${plural(segmentsOf(t, needless), 'needless retransmission')} by the ${name(f, side)}: the text had arrived; ${cause}${proof}.`,
  );
}

function sayReordering(f: Facts, say: Say, side: Side): void {
  const d = f.delivery[side];
  const late =
    d.lateness.length > 0
      ? `, ${duration(largest(d.lateness.map((late) => late.milliseconds)) / 1000)} late at most`
      : '';
  const evidence =
    d.lateness.length > 0
      ? 'older than what overtook them by IP identification, timestamp or time'
      : 'SACK shows gaps that filled without a retransmission';
  say(
    'reordering',
    'proven',
    'RFC 4737',
    d.reordered,
    `Reordering: ${plural(d.reordered.length, 'segment')} of the ${name(f, side)} arrived after later ones${late} (${evidence}).`,
  );
}

function sayBlackHole(f: Facts, say: Say, hole: BlackHole): void {
  const who = name(f, hole.side);
  const frames = [...hole.lost, ...hole.resized];
  if (hole.open) {
    say(
      'path-mtu',
      'possible',
      'RFC 4821',
      frames,
      `Perhaps a path MTU black hole: the ${who}'s packets of ${hole.vanished} octets drew no answer and no ICMP error, those of up to ${hole.through} did.`,
    );
    return;
  }
  say(
    'path-mtu',
    'likely',
    'RFC 4821',
    frames,
    `Path MTU between ${hole.through} and ${hole.vanished - 1}, a black hole: ${plural(hole.lost.size, 'packet')} of the ${who} of ${hole.vanished} octets and more vanished without an ICMP error; cut to fit in ${plural(hole.resized.length, 'packet')} they came through.`,
  );
}

export function pathFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  const tooBig = (t.flow.icmp ?? []).filter((e) => (e.family === 4 ? e.type === 3 && e.code === 4 : e.type === 2));
  if (tooBig.length > 0) {
    const mtu = smallest(tooBig.map((e) => e.mtu).filter((m) => m > 0));
    const resized = f.delivery.flatMap((d) => d.retransmissions.filter((r) => r.tooBig));
    const tail = resized.length > 0 ? `; ${plural(resized.length, 'segment')} cut to fit and sent again` : '';
    say(
      'path-mtu',
      'proven',
      tooBig[0].family === 4 ? 'RFC 1191' : 'RFC 8201',
      resized.map((r) => r.index),
      `Path MTU ${Number.isFinite(mtu) ? mtu : 'unknown'}: ${tooBig[0].family === 4 ? 'ICMP "fragmentation needed"' : 'ICMPv6 "packet too big"'} came ${plural(tooBig.length, 'time')} (frame ${list(
        tooBig.map((e) => e.frame),
        3,
      )})${tail}. Nothing was lost to congestion by that.`,
    );
  }
  for (const hole of f.blackHoles) sayBlackHole(f, say, hole);
  const { ecn, handshake: h } = f;
  const echoes = ecn.echoes[0].length + ecn.echoes[1].length;
  const marks = f.counts.ceMarks;
  if (h.ecn || marks > 0) {
    const reduced = ecn.reduced[0].length + ecn.reduced[1].length;
    const signal =
      echoes + marks === 0
        ? 'no congestion was signalled'
        : `congestion was signalled ${plural(Math.max(echoes, 1), 'time')} (ECE) and answered by ${plural(reduced, 'window reduction')} (CWR)`;
    const lost = f.counts.lost === 0 ? ', nothing lost' : '';
    const seen = marks > 0 ? `; ${plural(marks, 'packet')} here carry the mark` : '';
    say(
      'ecn',
      'proven',
      'RFC 3168 6.1',
      [...ecn.echoes[0], ...ecn.echoes[1], ...ecn.marked[0], ...ecn.marked[1]],
      `ECN ${h.ecn ? 'negotiated' : 'in use'}: ${signal}${lost}${seen}.`,
    );
  }
}
