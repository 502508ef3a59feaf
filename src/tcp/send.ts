/** SEND call, RFC 9293 section 3.10.2. */

import { EstabError } from '../base/errors.ts';
import type { Time } from '../base/time.ts';
import { onIdle } from './congestion/reno.ts';
import { State } from './state.ts';
import { sndEnd, type Tcb } from './tcb.ts';

export interface SendOptions {
  /** The text is urgent: SND.UP is set behind its last octet (MUST-30). New applications should not (SHLD-13). */
  readonly urgent?: boolean;
}

/**
 * Queues text. All of it is taken; it must not change until it is acknowledged.
 * @returns false when the buffer is fuller than it should be: write on after the WRITABLE event.
 * @throws EstabError ENOTCONN without a connection, EPIPE after CLOSE ("connection closing").
 */
export function send(tcb: Tcb, now: Time, bytes: Uint8Array, options?: SendOptions): boolean {
  switch (tcb.state) {
    case State.CLOSED:
    case State.LISTEN:
      throw new EstabError('ENOTCONN', 'there is no connection to send on; connect first');
    case State.SYN_SENT:
    case State.SYN_RECEIVED:
    case State.ESTABLISHED:
    case State.CLOSE_WAIT:
      if (!tcb.finQueued) break;
      throw closing();
    default:
      throw closing();
  }
  if (bytes.length === 0) return !isSendBufferFull(tcb);
  restartWhenIdle(tcb, now);
  if (tcb.userTimeoutMs > 0 && tcb.sendBuffer.length === 0) tcb.userDeadline = now + tcb.userTimeoutMs;
  tcb.sendBuffer.append(bytes);
  if (options?.urgent === true) {
    tcb.sndUp = sndEnd(tcb);
    tcb.sndUrgent = true;
  }
  if (!isSendBufferFull(tcb)) return true;
  tcb.writeBlocked = true;
  return false;
}

/** Full is relative: a path that carries much deserves a buffer of twice its window. */
export function isSendBufferFull(tcb: Tcb): boolean {
  return tcb.sendBuffer.length > sendBufferLimit(tcb);
}

/** Octets above which `send` says full. */
export function sendBufferLimit(tcb: Tcb): number {
  if (tcb.sendBufferSize > 0) return tcb.sendBufferSize;
  if (tcb.memoryPressure) return tcb.config.sendBuffer;
  return Math.min(Math.max(tcb.config.sendBuffer, 2 * tcb.cwnd), tcb.config.sendBufferMax);
}

/** RFC 5681 4.1: after an RTO without sending, the window that was learnt is not trusted. */
function restartWhenIdle(tcb: Tcb, now: Time): void {
  const idle = tcb.sndUna === tcb.sndNxt && tcb.sendBuffer.length === 0 && tcb.synAcked;
  if (idle && tcb.config.slowStartAfterIdle && now - tcb.lastSentAt > tcb.rtoMs) onIdle(tcb);
}

function closing(): EstabError {
  return new EstabError('EPIPE', 'this side has closed; nothing more can be sent');
}
