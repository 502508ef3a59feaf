/**
 * One message to a name server and its reply: over UDP from a port of its own (RFC 5452: a forger must guess the port
 * too), and over TCP with a length before each message (RFC 7766).
 */

import { readU16, writeU16 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import type { ConnectionHandler } from '../stack/connection.ts';
import type { IpAddress } from '../wire/address.ts';

export interface NameServer {
  readonly address: IpAddress;
  readonly port: number;
}

/** How an exchange ends without a reply. */
export type Failure = 'timeout' | 'unreachable';

/** Looks at what arrives: what it returns is the outcome; null means that was not our reply, wait on. */
export type Accept<T> = (bytes: Uint8Array) => T | null;

export function exchangeUdp<T>(
  host: Host,
  server: NameServer,
  message: Uint8Array,
  accept: Accept<T>,
  timeoutMs: number,
): Promise<T | Failure> {
  return new Promise((resolve) => {
    const done = (outcome: T | Failure): void => {
      clearTimeout(timer);
      socket?.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => done('timeout'), timeoutMs);
    const socket = attempt(() =>
      host.stack.udp({
        remote: server.address,
        remotePort: server.port,
        handler: {
          readable: (from) => {
            for (let datagram = from.receive(); datagram !== null; datagram = from.receive()) {
              const outcome = accept(datagram.bytes);
              if (outcome !== null) return done(outcome);
            }
          },
          error: () => done('unreachable'),
        },
      }),
    );
    if (socket === null) return done('unreachable');
    socket.send(host.now(), message);
    host.wake();
  });
}

export function exchangeTcp<T>(
  host: Host,
  server: NameServer,
  message: Uint8Array,
  accept: Accept<T>,
  timeoutMs: number,
): Promise<T | Failure> {
  return new Promise((resolve) => {
    const framer = new Framer();
    const done = (outcome: T | Failure): void => {
      clearTimeout(timer);
      if (connection !== null) {
        connection.handler = {};
        connection.close(host.now());
        host.wake();
      }
      resolve(outcome);
    };
    const handler: ConnectionHandler = {
      opened: (opened) => {
        opened.write(host.now(), framed(message));
        host.wake();
      },
      readable: (from) => {
        for (let bytes = from.read(host.now()); bytes !== null; bytes = from.read(host.now())) {
          for (const reply of framer.push(bytes)) {
            const outcome = accept(reply);
            if (outcome !== null) return done(outcome);
          }
        }
        host.wake();
      },
      peerClosed: () => done('unreachable'),
      closed: () => done('unreachable'),
    };
    const timer = setTimeout(() => done('timeout'), timeoutMs);
    const connection = attempt(() =>
      host.stack.connect(host.now(), {
        remote: server.address,
        port: server.port,
        handler,
        options: { noDelay: true },
      }),
    );
    if (connection === null) done('unreachable');
    else host.wake();
  });
}

/** Without a route there is nobody to ask: an outcome like any other, not the asker's mistake. */
function attempt<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof EstabError) return null;
    throw error;
  }
}

/** The message with its length before it, in one piece: both leave in one segment. */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + message.length);
  writeU16(bytes, 0, message.length);
  bytes.set(message, 2);
  return bytes;
}

/** Cuts a stream into its messages; holds one message and its rest at most, 64 KiB. */
export class Framer {
  private held = new Uint8Array(0);

  push(bytes: Uint8Array): Uint8Array[] {
    const all = new Uint8Array(this.held.length + bytes.length);
    all.set(this.held);
    all.set(bytes, this.held.length);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= 2 && all.length - at - 2 >= readU16(all, at)) {
      const end = at + 2 + readU16(all, at);
      messages.push(all.subarray(at + 2, end));
      at = end;
    }
    this.held = all.slice(at);
    return messages;
  }
}
