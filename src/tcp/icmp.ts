/**
 * ICMP errors about a connection's packets (RFC 9293 3.9.2.2), believed only as far as RFC 5927 advises: the quoted
 * sequence number must lie in what is outstanding, and nothing from outside ends an open connection.
 */

import type { ErrorCode } from '../base/errors.ts';
import { type Seq, seqGe, seqLt } from '../base/seq.ts';
import { Event } from './events.ts';
import { updateMss } from './options.ts';
import { isSynchronized, State } from './state.ts';
import { enterClosed, headersLength, type Tcb } from './tcb.ts';

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

/**
 * Packet too big (RFC 1191, RFC 8201): the path carries `mtu` octets at most. The stack has applied the floor.
 * @returns false when the error was ignored: not ours, or nothing new.
 */
export function icmpTooBig(tcb: Tcb, quoted: Seq, mtu: number): boolean {
  if (!isQuotedSequenceOutstanding(tcb, quoted) || mtu >= tcb.mtu || !isSynchronized(tcb.state)) return false;
  setPathMtu(tcb, mtu);
  // What is in flight was dropped for its size, not for congestion: send it again, smaller, with the window as it is.
  tcb.rtxNext = tcb.sndUna;
  tcb.rtxEnd = tcb.sndNxt;
  tcb.rttTiming = false;
  return true;
}

/** The path's MTU as IP knows it now; the effective MSS follows. */
export function setPathMtu(tcb: Tcb, mtu: number): void {
  tcb.mtu = Math.max(mtu, headersLength(tcb.family) + tcb.config.minSendMss);
  updateMss(tcb);
}
