/** Tools to test network code with, and what this project tests itself with. */

export { IRS, ISS, Scenario, type ScenarioOptions } from './scenario.ts';
export type { SegmentSpec } from './segments.ts';
export { type VirtualHost, VirtualNetwork, type VirtualNetworkOptions } from './virtual-network.ts';
