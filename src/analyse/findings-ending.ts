/** How the connection ended, and what was odd about it, in words. */

import type { Facts } from './facts.ts';
import { name, other, type Say } from './say.ts';
import { type Side, Verdict } from './trace.ts';
import { duration, plural } from './words.ts';

export function closeFindings(f: Facts, say: Say): void {
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
  if (t.flow.strayOf !== 0) return;
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
  // It gave up on a dead peer, which is said with the keep-alives.
  if (f.probes.keepAlives.some((k) => !k.answered && k.side === side)) return;
  if (c.unheard >= 0) {
    say(
      'half-open',
      'proven',
      'RFC 9293 3.5.1',
      [c.reset, c.unheard],
      `The ${whom} did not hear of the ${who}'s reset (half-open): what it sent ${duration(t.time(c.unheard) - t.time(c.reset))} later met a host that knew no such connection any more, and drew another reset.`,
    );
  }
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
      say(
        'abort',
        'likely',
        'RFC 9293 3.10.5',
        [c.reset],
        `The ${who} aborted the connection with a reset instead of closing it.`,
      );
  }
}

export function oddFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  if (f.urgent.length > 0) {
    const side = t.side[f.urgent[0]] as Side;
    say(
      'urgent',
      'proven',
      'RFC 6093',
      f.urgent,
      `The ${name(f, side)} sent urgent data (${plural(f.urgent.length, 'segment')} with URG; the pointer of the first is ${t.log.urgent(t.record[f.urgent[0]])}).`,
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
  const { silence } = f;
  if (silence !== null && silence.seconds > 20 * (f.place.rtt ?? 0)) {
    say(
      'idle',
      'proven',
      null,
      [silence.before, silence.after],
      `Nobody said anything for ${duration(silence.seconds)}: both applications were idle.`,
    );
  }
}
