/**
 * A link over a WebSocket: one frame a binary message, nothing before or after it, as v86's relays and others have it. In
 * browsers over the platform's WebSocket, in Node over the `ws` package (either end); so a page can be a host of its own.
 */

import { EstabError } from '../base/errors.ts';
import type { Link, LinkHandlers } from './link.ts';

/** What is needed of a WebSocket: the platform's own and `ws`'s both have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  close(): void;
  addEventListener(type: string, listener: (event: { data?: unknown; code?: number }) => void): void;
}

export interface WebSocketLinkOptions {
  /** Largest IP packet, bytes; 1500 if left out. */
  readonly mtu?: number;
  /** `ethernet` if left out: what virtual machines and relays speak. */
  readonly layer?: 'ip' | 'ethernet';
  /** Six bytes; a random one of one's own (02:…) if left out. Ethernet only. */
  readonly mac?: Uint8Array;
}

const OPEN = 1;
const ETHERNET_HEADER = 18;
/** What may wait in the WebSocket's own buffer before `send` says full, bytes, and how often that is looked at. */
const BUFFER_LIMIT = 1 << 20;
const LOOK_AGAIN_MS = 5;

/**
 * Makes a link of a WebSocket that is open: the client's or, on a server, the one of an accepted client.
 * @throws EstabError ENOTCONN when it is not open, EINVAL for an impossible MTU.
 */
export function webSocketLink(socket: WebSocketLike, options: WebSocketLinkOptions = {}): Link {
  const { mtu = 1500 } = options;
  if (!(mtu >= 68 && mtu <= 65_535)) throw new EstabError('EINVAL', `mtu ${mtu} is not between 68 and 65535`);
  if (socket.readyState !== OPEN)
    throw new EstabError('ENOTCONN', "the WebSocket is not open; wait for its 'open' event");
  return new WebSocketLink(socket, mtu, options.layer ?? 'ethernet', options.mac ?? randomMac());
}

/**
 * Connects to a relay or switch and makes a link of the connection.
 * @throws EstabError ECONNREFUSED when the WebSocket does not open, ENOTSUP in a Node without WebSocket and `ws`.
 */
export async function connectWebSocket(url: string, options: WebSocketLinkOptions = {}): Promise<Link> {
  const socket = new (await webSocketClass())(url);
  socket.binaryType = 'arraybuffer';
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    const failed = (): void => reject(new EstabError('ECONNREFUSED', `no WebSocket at ${url}`));
    socket.addEventListener('error', failed);
    socket.addEventListener('close', failed);
  });
  return webSocketLink(socket, options);
}

type WebSocketClass = new (url: string) => WebSocketLike;

async function webSocketClass(): Promise<WebSocketClass> {
  const { WebSocket: own } = globalThis as { WebSocket?: unknown };
  if (own !== undefined) return own as WebSocketClass;
  try {
    // A name, so that bundlers for browsers do not follow it.
    const name = 'ws';
    return ((await import(name)) as { WebSocket: WebSocketClass }).WebSocket;
  } catch {
    throw new EstabError('ENOTSUP', 'this Node has no WebSocket of its own; npm install ws');
  }
}

class WebSocketLink implements Link {
  readonly mtu: number;
  readonly layer: 'ip' | 'ethernet';
  readonly mac: Uint8Array | null;
  readonly checksum = { tx: false, rx: false };
  readonly segmentation = 0;
  private readonly socket: WebSocketLike;
  private readonly largest: number;
  private handlers: LinkHandlers | null = null;
  private open = true;
  private waiting = false;
  private burst = false;
  /** Frames that came before anybody listened. */
  private early: Uint8Array[] = [];

  constructor(socket: WebSocketLike, mtu: number, layer: 'ip' | 'ethernet', mac: Uint8Array) {
    this.socket = socket;
    this.mtu = mtu;
    this.layer = layer;
    this.mac = layer === 'ethernet' ? mac.slice() : null;
    this.largest = mtu + (layer === 'ethernet' ? ETHERNET_HEADER : 0);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => this.receive(event.data));
    socket.addEventListener('close', (event) => this.closed(event.code));
  }

  start(handlers: LinkHandlers): void {
    if (this.handlers !== null) throw new EstabError('EINVAL', 'this link has been started already');
    this.handlers = handlers;
    const { early } = this;
    this.early = [];
    for (const frame of early) this.deliver(frame);
  }

  send(frame: Uint8Array): boolean {
    if (!this.open) return true;
    if (this.socket.bufferedAmount > BUFFER_LIMIT) {
      this.waitForRoom();
      return false;
    }
    // The socket may hold on to what it is given; the frame is the caller's again when we return.
    this.socket.send(frame.slice());
    return true;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.socket.close();
    this.handlers?.closed(null);
  }

  /** Text messages and frames larger than the link carries are nobody's. */
  private receive(data: unknown): void {
    if (!this.open || !(data instanceof ArrayBuffer) || data.byteLength > this.largest) return;
    const frame = new Uint8Array(data);
    if (this.handlers === null) this.early.push(frame);
    else this.deliver(frame);
  }

  /** Messages that were waiting together are one burst. */
  private deliver(frame: Uint8Array): void {
    this.handlers?.frame(frame, true);
    if (this.burst) return;
    this.burst = true;
    queueMicrotask(() => {
      this.burst = false;
      if (this.open) this.handlers?.burstEnd();
    });
  }

  private waitForRoom(): void {
    if (this.waiting) return;
    this.waiting = true;
    // No WebSocket tells when its buffer has drained.
    setTimeout(() => {
      this.waiting = false;
      if (!this.open) return;
      if (this.socket.bufferedAmount > BUFFER_LIMIT / 2) this.waitForRoom();
      else this.handlers?.writable();
    }, LOOK_AGAIN_MS);
  }

  private closed(code: number | undefined): void {
    if (!this.open) return;
    this.open = false;
    this.handlers?.closed(new Error(`the WebSocket was closed (code ${code ?? 'unknown'})`));
  }
}

/** Locally administered, for one host. */
function randomMac(): Uint8Array {
  const mac = crypto.getRandomValues(new Uint8Array(6));
  mac[0] = (mac[0] & 0xfc) | 2;
  return mac;
}
