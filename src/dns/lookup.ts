/** `lookup` in the shape of `node:dns`: what net.connect, http.request and their like take as their `lookup` option. */

import { IpAddress } from '../wire/address.ts';
import { DnsError } from './error.ts';
import { lookupArguments } from './lookup-arguments.ts';
import type { Resolver } from './resolver.ts';

export interface LookupAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface LookupOptions {
  /** 4, 6, or 0 for both; node also takes it as text. */
  readonly family?: number | 'IPv4' | 'IPv6' | undefined;
  /** All addresses as a list; otherwise the first. */
  readonly all?: boolean | undefined;
  /** IPv4 first if left out. */
  readonly order?: 'ipv4first' | 'ipv6first' | 'verbatim' | undefined;
}

export type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * A lookup function over `resolver`. `localhost` and addresses are answered without asking anybody (RFC 6761). What makes
 * no sense throws what node:dns throws, and failures have its shape; the resolver's own error is their `cause`.
 */
export function lookupWith(resolver: Resolver) {
  return (hostname: string, ...rest: [LookupOptions | number | LookupCallback, LookupCallback?]): void => {
    const { options, callback } = lookupArguments([hostname, ...rest], 1 + rest.length);
    const all = options.all === true;
    if (!hostname) {
      const family = options.family === 6 || options.family === 'IPv6' ? 6 : 4;
      queueMicrotask(() => (all ? callback(null, []) : callback(null, null as never, family)));
      return;
    }
    addressesOf(resolver, hostname, options).then(
      (addresses) => {
        if (all) callback(null, addresses);
        else callback(null, addresses[0].address, addresses[0].family);
      },
      (error: Error) => callback(lookupError(hostname, error), undefined as never),
    );
  };
}

/** Whether the error says that there is no such name or address, and not only that nobody could say. */
export function isFinal(error: Error): boolean {
  return error instanceof DnsError && ['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes(error.code);
}

/** `getaddrinfo ENOTFOUND name`, with its fields. */
function lookupError(hostname: string, cause: Error): Error {
  const [code, errno] = isFinal(cause) ? ['ENOTFOUND', -3008] : ['EAI_AGAIN', -3001];
  const error = new Error(`getaddrinfo ${code} ${hostname}`, { cause });
  return Object.assign(error, { errno, code, syscall: 'getaddrinfo', hostname });
}

/** @throws DnsError when there is no address of the family asked for (rejects). */
export async function addressesOf(
  resolver: Resolver,
  hostname: string,
  options: LookupOptions = {},
): Promise<LookupAddress[]> {
  const families = familiesOf(options);
  const literal = IpAddress.tryParse(hostname);
  if (literal !== null) return [{ address: literal.toString(), family: literal.family }];
  if (/^(.*\.)?localhost\.?$/i.test(hostname)) {
    return families.map((family) => ({ address: family === 4 ? '127.0.0.1' : '::1', family }));
  }
  const asked = await Promise.allSettled(
    families.map((family) => resolver.resolve(hostname, family === 4 ? 'A' : 'AAAA')),
  );
  const found: LookupAddress[] = [];
  for (const [i, outcome] of asked.entries()) {
    if (outcome.status !== 'fulfilled') continue;
    for (const { data } of outcome.value.records) found.push({ address: data as string, family: families[i] });
  }
  if (found.length > 0) return found;
  const failures = asked.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  // "It has none of this family" says less than any other reason.
  throw failures.find((error) => !(error instanceof DnsError) || error.code !== 'ENODATA') ?? failures[0];
}

function familiesOf({ family = 0, order }: LookupOptions): (4 | 6)[] {
  if (family === 4 || family === 'IPv4') return [4];
  if (family === 6 || family === 'IPv6') return [6];
  return order === 'ipv6first' ? [6, 4] : [4, 6];
}
