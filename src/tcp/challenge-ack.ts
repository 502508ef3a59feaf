/**
 * ACKs that answer what should not have come: unacceptable segments (RFC 9293 3.10.7.4), and the challenge ACKs of
 * RFC 5961. All share one limit per connection (tcp_invalid_ratelimit): it ends ACK wars between two desynchronized
 * ends, and unlike a limit per host it tells an attacker nothing about other connections (CVE-2016-5696).
 */

import type { Time } from '../base/time.ts';
import type { Tcb } from './tcb.ts';

/** Marks an ACK unless the last one of this sort is too recent. */
export function challengeAck(tcb: Tcb, now: Time): void {
  if (now - tcb.lastInvalidAckAt < tcb.config.invalidRatelimitMs) return;
  tcb.lastInvalidAckAt = now;
  tcb.ackNow = true;
}
