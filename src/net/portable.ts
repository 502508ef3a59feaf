/**
 * `node:net`'s shapes on a plain Duplex, for where there is no Node underneath: `const net = createNet(host)`, then as
 * one is used to. On Node, `estab/net` stands on Node's own sockets instead (docs/decisions/0006-net-on-handles.md).
 */

import type { Host } from '../host/host.ts';
import { IpAddress } from '../wire/address.ts';
import type { ConnectArguments } from './connect-options.ts';
import { connectArguments } from './connect-options.ts';
import { Server, type ServerOptions } from './server.ts';
import { Socket, type SocketOptions } from './socket.ts';

export type { ConnectOptions, Lookup } from './connect-options.ts';
export { type ListenOptions, Server, type ServerOptions } from './server.ts';
export { type AddressInfo, type OnRead, Socket, type SocketOptions } from './socket.ts';

/** The names of `node:net`, bound to one host. */
export interface Net {
  readonly Socket: new (options?: SocketOptions) => Socket;
  readonly Server: new (options?: ServerOptions | OnConnection, onConnection?: OnConnection) => Server;
  connect(...args: ConnectArguments): Socket;
  createConnection(...args: ConnectArguments): Socket;
  createServer(options?: ServerOptions | OnConnection, onConnection?: OnConnection): Server;
  /** 4, 6, or 0 for what is no address. */
  isIP(text: string): 0 | 4 | 6;
  isIPv4(text: string): boolean;
  isIPv6(text: string): boolean;
}

type OnConnection = (socket: Socket) => void;

export function createNet(host: Host): Net {
  class BoundSocket extends Socket {
    constructor(options?: SocketOptions) {
      super(host, options);
    }
  }
  class BoundServer extends Server {
    constructor(options: ServerOptions | OnConnection = {}, onConnection?: OnConnection) {
      if (typeof options === 'function') super(host, {}, options);
      else super(host, options, onConnection);
    }
  }
  const connect = (...args: ConnectArguments): Socket => {
    const { options } = connectArguments(args);
    const socket = new BoundSocket(options as SocketOptions);
    const { timeout } = options as { timeout?: number };
    if (timeout) socket.setTimeout(timeout);
    return socket.connect(...args);
  };
  return {
    Socket: BoundSocket,
    Server: BoundServer,
    connect,
    createConnection: connect,
    createServer: (options, onConnection) => new BoundServer(options, onConnection),
    isIP,
    isIPv4: (text) => isIP(text) === 4,
    isIPv6: (text) => isIP(text) === 6,
  };
}

function isIP(text: string): 0 | 4 | 6 {
  // A mapped address is one of IPv6 in text, whatever it stands for.
  const address = IpAddress.tryParse(String(text));
  if (address === null) return 0;
  return String(text).includes(':') ? 6 : 4;
}
