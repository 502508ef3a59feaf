/**
 * `estab/dgram`: `node:dgram` over a host of ours: `const dgram = createDgram(host)`, then as one is used to. Node's own
 * sockets on handles of ours; where there is no Node underneath, portable.ts stands in.
 */

import nodeDgram from 'node:dgram';
import type { Host } from '../host/host.ts';
import { adopt } from './node/install.ts';

export type { BindOptions, RemoteInfo, SocketOptions, SocketType } from 'node:dgram';
export type Socket = nodeDgram.Socket;

/** A module like `node:dgram`, bound to one host. */
export interface Dgram {
  readonly Socket: typeof nodeDgram.Socket;
  readonly createSocket: typeof nodeDgram.createSocket;
}

export function createDgram(host: Host): Dgram {
  const source = { host: () => host, chooses: null, listensOn: null };

  class Socket extends nodeDgram.Socket {
    override bind(...args: unknown[]): this {
      adopt(this, args, source);
      return super.bind(...(args as []));
    }
  }
  const make = Socket as unknown as new (...args: unknown[]) => Socket;
  return { Socket, createSocket: ((...args: unknown[]) => new make(...args)) as typeof nodeDgram.createSocket };
}
