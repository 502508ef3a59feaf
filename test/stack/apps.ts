/** Small applications for the ends of a test. */

import type { Connection, ConnectionHandler } from '../../src/stack/connection.ts';
import type { Listener, ListenOptions } from '../../src/stack/listener.ts';
import type { Node, Pair } from './pair.ts';

/** Writes what it is given, closes, and keeps what it hears. */
export class App implements ConnectionHandler {
  readonly told: string[] = [];
  readonly parts: Uint8Array[] = [];
  received = 0;
  peerDone = false;
  error: string | null | undefined;
  private readonly pair: Pair;
  private toSend: Uint8Array | null = null;
  private sent = 0;
  private closeAfter = true;

  constructor(pair: Pair) {
    this.pair = pair;
  }

  /** Sends all of `bytes` as room allows, then a FIN. */
  send(connection: Connection, bytes: Uint8Array, close = true): void {
    this.toSend = bytes;
    this.closeAfter = close;
    this.pump(connection);
  }

  opened(connection: Connection): void {
    this.told.push('opened');
    this.pump(connection);
  }

  readable(connection: Connection): void {
    for (let bytes = connection.read(this.pair.now); bytes !== null; bytes = connection.read(this.pair.now)) {
      this.parts.push(bytes);
      this.received += bytes.length;
    }
  }

  writable(connection: Connection): void {
    this.pump(connection);
  }

  peerClosed(): void {
    this.told.push('peerClosed');
    this.peerDone = true;
  }

  softError(_connection: Connection, error: string): void {
    this.told.push(`soft ${error}`);
  }

  closed(_connection: Connection, error: string | null): void {
    this.told.push(`closed ${error}`);
    this.error = error;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  private pump(connection: Connection): void {
    const { toSend, pair } = this;
    // CLOSE in SYN-SENT gives the connection up: wait.
    if (toSend === null || connection.state === 'SYN-SENT') return;
    while (this.sent < toSend.length) {
      const piece = toSend.subarray(this.sent, this.sent + 8192);
      this.sent += piece.length;
      if (!connection.write(pair.now, piece)) return;
    }
    this.toSend = null;
    if (this.closeAfter) connection.shutdown(pair.now);
  }
}

/** A listener that accepts everything and gives each connection an App. */
export class Server {
  readonly listener: Listener;
  readonly accepted: { readonly connection: Connection; readonly app: App }[] = [];
  onAccept: ((connection: Connection, app: App) => void) | null = null;

  constructor(pair: Pair, node: Node, options: ListenOptions) {
    this.listener = node.stack.listen({
      ...options,
      handler: {
        acceptable: (listener) => {
          for (let next = listener.accept(pair.now); next !== null; next = listener.accept(pair.now)) {
            const app = new App(pair);
            next.handler = app;
            this.accepted.push({ connection: next, app });
            this.onAccept?.(next, app);
          }
        },
      },
    });
  }
}

/** Bytes that no accident repeats. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = seed | 1;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
