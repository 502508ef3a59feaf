/** Where a run takes place: the host that asks, whom it asks for names, and what can be known of the other ends. */

import type { Host } from '../../host/host.ts';

export interface Ground {
  /** The client. */
  readonly host: Host;
  /** The interface's name in the capture. */
  readonly device: string;
  /** In a few words: `an embedded network`, `the TUN device t0`. */
  readonly words: string;
  /** IP versions the client has an address for, the preferred first. */
  readonly families: readonly (4 | 6)[];
  /** None: only addresses and `--resolve` will do. */
  readonly nameServers: readonly string[];
  /** For the first question to a name server; each round doubles it. */
  readonly nameTimeoutMs: number;
  /** PEM of the authorities the client trusts; null for those that Node knows. */
  readonly authorities: string | null;
  readonly leastTls: 'TLSv1.2' | 'TLSv1.3';
  /** What the servers' TLS logged of its secrets, line by line; null where they are none of ours. */
  readonly serverKeys: ReadonlySet<string> | null;
  close(): void;
}
