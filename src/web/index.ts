/** Web-stream sockets over a host of ours, and the shapes that other platforms give them. */

export { connect } from './connect.ts';
export { type DenoNet, denoNet, type TcpConn, type TcpListener } from './deno.ts';
export {
  type DirectSockets,
  directSockets,
  type TCPServerSocketOptions,
  type TCPSocketOptions,
} from './direct-sockets.ts';
export type { DirectUdpSocket, UDPMessage, UDPSocketOpenInfo, UDPSocketOptions } from './direct-udp.ts';
export { type ListenOptions, listen, type WebListener } from './listen.ts';
export {
  type ConnectOptions,
  type SecureTransport,
  Socket,
  type SocketAddress,
  type SocketInfo,
} from './socket.ts';
export { createStack, type NetworkStack, type TapInterface } from './tcpip.ts';
export { SecureSocket, type StreamPair, type TlsOptions, type TlsProvider, type TlsSession } from './tls.ts';
