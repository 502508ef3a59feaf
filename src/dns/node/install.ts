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
  /** None: names are the machine's business, save with a `Resolver` that was given servers of its own. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** Whether a name is asked of our servers; null: all are. */
  readonly chooses: ((name: string) => boolean) | null;
  /** Whether a server that a program names is asked over the host; null: all are. */
  readonly choosesServer: ((address: string, port: number) => boolean) | null;
}

/** Patches dns. Once per process. @returns the resolver of the source's servers. */
export function installDns(source: NameSource): Resolver | null {
  const resolver = source.servers.length === 0 ? null : new Resolver(source.host, source);
  if (resolver !== null) {
    installLookup(source, resolver);
    installPromises();
  }
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

/** Without EDNS: what a program names may be a server of its own making. */
const PLAIN = 512;

/** What has become of a channel of c-ares'. */
interface ChannelState {
  /** Null: it asks the machine's servers, as it always did. */
  resolver: Resolver | null;
  servers: readonly string[];
  /** The program has named the servers: they are asked for every name. */
  own: boolean;
  readonly pending: Set<QueryRequest>;
}

function installChannels(source: NameSource, resolver: Resolver | null): void {
  const { prototype } = cares.ChannelWrap;
  const { getServers, setServers, cancel } = prototype;
  const states = new WeakMap<Channel, ChannelState>();
  const stateOf = (channel: Channel): ChannelState => {
    const state = states.get(channel) ?? { resolver, servers: source.servers, own: false, pending: new Set() };
    states.set(channel, state);
    return state;
  };
  const install = (query: string, question: Question): void => {
    const theirs = prototype[query] as Query;
    prototype[query] = function (this: Channel, request: QueryRequest, name: string): number {
      const state = stateOf(this);
      // As c-ares: what is no address has no name.
      if (query === 'getHostByAddr' && IpAddress.tryParse(name) === null) return theirs.call(this, request, name);
      const ours = state.resolver !== null && (state.own || source.chooses?.(name) !== false);
      return ours ? ask(state, state.resolver as Resolver, request, name, question) : theirs.call(this, request, name);
    };
  };
  for (const [query, type] of Object.entries(QUERIES)) {
    install(query, async (asked, name) => {
      const { records } = await asked.resolve(name, type);
      return [resultOf(type, records), records.map(({ ttl }) => ttl)];
    });
  }
  install('getHostByAddr', async (asked, address) => [await asked.reverse(address), []]);
  prototype.getServers = function (this: Channel) {
    const { resolver: asked, servers } = stateOf(this);
    return asked === null ? getServers.call(this) : servers.map(addressAndPort);
  };
  prototype.setServers = function (this: Channel, servers: readonly ServerTuple[]) {
    const failed = setServers.call(this, servers);
    if (failed !== 0) return failed;
    const state = stateOf(this);
    const { choosesServer, host, search } = source;
    const ours = servers.length > 0 && servers.every(([, address, port]) => choosesServer?.(address, port) !== false);
    state.servers = servers.map(([family, address, port]) => serverText(family, address, port));
    state.resolver = ours ? new Resolver(host, { servers: state.servers, search, udpPayloadSize: PLAIN }) : null;
    state.own = ours;
    return 0;
  };
  prototype.cancel = function (this: Channel) {
    const { pending } = stateOf(this);
    for (const request of pending) request.oncomplete('ECANCELLED');
    pending.clear();
    cancel.call(this);
  };
}

type Query = (this: Channel, request: QueryRequest, name: string) => number;
type Question = (resolver: Resolver, name: string) => Promise<[result: unknown, ttls: number[]]>;

/** @returns 0: the outcome comes later. */
function ask(
  { pending }: ChannelState,
  resolver: Resolver,
  request: QueryRequest,
  name: string,
  question: Question,
): number {
  pending.add(request);
  question(resolver, name).then(
    ([result, ttls]) => {
      if (pending.delete(request)) request.oncomplete(null, result, ttls);
    },
    (error: Error) => {
      if (pending.delete(request)) request.oncomplete(error instanceof DnsError ? error.code : 'ESERVFAIL');
    },
  );
  return 0;
}

function serverText(family: number, address: string, port: number): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `10.0.0.53` or `[fd00::53]:5353` in two. */
function addressAndPort(text: string): [address: string, port: number] {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  return match === null ? [text, 53] : [match[1] ?? match[2], Number(match[3])];
}
