/** Two simulated hosts on a wire, with conversations whose every octet is checked at the other end. */

import type { Time } from '../../src/base/time.ts';
import { SimHost } from '../../src/sim/sim-host.ts';
import { Talker, type TalkerPlan } from '../../src/sim/talker.ts';
import { Wire, type WireOptions } from '../../src/sim/wire.ts';
import { World } from '../../src/sim/world.ts';
import type { Connection } from '../../src/stack/connection.ts';
import type { ConnectionOptions } from '../../src/stack/connection-options.ts';
import { applySetting, defaultSettings } from '../../src/stack/settings.ts';
import { brokenInvariant } from '../../src/tcp/index.ts';
import { IpAddress } from '../../src/wire/address.ts';

export const HOUR = 3_600_000;
const PORT = 7000;

export interface SceneOptions {
  readonly seed?: number;
  /** From the client to the server, and back. */
  readonly forward?: WireOptions;
  readonly backward?: WireOptions;
  readonly settings?: readonly string[];
  readonly connections?: number;
  /** Octets each client sends, and each server. */
  readonly up?: number;
  readonly down?: number;
  readonly client?: Partial<TalkerPlan>;
  readonly server?: Partial<TalkerPlan>;
  readonly choices?: ConnectionOptions;
}

export interface Conversation {
  readonly connection: Connection;
  readonly client: Talker;
  accepted: Connection | null;
  server: Talker | null;
}

const POLITE: TalkerPlan = {
  size: 0,
  writeMax: 30_000,
  readDelayMs: 0,
  readMax: Number.MAX_SAFE_INTEGER,
  ending: 'close',
  abortAfterMs: 0,
};

export class Scene {
  readonly world: World;
  readonly wire: Wire;
  readonly client: SimHost;
  readonly server: SimHost;
  readonly conversations: Conversation[] = [];
  /** The first broken invariant or wrong octet, with the time. */
  trouble: string | null = null;
  private readonly options: SceneOptions;

  constructor(options: SceneOptions = {}) {
    this.options = options;
    this.world = new World(options.seed ?? 1);
    this.wire = new Wire(
      this.world,
      options.forward ?? { delayMs: 15 },
      options.backward ?? options.forward ?? { delayMs: 15 },
    );
    const settings = defaultSettings();
    for (const text of options.settings ?? []) applySetting(settings, text);
    this.client = new SimHost(this.world, 'client', { settings });
    this.server = new SimHost(this.world, 'server', { settings });
    const mtu = 1500;
    this.client.attach(this.wire, 'a', { name: 'wire', mtu, medium: 'ip', addresses: ['10.0.0.1/24'] });
    this.server.attach(this.wire, 'b', { name: 'wire', mtu, medium: 'ip', addresses: ['10.0.0.2/24'] });
    this.listen();
    for (let i = 0; i < (options.connections ?? 1); i++) this.open();
    this.world.onStep = () => this.check();
  }

  /** Runs until every application has been told the end; false when that never came. */
  finish(limit: Time = 6 * HOUR): boolean {
    const over = (): boolean =>
      this.trouble !== null || this.conversations.every((c) => c.client.done && (c.server?.done ?? true));
    return this.world.runUntil(over, this.world.now + limit);
  }

  /** Everything that was to be said was said to the right one, octet for octet, and nobody was told an error. */
  get verdicts(): string[] {
    const complaints = this.trouble === null ? [] : [this.trouble];
    this.conversations.forEach(({ client, server }, i) => {
      if (server === null) complaints.push(`${i} was never accepted: ${client.error}`);
      else if (server.received !== client.plan.size || client.received !== server.plan.size) {
        complaints.push(
          `${i}: up ${server.received} of ${client.plan.size}, down ${client.received} of ${server.plan.size}`,
        );
      }
      if (client.error !== null || server?.error)
        complaints.push(`${i}: client ${client.error}, server ${server?.error}`);
    });
    return complaints;
  }

  /** What is left when TIME-WAIT and all else has run out; nothing but the listener, it should be. */
  leftovers(): object {
    this.world.runUntilIdle(this.world.now + 24 * HOUR);
    return [this.client, this.server].map((host) => {
      const { endpoints, memory, timeWait, orphans } = host.stack.usage;
      return { endpoints, memory, timeWait, orphans };
    });
  }

  listen(): void {
    this.server.stack.listen({
      port: PORT,
      backlog: 512,
      handler: {
        acceptable: (listener) => {
          for (let next = listener.accept(this.world.now); next !== null; next = listener.accept(this.world.now)) {
            this.accept(next);
          }
        },
      },
    });
  }

  open(): Conversation {
    const { world, options } = this;
    const index = this.conversations.length;
    const plan = { ...POLITE, size: options.up ?? 0, ...options.client };
    const client = new Talker(world, world.fork(), plan, 2 * index, 2 * index + 1);
    const connection = this.client.stack.connect(world.now, { remote: IpAddress.parse('10.0.0.2'), port: PORT });
    if (options.choices !== undefined) connection.configure(world.now, options.choices);
    client.adopt(connection, false);
    const conversation = { connection, client, accepted: null, server: null };
    this.conversations.push(conversation);
    return conversation;
  }

  private accept(accepted: Connection): void {
    const { world, options } = this;
    const index = this.conversations.findLastIndex(({ connection }) => connection.localPort === accepted.remotePort);
    const plan = { ...POLITE, size: options.down ?? 0, ...options.server };
    const server = new Talker(world, world.fork(), plan, 2 * index + 1, 2 * index);
    const conversation = this.conversations[index];
    conversation.accepted = accepted;
    conversation.server = server;
    if (options.choices !== undefined) accepted.configure(world.now, options.choices);
    server.adopt(accepted, true);
  }

  private check(): void {
    for (const { client, server, connection, accepted } of this.conversations) {
      const wrong =
        client.complaint ??
        server?.complaint ??
        brokenInvariant(connection.tcb) ??
        (accepted === null ? null : brokenInvariant(accepted.tcb));
      if (wrong !== null) this.trouble ??= `at ${this.world.now} ms: ${wrong}`;
    }
  }
}

export const CLEAN = [
  { endpoints: 0, memory: 0, timeWait: 0, orphans: 0 },
  { endpoints: 1, memory: 0, timeWait: 0, orphans: 0 },
];

/** Nobody gives up because of bad luck, and who is left alone finds out. */
export const PATIENT: ConnectionOptions = {
  userTimeoutMs: Number.POSITIVE_INFINITY,
  keepAlive: true,
  keepAliveTimeMs: 30_000,
  keepAliveIntervalMs: 5000,
  keepAliveProbes: 60,
};
