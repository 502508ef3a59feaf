/**
 * The wire formats: parse and emit for Ethernet, ARP, IPv4, IPv6, ICMP, ICMPv6, neighbour discovery, UDP and TCP.
 *
 * Every parse reads into an object that is reused, never throws on what a peer sent, and returns 0 or a WireDrop; every
 * emit writes what the parse reads back as the same, and throws an EstabError when its caller gave it too little room.
 */

export * from './address.ts';
export * from './arp.ts';
export * from './checksum.ts';
export * from './drop.ts';
export * from './ethernet.ts';
export * from './icmp.ts';
export * from './icmp-embedded.ts';
export * from './icmpv6.ts';
export * from './ip.ts';
export * from './ipv4.ts';
export * from './ipv6.ts';
export { ParameterProblem } from './ipv6-extensions.ts';
export * from './mac.ts';
export * from './neighbour-discovery.ts';
export * from './neighbour-discovery-emit.ts';
export * from './tcp.ts';
export * from './tcp-options.ts';
export * from './udp.ts';
