/** All connections in TIME-WAIT: how many there may be, what arrives for them, and who may take their place. */

import { NEVER, type Time } from '../base/time.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import { Counter } from '../ip/counters.ts';
import { output, reopensTimeWait, State, segmentArrives, setState, type Tcb } from '../tcp/index.ts';
import type { Segment } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import type { Core } from './core.ts';
import type { Demux } from './demux.ts';
import type { TcpReplies } from './tcp-replies.ts';
import { TimeWait } from './time-wait.ts';

export class TimeWaits {
  /** How many there are. */
  size = 0;
  private readonly core: Core;
  private readonly demux: Demux;
  private readonly wheel: TimerWheel<Connection | TimeWait>;

  constructor(core: Core, demux: Demux, wheel: TimerWheel<Connection | TimeWait>) {
    this.core = core;
    this.demux = demux;
    this.wheel = wheel;
  }

  /** Takes over a connection that is in TIME-WAIT, has nothing to send, and has left the tables. */
  take(now: Time, connection: Connection): void {
    const { counters, settings } = this.core;
    const { tcb } = connection;
    if (this.size >= settings.tcp_max_tw_buckets) {
      // The connection ends at once, as in Linux: memory counts for more than an old duplicate.
      counters.increment(Counter.TCPTimeWaitOverflow);
      tcb.lifeDeadline = NEVER;
      setState(tcb, State.CLOSED);
      return;
    }
    const entry = new TimeWait(now, connection);
    connection.remains = entry;
    this.demux.add(entry);
    this.wheel.schedule(entry, tcb.lifeDeadline);
    this.size++;
  }

  /** Its 2 MSL are over. */
  expire(now: Time, entry: TimeWait): void {
    this.remove(entry);
    this.core.trace?.timerExpired?.(now, entry, 'TIME-WAIT');
    this.core.trace?.stateChanged(now, entry, State.TIME_WAIT, State.CLOSED);
  }

  /** Whether a SYN may begin a new connection in the entry's place (RFC 6191, RFC 1122 section 4.2.2.13). */
  maySucceed(now: Time, entry: TimeWait, syn: Segment): boolean {
    return reopensTimeWait(entry.unpack(this.core.tcpConfig, now), syn);
  }

  /** tcp_tw_reuse: whether an active open may take the entry's place. Only newer timestamps make that safe. */
  mayReuse(now: Time, entry: TimeWait): boolean {
    const { tcp_tw_reuse: mode, tcp_tw_reuse_delay: delay } = this.core.settings;
    if (mode === 0 || !entry.hasTimestamps || !this.core.tcpConfig.timestamps || entry.age(now) < delay) return false;
    return mode === 1 || (entry.local.isLoopback && entry.remote.isLoopback);
  }

  /** A new connection takes the entry's place. */
  succeed(now: Time, entry: TimeWait, counter: number): void {
    this.core.counters.increment(counter);
    this.expire(now, entry);
  }

  /** A segment for a connection in TIME-WAIT: the engine says what to answer. */
  segment(now: Time, entry: TimeWait, segment: Segment, replies: TcpReplies): void {
    const tcb = entry.unpack(this.core.tcpConfig, now);
    segmentArrives(tcb, segment, now);
    this.answer(now, entry, tcb, replies);
    if (tcb.state === State.CLOSED) {
      this.expire(now, entry);
      return;
    }
    entry.repack(tcb);
    this.wheel.schedule(entry, tcb.lifeDeadline);
  }

  private answer(now: Time, entry: TimeWait, tcb: Tcb, replies: TcpReplies): void {
    const reply = replies.segment;
    while (output(tcb, now, reply)) {
      reply.sourcePort = entry.localPort;
      reply.destinationPort = entry.remotePort;
      replies.send(now, entry, entry.local, entry.remote, tcb.hopLimit, tcb.trafficClass);
    }
  }

  private remove(entry: TimeWait): void {
    entry.die();
    this.demux.delete(entry);
    this.wheel.cancel(entry);
    this.size--;
  }
}
