/** The arguments of `connect`: what forms they come in, what is wrong with them, and the address of a name. */

import { argumentType, checkBoolean, checkFunction, checkInteger, checkPort, nodeError } from '../base/checks.ts';
import { EstabError } from '../base/errors.ts';
import type { NameResolver } from '../host/happy-eyeballs.ts';
import { IpAddress } from '../wire/address.ts';

/** As `dns.lookup`, asked for all addresses. */
export type Lookup = (
  name: string,
  options: { family?: number; hints?: number; all?: boolean },
  callback: (error: Error | null, address: string | readonly LookupAddress[], family?: number) => void,
) => void;

export interface LookupAddress {
  readonly address: string;
  readonly family: number;
}

export interface ConnectOptions {
  readonly port: number | string;
  /** An IP address, `localhost` (if left out), or a name that `lookup` or the host's resolver knows. */
  readonly host?: string;
  readonly localAddress?: string;
  readonly localPort?: number;
  /** 4 or 6: the only family wanted; 0 for either. */
  readonly family?: number;
  readonly hints?: number;
  readonly lookup?: Lookup;
  /** False: only the first address of a name is tried. */
  readonly autoSelectFamily?: boolean;
  /** Milliseconds between two attempts, 250 if left out; below 100 it counts as that. */
  readonly autoSelectFamilyAttemptTimeout?: number;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
}

export type ConnectArguments =
  | [options: ConnectOptions, onConnect?: () => void]
  | [port: number | string, onConnect?: () => void]
  | [port: number | string, host: string | undefined, onConnect?: () => void];

/** `(options, callback)`, `(port, callback)` and `(port, host, callback)` as the first of them. */
export function connectArguments(args: ConnectArguments): { options: ConnectOptions; onConnect: (() => void) | null } {
  const [first, second] = args;
  const last = args[args.length - 1];
  const options =
    typeof first === 'object' && first !== null
      ? first
      : { port: first as number, ...(typeof second === 'string' ? { host: second } : {}) };
  return { options, onConnect: typeof last === 'function' ? last : null };
}

/** @throws what node:net throws. */
export function checkConnect(options: ConnectOptions & { path?: unknown }): number {
  const { port, path, localAddress, localPort, lookup } = options;
  if (path !== undefined && path !== null) {
    throw new EstabError('ENOTSUP', `${String(path)}: there are no pipes on this stack; give a port and a host`);
  }
  if (port === undefined) {
    const message = 'The "options" or "port" or "path" argument must be specified';
    throw nodeError(TypeError, 'ERR_MISSING_ARGS', message);
  }
  if (localAddress && IpAddress.tryParse(localAddress) === null) {
    throw nodeError(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${localAddress}`);
  }
  if (localPort && typeof localPort !== 'number') throw argumentType('options.localPort', 'of type number', localPort);
  if (typeof port !== 'number' && typeof port !== 'string') {
    throw argumentType('options.port', 'one of type number or string', port);
  }
  const checked = checkPort(port);
  const { autoSelectFamily, autoSelectFamilyAttemptTimeout } = options;
  if (autoSelectFamily !== undefined) checkBoolean('options.autoSelectFamily', autoSelectFamily);
  if (autoSelectFamilyAttemptTimeout !== undefined) {
    checkInteger('options.autoSelectFamilyAttemptTimeout', autoSelectFamilyAttemptTimeout, 1);
  }
  if (lookup !== undefined && lookup !== null) checkFunction('options.lookup', lookup);
  return checked;
}

/** Told of each address that a lookup gave, or of why there is none: the 'lookup' event. */
export type LookupTold = (error: Error | null, address: string | undefined, family: number | undefined) => void;

/** The answer of a program's own `lookup`, which is asked once, for who asks by family. */
export function resolverOf(lookup: Lookup, { family = 0, hints = 0 }: ConnectOptions, told: LookupTold): NameResolver {
  let asked: Promise<readonly LookupAddress[]> | null = null;
  const ask = (name: string, wanted: 4 | 6): Promise<string[]> => {
    asked ??= new Promise((resolve, reject) => {
      lookup(name, { family, hints, all: true }, (error, found, one) => {
        if (error) {
          told(error, undefined, undefined);
          reject(error);
          return;
        }
        const addresses = typeof found === 'string' ? [{ address: found, family: one ?? 4 }] : found;
        for (const { address, family: of } of addresses) told(null, address, of);
        const bad = addresses.find(({ address }) => IpAddress.tryParse(address) === null);
        if (bad === undefined) resolve(addresses);
        else reject(new EstabError('EINVAL', `lookup gave "${bad.address}", no IP address`));
      });
    });
    const isWanted = ({ address }: LookupAddress): boolean => IpAddress.tryParse(address)?.family === wanted;
    return asked.then((addresses) => addresses.filter(isWanted).map(({ address }) => address));
  };
  return { resolve4: (name) => ask(name, 4), resolve6: (name) => ask(name, 6) };
}

/** A resolver, overheard. */
export function overheard(resolver: NameResolver, told: LookupTold): NameResolver {
  const tell = (addresses: readonly string[], family: 4 | 6): readonly string[] => {
    for (const address of addresses) told(null, address, family);
    return addresses;
  };
  return {
    resolve4: async (name) => tell(await resolver.resolve4(name), 4),
    resolve6: async (name) => tell(await resolver.resolve6(name), 6),
  };
}

/** What `dns.lookup` says of a name that nobody knows. */
export function notFound(host: string): Error {
  const error = new Error(`getaddrinfo ENOTFOUND ${host}`);
  return Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: host });
}

/** Where it is to connect from, for the stack. */
export function localEnd({ localAddress, localPort }: ConnectOptions): { local?: IpAddress; localPort?: number } {
  return {
    ...(localAddress === undefined ? {} : { local: IpAddress.parse(localAddress) }),
    ...(localPort === undefined ? {} : { localPort }),
  };
}
