/**
 * What a listener does with a segment for which there is no connection: RFC 9293 section 3.10.7.2, RFC 4987, and the
 * order in which Linux's tcp_conn_request, tcp_check_req and cookie_v4_check decide.
 */

import { type Seq, seqAdd } from '../base/seq.ts';
import type { Time } from '../base/time.ts';
import { decodeOptions, encodeOptions } from '../crypto/cookie.ts';
import { Counter } from '../ip/counters.ts';
import { Event, openFromCookie, openPassive, Tcb } from '../tcp/index.ts';
import { announcedMss, windowShift } from '../tcp/options.ts';
import { DEFAULT_MSS, NO_CLAMP } from '../tcp/tcb.ts';
import type { IpAddress } from '../wire/address.ts';
import { ACK, CWR, ECE, FIN, RST, type Segment, SYN } from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import { applyOptions, applyShownOptions } from './connection-options.ts';
import type { AcceptQueueHost, Connections } from './connections.ts';
import type { Core } from './core.ts';
import type { EventQueue } from './events.ts';
import type { Listener, ListenerHost } from './listener.ts';
import { isAcceptQueueFull, isLastQuarter, isSynQueueFull } from './syn-queue.ts';
import type { TcpReplies } from './tcp-replies.ts';

/** Two periods of the cookie's clock: an ACK later than this after the last cookie cannot carry one. */
const COOKIE_LIFE_MS = 128_000;
const MAX_UNSCALED_WINDOW = 65_535;

export class Listening implements ListenerHost, AcceptQueueHost {
  private readonly core: Core;
  private readonly connections: Connections;
  private readonly replies: TcpReplies;
  private readonly events: EventQueue;
  /** Stands for a connection of each family where only what it would offer is asked. */
  private readonly template4: Tcb;
  private readonly template6: Tcb;

  constructor(core: Core, connections: Connections, replies: TcpReplies, events: EventQueue) {
    this.core = core;
    this.connections = connections;
    this.replies = replies;
    this.events = events;
    this.template4 = new Tcb(core.tcpConfig, 4, 1500);
    this.template6 = new Tcb(core.tcpConfig, 6, 1500);
    connections.setAcceptHost(this);
  }

  /**
   * A segment for a listener, with no connection to go to.
   * @param iss where to start when the SYN succeeds a connection in TIME-WAIT, null otherwise: Linux spares such a SYN
   *   the checks that are made for floods, since its sender has proved to exist.
   */
  segment(now: Time, listener: Listener, segment: Segment, local: IpAddress, remote: IpAddress, iss: Seq | null): void {
    // First, check for a RST; second, for an ACK; third, for a SYN, which has no business to come with a FIN.
    if ((segment.flags & RST) !== 0) this.ignore();
    else if ((segment.flags & ACK) !== 0) this.ackArrives(now, listener, segment, local, remote);
    else if ((segment.flags & (SYN | FIN)) === SYN) this.synArrives(now, listener, segment, local, remote, iss);
    else this.ignore();
  }

  /** Whether the accept queue has room: else a SYN in TIME-WAIT's place would destroy that for nothing. */
  hasRoom(listener: Listener): boolean {
    return !isAcceptQueueFull(listener.waiting, listener.backlog);
  }

  /**
   * A segment for a half-open connection: when it would complete the handshake and the accept queue is full, it is
   * dropped, so that the client tries again, or the client is reset (tcp_abort_on_overflow).
   * @returns false when the segment is not to be processed.
   */
  mayComplete(now: Time, connection: Connection, segment: Segment): boolean {
    const { listener, tcb } = connection;
    if (listener === null || (segment.flags & (ACK | SYN | RST)) !== ACK || segment.ack !== tcb.sndNxt) return true;
    if (this.hasRoom(listener)) return true;
    this.core.counters.increment(Counter.ListenOverflows);
    if (this.core.settings.tcp_abort_on_overflow !== 0) {
      this.core.counters.increment(Counter.TCPAbortOnOverflow);
      connection.abort(now);
    }
    return false;
  }

  /** The handshake is complete. */
  completed(now: Time, connection: Connection): void {
    const { listener } = connection;
    if (listener === null) return;
    this.core.counters.increment(Counter.TcpPassiveOpens);
    listener.acceptQueue.push(connection);
    applyOptions(connection.tcb, now, listener.options, this.connections);
    this.events.push(listener);
  }

  accepted(_now: Time, connection: Connection): void {
    // That it is open is what accepting it has told; what came since waits for a handler.
    connection.tcb.events &= ~(Event.OPENED | Event.NOT_RESPONDING);
  }

  closeListener(now: Time, listener: Listener): void {
    if (listener.closed) return;
    listener.closed = true;
    this.connections.demux.delete(listener);
    for (let c = listener.synQueue.first; c !== null; c = listener.synQueue.first) c.abort(now);
    for (let c = listener.acceptQueue.first; c !== null; c = listener.acceptQueue.first) {
      listener.acceptQueue.delete(c);
      c.listener = null;
      c.abort(now);
    }
  }

  private ignore(): void {
    this.core.drop(Counter.ListenNotSyn);
  }

  /** tcp_conn_request, check by check. */
  private synArrives(
    now: Time,
    listener: Listener,
    syn: Segment,
    local: IpAddress,
    remote: IpAddress,
    iss: Seq | null,
  ): void {
    const { core } = this;
    const { settings, counters } = core;
    const { backlog, halfOpen } = listener;
    let cookie = false;
    if (iss === null && (settings.tcp_syncookies === 2 || isSynQueueFull(halfOpen, backlog))) {
      if (settings.tcp_syncookies === 0) {
        counters.increment(Counter.TCPReqQFullDrop);
        this.dropSyn();
        return;
      }
      if (isSynQueueFull(halfOpen, backlog)) counters.increment(Counter.TCPReqQFullDoCookies);
      cookie = true;
    }
    if (!this.hasRoom(listener)) {
      counters.increment(Counter.ListenOverflows);
      this.dropSyn();
      return;
    }
    if (cookie) {
      this.sendCookie(now, listener, syn, local, remote);
      return;
    }
    const doubtful = iss === null && settings.tcp_syncookies === 0;
    if (doubtful && isLastQuarter(halfOpen, settings.tcp_max_syn_backlog)) {
      if (!this.connections.proven.isProven(remote.w0, remote.w1, remote.w2, remote.w3)) {
        counters.increment(Counter.TCPReqUnproven);
        this.dropSyn();
        return;
      }
    }
    const connection = this.makeChild(now, listener, syn, local, remote);
    if (connection === null) return;
    const { destinationPort, sourcePort } = syn;
    const first = iss ?? core.isns.isn(now, local, destinationPort, remote, sourcePort);
    openPassive(connection.tcb, first, this.timestampOffset(syn, local, remote));
    connection.inSynQueue = true;
    listener.synQueue.push(connection);
    this.connections.segment(now, connection, syn);
  }

  private dropSyn(): void {
    this.core.drop(Counter.ListenDrops);
  }

  /** A child of the listener, in the tables; null when there is no way to the peer or no memory. */
  private makeChild(
    now: Time,
    listener: Listener,
    segment: Segment,
    local: IpAddress,
    remote: IpAddress,
  ): Connection | null {
    const { core } = this;
    const route = core.route(remote, core.arriving);
    if (route === null || this.connections.budget.isFull(0)) {
      core.drop(route === null ? Counter.IpOutNoRoutes : Counter.TCPMemoryRefused);
      return null;
    }
    const { destinationPort, sourcePort } = segment;
    const child = this.connections.create(now, route.device, local, destinationPort, remote, sourcePort);
    child.listener = listener;
    child.scope = core.arriving;
    // The rest of the options can wait for the handshake's end.
    applyShownOptions(child.tcb, listener.options, this.connections);
    return child;
  }

  private timestampOffset(segment: Segment, local: IpAddress, remote: IpAddress): number {
    if (this.core.settings.tcp_timestamps === 2) return 0;
    return this.core.isns.timestampOffset(local, segment.destinationPort, remote, segment.sourcePort);
  }

  /** The SYN,ACK that makes the client remember for us. Options that find no room in its timestamp are not agreed on. */
  private sendCookie(now: Time, listener: Listener, syn: Segment, local: IpAddress, remote: IpAddress): void {
    const { core, replies } = this;
    const { tcpConfig } = core;
    const route = core.route(remote, core.arriving);
    if (route === null) {
      core.drop(Counter.IpOutNoRoutes);
      return;
    }
    const family = remote.family;
    const template = family === 4 ? this.template4 : this.template6;
    const offered = syn.mss > 0 ? syn.mss : DEFAULT_MSS[family];
    const reply = replies.segment;
    reply.reset();
    reply.sourcePort = syn.destinationPort;
    reply.destinationPort = syn.sourcePort;
    reply.seq = core.cookies.make(now, local, syn.destinationPort, remote, syn.sourcePort, syn.seq, offered);
    reply.ack = seqAdd(syn.seq, 1);
    reply.flags = SYN | ACK;
    this.fit(template, listener);
    template.mtu = core.pmtu.get(now, remote, route.device.mtu);
    reply.window = Math.min(template.receiveBufferSize, template.windowClamp, MAX_UNSCALED_WINDOW);
    reply.mss = announcedMss(template);
    if (tcpConfig.timestamps && syn.timestamps) {
      const scale = tcpConfig.windowScaling ? syn.windowScale : -1;
      const sack = tcpConfig.sack && syn.sackPermitted;
      const ecn = tcpConfig.ecn !== 0 && (syn.flags & (ECE | CWR)) === (ECE | CWR);
      reply.timestamps = true;
      reply.tsVal =
        (encodeOptions(Math.floor(now) | 0, scale, sack, ecn) + this.timestampOffset(syn, local, remote)) | 0;
      reply.tsEcr = syn.tsVal;
      if (scale >= 0) reply.windowScale = windowShift(template);
      reply.sackPermitted = sack;
      if (ecn) reply.flags |= ECE;
    }
    listener.cookieSentAt = now;
    core.counters.increment(Counter.SyncookiesSent);
    const { hopLimit = core.settings.ip_default_ttl, trafficClass = 0 } = listener.options;
    replies.send(now, null, local, remote, hopLimit, trafficClass & 0xfc);
  }

  /** One template serves all listeners: what one of them asks for must not stay for the next. */
  private fit(template: Tcb, listener: Listener): void {
    template.receiveBufferSize = template.config.receiveBuffer;
    template.receiveBufferLocked = false;
    template.mssClamp = NO_CLAMP;
    template.windowClamp = NO_CLAMP;
    applyShownOptions(template, listener.options, this.connections);
  }

  /** An ACK for no connection: the end of a handshake that was left to a cookie, or for nobody. */
  private ackArrives(now: Time, listener: Listener, ack: Segment, local: IpAddress, remote: IpAddress): void {
    const { core } = this;
    const expected = core.settings.tcp_syncookies !== 0 && now - listener.cookieSentAt < COOKIE_LIFE_MS;
    if (!expected || (ack.flags & SYN) !== 0) {
      this.replies.reset(now, ack, local, remote);
      return;
    }
    const irs = seqAdd(ack.seq, -1);
    const iss = seqAdd(ack.ack, -1);
    const mss = core.cookies.check(now, local, ack.destinationPort, remote, ack.sourcePort, irs, iss);
    if (mss === 0) {
      core.counters.increment(Counter.SyncookiesFailed);
      this.replies.reset(now, ack, local, remote);
      return;
    }
    if (!this.hasRoom(listener)) {
      // The client believes that it is connected; it will send again, and find room then.
      core.drop(Counter.ListenOverflows);
      return;
    }
    this.openFromCookie(now, listener, ack, local, remote, iss, mss);
  }

  private openFromCookie(
    now: Time,
    listener: Listener,
    ack: Segment,
    local: IpAddress,
    remote: IpAddress,
    iss: Seq,
    mss: number,
  ): void {
    const { core } = this;
    const connection = this.makeChild(now, listener, ack, local, remote);
    if (connection === null) return;
    core.counters.increment(Counter.SyncookiesRecv);
    const tsOffset = this.timestampOffset(ack, local, remote);
    const timestamps = core.tcpConfig.timestamps && ack.timestamps;
    const options = timestamps ? decodeOptions((ack.tsEcr - tsOffset) | 0) : null;
    const contents = {
      iss,
      irs: seqAdd(ack.seq, -1),
      mss,
      windowScale: options?.windowScale ?? -1,
      sack: options?.sack ?? false,
      ecn: options?.ecn ?? false,
      timestamps,
      tsOffset,
    };
    openFromCookie(connection.tcb, now, contents, ack);
    connection.inSynQueue = true;
    listener.synQueue.push(connection);
    this.connections.segment(now, connection, ack);
    // A cookie's ACK that does not complete the handshake leaves nothing behind.
    if (connection.inSynQueue) this.connections.forget(now, connection);
  }
}
