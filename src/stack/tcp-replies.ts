/**
 * Segments that no connection stands behind: resets for segments that are for nobody (RFC 9293 section 3.10.7.1), SYN
 * cookies, answers from TIME-WAIT. They are made at once and queued as finished packets.
 */

import { randomBelow } from '../base/random.ts';
import { SECOND, type Time } from '../base/time.ts';
import { Counter } from '../ip/counters.ts';
import { replyToClosed } from '../tcp/index.ts';
import type { IpAddress } from '../wire/address.ts';
import { Protocol } from '../wire/ip-packet.ts';
import { emitTcp, Segment } from '../wire/tcp.ts';
import type { Core } from './core.ts';
import type { Endpoint } from './endpoint.ts';
import { type IpOutput, PAYLOAD_AT } from './ip-output.ts';

/**
 * Resets a second, and how many at once. Linux has no such limit; a reflector of ten thousand small packets a second is
 * enough for every honest use. Up to three further tokens vanish at random with each: a budget that can be counted
 * exactly tells a stranger about the host's other peers, as it was with ICMP (CVE-2020-25705).
 */
const RESETS_PER_SECOND = 10_000;
const RESET_BURST = 10_000;
const RESET_LOSS_BOUND = 4;

export class TcpReplies {
  /** For callers to fill and hand to {@link send}. */
  readonly segment = new Segment();
  private readonly core: Core;
  private readonly ipOutput: IpOutput;
  private resetCredit = RESET_BURST;
  private resetAt: Time = 0;

  constructor(core: Core, ipOutput: IpOutput) {
    this.core = core;
    this.ipOutput = ipOutput;
  }

  /** Sends {@link segment}, which carries no text. */
  send(
    now: Time,
    endpoint: Endpoint | null,
    local: IpAddress,
    remote: IpAddress,
    hopLimit: number,
    trafficClass: number,
  ): void {
    const { core, ipOutput, segment } = this;
    const packet = ipOutput.prepare(local, remote, Protocol.TCP, core.arriving);
    packet.hopLimit = hopLimit;
    packet.trafficClass = trafficClass | segment.ecn;
    const length = emitTcp(segment, ipOutput.buffer, PAYLOAD_AT);
    if (ipOutput.send(now, length) !== 0) return;
    core.counters.increment(Counter.TcpOutSegs);
    if (core.trace !== null) core.trace.segmentSent(now, ipOutput.device, endpoint, segment, packet);
  }

  /** Answers a segment for which there is nobody, unless it is a RST, or too many were. */
  reset(now: Time, arrived: Segment, local: IpAddress, remote: IpAddress): void {
    if (!replyToClosed(arrived, this.segment)) return;
    if (!this.mayReset(now)) {
      this.core.counters.increment(Counter.TcpOutRstsLimited);
      return;
    }
    this.core.counters.increment(Counter.TcpOutRsts);
    this.send(now, null, local, remote, this.core.settings.ip_default_ttl, 0);
  }

  private mayReset(now: Time): boolean {
    const gained = (Math.max(now - this.resetAt, 0) * RESETS_PER_SECOND) / SECOND;
    this.resetCredit = Math.min(RESET_BURST, this.resetCredit + gained);
    this.resetAt = now;
    if (this.resetCredit < 1) return false;
    this.resetCredit = Math.max(
      0,
      this.resetCredit - 1 - (this.resetCredit < RESET_BURST / 2 ? randomBelow(this.core.random, RESET_LOSS_BOUND) : 0),
    );
    return true;
  }
}
