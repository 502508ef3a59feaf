/**
 * `node:net`'s shapes on a plain Duplex, for where there is no Node underneath: `const net = createNet(host)`, then as
 * one is used to. On Node, `estab/net` stands on Node's own sockets instead (docs/decisions/0006-net-on-handles.md).
 */

import type { Host } from '../host/host.ts';
import { Server, type ServerOptions } from './server.ts';
import { type ConnectOptions, Socket, type SocketOptions } from './socket.ts';

export { type ListenOptions, Server, type ServerOptions } from './server.ts';
export { type AddressInfo, type ConnectOptions, Socket, type SocketOptions } from './socket.ts';

/** The functions of `node:net` that make things, bound to one host. */
export interface Net {
  connect(options: ConnectOptions & SocketOptions, onConnect?: () => void): Socket;
  createConnection(options: ConnectOptions & SocketOptions, onConnect?: () => void): Socket;
  createServer(options?: ServerOptions, onConnection?: (socket: Socket) => void): Server;
}

export function createNet(host: Host): Net {
  const connect = (options: ConnectOptions & SocketOptions, onConnect?: () => void): Socket =>
    new Socket(host, options).connect(options, onConnect);
  return {
    connect,
    createConnection: connect,
    createServer: (options, onConnection) => new Server(host, options, onConnection),
  };
}
