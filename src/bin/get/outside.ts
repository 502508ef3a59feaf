/** The ground of `estab get --tun`: a host of ours behind a TUN device, and through the kernel the real world. */

import { readFileSync } from 'node:fs';
import type { Link } from '../../link/link.ts';
import { IpAddress } from '../../wire/address.ts';
import { type DeviceOptions, openDevice } from '../serve/network.ts';
import type { Ground } from './ground.ts';
import type { GetOptions } from './options.ts';

const RESOLV_CONF = '/etc/resolv.conf';
/** Rounds of questions, each twice as long as the one before: 1 + 2 + 4 + 8. */
const PATIENCE_PARTS = 15;
const LEAST_PATIENCE_MS = 200;

/** @throws EstabError as `openTun` and `configureTun` do (rejects). */
export async function openOutside(
  options: GetOptions,
  device: DeviceOptions,
  watch: (link: Link) => Link,
): Promise<Ground> {
  let name = device.tun;
  const host = await openDevice(device, null, (link) => {
    name = link.name;
    return watch(link);
  });
  const nameServers = options.dns.length > 0 ? options.dns : systemNameServers();
  const families = ([6, 4] as const).filter((family) =>
    device.address.some((address) => address.includes(':') === (family === 6)),
  );
  return {
    host,
    device: name,
    words: `the TUN device ${name}`,
    families,
    nameServers,
    authorities: null,
    leastTls: 'TLSv1.2',
    serverKeys: null,
    nameTimeoutMs: Math.max(LEAST_PATIENCE_MS, options.timeoutMs / PATIENCE_PARTS / Math.max(1, nameServers.length)),
    close: () => {
      // No kernel cleans up behind us: whoever is still connected hears it.
      host.reset();
      host.close();
    },
  };
}

/** The machine's own, but for those on its loopback: our host is another, and does not reach them. */
function systemNameServers(): string[] {
  let text = '';
  try {
    text = readFileSync(RESOLV_CONF, 'utf8');
  } catch {
    return [];
  }
  const servers = [...text.matchAll(/^\s*nameserver\s+([0-9a-f.:]+)/gim)].map(([, address]) => address);
  return servers.filter((address) => IpAddress.tryParse(address)?.isLoopback === false);
}
