/**
 * The persist timer: zero-window probes (RFC 9293 3.8.6.1) and the override timeout of the sender's silly-window
 * avoidance (3.8.6.2.1). It runs instead of the retransmission timer, never beside it.
 */

import { seqDiff } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import { discountDelay, retransmittedTooLong } from './retransmission.ts';
import { enterClosed, sndEnd, type Tcb } from './tcb.ts';

/** There is something to send and the peer's window is closed to all of it. */
export function isWindowClosed(tcb: Tcb): boolean {
  if (tcb.sndWnd > 0) return false;
  return tcb.sndUna !== tcb.sndNxt || seqDiff(sndEnd(tcb), tcb.sndNxt) > 0 || (tcb.finQueued && !tcb.finSent);
}

/** Starts the timer: the first probe after one RTO (SHLD-29), the gaps double (SHLD-30). */
export function startPersist(tcb: Tcb, now: Time): void {
  tcb.rtxDeadline = NEVER;
  if (tcb.persistDeadline !== NEVER) return;
  tcb.persistDeadline = now + Math.min(tcb.rtoMs * 2 ** Math.min(tcb.zeroWindowProbes, 16), tcb.config.rtoMaxMs);
}

export function stopPersist(tcb: Tcb): void {
  tcb.persistDeadline = NEVER;
  tcb.zeroWindowProbes = 0;
  tcb.unansweredProbes = 0;
  tcb.probePending = false;
}

/** The timer fired. */
export function persistTimeout(tcb: Tcb, now: Time): void {
  discountDelay(tcb, tcb.persistDeadline, now);
  tcb.persistDeadline = NEVER;
  // A peer may keep its window shut for ever as long as it answers (MUST-37); one that is silent is gone (RFC 6429).
  if (tcb.unansweredProbes === 0) tcb.firstUnansweredAt = now;
  else if (retransmittedTooLong(tcb, now, tcb.unansweredProbes)) {
    enterClosed(tcb, 'ETIMEDOUT');
    return;
  }
  tcb.zeroWindowProbes++;
  tcb.unansweredProbes++;
  tcb.probePending = true;
  startPersist(tcb, now);
}
