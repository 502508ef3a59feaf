/** Two hosts with real clocks, joined by a memory pair. */

import { Host } from '../../src/host/host.ts';
import { memoryPair } from '../../src/link/memory.ts';

export const CLIENT_ADDRESS = '10.0.0.1';
export const SERVER_ADDRESS = '10.0.0.2';

export interface Hosts {
  readonly client: Host;
  readonly server: Host;
  close(): void;
}

export function twoHosts(layer: 'ip' | 'ethernet' = 'ip'): Hosts {
  const { a, b } = memoryPair({ layer });
  const client = new Host();
  const server = new Host();
  client.attach(a, { name: 'link', addresses: [`${CLIENT_ADDRESS}/24`, 'fd00::1/64'] });
  server.attach(b, { name: 'link', addresses: [`${SERVER_ADDRESS}/24`, 'fd00::2/64'] });
  return {
    client,
    server,
    close() {
      client.close();
      server.close();
    },
  };
}
