/** Our side of an interop test: `estab serve` and `estab connect` as child processes behind a TUN of a namespace. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { type Namespace, ROOT, type Running } from './namespace.ts';

export interface Family {
  name: string;
  /** The stack's address, and with its prefix length. */
  local: string;
  prefixed: string;
  /** The kernel's address on the TUN. */
  peer: string;
  /** `local` as it stands in a URL. */
  host: string;
  /** The MSS both ends announce on an MTU of 1500. */
  mss: number;
  /** tshark's filter for the family. */
  filter: string;
}

export const FAMILIES: Family[] = [
  {
    name: 'IPv4',
    local: '10.7.0.2',
    prefixed: '10.7.0.2/24',
    peer: '10.7.0.1',
    host: '10.7.0.2',
    mss: 1460,
    filter: 'ip',
  },
  {
    name: 'IPv6',
    local: 'fd00:7::2',
    prefixed: 'fd00:7::2/64',
    peer: 'fd00:7::1',
    host: '[fd00:7::2]',
    mss: 1440,
    filter: 'ipv6',
  },
];

export const TUN = 't0';

let built = false;

/** The compiled command, compiled anew when a source has changed. */
export function commandFile(): string {
  if (!built) execFileSync(process.execPath, [path.join(ROOT, 'tools', 'setup.mjs'), '--build', '--quiet']);
  built = true;
  return path.join(ROOT, 'dist', 'bin', 'estab.js');
}

/** Makes the TUN beforehand, so that a capture can run on it from the first packet. IPv6 chatter is switched off. */
export function makeTun(namespace: Namespace, mtu = 1500): void {
  namespace.runNow('ip', ['tuntap', 'add', 'dev', TUN, 'mode', 'tun']);
  namespace.runNow('ip', ['link', 'set', TUN, 'up', 'mtu', String(mtu)]);
  namespace.runNow('sysctl', ['-qw', `net.ipv6.conf.${TUN}.router_solicitations=0`]);
}

export interface Serving {
  running: Running;
  port: number;
}

/** Starts `estab serve` and waits until it says that it listens. */
export async function serve(namespace: Namespace, family: Family, ...args: string[]): Promise<Serving> {
  const own = ['serve', '--tun', TUN, '--address', family.prefixed, '--peer', family.peer];
  const running = namespace.start(process.execPath, [commandFile(), ...own, ...args]);
  const [, port = ''] = await running.seen(/^ready \S+:(\d+)$/m);
  return { running, port: Number(port) };
}

/** Starts `estab connect` to a port of the kernel's; standard input stays open. */
export function connect(namespace: Namespace, family: Family, port: number, ...args: string[]): Running {
  const target = family.name === 'IPv6' ? `[${family.peer}]:${port}` : `${family.peer}:${port}`;
  const own = ['connect', target, '--tun', TUN, '--address', family.prefixed, '--peer', family.peer];
  return namespace.start(process.execPath, [commandFile(), ...own, ...args]);
}
