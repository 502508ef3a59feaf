/** Opening a connection: `connect` of WinterTC's Sockets API, over a host of ours. */

import { EstabError } from '../base/errors.ts';
import type { SocketHost } from '../host/host.ts';
import { IpAddress } from '../wire/address.ts';
import { endpoint } from './address.ts';
import { type ConnectOptions, Socket, type SocketAddress } from './socket.ts';
import { SecureSocket } from './tls.ts';

/**
 * Opens a connection to an address, or by name to the first of its addresses that answers; with `secureTransport: 'on'`
 * and a TLS around it.
 * @param address as an object or as text, `shop.example:80`.
 * @throws EstabError EINVAL when the address or an option makes no sense, or there is nobody to ask for the name; what
 *   the network, name servers and the TLS say comes through `opened`.
 */
export function connect(
  host: SocketHost,
  address: SocketAddress | string,
  options: ConnectOptions & { readonly secureTransport: 'on' },
): SecureSocket;
export function connect(host: SocketHost, address: SocketAddress | string, options?: ConnectOptions): Socket;
export function connect(
  host: SocketHost,
  address: SocketAddress | string,
  options: ConnectOptions = {},
): Socket | SecureSocket {
  const { secureTransport = 'off', tls, sni = null, alpn = [] } = options;
  if (secureTransport !== 'off' && tls === undefined) {
    throw new EstabError(
      'EINVAL',
      `secureTransport "${secureTransport}" needs a TLS in \`tls\`; on Node nodeTls() of estab/web/tls is one`,
    );
  }
  const to = typeof address === 'string' ? fromText(address) : address;
  const name = IpAddress.tryParse(to.hostname) === null ? to.hostname : null;
  const security = tls === undefined ? null : { tls, options: { sni: sni ?? name, alpn } };
  const { allowHalfOpen = false } = options;
  const socket = new Socket(host, { allowHalfOpen, secureTransport, security });
  open(host, socket, to, options);
  return security !== null && secureTransport === 'on' ? new SecureSocket(socket, security) : socket;
}

function open(host: SocketHost, socket: Socket, { hostname, port }: SocketAddress, options: ConnectOptions): void {
  const remote = IpAddress.tryParse(hostname);
  if (remote === null) {
    socket.connectTo({ hostname, port }, options);
    return;
  }
  const connection = host.stack.connect(host.now(), { remote, port, options: options.options ?? {} });
  host.wake();
  socket.adopt(connection, false);
}

function fromText(text: string): SocketAddress {
  const { address, port } = endpoint(text);
  return { hostname: address, port };
}
