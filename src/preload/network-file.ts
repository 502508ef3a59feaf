/** An embedded network declared in a file: what `new EmbeddedNetwork` takes, and on which host a port is listened at. */

import { readFileSync } from 'node:fs';
import { EstabError } from '../base/errors.ts';
import { checkHost } from '../embedded/check.ts';
import type { HostDeclaration } from '../embedded/declaration.ts';
import type { NetworkOptions } from '../embedded/network.ts';

export interface DeclaredNetwork {
  readonly options: NetworkOptions;
  /** The host that a listener on a port lives on; the program's own for ports that are not here. */
  readonly listeners: ReadonlyMap<number, string>;
}

const FIELDS = ['hosts', 'seed', 'mtu'];

/**
 * @param given the declaration itself, or the name of a file that holds it.
 * @throws EstabError EINVAL that names what makes no sense.
 */
export function readNetwork(given: unknown): DeclaredNetwork {
  const what = 'network';
  const content =
    typeof given === 'string' ? readObject(what, given, '{"hosts": {"laptop": {"address": "10.0.0.1"}}}') : given;
  if (!isObject(content) || !isObject(content.hosts) || Object.keys(content.hosts).length === 0) {
    throw new EstabError('EINVAL', 'the network has no hosts; write {"hosts": {"laptop": {"address": "10.0.0.1"}, …}}');
  }
  const unknown = Object.keys(content).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new EstabError('EINVAL', `the network: "${unknown}" is none of ${FIELDS.join(', ')}`);
  }
  const hosts: Record<string, HostDeclaration> = {};
  const listeners = new Map<number, string>();
  for (const [name, declaration] of Object.entries(content.hosts)) {
    checkHost(name, declaration, ['listens']);
    const { listens = [], ...rest } = declaration as HostDeclaration & { listens?: unknown };
    for (const port of portsOf(name, listens)) {
      const other = listeners.get(port);
      if (other !== undefined)
        throw new EstabError('EINVAL', `port ${port} is listened at by "${other}" and "${name}"`);
      listeners.set(port, name);
    }
    hosts[name] = rest;
  }
  const seed = wholeNumber('seed', content.seed, 0, 2 ** 32 - 1);
  const mtu = wholeNumber('mtu', content.mtu, 68, 65_535);
  return {
    options: { hosts, background: true, ...(seed === null ? {} : { seed }), ...(mtu === null ? {} : { mtu }) },
    listeners,
  };
}

/** A JSON file with an object in it. @throws EstabError EINVAL that says what it should hold. */
export function readObject(what: string, file: string, example: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new EstabError('EINVAL', `${what}: ${file} cannot be read (${(error as Error).message})`);
  }
  if (!isObject(content)) throw new EstabError('EINVAL', `${what}: ${file} holds no object; write ${example}`);
  return { ...content };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function portsOf(host: string, listens: unknown): number[] {
  const isPort = (port: unknown): boolean =>
    Number.isInteger(port) && (port as number) > 0 && (port as number) <= 65_535;
  if (Array.isArray(listens) && listens.every(isPort)) return listens as number[];
  throw new EstabError('EINVAL', `host "${host}": listens is no list of ports; write [80, 443]`);
}

function wholeNumber(name: string, value: unknown, min: number, max: number): number | null {
  if (value === undefined) return null;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new EstabError('EINVAL', `the network: ${name} ${String(value)} is no whole number from ${min} to ${max}`);
}
