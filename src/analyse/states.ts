/**
 * The states of both ends over time as RFC 9293 figure 5 has them, as far as segments tell: a segment moves its sender
 * when it is seen, and its receiver too unless it was lost.
 */

import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import type { Close } from './close.ts';
import type { Handshake } from './handshake.ts';
import type { StateChange } from './report.ts';
import { type Side, type Trace, Verdict } from './trace.ts';

type Name =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

interface End {
  state: Name;
  finEnd: number;
  peerFin: number;
}

/** @param lost indexes of records that did not reach the other end. */
export function followStates(t: Trace, h: Handshake, c: Close, lost: ReadonlySet<number>): StateChange[] {
  const changes: StateChange[] = [];
  const begun: Name = h.kind === 'mid-stream' ? 'ESTABLISHED' : 'CLOSED';
  const ends: [End, End] = [newEnd(begun), newEnd(begun)];
  if (begun === 'CLOSED')
    ends[h.client === 0 ? 1 : 0].state = h.kind === 'refused' || h.syns.length === 0 ? 'CLOSED' : 'LISTEN';
  if (h.kind === 'simultaneous-open' || h.kind === 'split') ends[h.client === 0 ? 1 : 0].state = 'CLOSED';
  push(t, changes, ends, 0);
  for (let i = 0; i < t.n; i++) {
    const verdict = t.verdict[i];
    if (verdict === Verdict.FOREIGN || verdict === Verdict.CAPTURED_TWICE || verdict === Verdict.CORRUPT) continue;
    const side = t.side[i] as Side;
    if (i === c.inferredAt) closesUnseen(ends[side === 0 ? 1 : 0], ends[side], c.inferredEnd);
    sends(t, ends[side], i);
    if (!lost.has(i)) receives(t, ends[side === 0 ? 1 : 0], i);
    push(t, changes, ends, i);
  }
  return changes;
}

/** The FIN of the one, which the capture has not got, has reached the other. */
function closesUnseen(closer: End, peer: End, finEnd: number): void {
  closer.finEnd = finEnd;
  peer.peerFin = finEnd;
  if (closer.state === 'ESTABLISHED') closer.state = 'FIN-WAIT-1';
  if (peer.state === 'ESTABLISHED') peer.state = 'CLOSE-WAIT';
}

function newEnd(state: Name): End {
  return { state, finEnd: -1, peerFin: -1 };
}

function push(t: Trace, changes: StateChange[], ends: [End, End], i: number): void {
  if (i >= t.n) return;
  const client = ends[t.client].state;
  const server = ends[t.client === 0 ? 1 : 0].state;
  const last = changes.at(-1);
  if (last !== undefined && last.client === client && last.server === server) return;
  changes.push({ frame: last === undefined ? 0 : t.frame(i), time: t.time(i), client, server });
}

function sends(t: Trace, e: End, i: number): void {
  const flags = t.flags(i);
  if ((flags & RST) !== 0) {
    e.state = 'CLOSED';
    return;
  }
  if ((flags & SYN) !== 0) {
    if ((flags & ACK) === 0) e.state = e.state === 'CLOSED' || e.state === 'LISTEN' ? 'SYN-SENT' : e.state;
    else if (e.state !== 'ESTABLISHED') e.state = 'SYN-RECEIVED';
    return;
  }
  // Text or an ACK of the peer's SYN proves what the handshake's lost or missing segments did not show.
  if (e.state === 'SYN-SENT' && t.ack[i] >= 1) e.state = 'ESTABLISHED';
  if ((flags & FIN) === 0) return;
  e.finEnd = t.end[i];
  if (e.state === 'CLOSE-WAIT') e.state = 'LAST-ACK';
  else if (e.state === 'ESTABLISHED' || e.state === 'SYN-RECEIVED') e.state = 'FIN-WAIT-1';
}

function receives(t: Trace, e: End, i: number): void {
  const flags = t.flags(i);
  if ((flags & RST) !== 0) {
    e.state = 'CLOSED';
    return;
  }
  if ((flags & SYN) !== 0) {
    if ((flags & ACK) === 0) {
      if (e.state === 'LISTEN' || e.state === 'SYN-SENT') e.state = 'SYN-RECEIVED';
    } else if (e.state === 'SYN-SENT') e.state = 'ESTABLISHED';
    else if (e.state === 'SYN-RECEIVED' && t.ack[i] >= 1) e.state = 'ESTABLISHED';
    return;
  }
  if ((flags & ACK) !== 0) {
    if (e.state === 'SYN-RECEIVED' && t.ack[i] >= 1) e.state = 'ESTABLISHED';
    if (e.finEnd >= 0 && t.ack[i] >= e.finEnd) {
      if (e.state === 'FIN-WAIT-1') e.state = 'FIN-WAIT-2';
      else if (e.state === 'CLOSING') e.state = 'TIME-WAIT';
      else if (e.state === 'LAST-ACK') e.state = 'CLOSED';
    }
  }
  if ((flags & FIN) === 0) return;
  e.peerFin = t.end[i];
  if (e.state === 'ESTABLISHED' || e.state === 'SYN-RECEIVED') e.state = 'CLOSE-WAIT';
  else if (e.state === 'FIN-WAIT-1') e.state = 'CLOSING';
  else if (e.state === 'FIN-WAIT-2') e.state = 'TIME-WAIT';
}
