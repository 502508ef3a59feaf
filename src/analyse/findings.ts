/** Facts about one connection put into plain sentences, each with its frames, how sure it is, and the RFC section. */

import type { Facts } from './facts.ts';
import type { Confidence, Finding } from './report.ts';
import { RST, type Side, SYN, Verdict } from './trace.ts';
import { duration, list, plural } from './words.ts';

type Say = (kind: string, confidence: Confidence, rfc: string | null, indexes: number[], text: string) => void;

export function connectionFindings(f: Facts): Finding[] {
  const findings: Finding[] = [];
  const say: Say = (kind, confidence, rfc, indexes, text) => {
    const frames = [...new Set(indexes.filter((i) => i >= 0).map((i) => f.trace.frame(i)))].sort((a, b) => a - b);
    findings.push({ kind, text, frames, confidence, rfc });
  };
  handshakeFindings(f, say);
  strayFindings(f, say);
  lossFindings(f, say);
  pathFindings(f, say);
  windowFindings(f, say);
  timingFindings(f, say);
  closeFindings(f, say);
  oddFindings(f, say);
  if (isClean(f, findings)) {
    const seconds = f.trace.time(f.trace.n - 1) - f.trace.time(0);
    say('clean', 'proven', null, [], `Nothing went wrong: opened, used and closed in ${duration(seconds)}.`);
  }
  return findings;
}

/** Kinds that are a way of doing it, not a fault. */
const HARMLESS = new Set(['fast-open', 'tail-probe', 'window-full', 'idle']);

function isClean(f: Facts, findings: Finding[]): boolean {
  const opened = f.handshake.kind === 'complete' || f.handshake.kind === 'fast-open';
  return opened && f.close.kind === 'fin-both' && findings.every((x) => HARMLESS.has(x.kind));
}

function name(f: Facts, side: Side): string {
  return side === f.trace.client ? 'client' : 'server';
}

function other(side: Side): Side {
  return side === 0 ? 1 : 0;
}

function handshakeFindings(f: Facts, say: Say): void {
  const { handshake: h, trace: t } = f;
  const server = other(h.client);
  const port = t.flow.ports[server];
  switch (h.kind) {
    case 'simultaneous-open':
      say(
        'simultaneous-open',
        'proven',
        'RFC 9293 3.5',
        [...h.syns, ...h.synAcks],
        `Simultaneous open: both sides sent a SYN before they had seen the other's; the SYN-ACKs repeat the SYNs' numbers as they must.`,
      );
      break;
    case 'split':
      say(
        'split-handshake',
        'proven',
        'RFC 9293 3.5',
        [...h.syns, ...h.synAcks, h.ack],
        'Split handshake: the server answered the SYN with a SYN of its own instead of a SYN-ACK, which turns the roles around and fools some filters.',
      );
      break;
    case 'refused':
      say(
        'refused',
        'proven',
        'RFC 9293 3.10.7.1',
        [h.syns[0], h.reset],
        `Refused: a reset answered the SYN, port ${port} is closed.`,
      );
      break;
    case 'unanswered':
      unansweredFinding(f, say);
      break;
    case 'half-open':
      say(
        'half-open',
        'likely',
        'RFC 9293 3.5',
        [...h.syns, ...h.synAcks],
        `The server's SYN-ACK${h.synAcks.length > 1 ? ` (sent ${h.synAcks.length} times)` : ''} was never acknowledged: the connection stayed half open.`,
      );
      break;
    case 'mid-stream':
      say(
        'mid-stream',
        'proven',
        null,
        [0],
        'The capture began in the middle of the connection: no handshake is in it, so window scale and who opened are not known for sure.',
      );
      break;
    case 'fast-open':
      say(
        'fast-open',
        'proven',
        'RFC 7413',
        [h.syns[0]],
        `TCP fast open: the SYN carried a cookie and ${plural(h.fastOpenBytes, 'byte')} of text.`,
      );
      break;
  }
  const cookie = t.flow.syn[h.client]?.cookie ?? -1;
  if (h.kind !== 'fast-open' && cookie >= 0) {
    const granted = (t.flow.syn[server]?.cookie ?? -1) > 0;
    say(
      'fast-open',
      'proven',
      'RFC 7413',
      [h.syns[0]],
      `TCP fast open: the client ${cookie === 0 ? 'asked for a cookie' : 'showed a cookie'}${granted ? ' and was given one' : ''}.`,
    );
  }
  if (h.lostSyns > 0) {
    const waited = t.time(h.synAcks[0]) - t.time(h.syns[0]);
    say(
      'loss',
      t.flow.syn[h.client]?.timestamps ? 'proven' : 'likely',
      'RFC 6298 2.1',
      h.syns,
      `${plural(h.lostSyns, 'SYN')} lost on the way: the answer came ${duration(waited)} after the first.`,
    );
  }
  if (h.lostSynAcks > 0) {
    const waited = t.time(h.ack >= 0 ? h.ack : h.synAcks[0]) - t.time(h.syns[0]);
    say(
      'synack-lost',
      'proven',
      'RFC 6298 2.1',
      [...h.syns, ...h.synAcks],
      `${plural(h.lostSynAcks, 'SYN-ACK')} lost before the client: the SYN-ACK was retransmitted and the handshake took ${duration(waited)}${h.hiddenRepeats > 0 ? '; the first one seen still echoes the timestamp of the first SYN' : ''}.`,
    );
  }
}

function unansweredFinding(f: Facts, say: Say): void {
  const { handshake: h, trace: t } = f;
  const icmp = t.flow.icmp?.[0];
  const span = t.time(h.syns.at(-1)!) - t.time(h.syns[0]);
  const tries = h.syns.length === 1 ? 'One SYN' : `${h.syns.length} SYNs over ${duration(span)}`;
  const why =
    icmp === undefined ? '' : `; an ICMP error (type ${icmp.type}, code ${icmp.code}) came back in frame ${icmp.frame}`;
  say('unanswered', 'proven', 'RFC 9293 3.8.3', h.syns, `${tries}, no answer${why}.`);
  if (h.syns.length >= 3)
    say('rto-backoff', 'proven', 'RFC 6298 5.5', h.syns, `The SYN was repeated after ${list(intervals(f, h.syns))}.`);
}

function intervals(f: Facts, indexes: number[]): string[] {
  return indexes.slice(1).map((i, n) => duration(f.trace.time(i) - f.trace.time(indexes[n])));
}

function strayFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  const challenged = f.strays.filter((s) => s.challenge >= 0 || (s.what === 'syn' && s.survived));
  const survived = challenged.filter((s) => s.survived || !s.deadly);
  if (survived.length > 0) {
    const resets = survived.filter((s) => s.what === 'reset').length;
    const syns = survived.length - resets;
    const what = [resets > 0 ? plural(resets, 'reset') : '', syns > 0 ? plural(syns, 'SYN') : '']
      .filter(Boolean)
      .join(' and ');
    const acks = survived.filter((s) => s.challenge >= 0).length;
    const odd = survived.find((s) => s.ttl !== null);
    const clue = odd?.ttl
      ? `, with a hop count of ${odd.ttl.found} where that side's packets have ${odd.ttl.usual}`
      : '';
    const answered = acks > 0 ? `answered by ${plural(acks, 'challenge ACK')}` : 'ignored';
    say(
      'challenge-ack',
      odd ? 'proven' : 'likely',
      'RFC 5961 3, 4',
      survived.flatMap((s) => [s.index, s.challenge]),
      `${what} in the window with a wrong number${clue}: ${answered}; the connection survived.`,
    );
  }
  for (const s of f.strays) {
    if (survived.includes(s)) continue;
    const clues: string[] = [];
    if (s.ttl !== null) clues.push(`hop count ${s.ttl.found} instead of ${s.ttl.usual}`);
    if (s.idOutOfLine) clues.push(`IP identification ${t.ipId(s.index)} out of line`);
    if (s.survived) clues.push(`the ${name(f, t.side[s.index] as Side)} itself went on afterwards`);
    const effect = s.deadly ? 'it killed the connection' : 'the connection went on';
    say(
      s.what === 'reset' ? 'injected-reset' : 'injected-syn',
      clues.length > 1 ? 'proven' : 'likely',
      'RFC 5961 3',
      [s.index],
      `${s.what === 'reset' ? 'Reset' : 'SYN'} in the ${name(f, t.side[s.index] as Side)}'s name, not from its hand (${clues.join(', ') || 'number out of line'}): ${effect}.`,
    );
  }
}

function lossFindings(f: Facts, say: Say): void {
  const { trace: t, counts: c } = f;
  for (const side of [0, 1] as const) {
    const d = f.delivery[side];
    const needed = d.retransmissions.filter((r) => !r.needless && !r.tooBig && (t.flags(r.index) & SYN) === 0);
    const counted = needed.filter((r) => t.verdict[r.index] === Verdict.RETRANSMISSION);
    if (counted.length > 0) sayLoss(f, say, side, counted);
    sayNeedless(f, say, side);
    if (d.reordered.length > 0) sayReordering(f, say, side);
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
  if (f.copies.duplicated.length > 0) {
    say(
      'network-duplicate',
      'proven',
      'RFC 9293 3.4',
      f.copies.duplicated,
      `The network doubled ${plural(f.copies.duplicated.length, 'packet')}: each copy has the IP identification and timestamp of the first, which no sender repeats.`,
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

function sayLoss(f: Facts, say: Say, side: Side, lost: { index: number; original: number; trigger: string }[]): void {
  const seen = lost.filter((r) => r.original >= 0).length;
  const byTrigger = (kind: string): number => lost.filter((r) => r.trigger === kind).length;
  const how: string[] = [];
  const fast = byTrigger('fast') + byTrigger('unknown');
  if (fast > 0) how.push(`${fast} by fast recovery`);
  if (byTrigger('timeout') > 0) how.push(`${byTrigger('timeout')} after a timeout`);
  if (byTrigger('tail-probe') > 0) how.push(`${byTrigger('tail-probe')} by a tail probe`);
  const timeouts = byTrigger('timeout') === 0 ? ', 0 timeouts' : '';
  const view =
    seen === lost.length
      ? 'both copies are in the capture, so it was lost behind it'
      : seen === 0
        ? 'the lost copies are not in the capture, so it was lost before it'
        : 'some first copies are in the capture, some are not';
  const confidence: Confidence = f.delivery[side].acknowledged > 0 ? 'proven' : 'likely';
  say(
    'loss',
    confidence,
    'RFC 5681 3.2',
    lost.map((r) => r.index),
    `${plural(lost.length, 'segment')} of the ${name(f, side)} lost and retransmitted (${how.join(', ')}${timeouts}); ${view}.`,
  );
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
    `${plural(needless.length, 'needless retransmission')} by the ${name(f, side)}: the text had arrived; ${cause}${proof}.`,
  );
}

function sayReordering(f: Facts, say: Say, side: Side): void {
  const d = f.delivery[side];
  const late = d.lateness.length > 0 ? ` ${duration(Math.max(...d.lateness) / 1000)} late at most` : '';
  const evidence =
    d.lateness.length > 0
      ? 'older than what overtook them by IP identification, timestamp or time'
      : 'SACK shows gaps that filled without a retransmission';
  say(
    'reordering',
    'proven',
    'RFC 4737',
    d.reordered,
    `Reordering: ${plural(d.reordered.length, 'segment')} of the ${name(f, side)} arrived after later ones,${late} (${evidence}).`,
  );
}

function pathFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  const tooBig = (t.flow.icmp ?? []).filter((e) => (e.family === 4 ? e.type === 3 && e.code === 4 : e.type === 2));
  if (tooBig.length > 0) {
    const mtu = Math.min(...tooBig.map((e) => e.mtu).filter((m) => m > 0));
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
  const { ecn, handshake: h } = f;
  const echoes = ecn.echoes[0].length + ecn.echoes[1].length;
  const marks = ecn.marked[0].length + ecn.marked[1].length;
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

function windowFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  for (const zero of f.probes.zeroWindows) {
    const first = zero.segments[0];
    const until = zero.opened >= 0 ? t.time(zero.opened) : t.time(t.n - 1);
    const end = zero.opened >= 0 ? `it opened again in frame ${t.frame(zero.opened)}` : 'it never opened again';
    const probes = zero.probes.length > 0 ? `${plural(zero.probes.length, 'window probe')}, ` : '';
    say(
      'zero-window',
      'proven',
      'RFC 9293 3.8.6.1',
      [...zero.segments, ...zero.probes, zero.opened],
      `The ${name(f, zero.side)} did not read for ${duration(until - t.time(first))}: zero window, ${probes}${end}.`,
    );
  }
  if (f.probes.windowFull.length > 3 || (f.probes.windowFull.length > 0 && f.probes.zeroWindows.length > 0)) {
    const side = t.side[f.probes.windowFull[0]] as Side;
    say(
      'window-full',
      'proven',
      'RFC 9293 3.8.6',
      f.probes.windowFull,
      `The ${name(f, side)} filled the advertised window ${plural(f.probes.windowFull.length, 'time')}: the receiver sets the pace, not the network.`,
    );
  }
  keepAliveFindings(f, say);
}

function keepAliveFindings(f: Facts, say: Say): void {
  const { trace: t, probes } = f;
  if (probes.keepAlives.length === 0) return;
  const silent = probes.keepAlives.filter((k) => !k.answered);
  const side = probes.keepAlives[0].side;
  const ended = f.close.reset >= 0 && f.close.resetBy === side;
  const indexes = probes.keepAlives.map((k) => k.index);
  if (silent.length >= 2 && silent.at(-1) === probes.keepAlives.at(-1)) {
    const end = ended ? `; it gave up and reset the connection in frame ${t.frame(f.close.reset)}` : '';
    say(
      'keepalive-dead',
      ended ? 'proven' : 'likely',
      'RFC 9293 3.8.4',
      [...indexes, f.close.reset],
      `The ${name(f, other(side))} is gone: ${plural(silent.length, 'keep-alive')} of the ${name(f, side)} got no answer${end}.`,
    );
    return;
  }
  say(
    'keepalive',
    'proven',
    'RFC 9293 3.8.4',
    indexes,
    `${plural(indexes.length, 'keep-alive')} by the ${name(f, side)}, answered: the connection was idle and alive.`,
  );
}

function timingFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  for (const run of f.backOff) {
    if ((t.flags(run.copies[0]) & SYN) !== 0) continue;
    const side = name(f, run.side);
    const needless = t.verdict[run.copies.at(-1)!] === Verdict.NEEDLESS;
    const waits = run.intervals.map((s) => duration(s));
    const span = t.time(run.copies.at(-1)!) - t.time(run.copies[0]);
    say(
      'rto-backoff',
      'proven',
      'RFC 6298 5.5',
      run.copies,
      `The ${side} repeated the same text ${plural(run.intervals.length, 'time')}, each after a longer wait (${list(waits)}): retransmission timeout with exponential back-off over ${duration(span)}.`,
    );
    if (!needless) sayOutage(f, say, run.side, run.copies);
  }
  if (f.stalls.length > 0) {
    const times = f.stalls.map((s) => s.milliseconds);
    const low = duration(Math.min(...times) / 1000);
    const high = duration(Math.max(...times) / 1000);
    const side = f.stalls[0].side;
    say(
      'nagle-delayed-ack',
      f.stalls.length > 1 ? 'proven' : 'likely',
      'RFC 9293 3.7.4, 3.8.6.3',
      f.stalls.flatMap((s) => [s.segment, s.ack, s.released]),
      `${plural(f.stalls.length, 'stall')} of ${low === high ? low : `${low} to ${high}`}: Nagle against delayed ACK. The ${name(f, side)} held a small segment until the one before was acknowledged, the ${name(f, other(side))} held that acknowledgment back (about 40 ms, plus the path).`,
    );
  }
}

/** Everything one way lost for a while: from the first lost copy to the one that came through. */
function sayOutage(f: Facts, say: Say, side: Side, copies: number[]): void {
  const { trace: t } = f;
  const lost = copies.filter((i) => f.lost.has(i));
  if (lost.length < 2) return;
  const from = t.time(lost[0]);
  const atLeast = t.time(lost.at(-1)!) - from;
  const through = copies.find((i) => i > lost.at(-1)!);
  const atMost = through === undefined ? Number.NaN : t.time(through) - from;
  const span = Number.isNaN(atMost) ? `at least ${duration(atLeast)}` : `${duration(atLeast)} to ${duration(atMost)}`;
  say(
    'outage',
    'proven',
    null,
    lost,
    `Outage from the ${name(f, side)} to the ${name(f, other(side))}: nothing came through for ${span}, ${plural(lost.length, 'copy', 'copies')} of this text lost.`,
  );
}

function closeFindings(f: Facts, say: Say): void {
  const { close: c, trace: t, handshake: h } = f;
  if (c.closing === 'simultaneous') {
    say(
      'simultaneous-close',
      h.kind === 'mid-stream' ? 'likely' : 'proven',
      'RFC 9293 3.6',
      [c.fin[0], c.fin[1]],
      "Simultaneous close: the FINs crossed, neither side had seen the other's; both keep TIME-WAIT.",
    );
  }
  if (c.afterFin > 0) {
    const closer = c.firstCloser as Side;
    say(
      'half-close',
      'proven',
      'RFC 9293 3.6',
      [c.fin[closer], c.fin[other(closer)]],
      `Half-close: the ${name(f, other(closer))} sent ${plural(c.afterFin, 'byte')} after the ${name(f, closer)}'s FIN.`,
    );
  }
  if (c.inferred[0] || c.inferred[1]) {
    const side: Side = c.inferred[0] ? 0 : 1;
    say(
      'fin-in-gap',
      'likely',
      null,
      [c.fin[other(side)]],
      `The ${name(f, side)}'s FIN is not in the capture; it most likely fell into the gap, since the other side closed right after acknowledging it.`,
    );
  }
  if (c.reset >= 0 && h.kind !== 'refused') resetFinding(f, say);
  if (h.kind !== 'refused' && h.kind !== 'unanswered' && t.flow.previous !== null) {
    const apart = t.flow.firstTime - t.flow.previous.lastTime;
    say(
      'port-reuse',
      'proven',
      'RFC 6191',
      [0],
      `Same addresses and ports as connection ${t.flow.previous.id}, ${duration(Math.max(0, apart))} after its last packet.`,
    );
  }
}

function resetFinding(f: Facts, say: Say): void {
  const { close: c, trace: t } = f;
  const side = c.resetBy as Side;
  const who = name(f, side);
  const whom = name(f, other(side));
  if (t.verdict[c.reset] === Verdict.FOREIGN) return;
  switch (c.cause) {
    case 'unread-data':
      say(
        'unread-data-reset',
        'likely',
        'RFC 1122 4.2.2.13',
        [c.reset],
        `The ${who} reset the connection with text of the ${whom} it had acknowledged and never answered: it closed without reading it.`,
      );
      break;
    case 'half-open':
      say(
        'half-open',
        'likely',
        'RFC 9293 3.5.1',
        [c.reset],
        `The ${who} answered a segment of the ${whom} with a reset as if it knew no such connection: it had restarted or forgotten it (half-open).`,
      );
      break;
    case 'after-close':
      say(
        'reset-after-close',
        'proven',
        'RFC 9293 3.10.7.1',
        [c.reset],
        `The ${who} answered with a reset what came after it had closed.`,
      );
      break;
    default:
      if (f.probes.keepAlives.some((k) => !k.answered && k.side === side)) return;
      say(
        'abort',
        'likely',
        'RFC 9293 3.10.5',
        [c.reset],
        `The ${who} aborted the connection with a reset instead of closing it.`,
      );
  }
}

function oddFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  if (f.urgent.length > 0) {
    const side = t.side[f.urgent[0]] as Side;
    say(
      'urgent',
      'proven',
      'RFC 6093',
      f.urgent,
      `The ${name(f, side)} sent urgent data (${plural(f.urgent.length, 'segment')} with URG; the pointer of the first is ${t.log.urgent[t.record[f.urgent[0]]]}).`,
    );
  }
  if (f.conflicts.length > 0) {
    say(
      'overlap',
      'proven',
      'RFC 9293 3.10.7.4',
      f.conflicts,
      `${plural(f.conflicts.length, 'segment')} repeated with other bytes than the first time: what the receiver took depends on it. Honest senders do not do this.`,
    );
  }
  const silence = longest(f);
  if (silence.seconds > 10 && silence.seconds > 20 * (f.place.rtt ?? 0)) {
    say(
      'idle',
      'proven',
      null,
      [silence.before, silence.before + 1],
      `Nobody said anything for ${duration(silence.seconds)}: both applications were idle.`,
    );
  }
}

function longest(f: Facts): { before: number; seconds: number } {
  const { trace: t } = f;
  let before = -1;
  let seconds = 0;
  for (let i = 1; i < t.n; i++) {
    const gap = t.time(i) - t.time(i - 1);
    const waiting = (t.flags(i) & (RST | SYN)) !== 0 || t.verdict[i] !== Verdict.PLAIN;
    if (gap > seconds && !waiting) {
      seconds = gap;
      before = i - 1;
    }
  }
  return { before, seconds };
}
