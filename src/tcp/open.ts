/** OPEN call, RFC 9293 section 3.10.1. */

import { EstabError } from '../base/errors.ts';
import { type Seq, seqAdd } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { armRetransmission } from './retransmission.ts';
import { startTiming } from './rtt.ts';
import { State } from './state.ts';
import { setState, type Tcb } from './tcb.ts';

/**
 * Active OPEN, from CLOSED or from LISTEN: SYN-SENT, and a SYN to send.
 * @param iss the initial send sequence number, chosen by the stack for these addresses and ports (RFC 6528).
 * @param tsOffset where this connection's timestamp clock starts (RFC 7323 7.1).
 * @throws EstabError EISCONN in any other state ("connection already exists").
 */
export function openActive(tcb: Tcb, now: Time, iss: Seq, tsOffset: number): void {
  if (tcb.state !== State.CLOSED && tcb.state !== State.LISTEN) throw alreadyExists();
  chooseIss(tcb, iss, tsOffset);
  tcb.passive = false;
  // Linux's count: linear timeouts come on top of tcp_syn_retries, which then makes 67 s of six.
  const retries = tcb.synRetries < 0 ? tcb.config.synRetries : tcb.synRetries;
  tcb.synRetryLimit = retries + Math.max(tcb.config.synLinearTimeouts - 1, 0);
  sendSyn(tcb, now);
  setState(tcb, State.SYN_SENT);
}

/**
 * Passive OPEN: LISTEN. The ISS is given beforehand; it is used when a SYN arrives.
 * @throws EstabError EISCONN unless the state is CLOSED.
 */
export function openPassive(tcb: Tcb, iss: Seq, tsOffset: number): void {
  if (tcb.state !== State.CLOSED) throw alreadyExists();
  chooseIss(tcb, iss, tsOffset);
  tcb.passive = true;
  tcb.synRetryLimit = tcb.config.synAckRetries;
  setState(tcb, State.LISTEN);
}

/** SND.UNA = ISS, SND.NXT = ISS+1: the SYN (or SYN,ACK) counts as sent from here on. */
export function sendSyn(tcb: Tcb, now: Time): void {
  tcb.sndNxt = seqAdd(tcb.iss, 1);
  tcb.synPending = true;
  tcb.lastSentAt = now;
  startTiming(tcb, tcb.sndNxt, now);
  armRetransmission(tcb, now);
  if (tcb.userTimeoutMs > 0) tcb.userDeadline = now + tcb.userTimeoutMs;
}

function chooseIss(tcb: Tcb, iss: Seq, tsOffset: number): void {
  tcb.iss = iss;
  tcb.sndUna = iss;
  tcb.sndNxt = iss;
  tcb.sndUp = iss;
  tcb.sndSmall = iss;
  tcb.recover = iss;
  tcb.rtxNext = iss;
  tcb.rtxEnd = iss;
  tcb.ecnReducedUpTo = iss;
  tcb.sndText = seqAdd(iss, 1);
  tcb.tsOffset = tsOffset;
  tcb.error = null;
}

function alreadyExists(): EstabError {
  return new EstabError('EISCONN', 'this connection is already open; make a new one instead');
}
