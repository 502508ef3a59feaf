/**
 * `node:net` over a stack of ours. As it is, its network is embedded in the process: `import net from 'estab/net'`,
 * listen on a port and connect to localhost, and the kernel sees nothing of it. `createNet(host)` gives the same on a
 * host of one's own, on a TUN for example.
 */

import type nodeNet from 'node:net';
import { defaultHost } from './embedded.ts';
import { createNet, type OwnSocket } from './node/net.ts';

export { defaultHost, useHost } from './embedded.ts';
export { createNet, type Net, type SocketOptionCalls } from './node/net.ts';

const net = createNet(defaultHost);
export default net;

export const {
  BlockList,
  SocketAddress,
  Socket,
  Stream,
  Server,
  connect,
  createConnection,
  createServer,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = net as typeof net & { Stream: typeof net.Socket };

export type Socket = OwnSocket;
export type Server = nodeNet.Server;
export type BlockList = nodeNet.BlockList;
export type SocketAddress = nodeNet.SocketAddress;
export type {
  AddressInfo,
  ListenOptions,
  NetConnectOpts,
  OnReadOpts,
  ServerOpts,
  SocketConstructorOpts,
  TcpNetConnectOpts,
} from 'node:net';
