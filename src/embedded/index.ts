/** `estab/embedded`: a network of hosts declared in a few lines, with names, latencies and faults, in real time. */

export type { HostDeclaration } from './declaration.ts';
export { type FaultyLinkOptions, faultyLink } from './faulty-link.ts';
export { EmbeddedNetwork, type NetworkOptions } from './network.ts';
