/** Web-stream sockets over a host of ours. */

export { connect, listen, Socket, type SocketAddress, type SocketInfo, type WebListener } from './socket.ts';
