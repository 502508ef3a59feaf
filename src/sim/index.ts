/** A world in virtual time: hosts, wires with faults, one seed that replays it all. */

export { type ExchangeReport, playExchange } from './exchange.ts';
export { faultPlan } from './faults.ts';
export { SimHost, type SimHostOptions } from './sim-host.ts';
export { type Verdict, Wire, type WireEvent, type WireOptions } from './wire.ts';
export { World } from './world.ts';
