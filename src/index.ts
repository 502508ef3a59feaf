/**
 * The front door: a host with the real clock, links to put under it, sockets to put on it. Everything else has a door of
 * its own: `estab/stack`, `estab/tcp`, `estab/wire`, `estab/net`, `estab/sim`, `estab/testing`, `estab/capture` …
 */

export { EstabError } from './base/errors.ts';
export { EventStream, type EventsOptions } from './host/event-stream.ts';
export type {
  DataEvent,
  DnsEvent,
  DropEvent,
  EventKind,
  HostEvent,
  SegmentEvent,
  StateEvent,
  TimerEvent,
  TlsEvent,
} from './host/events.ts';
export { Host, type HostOptions, type SocketHost } from './host/host.ts';
export { memoryPair } from './link/memory.ts';
export { applySetting, defaultSettings } from './stack/settings.ts';
export { Stack } from './stack/stack.ts';
export { connect } from './web/connect.ts';
export { listen } from './web/listen.ts';
export { IpAddress } from './wire/address.ts';
