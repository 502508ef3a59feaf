/** The configuration of `estab/register`: environment variables, and a JSON file that they overrule. */

import { EstabError } from '../base/errors.ts';
import { type DeclaredNetwork, readNetwork, readObject } from './network-file.ts';

export interface RegisterConfig {
  /** The TUN device's name; null for the network embedded in the process. */
  readonly tun: string | null;
  /** The stack's addresses with prefix lengths, and the kernel's at the other end of the TUN. */
  readonly address: readonly string[];
  readonly peer: readonly string[];
  /** Bytes; null leaves the device as it is. */
  readonly mtu: number | null;
  /** A pcapng file for what crosses the TUN; null for none. */
  readonly pcap: string | null;
  /** An embedded network, declared; null for the loopback alone, or a TUN. */
  readonly network: DeclaredNetwork | null;
  /** The host of it that the program runs on; null for the first. */
  readonly host: string | null;
  /** Name servers, and domains to search; null leaves names to the machine, or to the declared network. */
  readonly dns: readonly string[] | null;
  readonly search: readonly string[];
  /** `name=value` under the Linux names. */
  readonly sysctl: readonly string[];
  /** Rules for destinations; null for all. */
  readonly only: readonly string[] | null;
  /** Ports of the listeners that live on the stack; null for all. */
  readonly listen: readonly number[] | null;
}

type Given = Record<string, unknown>;
const NAMES = [
  ...(['tun', 'address', 'peer', 'mtu', 'pcap', 'sysctl', 'only', 'listen'] as const),
  ...(['network', 'host', 'dns', 'search'] as const),
];

/** @throws EstabError EINVAL that names the variable or the entry. */
export function readConfig(environment: NodeJS.ProcessEnv): RegisterConfig {
  const given: Given = environment.ESTAB_CONFIG ? readConfigFile(environment.ESTAB_CONFIG) : {};
  for (const name of NAMES) {
    const value = environment[`ESTAB_${name.toUpperCase()}`];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const config: RegisterConfig = {
    tun: text(given, 'tun'),
    address: list(given, 'address') ?? [],
    peer: list(given, 'peer') ?? [],
    mtu: given.mtu === undefined ? null : number('mtu', given.mtu, 68, 65_535),
    pcap: text(given, 'pcap'),
    network: given.network === undefined ? null : readNetwork(given.network),
    host: text(given, 'host'),
    dns: list(given, 'dns'),
    search: list(given, 'search') ?? [],
    sysctl: list(given, 'sysctl') ?? [],
    only: list(given, 'only'),
    listen: ports(given),
  };
  check(config);
  return config;
}

function readConfigFile(name: string): Given {
  const content = readObject('ESTAB_CONFIG', name, '{"tun": "tun0", …}');
  const unknown = Object.keys(content).find((key) => !NAMES.some((name) => name === key));
  if (unknown !== undefined) {
    throw new EstabError('EINVAL', `ESTAB_CONFIG: "${unknown}" in ${name} is none of ${NAMES.join(', ')}`);
  }
  return { ...content };
}

function text(given: Given, name: string): string | null {
  const value = given[name];
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  throw new EstabError('EINVAL', `${name} is no text; give one`);
}

/** An array, or a text with commas between. */
function list(given: Given, name: string): string[] | null {
  const value = given[name];
  if (value === undefined) return null;
  const entries: unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [null];
  return entries.map((entry) => {
    if (typeof entry === 'string' && entry.trim() !== '') return entry.trim();
    throw new EstabError('EINVAL', `${name} is no list of texts; write ["a", "b"] in a file, a,b in the environment`);
  });
}

function number(name: string, value: unknown, min: number, max: number): number {
  const read = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof read === 'number' && Number.isInteger(read) && read >= min && read <= max) return read;
  throw new EstabError('EINVAL', `${name} ${String(value)} is no whole number from ${min} to ${max}`);
}

function ports(given: Given): number[] | null {
  if (given.listen === undefined || given.listen === 'all') return null;
  if (given.listen === 'none') return [];
  const entries = Array.isArray(given.listen) ? given.listen : String(given.listen).split(',');
  return entries.map((entry: unknown) => number('listen', entry, 0, 65_535));
}

function check(config: RegisterConfig): void {
  checkNames(config);
  if (config.tun !== null && config.network !== null) {
    throw new EstabError('EINVAL', 'the stack is on a TUN or on a network of its own; give ESTAB_TUN or ESTAB_NETWORK');
  }
  if (config.tun === null) {
    const forTun = config.network === null ? (['address', 'peer', 'pcap'] as const) : (['address', 'peer'] as const);
    const useless = forTun.find((name) => config[name] !== null && config[name].length > 0);
    if (useless === undefined) return;
    throw new EstabError('EINVAL', `${useless} is for a TUN, and none is named; give ESTAB_TUN as well`);
  }
  if (config.address.length === 0) {
    throw new EstabError('EINVAL', 'the stack on a TUN needs an address of its own; give ESTAB_ADDRESS=10.7.0.2/24');
  }
  if (config.peer.length > config.address.length) {
    throw new EstabError('EINVAL', `${config.peer.length} peers for ${config.address.length} addresses; give one each`);
  }
}

function checkNames({ network, host, dns, search }: RegisterConfig): void {
  if (host !== null && network === null) {
    throw new EstabError('EINVAL', `host ${host} is one of a declared network, and there is none; give ESTAB_NETWORK`);
  }
  if (host !== null && network !== null && !Object.hasOwn(network.options.hosts, host)) {
    const hosts = Object.keys(network.options.hosts).join(', ');
    throw new EstabError('EINVAL', `no host "${host}" was declared; there are ${hosts}`);
  }
  if (search.length > 0 && dns === null && network === null) {
    throw new EstabError('EINVAL', 'search is for name servers of our own, and there are none; give ESTAB_DNS as well');
  }
}
