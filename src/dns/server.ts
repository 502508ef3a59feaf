/** A small authoritative name server on a host of ours, over UDP and TCP. */

import type { Host } from '../host/host.ts';
import type { Connection } from '../stack/connection.ts';
import type { Listener } from '../stack/listener.ts';
import type { UdpSocket } from '../stack/udp.ts';
import { Framer, framed } from './exchange.ts';
import { decodeMessage, encodeReply, type Message } from './message.ts';
import { answerFrom, Zone, type ZoneOptions } from './zone.ts';

/** Without EDNS, RFC 1035 section 4.2.1; with it, what we are willing to send in one datagram. */
const PLAIN_UDP = 512;
const MOST_UDP = 1232;
const IDLE_MS = 10_000;

export interface DnsServerOptions {
  readonly zones: readonly ZoneOptions[];
  /** 53 if left out. */
  readonly port?: number;
}

export class DnsServer {
  private readonly host: Host;
  private readonly zones: readonly Zone[];
  private readonly socket: UdpSocket;
  private readonly listener: Listener;

  /** @throws EstabError EADDRINUSE when the port is taken, EINVAL for zones that make no sense. */
  constructor(host: Host, { zones, port = 53 }: DnsServerOptions) {
    this.host = host;
    this.zones = zones.map((options) => new Zone(options));
    this.socket = host.stack.udp({ port, handler: { readable: (socket) => this.serveUdp(socket) } });
    this.listener = host.stack.listen({
      port,
      handler: {
        acceptable: (listener) => {
          for (let next = listener.accept(host.now()); next !== null; next = listener.accept(host.now()))
            this.serveTcp(next);
        },
      },
    });
  }

  close(): void {
    this.socket.close();
    this.listener.close(this.host.now());
    this.host.wake();
  }

  private serveUdp(socket: UdpSocket): void {
    for (let datagram = socket.receive(); datagram !== null; datagram = socket.receive()) {
      const { address, port, localAddress, localPort } = datagram;
      const reply = this.reply(datagram.bytes, true);
      if (reply !== null) socket.send(this.host.now(), reply, { address, port, localAddress, localPort });
    }
    this.host.wake();
  }

  private serveTcp(connection: Connection): void {
    const { host } = this;
    const framer = new Framer();
    const timer = setTimeout(() => {
      connection.abort(host.now());
      host.wake();
    }, IDLE_MS);
    (timer as { unref?(): void }).unref?.();
    connection.handler = {
      readable: (from) => {
        for (let bytes = from.read(host.now()); bytes !== null; bytes = from.read(host.now())) {
          for (const message of framer.push(bytes)) {
            const reply = this.reply(message, false);
            if (reply !== null) from.write(host.now(), framed(reply));
          }
        }
        host.wake();
      },
      peerClosed: (from) => {
        from.close(host.now());
        host.wake();
      },
      closed: () => clearTimeout(timer),
    };
  }

  /** Null for what is no query: two servers must never answer one another for ever. */
  private reply(bytes: Uint8Array, udp: boolean): Uint8Array | null {
    const query = decodeMessage(bytes);
    if (typeof query === 'string' || query.response) return null;
    const answer = answerFrom(this.zones, query);
    const size = query.udpPayloadSize === null ? null : MOST_UDP;
    const whole = encodeReply(query, answer, size);
    const room = udp ? udpRoom(query) : 65_535;
    if (whole.length <= room) return whole;
    // Header, question and OPT always fit: whoever wants the rest comes over TCP.
    return encodeReply(query, { ...answer, answers: [], authorities: [], truncated: true }, size);
  }
}

function udpRoom(query: Message): number {
  if (query.udpPayloadSize === null) return PLAIN_UDP;
  return Math.min(Math.max(query.udpPayloadSize, PLAIN_UDP), MOST_UDP);
}
