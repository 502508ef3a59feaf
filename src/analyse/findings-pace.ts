/** Windows, probes, waits and back-off, in words. */

import { SYN } from '../wire/tcp.ts';
import type { Facts } from './facts.ts';
import type { ZeroWindow } from './probes.ts';
import { name, other, type Say } from './say.ts';
import { type Side, Verdict } from './trace.ts';
import { duration, largest, list, plural, smallest } from './words.ts';

export function windowFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  for (const side of [0, 1] as const) {
    const episodes = f.probes.zeroWindows.filter((zero) => zero.side === side);
    if (episodes.length > 1) sayZeroWindows(f, say, side, episodes);
    else if (episodes.length === 1) sayZeroWindow(f, say, episodes[0]);
  }
  if (f.counts.windowFull > 3 || (f.counts.windowFull > 0 && f.probes.zeroWindows.length > 0)) {
    const side = t.side[f.probes.windowFull[0]] as Side;
    say(
      'window-full',
      'proven',
      'RFC 9293 3.8.6',
      f.probes.windowFull,
      `The ${name(f, side)} filled the advertised window ${plural(f.counts.windowFull, 'time')}: the receiver sets the pace, not the network.`,
    );
  }
  keepAliveFindings(f, say);
}

function closedFor(f: Facts, zero: ZeroWindow): number {
  const { trace: t } = f;
  return t.time(zero.opened >= 0 ? zero.opened : t.n - 1) - t.time(zero.segments[0]);
}

function sayZeroWindow(f: Facts, say: Say, zero: ZeroWindow): void {
  const end = zero.opened >= 0 ? `it opened again in frame ${f.trace.frame(zero.opened)}` : 'it never opened again';
  const probes = zero.probes.length > 0 ? `${plural(zero.probes.length, 'window probe')}, ` : '';
  say(
    'zero-window',
    'proven',
    'RFC 9293 3.8.6.1',
    [...zero.segments, ...zero.probes, zero.opened],
    `The ${name(f, zero.side)} did not read for ${duration(closedFor(f, zero))}: zero window, ${probes}${end}.`,
  );
}

function sayZeroWindows(f: Facts, say: Say, side: Side, episodes: readonly ZeroWindow[]): void {
  const times = episodes.map((zero) => closedFor(f, zero));
  const sum = times.reduce((a, b) => a + b, 0);
  const probes = episodes.reduce((n, zero) => n + zero.probes.length, 0);
  const last = episodes[episodes.length - 1];
  say(
    'zero-window',
    'proven',
    'RFC 9293 3.8.6.1',
    episodes.flatMap((zero) => [...zero.segments, ...zero.probes, zero.opened]),
    `The ${name(f, side)} read too slowly: its window was closed ${plural(episodes.length, 'time')}, ${duration(largest(times))} at most and ${duration(sum)} in all${probes > 0 ? `; ${plural(probes, 'window probe')}` : ''}${last.opened < 0 ? '; it never opened again' : ''}.`,
  );
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
  // It drew a reset: which is told with the end of the connection.
  if (f.close.reset > indexes.at(-1)! && f.close.resetBy !== side && f.close.cause === 'half-open') return;
  if (f.close.unheard >= 0 && f.close.unheard === indexes.at(-1)) return;
  say(
    'keepalive',
    'proven',
    'RFC 9293 3.8.4',
    indexes,
    `${plural(indexes.length, 'keep-alive')} by the ${name(f, side)}, answered: the connection was idle and alive.`,
  );
}

export function timingFindings(f: Facts, say: Say): void {
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
    const low = duration(smallest(times) / 1000);
    const high = duration(largest(times) / 1000);
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
  if (lost.length < 2 || f.blackHoles.some((hole) => lost.every((i) => hole.lost.has(i)))) return;
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
