/** CLOSE call, RFC 9293 section 3.10.4: "I have no more to send". What the peer still sends can be read. */

import { EstabError } from '../base/errors.ts';
import { NEVER, type Time } from '../base/time.ts';
import { abort } from './abort.ts';
import { State } from './state.ts';
import { enterClosed, setState, type Tcb } from './tcb.ts';

/**
 * Half-closes: a FIN follows the text that is queued. Calling it again is harmless.
 * @throws EstabError ENOTCONN without a connection.
 */
export function close(tcb: Tcb, _now: Time): void {
  switch (tcb.state) {
    case State.CLOSED:
      throw new EstabError('ENOTCONN', 'there is no connection to close');
    case State.LISTEN:
    case State.SYN_SENT:
      enterClosed(tcb, null);
      return;
    case State.SYN_RECEIVED:
      tcb.finQueued = true;
      // With text queued the FIN has to wait until ESTABLISHED; without, it goes at once.
      if (tcb.sendBuffer.length === 0) setState(tcb, State.FIN_WAIT_1);
      return;
    case State.ESTABLISHED:
      tcb.finQueued = true;
      setState(tcb, State.FIN_WAIT_1);
      return;
    case State.CLOSE_WAIT:
      // LAST-ACK is entered when the FIN leaves, after the text before it.
      tcb.finQueued = true;
      return;
    default:
      // FIN-WAIT-1 … TIME-WAIT: "an ok response would be acceptable, too, as long as a second FIN is not emitted".
      return;
  }
}

/**
 * The application lets go of the connection: it sends no more and reads no more (MAY-1). Text it has not read, or that
 * arrives later, is lost to it, and the peer must know: a RST (SHLD-3). Otherwise an orderly close follows, and an
 * orphan does not stay in FIN-WAIT-2 for ever.
 */
export function orphan(tcb: Tcb, now: Time): void {
  if (tcb.orphaned) return;
  tcb.orphaned = true;
  if (tcb.state === State.CLOSED) return;
  if (tcb.receiveBuffer.readable > 0 && tcb.state !== State.TIME_WAIT) {
    abort(tcb, now);
    return;
  }
  close(tcb, now);
  if (tcb.state === State.FIN_WAIT_2) startOrphanLife(tcb, now);
}

/** tcp_fin_timeout: the RFC has no limit here, and a peer that never sends its FIN would hold the TCB for ever. */
export function startOrphanLife(tcb: Tcb, now: Time): void {
  if (tcb.orphaned && tcb.lifeDeadline === NEVER) tcb.lifeDeadline = now + tcb.finTimeoutMs;
}
