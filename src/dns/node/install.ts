/**
 * Puts Node's `dns` on a resolver of ours, for a whole process: `lookup`, `resolve…` and `reverse`, with callbacks and
 * promises, of the module and of `new Resolver()`. Checks of arguments, results and errors stay Node's own; only where it
 * would ask the machine's resolver or c-ares, it asks ours.
 */

import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { Host } from '../../host/host.ts';
import { orderDestinations } from '../../ip/destination-order.ts';
import { IpAddress } from '../../wire/address.ts';
import { DnsError } from '../error.ts';
import { addressesOf, isFinal } from '../lookup.ts';
import { Resolver } from '../resolver.ts';
import { QUERIES, resultOf } from './answers.ts';
import { type Channel, cares, EAI_AGAIN, EAI_NONAME, type QueryRequest, type ServerTuple } from './internals.ts';

export interface NameSource {
  readonly host: Host;
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** Whether a name is asked of our servers; null: all are. */
  readonly chooses: ((name: string) => boolean) | null;
}

/** Patches dns. Once per process. */
export function installDns(source: NameSource): Resolver {
  const resolver = new Resolver(source.host, source);
  installLookup(source, resolver);
  installPromises();
  installChannels(source, resolver);
  return resolver;
}

function installLookup({ host, chooses }: NameSource, resolver: Resolver): void {
  const { getaddrinfo } = cares;
  cares.getaddrinfo = (request, hostname, family, hints, order) => {
    if (chooses?.(hostname) === false) return getaddrinfo.call(cares, request, hostname, family, hints, order);
    const wanted = family === 4 || family === 6 ? family : 0;
    addressesOf(resolver, hostname, { family: wanted }).then(
      (found) =>
        request.oncomplete(
          null,
          inOrder(
            host,
            found.map(({ address }) => address),
            hints,
            order,
          ),
        ),
      (error: Error) => request.oncomplete(isFinal(error) ? EAI_NONAME : EAI_AGAIN),
    );
    return 0;
  };
}

/** The promises' lookup may hold getaddrinfo as it was when something loaded it before us. */
function installPromises(): void {
  const { promises } = dns;
  promises.lookup = ((hostname: string, options?: dns.LookupOptions | number) => {
    const all = typeof options === 'object' && options?.all === true;
    let told: (error: Error | null, address: string | dns.LookupAddress[], family?: number) => void = () => {};
    const found = new Promise((resolve, reject) => {
      told = (error, address, family) => (error ? reject(error) : resolve(all ? address : { address, family }));
    });
    // What makes no sense throws here and now, as it does in Node's.
    dns.lookup(hostname, (options ?? {}) as dns.LookupOptions, told);
    return found;
  }) as typeof promises.lookup;
  syncBuiltinESMExports();
}

/** As getaddrinfo sorts them (RFC 6724), then with one family in front where that is wanted. */
function inOrder(host: Host, texts: readonly string[], hints: number, order: unknown): string[] {
  const { stack } = host;
  const addresses = orderDestinations(
    texts.map((text) => IpAddress.parse(text)),
    (to) => stack.sourceFor(to),
  );
  // AI_ADDRCONFIG: of no family that the host does not speak, unless nothing is left then.
  const reachable = addresses.filter((address) => stack.sourceFor(address) !== null);
  const kept = (hints & cares.AI_ADDRCONFIG) !== 0 && reachable.length > 0 ? reachable : addresses;
  const first = order === cares.DNS_ORDER_IPV4_FIRST ? 4 : order === cares.DNS_ORDER_IPV6_FIRST ? 6 : null;
  if (first !== null) kept.sort((a, b) => Number(b.family === first) - Number(a.family === first));
  return kept.map(String);
}

/** What has become of a channel of c-ares'. */
interface ChannelState {
  resolver: Resolver;
  servers: readonly string[];
  readonly pending: Set<QueryRequest>;
}

function installChannels(source: NameSource, resolver: Resolver): void {
  const { prototype } = cares.ChannelWrap;
  const states = new WeakMap<Channel, ChannelState>();
  const stateOf = (channel: Channel): ChannelState => {
    const state = states.get(channel) ?? { resolver, servers: source.servers, pending: new Set() };
    states.set(channel, state);
    return state;
  };
  for (const [query, type] of Object.entries(QUERIES)) {
    install(prototype, query, source, (channel, request, name) => {
      return ask(stateOf(channel), request, async ({ resolver: asked }) => {
        const { records } = await asked.resolve(name, type);
        return [resultOf(type, records), records.map(({ ttl }) => ttl)];
      });
    });
  }
  install(prototype, 'getHostByAddr', source, (channel, request, address) => {
    if (IpAddress.tryParse(address) === null) return -22;
    return ask(stateOf(channel), request, async ({ resolver: asked }) => [await asked.reverse(address), []]);
  });
  prototype.getServers = function (this: Channel) {
    return stateOf(this).servers.map(addressAndPort);
  };
  prototype.setServers = function (this: Channel, servers: readonly ServerTuple[]) {
    const state = stateOf(this);
    state.servers = servers.map(([family, address, port]) =>
      family === 6 ? `[${address}]:${port}` : `${address}:${port}`,
    );
    if (servers.length > 0)
      state.resolver = new Resolver(source.host, { servers: state.servers, search: source.search });
    return 0;
  };
  prototype.cancel = function (this: Channel) {
    for (const request of stateOf(this).pending) request.oncomplete('ECANCELLED');
    stateOf(this).pending.clear();
  };
}

type Query = (this: Channel, request: QueryRequest, name: string) => number;

function install(
  prototype: Channel,
  query: string,
  { chooses }: NameSource,
  ours: (channel: Channel, request: QueryRequest, name: string) => number,
): void {
  const theirs = prototype[query] as Query;
  prototype[query] = function (this: Channel, request: QueryRequest, name: string): number {
    return chooses?.(name) === false ? theirs.call(this, request, name) : ours(this, request, name);
  };
}

/** @returns 0: the outcome comes later. */
function ask(
  state: ChannelState,
  request: QueryRequest,
  question: (state: ChannelState) => Promise<[result: unknown, ttls: number[]]>,
): number {
  state.pending.add(request);
  question(state).then(
    ([result, ttls]) => {
      if (state.pending.delete(request)) request.oncomplete(null, result, ttls);
    },
    (error: Error) => {
      if (state.pending.delete(request)) request.oncomplete(error instanceof DnsError ? error.code : 'ESERVFAIL');
    },
  );
  return 0;
}

/** `10.0.0.53` or `[fd00::53]:5353` in two. */
function addressAndPort(text: string): [address: string, port: number] {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  return match === null ? [text, 53] : [match[1] ?? match[2], Number(match[3])];
}
