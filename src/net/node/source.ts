/** Where net's sockets get their handles from, and which destinations those handles leave to the kernel. */

import type { Host } from '../../host/host.ts';

export interface HandleSource {
  /** The host that new handles live on; it may be made when the first is wanted. */
  host(): Host;
  /** The host that listens at a port; `host()` for all where this is left out or gives null. */
  hostOfPort?(port: number): Host | null;
  /**
   * Whether a connection goes over the host; null: all do.
   * @param name what the program asked for when that was no address.
   */
  readonly chooses: ((address: string, port: number, name: string | null) => boolean) | null;
  /** Whether a listener lives on the host; null: all do. */
  readonly listensOn: ((port: number) => boolean) | null;
}
