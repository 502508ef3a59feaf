/** What `estab/register` does: reads its configuration, makes the host, and puts `node:net` on it. */

import { Host } from '../host/host.ts';
import { captureFile } from '../link/capture-file.ts';
import { teeLink } from '../link/tee.ts';
import { openTunNow } from '../link/tun.ts';
import { configureTun, defaultPeer } from '../link/tun-configure.ts';
import { applySetting, defaultSettings } from '../stack/settings.ts';
import { chooser } from './destinations.ts';
import { defaultHost, useHost } from './embedded.ts';
import { install } from './node/install.ts';
import { type RegisterConfig, readConfig } from './register-config.ts';

/** How long a process that has nothing left to do stays for what its closed connections still have to send. */
const LINGER_MS = 3000;
const LINGER_STEP_MS = 20;

/** @throws EstabError EINVAL for a configuration that makes no sense. */
export function registerFromEnvironment(environment: NodeJS.ProcessEnv): void {
  const config = readConfig(environment);
  const { only, listen } = config;
  const chooses = only === null ? null : chooser(only);
  useHost(makeHost(config));
  install({
    host: defaultHost,
    chooses,
    listensOn: listen === null ? null : (port) => listen.includes(port),
  });
}

function makeHost(config: RegisterConfig): Host {
  const settings = defaultSettings();
  for (const setting of config.sysctl) applySetting(settings, setting);
  const host = new Host({ settings, background: true });
  if (config.tun !== null) attachTun(host, config, config.tun);
  return host;
}

function attachTun(host: Host, config: RegisterConfig, name: string): void {
  const { address: addresses, mtu } = config;
  const pairs = addresses.map((local, i) => ({ local, peer: config.peer[i] ?? defaultPeer(local) }));
  const device = openTunNow(mtu === null ? { name } : { name, mtu });
  configureTun(device.name, pairs);
  device.unref();
  const link = config.pcap === null ? device : teeLink(device, captureFile(config.pcap, device, device.name));
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
