/** One finished run: the record and its lines, and what the two applications did and were told. */

import type { ErrorCode } from '../../base/errors.ts';
import type { Time } from '../../base/time.ts';
import type { StateName } from '../../tcp/state.ts';
import type { TcpStatus } from '../../tcp/status.ts';
import type { Line } from './lines.ts';
import type { DemoOptions } from './options.ts';
import type { EndName, Record, Sent } from './record.ts';
import type { Remark } from './remarks.ts';

/** Something an application did, or was told. */
export interface Happening {
  readonly time: Time;
  readonly end: EndName;
  readonly what: 'connect' | 'close' | 'abort' | 'opened' | 'peer closed' | 'closed' | 'urgent' | 'crash' | 'restart';
  readonly error: ErrorCode | null;
}

/** What one connection of one end came to. */
export interface Outcome {
  readonly end: EndName;
  /** The last look at the connection while it was synchronized; null when it never was. */
  readonly status: TcpStatus | null;
  readonly receivedOctets: number;
}

export interface Run {
  readonly options: DemoOptions;
  readonly record: Record;
  readonly lines: readonly Line[];
  readonly remarks: ReadonlyMap<Sent, Remark>;
  readonly happenings: readonly Happening[];
  readonly outcomes: readonly Outcome[];
  /** 2 MSL as configured, ms. */
  readonly timeWaitMs: number;
}

/** When an end entered and left a state, in order. */
export interface Stay {
  readonly end: EndName;
  readonly state: StateName;
  readonly from: Time;
  /** Null when it was still there at the end. */
  readonly until: Time | null;
  /** What followed. */
  readonly next: StateName | null;
}

/** All stays of both ends, worked out from the record: exact times, each end by itself. */
export function staysOf(record: Record): Stay[] {
  return [...endStays(record, 'client'), ...endStays(record, 'server')];
}

function endStays(record: Record, end: EndName): Stay[] {
  const moves: { order: number; time: Time; before: StateName; after: StateName }[] = [];
  for (const entry of record.entries) {
    if (entry.kind === 'change' && entry.end === end) moves.push(entry);
    if (entry.kind !== 'sent') continue;
    if (entry.from === end) moves.push({ order: entry.order, time: entry.time, ...entry.sender });
    else if (entry.arrival !== null) moves.push(entry.arrival);
  }
  moves.sort((a, b) => a.order - b.order);
  const stays: Stay[] = [];
  let current: Stay = { end, state: record.initial(end), from: 0, until: null, next: null };
  for (const move of moves) {
    if (move.before === move.after) continue;
    stays.push({ ...current, until: move.time, next: move.after });
    current = { end, state: move.after, from: move.time, until: null, next: null };
  }
  return [...stays, current];
}

/** Segments a host really sent: no strays, no copies of the wire's. */
export function ownSegments(run: Run, end?: EndName): Sent[] {
  return run.record.segments.filter(
    (sent) => sent.stray === null && !sent.copy && (end === undefined || sent.from === end),
  );
}

/** The first time an end was in a state; null when it never was. */
export function firstStay(run: Run, end: EndName, state: StateName): Stay | null {
  return staysOf(run.record).find((stay) => stay.end === end && stay.state === state) ?? null;
}
