/** Web-stream sockets over a host of ours, and the shapes that other platforms give them. */

export { type DenoNet, denoNet, type TcpConn, type TcpListener } from './deno.ts';
export {
  type DirectSockets,
  directSockets,
  type TCPServerSocketOptions,
  type TCPSocketOptions,
} from './direct-sockets.ts';
export {
  type ConnectOptions,
  connect,
  type ListenOptions,
  listen,
  Socket,
  type SocketAddress,
  type SocketInfo,
  type WebListener,
} from './socket.ts';
export { createStack, type NetworkStack, type TapInterface } from './tcpip.ts';
