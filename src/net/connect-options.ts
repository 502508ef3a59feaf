/** The arguments of `connect`: what forms they come in, what is wrong with them, and the address of a name. */

import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';
import { argumentType, checkFunction, checkPort, nodeError } from './checks.ts';

/** As `dns.lookup`. */
export type Lookup = (
  name: string,
  options: { family?: number; hints?: number },
  callback: (error: Error | null, address: string, family: number) => void,
) => void;

export interface ConnectOptions {
  readonly port: number | string;
  /** An IP address, `localhost` (if left out), or a name that `lookup` knows. */
  readonly host?: string;
  readonly localAddress?: string;
  readonly localPort?: number;
  /** 4 or 6: the only family wanted; 0 for either. */
  readonly family?: number;
  readonly hints?: number;
  readonly lookup?: Lookup;
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
  if (lookup !== undefined && lookup !== null) checkFunction('options.lookup', lookup);
  return checkPort(port);
}

/** Finds the address of the host, at once when it is one. */
export function resolve(options: ConnectOptions, done: Parameters<Lookup>[2]): void {
  const { host = 'localhost', family = 0, hints = 0, lookup } = options;
  const address = IpAddress.tryParse(host);
  if (address !== null) done(null, host, address.family);
  else if (lookup !== undefined) lookup(host, { family, hints }, done);
  else if (host === 'localhost') done(null, family === 6 ? '::1' : '127.0.0.1', family === 6 ? 6 : 4);
  else {
    const error = new Error(`getaddrinfo ENOTFOUND ${host}`);
    done(Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: host }), '', 0);
  }
}
