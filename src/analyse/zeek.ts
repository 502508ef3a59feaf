/**
 * The connection as Zeek's conn.log puts it: a state out of thirteen, and the history of what was seen, a letter each
 * (capitals from the originator), so that the account can be laid beside a conn.log.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import type { Delivery, Gap } from './delivery.ts';
import { Bit } from './segment-log.ts';
import { type Part, type Side, type Trace, Verdict, WHOLE } from './trace.ts';

export interface ZeekView {
  connState: string;
  history: string;
}

export function zeekView(t: Trace, d: [Delivery, Delivery]): ZeekView {
  const originator = originatorOf(t);
  const { folded } = t.flow;
  const history = folded?.history ?? new History(originator);
  if (folded === null) writeHistory(history, t, d, WHOLE);
  const turned = originator !== t.side[0] ? '^' : '';
  return { connState: stateOf(t, originator), history: turned + history.text };
}

/** Zeek calls who sent the first packet the originator, and turns that round when it was a SYN-ACK. */
export function originatorOf(t: Trace): Side {
  const turned = t.n > 0 && (t.flags(0) & (SYN | ACK)) === (SYN | ACK);
  return turned ? ((1 - t.side[0]) as Side) : (t.side[0] as Side);
}

const LETTERS = 'shadfrgwt';
const CAPITALS = 'SHADFRGWT';
const OPEN = 0;
const ANSWER = 1;
const ACKED = 2;
const TEXT = 3;
const CLOSE = 4;
const RESET = 5;
const GAP = 6;
const WINDOW = 7;
const REPEAT = 8;

/** The letters so far. */
export class History {
  text = '';
  private seen = 0;
  private repeats: number[] | null = null;
  private readonly originator: Side;

  constructor(originator: Side) {
    this.originator = originator;
  }

  /** Whether it says already that this side sends text or acknowledgments. */
  tells(letter: number, side: Side): boolean {
    return (this.seen & (1 << (2 * letter + side))) !== 0;
  }

  once(letter: number, side: Side): void {
    const bit = 1 << (2 * letter + side);
    if ((this.seen & bit) !== 0) return;
    this.seen |= bit;
    this.write(letter, side);
  }

  /** Noted at the first, tenth, hundredth … time. */
  scaled(letter: number, side: Side): void {
    this.repeats ??= [0, 0, 0, 0, 0, 0];
    const n = ++this.repeats[2 * (letter - GAP) + side];
    if (n === 1 || n === 10 || n === 100 || n === 1000 || n === 10_000) this.write(letter, side);
  }

  private write(letter: number, side: Side): void {
    this.text += side === this.originator ? CAPITALS[letter] : LETTERS[letter];
  }
}

/** Goes on with what the records of `part` add. */
export function writeHistory(history: History, t: Trace, d: [Delivery, Delivery], part: Part): void {
  const gaps = gapsInOrder(d);
  let next = 0;
  const highest: [number, number] = [-1, -1];
  const cut: [number, number] = [0, 0];
  const taken: [number, number] = [0, 0];
  for (let i = 0; i < t.n; i++) {
    const side = t.side[i] as Side;
    const within = i >= part.from && i < part.to;
    const common = next === gaps.length && isCommon(history, t, i, highest[side]);
    for (; next < gaps.length && gaps[next].acknowledged === i; next++)
      if (within) history.scaled(GAP, gaps[next].side);
    if (within && !common) writeRecord(history, t, i, highest[side]);
    const other: Side = side === 0 ? 1 : 0;
    // Text of which the capture kept only a part is a gap to Zeek once it is acknowledged.
    if (cut[other] > taken[other] && t.ack[i] > taken[other] && within) history.scaled(GAP, other);
    taken[other] = Math.max(taken[other], t.ack[i]);
    if ((t.traits & Bit.CUT) !== 0 && t.length(i) > 0 && t.has(i, Bit.CUT)) cut[side] = Math.max(cut[side], t.end[i]);
    if ((t.flags(i) & RST) === 0 && t.end[i] > highest[side]) highest[side] = t.end[i];
  }
}

/** Nothing but new text or an acknowledgment, of which the history tells already. */
function isCommon(history: History, t: Trace, i: number, highest: number): boolean {
  if ((t.flags(i) & (SYN | FIN | RST | ACK)) !== ACK || t.log.window(t.record[i]) === 0) return false;
  const side = t.side[i] as Side;
  return t.length(i) === 0 ? history.tells(ACKED, side) : t.end[i] > highest && history.tells(TEXT, side);
}

function writeRecord(history: History, t: Trace, i: number, highest: number): void {
  const flags = t.flags(i);
  const side = t.side[i] as Side;
  if ((flags & RST) !== 0) {
    history.once(RESET, side);
    return;
  }
  if ((flags & SYN) !== 0) history.once((flags & ACK) !== 0 ? ANSWER : OPEN, side);
  else if (t.log.window(t.record[i]) === 0) history.scaled(WINDOW, side);
  if (t.length(i) > 0) {
    if (t.end[i] <= highest && t.verdict[i] !== Verdict.PLAIN) history.scaled(REPEAT, side);
    history.once(TEXT, side);
  } else if ((flags & (SYN | FIN)) === 0 && (flags & ACK) !== 0) history.once(ACKED, side);
  if ((flags & FIN) !== 0) history.once(CLOSE, side);
}

const NO_GAPS: readonly Gap[] = [];

/** In the order of the acknowledgments that gave them away. */
function gapsInOrder(d: [Delivery, Delivery]): readonly Gap[] {
  if (d[0].gaps.length + d[1].gaps.length === 0) return NO_GAPS;
  return [...d[0].gaps, ...d[1].gaps].sort((a, b) => a.acknowledged - b.acknowledged || a.side - b.side);
}

function stateOf(t: Trace, originator: Side): string {
  const responder: Side = originator === 0 ? 1 : 0;
  // A bit for each side.
  let syns = 0;
  let synAcks = 0;
  let fins = 0;
  let reset: Side | null = null;
  for (let i = 0; i < t.n; i++) {
    const flags = t.flags(i);
    if ((flags & (SYN | FIN | RST)) === 0) continue;
    const side = t.side[i] as Side;
    if ((flags & RST) !== 0) reset ??= side;
    else if ((flags & SYN) !== 0 && (flags & ACK) !== 0) synAcks |= 1 << side;
    else if ((flags & SYN) !== 0) syns |= 1 << side;
    if ((flags & FIN) !== 0) fins |= 1 << side;
  }
  const opened = (syns & (1 << originator)) !== 0;
  const answered = ((synAcks | syns) & (1 << responder)) !== 0;
  if (!opened && !answered) return 'OTH';
  const spoke = t.flow.sides[originator].packets > 1 || !opened;
  if (reset === originator) return answered ? 'RSTO' : 'RSTOS0';
  if (reset === responder) {
    if (!answered) return opened ? 'REJ' : 'OTH';
    return opened ? 'RSTR' : 'RSTRH';
  }
  const closed = (fins & (1 << originator)) !== 0;
  const closedToo = (fins & (1 << responder)) !== 0;
  if (!answered) return closed ? 'SH' : 'S0';
  if (!opened) return closedToo ? 'SHR' : 'OTH';
  if (closed && closedToo) return 'SF';
  if (closed) return 'S2';
  if (closedToo) return 'S3';
  return spoke ? 'S1' : 'S0';
}
