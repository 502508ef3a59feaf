/**
 * TIME-WAIT in small (RFC 9293 section 3.6.1, RFC 6191, RFC 1337): a busy server has a hundred thousand of these, so
 * what is kept is not the TCB but the few numbers that still matter. When a segment comes for one of them, a TCB is
 * made of it for that moment: the rules are the engine's own, and stand in one place.
 */

import { type Seq, seqAdd } from '../base/seq.ts';
import { NEVER, type Time } from '../base/time.ts';
import type { TimerNode } from '../base/timer-wheel.ts';
import type { TcpConfig } from '../tcp/config.ts';
import { State, Tcb } from '../tcp/index.ts';
import type { Connection } from './connection.ts';
import { Endpoint, EndpointKind } from './endpoint.ts';

const TIMESTAMPS_BIT = 1 << 8;
const SACK_BIT = 1 << 9;
const DEAD_BIT = 1 << 10;
const SCALE_SHIFT = 4;

export class TimeWait extends Endpoint implements TimerNode {
  private readonly sndNxt: Seq;
  private readonly rcvNxt: Seq;
  private rcvAdv: Seq;
  private readonly maxSndWnd: number;
  private tsRecent: number;
  private readonly tsOffset: number;
  /** Window scale of ours (bits 4 to 7), timestamps, SACK, dead; TTL and traffic class above. */
  private packed: number;
  /** Milliseconds modulo 2^32: TIME-WAIT is shorter than 24 days. */
  private readonly sinceMs: number;
  private lastInvalidAckMs: number;
  timerNext: TimerNode | null = null;
  timerPrevious: TimerNode | null = null;
  timerDeadline: Time = NEVER;

  /** What remains of a connection whose TCB is in TIME-WAIT. */
  constructor(now: Time, connection: Connection) {
    super(EndpointKind.TIME_WAIT, connection.local, connection.localPort, connection.remotePort);
    this.r0 = connection.r0;
    this.r1 = connection.r1;
    this.r2 = connection.r2;
    this.r3 = connection.r3;
    const { tcb } = connection;
    this.sndNxt = tcb.sndNxt;
    this.rcvNxt = tcb.rcvNxt;
    this.rcvAdv = tcb.rcvAdv;
    this.maxSndWnd = tcb.maxSndWnd;
    this.tsRecent = tcb.tsRecent;
    this.tsOffset = tcb.tsOffset;
    this.packed =
      (tcb.rcvWscale << SCALE_SHIFT) |
      (tcb.timestampsOk ? TIMESTAMPS_BIT : 0) |
      (tcb.sackOk ? SACK_BIT : 0) |
      (tcb.hopLimit << 16) |
      (tcb.trafficClass << 24);
    this.sinceMs = now | 0;
    // No challenge ACK so far counts as one long ago.
    this.lastInvalidAckMs =
      tcb.lastInvalidAckAt === -NEVER ? (now - tcb.config.invalidRatelimitMs) | 0 : tcb.lastInvalidAckAt | 0;
  }

  /** Its time is over, or a new connection took its place. */
  get dead(): boolean {
    return (this.packed & DEAD_BIT) !== 0;
  }

  die(): void {
    this.packed |= DEAD_BIT;
  }

  get hasTimestamps(): boolean {
    return (this.packed & TIMESTAMPS_BIT) !== 0;
  }

  /** Milliseconds in TIME-WAIT, as far as they count: since it was packed, modulo 2^32. */
  age(now: Time): number {
    return ((now | 0) - this.sinceMs) | 0;
  }

  /** An ISS that leaves all numbers of this connection behind it, as Linux chooses it. */
  successorIss(): Seq {
    return seqAdd(this.sndNxt, 65_535 + 2);
  }

  /** The TCB as it was, for one segment. */
  unpack(config: TcpConfig, now: Time): Tcb {
    const tcb = new Tcb(config, this.local.family, 1500);
    const since = now - this.age(now);
    tcb.state = State.TIME_WAIT;
    tcb.iss = seqAdd(this.sndNxt, -1);
    tcb.sndUna = this.sndNxt;
    tcb.sndNxt = this.sndNxt;
    tcb.sndText = this.sndNxt;
    tcb.maxSndWnd = this.maxSndWnd;
    tcb.synAcked = true;
    tcb.finQueued = true;
    tcb.finSent = true;
    tcb.rcvNxt = this.rcvNxt;
    tcb.rcvAdv = this.rcvAdv;
    tcb.lastAckSent = this.rcvNxt;
    tcb.finReceived = true;
    tcb.finSeq = seqAdd(this.rcvNxt, -1);
    tcb.receiveBuffer.reset(tcb.finSeq);
    tcb.rcvWscale = (this.packed >>> SCALE_SHIFT) & 15;
    tcb.timestampsOk = this.hasTimestamps;
    tcb.sackOk = (this.packed & SACK_BIT) !== 0;
    tcb.hopLimit = (this.packed >>> 16) & 255;
    tcb.trafficClass = this.packed >>> 24;
    tcb.tsRecent = this.tsRecent;
    tcb.tsRecentAt = since;
    tcb.tsOffset = this.tsOffset;
    tcb.lastInvalidAckAt = now - (((now | 0) - this.lastInvalidAckMs) | 0);
    tcb.lifeDeadline = this.timerDeadline;
    tcb.orphaned = true;
    return tcb;
  }

  /** Keeps what the segment changed. */
  repack(tcb: Tcb): void {
    this.rcvAdv = tcb.rcvAdv;
    this.tsRecent = tcb.tsRecent;
    this.lastInvalidAckMs = tcb.lastInvalidAckAt | 0;
  }
}
