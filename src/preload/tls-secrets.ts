/** The secrets of a program's TLS connections, both sides', beside the packets: Wireshark opens the capture decrypted. */

import tls from 'node:tls';
import type { CaptureSink } from '../link/capture-file.ts';

interface TlsInternals {
  _init?(this: tls.TLSSocket, ...args: unknown[]): void;
}

/** From now on every TLS socket tells its key log to the capture; it has no other place at which all come by. */
export function captureSecrets(sink: CaptureSink): void {
  const prototype = tls.TLSSocket.prototype as unknown as TlsInternals;
  const { _init: init } = prototype;
  if (init === undefined) return;
  prototype._init = function (...args) {
    init.apply(this, args);
    this.on('keylog', (line: Buffer) => sink.secret(line));
  };
}
