/**
 * `estab/dns`: names over a host of ours. A resolver over its UDP and TCP, a `lookup` for whoever takes one, and a small
 * authoritative server for networks that are declared on the spot.
 */

export { type DnsCode, DnsError } from './error.ts';
export { type LookupAddress, type LookupOptions, lookupWith } from './lookup.ts';
export type { CaaData, DnsRecord, MxData, NaptrData, QuestionType, RecordType, SoaData, SrvData } from './message.ts';
export { type Answer, type DnsEvent, Resolver, type ResolverOptions } from './resolver.ts';
export { DnsServer, type DnsServerOptions } from './server.ts';
export type { ZoneOptions } from './zone.ts';
