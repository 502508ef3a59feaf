/** `node:dgram`'s shape for where there is no Node underneath; on Node, `estab/dgram` stands on Node's own sockets. */

import type { Host } from '../host/host.ts';
import { type RemoteInfo, Socket, type SocketOptions, type SocketType } from './socket.ts';

export {
  type AddressInfo,
  type BindOptions,
  type RemoteInfo,
  Socket,
  type SocketOptions,
  type SocketType,
} from './socket.ts';

/** The functions of `node:dgram`, bound to one host. */
export interface Dgram {
  createSocket(type: SocketType | SocketOptions, onMessage?: (message: Buffer, from: RemoteInfo) => void): Socket;
}

export function createDgram(host: Host): Dgram {
  return {
    createSocket: (type, onMessage) => new Socket(host, typeof type === 'string' ? { type } : type, onMessage),
  };
}
