/**
 * The connection as Zeek's conn.log puts it: a state out of thirteen, and the history of what was seen, a letter each
 * (capitals from the originator), so that the account can be laid beside a conn.log.
 */

import type { Delivery } from './delivery.ts';
import { ACK, FIN, RST, type Side, SYN, type Trace, Verdict } from './trace.ts';

export interface ZeekView {
  connState: string;
  history: string;
}

export function zeekView(t: Trace, d: [Delivery, Delivery]): ZeekView {
  // Zeek calls who sent the first packet the originator, and turns that round when it was a SYN-ACK.
  const flipped = t.n > 0 && (t.flags(0) & (SYN | ACK)) === (SYN | ACK);
  const originator: Side = flipped ? ((1 - t.side[0]) as Side) : (t.side[0] as Side);
  return { connState: stateOf(t, originator), history: (flipped ? '^' : '') + historyOf(t, originator, d) };
}

function historyOf(t: Trace, originator: Side, d: [Delivery, Delivery]): string {
  const gaps = [...d[0].gaps, ...d[1].gaps];
  const seen = new Set<string>();
  const repeats = new Map<string, number>();
  let text = '';
  const once = (letter: string, side: Side): void => {
    const sided = side === originator ? letter.toUpperCase() : letter.toLowerCase();
    if (seen.has(sided)) return;
    seen.add(sided);
    text += sided;
  };
  /** Noted at the first, tenth, hundredth … time. */
  const scaled = (letter: string, side: Side): void => {
    const sided = side === originator ? letter.toUpperCase() : letter.toLowerCase();
    const n = (repeats.get(sided) ?? 0) + 1;
    repeats.set(sided, n);
    if (/^10*$/.test(String(n))) text += sided;
  };
  const highest: [number, number] = [-1, -1];
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    const side = t.side[i] as Side;
    for (const gap of gaps) if (gap.acknowledged === i) scaled('g', gap.side);
    if ((flags & RST) !== 0) {
      once('r', side);
      continue;
    }
    if ((flags & SYN) !== 0) once((flags & ACK) !== 0 ? 'h' : 's', side);
    else if (t.log.window[t.record[i]] === 0) scaled('w', side);
    const again = t.size(i) > 0 && t.end[i] <= highest[side] && t.verdict[i] !== Verdict.PLAIN;
    if (t.length(i) > 0) {
      if (again) scaled('t', side);
      once('d', side);
    } else if ((flags & (SYN | FIN)) === 0 && (flags & ACK) !== 0) once('a', side);
    if ((flags & FIN) !== 0) once('f', side);
    if (t.end[i] > highest[side]) highest[side] = t.end[i];
  }
  return text;
}

function stateOf(t: Trace, originator: Side): string {
  const responder: Side = originator === 0 ? 1 : 0;
  const syn: [boolean, boolean] = [false, false];
  const synAck: [boolean, boolean] = [false, false];
  const fin: [boolean, boolean] = [false, false];
  let reset: Side | null = null;
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    const side = t.side[i] as Side;
    if ((flags & RST) !== 0) reset ??= side;
    else if ((flags & SYN) !== 0) ((flags & ACK) !== 0 ? synAck : syn)[side] = true;
    if ((flags & FIN) !== 0) fin[side] = true;
  }
  const answered = synAck[responder] || syn[responder];
  if (!syn[originator] && !answered) return 'OTH';
  const spoke = t.flow.packets[originator] > 1 || !syn[originator];
  if (reset === originator) return answered ? 'RSTO' : 'RSTOS0';
  if (reset === responder) {
    if (!answered) return syn[originator] ? 'REJ' : 'OTH';
    return syn[originator] ? 'RSTR' : 'RSTRH';
  }
  if (!answered) return fin[originator] ? 'SH' : 'S0';
  if (!syn[originator]) return fin[responder] ? 'SHR' : 'OTH';
  if (fin[0] && fin[1]) return 'SF';
  if (fin[originator]) return 'S2';
  if (fin[responder]) return 'S3';
  return spoke ? 'S1' : 'S0';
}
