/** What of Node's insides names go through, typed: the door to getaddrinfo, and c-ares' channels under its resolvers. */

/** A question as `dns` makes it; told once. */
export interface QueryRequest {
  oncomplete(error: string | number | null, result?: unknown, ttls?: readonly number[]): void;
}

/** `family, address, port`, as setServers is given them. */
export type ServerTuple = readonly [family: number, address: string, port: number];

export interface Channel {
  getServers(): [address: string, port: number][];
  setServers(servers: readonly ServerTuple[]): number;
  cancel(): void;
  [query: string]: unknown;
}

export interface CaresBinding {
  getaddrinfo(request: QueryRequest, hostname: string, family: number, hints: number, order: unknown): number;
  readonly AI_ADDRCONFIG: number;
  readonly DNS_ORDER_IPV4_FIRST: number | undefined;
  readonly DNS_ORDER_IPV6_FIRST: number | undefined;
  ChannelWrap: { new (...args: never[]): Channel; prototype: Channel };
}

const { binding } = process as unknown as { binding(name: string): CaresBinding };

/** The object that `dns` itself looks into, so that what is put there is what it finds. */
export const cares = binding.call(process, 'cares_wrap');

/** libuv's, of getaddrinfo. */
export const EAI_AGAIN = -3001;
export const EAI_NONAME = -3008;
