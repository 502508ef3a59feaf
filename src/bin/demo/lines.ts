/**
 * From the record to lines, one a segment, that can be read from top to bottom: at each end the state a line begins
 * with is the one the line above ended with.
 *
 * A segment stands at the time it was sent, and its line also tells what its arrival did at the other end. When the
 * other end did something in between (two segments crossed, as in figures 7 and 13 of RFC 9293; one was overtaken),
 * telling that early would turn the order round; then the arrival gets a line of its own, at its own time, as the RFC's
 * figures do with an ellipsis.
 */

import type { Time } from '../../base/time.ts';
import type { StateName } from '../../tcp/state.ts';
import { type Change, type EndName, type Note, otherEnd, type Record, type Sent } from './record.ts';

export type StatePair = readonly [StateName, StateName];

interface LineBase {
  readonly time: Time;
  readonly client: StatePair;
  readonly server: StatePair;
}

export interface SegmentLine extends LineBase {
  readonly kind: 'segment';
  readonly sent: Sent;
  /** What its arrival changes is told by a line further down. */
  readonly arrivesLater: boolean;
}

/** The arrival of a segment told earlier. */
export interface ArrivalLine extends LineBase {
  readonly kind: 'arrival';
  readonly sent: Sent;
}

export interface ChangeLine extends LineBase {
  readonly kind: 'change';
  readonly end: EndName;
  readonly cause: string;
}

export interface NoteLine extends LineBase {
  readonly kind: 'note';
  readonly text: string;
  readonly title: boolean;
}

export type Line = SegmentLine | ArrivalLine | ChangeLine | NoteLine;

type Row =
  | { readonly order: number; readonly kind: 'segment'; readonly sent: Sent; readonly inline: boolean }
  | { readonly order: number; readonly kind: 'arrival'; readonly sent: Sent }
  | { readonly order: number; readonly kind: 'change'; readonly change: Change }
  | { readonly order: number; readonly kind: 'note'; readonly note: Note };

export function linesOf(record: Record): Line[] {
  const states: States = {
    client: record.initial('client'),
    server: record.initial('server'),
  };
  const lines: Line[] = [];
  for (const row of rowsOf(record)) {
    const time = timeOf(row);
    const moves = movesOf(row);
    for (const move of moves) {
      // A listener outlives its connections: the next one begins at LISTEN again, whatever became of the last.
      if (move.before === move.after || move.before === states[move.end]) continue;
      lines.push(gap(move, time, states));
      states[move.end] = move.before;
    }
    const client = advance(states, 'client', moves);
    const server = advance(states, 'server', moves);
    lines.push(lineOf(row, time, client, server));
  }
  return lines;
}

type States = { [end in EndName]: StateName };

/** Moves an end on and returns where it was and is. A sample without a change says nothing new. */
function advance(states: States, end: EndName, moves: readonly EndMove[]): StatePair {
  const before = states[end];
  const move = moves.find((candidate) => candidate.end === end && candidate.before !== candidate.after);
  if (move !== undefined) states[end] = move.after;
  return [before, states[end]];
}

interface EndMove {
  readonly end: EndName;
  readonly before: StateName;
  readonly after: StateName;
}

function gap({ end, before }: EndMove, time: Time, states: States): Line {
  const cause = before === 'LISTEN' ? 'listens for the next connection' : 'another connection';
  const own: StatePair = [states[end], before];
  const client: StatePair = end === 'client' ? own : [states.client, states.client];
  const server: StatePair = end === 'server' ? own : [states.server, states.server];
  return { kind: 'change', time, end, cause, client, server };
}

function movesOf(row: Row): EndMove[] {
  switch (row.kind) {
    case 'note':
      return [];
    case 'change':
      return [row.change];
    case 'arrival':
      return [{ end: otherEnd(row.sent.from), ...row.sent.arrival! }];
    case 'segment': {
      const moves: EndMove[] = [{ end: row.sent.from, ...row.sent.sender }];
      if (row.inline && row.sent.arrival !== null) moves.push({ end: otherEnd(row.sent.from), ...row.sent.arrival });
      return moves;
    }
  }
}

function timeOf(row: Row): Time {
  if (row.kind === 'note') return row.note.time;
  if (row.kind === 'change') return row.change.time;
  return row.kind === 'segment' ? row.sent.time : row.sent.arrival!.time;
}

function lineOf(row: Row, time: Time, client: StatePair, server: StatePair): Line {
  const base = { time, client, server };
  switch (row.kind) {
    case 'note':
      return { kind: 'note', ...base, text: row.note.text, title: row.note.title };
    case 'change':
      return { kind: 'change', ...base, end: row.change.end, cause: row.change.cause };
    case 'arrival':
      return { kind: 'arrival', ...base, sent: row.sent };
    case 'segment':
      return { kind: 'segment', ...base, sent: row.sent, arrivesLater: !row.inline };
  }
}

/** Everything in the order it is told in. */
function rowsOf(record: Record): Row[] {
  const { entries } = record;
  const late = new Set<Sent>();
  const arrived = entries.filter((entry): entry is Sent => entry.kind === 'sent' && changesReceiver(entry));
  arrived.sort((a, b) => a.arrival!.order - b.arrival!.order);
  for (const sent of arrived) if (mustWait(sent, record, arrived, late)) late.add(sent);
  const rows: Row[] = [];
  for (const entry of entries) {
    const { order } = entry;
    if (entry.kind === 'note') rows.push({ order, kind: 'note', note: entry });
    else if (entry.kind === 'change') rows.push({ order, kind: 'change', change: entry });
    else rows.push({ order, kind: 'segment', sent: entry, inline: !late.has(entry) });
  }
  for (const sent of late) rows.push({ order: sent.arrival!.order, kind: 'arrival', sent });
  return rows.sort((a, b) => a.order - b.order);
}

function changesReceiver(sent: Sent): boolean {
  return sent.arrival !== null && sent.arrival.before !== sent.arrival.after;
}

/** Whether the receiver has a part in any line between this segment's departure and its arrival. */
function mustWait(sent: Sent, record: Record, arrived: readonly Sent[], late: ReadonlySet<Sent>): boolean {
  const end = otherEnd(sent.from);
  const from = sent.order;
  const until = sent.arrival!.order;
  const between = (order: number): boolean => from < order && order < until;
  for (const entry of record.entries) {
    if (entry.kind === 'note' || !between(entry.order)) continue;
    if (entry.kind === 'change' ? entry.end === end : entry.from === end && entry.stray === null && !entry.copy)
      return true;
  }
  for (const other of arrived) {
    if (other.from !== sent.from || !between(other.arrival!.order)) continue;
    if (late.has(other) || other.order > from) return true;
  }
  return false;
}
