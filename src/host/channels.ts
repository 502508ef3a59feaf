/**
 * The events of hosts on Node's `diagnostics_channel`, each kind under a name of its own. Other platforms have no such
 * thing; there nothing is published.
 */

import type { EventKind } from './events.ts';

/** Where events of each kind are published. */
export const CHANNEL_NAMES: Readonly<Record<EventKind, string>> = {
  segment: 'estab:tcp:segment',
  state: 'estab:tcp:state',
  timer: 'estab:tcp:timer',
  data: 'estab:tcp:data',
  drop: 'estab:ip:drop',
  tls: 'estab:tls:message',
  dns: 'estab:dns:message',
};

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

export type Channels = Readonly<Record<EventKind, Channel>>;

type Module = { channel(name: string): Channel };
interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: string): Module | undefined;
}

/** By its old name: a bundle for the browser has nothing of Node's scheme in it. */
const MODULE = 'diagnostics_channel';

/** Gives the channels to `use`: at once, on Node before 20.16 a moment later, elsewhere never. */
export function withChannels(use: (channels: Channels) => void): void {
  const { process: node } = globalThis as { process?: NodeProcess };
  if (node?.versions?.node === undefined) return;
  const builtin = node.getBuiltinModule?.(MODULE);
  if (builtin !== undefined) use(channelsOf(builtin));
  // Through a variable: no bundler shall look for it.
  else import(/* webpackIgnore: true */ MODULE).then((module: Module) => use(channelsOf(module)));
}

function channelsOf(module: Module): Channels {
  const made = Object.entries(CHANNEL_NAMES).map(([kind, name]) => [kind, module.channel(name)]);
  return Object.fromEntries(made) as Channels;
}
