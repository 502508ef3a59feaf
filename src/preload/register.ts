/** What `estab/register` does: reads its configuration, makes the host, and puts `net`, `dgram` and `dns` on it. */

import { installDgram } from '../dgram/node/install.ts';
import { installDns } from '../dns/node/install.ts';
import { EmbeddedNetwork } from '../embedded/network.ts';
import { Host } from '../host/host.ts';
import { captureFile } from '../link/capture-file.ts';
import type { Link } from '../link/link.ts';
import { teeLink } from '../link/tee.ts';
import { openTunNow } from '../link/tun.ts';
import { configureTun, defaultPeer } from '../link/tun-configure.ts';
import { chooser, nameChooser } from '../net/destinations.ts';
import { defaultHost, useHost } from '../net/embedded.ts';
import { install } from '../net/node/install.ts';
import { applySetting, defaultSettings } from '../stack/settings.ts';
import type { DeclaredNetwork } from './network-file.ts';
import { type RegisterConfig, readConfig } from './register-config.ts';
import { captureSecrets } from './tls-secrets.ts';

/** How long a process that has nothing left to do stays for what its closed connections still have to send. */
const LINGER_MS = 3000;
const LINGER_STEP_MS = 20;

/** The host of the program, where else it may listen, and who knows names there. */
interface Ground {
  readonly host: Host;
  readonly hostOfPort: ((port: number) => Host | null) | null;
  readonly servers: readonly string[];
}

/** @throws EstabError EINVAL for a configuration that makes no sense. */
export function registerFromEnvironment(environment: NodeJS.ProcessEnv): void {
  const config = readConfig(environment);
  const { only, listen, search } = config;
  const { host, hostOfPort, servers } = makeGround(config);
  useHost(host);
  const source = {
    host: defaultHost,
    chooses: only === null ? null : chooser(only),
    listensOn: listen === null ? null : (port: number) => listen.includes(port),
    ...(hostOfPort === null ? {} : { hostOfPort }),
  };
  install(source);
  installDgram(source);
  const { chooses: choosesServer } = source;
  const chooses = only === null ? null : nameChooser(only);
  const asked = choosesServer === null ? null : (address: string, port: number) => choosesServer(address, port, null);
  host.resolver = installDns({ host, servers, search, chooses, choosesServer: asked });
}

function makeGround(config: RegisterConfig): Ground {
  const { network, dns } = config;
  if (network !== null) return declaredGround(config, network);
  const settings = defaultSettings();
  for (const setting of config.sysctl) applySetting(settings, setting);
  const host = new Host({ settings, background: true });
  if (config.tun !== null) attachTun(host, config, config.tun);
  return { host, hostOfPort: null, servers: dns ?? [] };
}

/** A network in the process, of which the program's connections and listeners live on one host, or on several. */
function declaredGround({ host: chosen, dns, pcap, sysctl }: RegisterConfig, declared: DeclaredNetwork): Ground {
  const { hosts } = declared.options;
  const name = chosen ?? Object.keys(hosts)[0];
  const own = {
    ...hosts[name],
    sysctl: [...(hosts[name].sysctl ?? []), ...sysctl],
    ...(pcap === null ? {} : { wrap: (link: Link) => captured(link, pcap, name) }),
  };
  const network = new EmbeddedNetwork({ ...declared.options, hosts: { ...hosts, [name]: own } });
  const known = Object.values(hosts).filter(({ zones }) => zones !== undefined);
  return {
    host: network.host(name),
    hostOfPort: (port) => {
      const owner = declared.listeners.get(port);
      return owner === undefined ? null : network.host(owner);
    },
    servers: dns ?? known.map(({ address }) => [address].flat()[0] as string),
  };
}

/** The link, with what crosses it in a file, and the secrets of TLS beside. */
function captured(link: Link, path: string, name: string): Link {
  const sink = captureFile(path, link, name);
  captureSecrets(sink);
  return teeLink(link, sink);
}

function attachTun(host: Host, config: RegisterConfig, name: string): void {
  const { address: addresses, mtu } = config;
  const pairs = addresses.map((local, i) => ({ local, peer: config.peer[i] ?? defaultPeer(local) }));
  const device = openTunNow(mtu === null ? { name } : { name, mtu });
  configureTun(device.name, pairs);
  device.unref();
  const link = config.pcap === null ? device : captured(device, config.pcap, device.name);
  const iface = host.attach(link, { name: device.name, addresses });
  if (addresses.some((local) => !local.includes(':'))) host.stack.addRoute('0.0.0.0/0', null, iface);
  if (addresses.some((local) => local.includes(':'))) host.stack.addRoute('::/0', null, iface);
  host.onLinkClosed = (_iface, error) => {
    process.stderr.write(`estab/register: TUN device ${name} is gone${error === null ? '' : `: ${error.message}`}\n`);
    process.exit(1);
  };
  lingerForOrphans(host);
}

/** The kernel goes on with closed connections when a process ends; our stack ends with it, so it stays a little. */
function lingerForOrphans(host: Host): void {
  let until = 0;
  process.on('beforeExit', () => {
    if (until === 0) until = host.now() + LINGER_MS;
    if (host.stack.usage.orphans > 0 && host.now() < until) setTimeout(() => {}, LINGER_STEP_MS);
  });
}
