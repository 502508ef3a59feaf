/** Node's own OpenSSL as the TLS of `estab/web`. */

import { Duplex } from 'node:stream';
import type { ReadableWritablePair } from 'node:stream/web';
import tls from 'node:tls';
import type { TlsProvider } from './tls.ts';

/**
 * For `connect(host, 'shop.example:443', { secureTransport: 'on', tls: nodeTls() })`, and for `startTls()`.
 * @param options as `tls.connect` takes them: `ca`, `rejectUnauthorized`, `minVersion`, `key` and `cert`, …
 */
export function nodeTls(options: tls.ConnectionOptions = {}): TlsProvider {
  return (transport, { sni, alpn }) => {
    const raw = Duplex.fromWeb(transport as unknown as Parameters<typeof Duplex.fromWeb>[0]);
    const socket = tls.connect({
      ...options,
      socket: raw,
      ...(sni === null ? {} : { servername: sni }),
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    });
    const opened = new Promise<{ alpn: string | null }>((resolve, reject) => {
      socket.once('secureConnect', () => resolve({ alpn: socket.alpnProtocol || null }));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed before the TLS handshake was over')));
    });
    const { readable, writable } = Duplex.toWeb(socket) as unknown as ReadableWritablePair<Uint8Array, Uint8Array>;
    return {
      readable: readable as unknown as ReadableStream<Uint8Array>,
      writable: writable as unknown as WritableStream<Uint8Array>,
      opened,
    };
  };
}
