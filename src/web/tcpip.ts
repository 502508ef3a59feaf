/**
 * The shape that users of tcpip.js know: `createStack()`, interfaces whose `readable` and `writable` carry frames,
 * `listenTcp` and `connectTcp`. For programs that want another stack under the same lines.
 */

import { Host } from '../host/host.ts';
import type { Link, LinkHandlers } from '../link/link.ts';
import { formatMac, parseMac } from '../wire/mac.ts';
import { connect } from './connect.ts';
import { listen, type WebListener } from './listen.ts';
import type { Socket } from './socket.ts';

export interface InterfaceOptions {
  /** `192.168.1.1/24` */
  readonly ip: string;
  /** `02:00:00:00:00:01`; a fixed one of ours if left out. Tap only. */
  readonly mac?: string;
  readonly mtu?: number;
}

/** Frames out of the stack are read, frames for it are written. */
export interface FrameInterface {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface TapInterface extends FrameInterface {
  readonly mac: string;
}

export interface NetworkStack {
  createTapInterface(options: InterfaceOptions): Promise<TapInterface>;
  createTunInterface(options: InterfaceOptions): Promise<FrameInterface>;
  listenTcp(options: { host?: string; port: number }): Promise<WebListener>;
  /** Rejects with an EstabError (ECONNREFUSED, ETIMEDOUT, …) when the connection does not open. */
  connectTcp(options: { host: string; port: number }): Promise<Socket>;
  close(): void;
}

/** Frames that wait to be read before the stack is told that the link is full. */
const QUEUE = 1024;

export async function createStack(): Promise<NetworkStack> {
  const host = new Host();
  let interfaces = 0;
  const attach = (layer: 'ip' | 'ethernet', { ip, mac, mtu = 1500 }: InterfaceOptions): StreamLink => {
    const address = mac === undefined ? Uint8Array.of(2, 0, 0, 0, 0, interfaces + 1) : parseMac(mac);
    const link = new StreamLink(layer, mtu, address);
    host.attach(link, { name: `${layer === 'ip' ? 'tun' : 'tap'}${interfaces++}`, addresses: [ip] });
    return link;
  };
  return {
    async createTapInterface(options) {
      const link = attach('ethernet', options);
      return { readable: link.readable, writable: link.writable, mac: formatMac(link.mac as Uint8Array) };
    },
    async createTunInterface(options) {
      const { readable, writable } = attach('ip', options);
      return { readable, writable };
    },
    async listenTcp({ host: hostname, port }) {
      return listen(host, { port, allowHalfOpen: true, ...(hostname === undefined ? {} : { hostname }) });
    },
    async connectTcp({ host: hostname, port }) {
      const socket = connect(host, { hostname, port }, { allowHalfOpen: true });
      await socket.opened;
      return socket;
    },
    close: () => host.close(),
  };
}

/** A link whose medium is a pair of streams. */
class StreamLink implements Link {
  readonly layer: 'ip' | 'ethernet';
  readonly mtu: number;
  readonly mac: Uint8Array | null;
  readonly checksum = { tx: false, rx: false };
  readonly segmentation = 0;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  private out: ReadableStreamDefaultController<Uint8Array> | null = null;
  private handlers: LinkHandlers | null = null;
  private full = false;
  private open = true;

  constructor(layer: 'ip' | 'ethernet', mtu: number, mac: Uint8Array) {
    this.layer = layer;
    this.mtu = mtu;
    this.mac = layer === 'ethernet' ? mac : null;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.out = controller;
        },
        pull: () => this.drained(),
        cancel: () => this.close(),
      },
      { highWaterMark: QUEUE },
    );
    this.writable = new WritableStream<Uint8Array>({
      write: (frame) => {
        if (!this.open) return;
        this.handlers?.frame(frame, false);
        this.handlers?.burstEnd();
      },
      close: () => this.close(),
      abort: () => this.close(),
    });
  }

  start(handlers: LinkHandlers): void {
    this.handlers = handlers;
  }

  send(frame: Uint8Array): boolean {
    if (!this.open || this.out === null) return true;
    if ((this.out.desiredSize ?? 0) <= 0) {
      this.full = true;
      return false;
    }
    this.out.enqueue(frame.slice());
    return true;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    try {
      this.out?.close();
    } catch {
      // Cancelled by its reader: closed already.
    }
    this.handlers?.closed(null);
  }

  private drained(): void {
    if (!this.full) return;
    this.full = false;
    this.handlers?.writable();
  }
}
