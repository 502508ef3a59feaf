/** The configuration of `estab/register`: environment variables, and a JSON file that they overrule. */

import { readFileSync } from 'node:fs';
import { EstabError } from '../base/errors.ts';

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
  /** `name=value` under the Linux names. */
  readonly sysctl: readonly string[];
  /** Rules for destinations; null for all. */
  readonly only: readonly string[] | null;
  /** Ports of the listeners that live on the stack; null for all. */
  readonly listen: readonly number[] | null;
}

type Given = Record<string, unknown>;
const NAMES = ['tun', 'address', 'peer', 'mtu', 'pcap', 'sysctl', 'only', 'listen'] as const;

/** @throws EstabError EINVAL that names the variable or the entry. */
export function readConfig(environment: NodeJS.ProcessEnv): RegisterConfig {
  const given: Given = environment.ESTAB_CONFIG ? readFile(environment.ESTAB_CONFIG) : {};
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
    sysctl: list(given, 'sysctl') ?? [],
    only: list(given, 'only'),
    listen: ports(given),
  };
  check(config);
  return config;
}

function readFile(name: string): Given {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(name, 'utf8'));
  } catch (error) {
    throw new EstabError('EINVAL', `ESTAB_CONFIG: ${name} cannot be read (${(error as Error).message})`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new EstabError('EINVAL', `ESTAB_CONFIG: ${name} holds no object; write {"tun": "tun0", …}`);
  }
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
  if (config.tun === null) {
    const useless = (['address', 'peer', 'pcap'] as const).find(
      (name) => config[name] !== null && config[name].length > 0,
    );
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
