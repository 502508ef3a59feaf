/**
 * TLS over a socket, by a library that the application gives: browsers have none to offer, on Node there is `nodeTls`
 * (node-tls.ts). The shape is WinterTC's: `secureTransport`, `startTls`, `alpn`.
 */

import type { Socket, SocketInfo } from './socket.ts';

export interface StreamPair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface TlsOptions {
  /** The name to ask for and to check the certificate against; null for none. */
  readonly sni: string | null;
  /** Protocols offered, the best first. */
  readonly alpn: readonly string[];
}

/** The clear text over a transport, and when the handshake is over: resolves with the protocol agreed on, or rejects. */
export interface TlsSession extends StreamPair {
  readonly opened: Promise<{ readonly alpn: string | null }>;
}

/** A client's TLS: begins a handshake over `transport`, whose streams are its own from then on. */
export type TlsProvider = (transport: StreamPair, options: TlsOptions) => TlsSession;

/** What a socket needs to become a {@link SecureSocket}. */
export interface Security {
  readonly tls: TlsProvider;
  readonly options: TlsOptions;
}

/** A socket whose text goes over TLS. */
export class SecureSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the handshake is over; rejects with what the network or the TLS had against it. */
  readonly opened: Promise<SocketInfo>;
  /** Resolves when both directions of the connection have ended; rejects when it broke. */
  readonly closed: Promise<void>;
  readonly secureTransport = 'on';
  /** Nothing comes after TLS. */
  readonly upgraded = false;
  private readonly socket: Socket;

  /** Use `connect` with `secureTransport: 'on'`, or {@link Socket.startTls}. */
  constructor(socket: Socket, { tls, options }: Security) {
    this.socket = socket;
    const session = tls(socket, options);
    this.readable = session.readable;
    this.writable = session.writable;
    this.closed = socket.closed;
    session.opened.catch(() => {});
    this.opened = this.open(session);
    this.opened.catch(() => {});
  }

  /** Says goodbye in TLS, then ends both directions: what was written still goes out. */
  async close(): Promise<void> {
    if (!this.writable.locked) await this.writable.close().catch(() => {});
    else await this.socket.close();
    return this.closed;
  }

  /** @throws TypeError always: this socket is secure already. */
  startTls(): never {
    throw new TypeError('the socket is secure already');
  }

  private async open(session: TlsSession): Promise<SocketInfo> {
    const info = await this.socket.opened;
    return { ...info, alpn: (await session.opened).alpn };
  }
}
