/**
 * ICMP errors about a connection's packets (RFC 9293 3.9.2.2), believed only as far as RFC 5927 advises: the quoted
 * sequence number must lie in what is outstanding, and nothing from outside ends an open connection. Packet too big is in
 * path-mtu.ts.
 */

import type { ErrorCode } from '../base/errors.ts';
import { type Seq, seqGe, seqLt } from '../base/seq.ts';
import { Event } from './events.ts';
import { isSynchronized, State } from './state.ts';
import { enterClosed, type Tcb } from './tcb.ts';

/** RFC 5927 section 4.1: the quoted segment is one that may be in flight. */
export function isQuotedSequenceOutstanding(tcb: Tcb, quoted: Seq): boolean {
  return seqGe(quoted, tcb.sndUna) && seqLt(quoted, tcb.sndNxt);
}

/**
 * Destination unreachable and its like. While the connection is being opened a hard error ends it (SHLD-26); later
 * every error is a soft one (RFC 5927 section 5, RFC 5461): kept, reported, no more (MUST-56).
 * @param hard unreachable for protocol, port or fragmentation reasons (codes 2 - 4) rather than routes.
 * @returns false when the error was ignored.
 */
export function icmpUnreachable(tcb: Tcb, quoted: Seq, error: ErrorCode, hard: boolean): boolean {
  if (!isQuotedSequenceOutstanding(tcb, quoted)) return false;
  if (hard && !isSynchronized(tcb.state)) {
    if (tcb.state === State.CLOSED || tcb.state === State.LISTEN) return false;
    enterClosed(tcb, error);
    return true;
  }
  tcb.softError = error;
  if (tcb.reportSoftErrors) tcb.events |= Event.SOFT_ERROR;
  return true;
}
