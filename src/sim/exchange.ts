/**
 * The simulation this project is tested with: two hosts of random temper, some connections between them, a wire with
 * random faults. Everything follows from one seed. After each event every TCB's invariants hold, every octet is the
 * right one; in the end all is delivered, closed and given back.
 */

import { type RandomSource, randomBelow, randomUnit } from '../base/random.ts';
import type { PcapngWriter } from '../capture/pcapng-writer.ts';
import type { Connection } from '../stack/connection.ts';
import { defaultSettings } from '../stack/settings.ts';
import type { Settings } from '../stack/settings-table.ts';
import { brokenInvariant } from '../tcp/index.ts';
import { IpAddress } from '../wire/address.ts';
import { describeFaults, faultPlan } from './faults.ts';
import { SimHost } from './sim-host.ts';
import { Talker, type TalkerPlan, talkerPlan } from './talker.ts';
import { Wire } from './wire.ts';
import { World } from './world.ts';

const PORT = 7000;
const HOUR = 3_600_000;
/** Longest a run may take before it counts as stalled; blackholes and back-off together stay far below. */
const LIMIT = 6 * HOUR;
const MOST_CONNECTIONS = 4;
const LARGEST = 150_000;

export interface ExchangeReport {
  readonly seed: number;
  /** What was wrong, null when nothing was. */
  readonly failure: string | null;
  readonly connections: number;
  readonly octets: number;
  readonly events: number;
  /** Milliseconds of the world's time until everything was closed. */
  readonly ms: number;
  readonly faults: string;
}

interface Conversation {
  /** Its streams are 2 × this (from the client) and one more (from the server). */
  readonly number: number;
  readonly client: Talker;
  server: Talker | null;
  readonly serverPlan: TalkerPlan;
  readonly clientConnection: Connection;
  serverConnection: Connection | null;
}

/** Plays the exchange of a seed. @param writer gets every frame at both hosts. */
export function playExchange(seed: number, writer: PcapngWriter | null = null): ExchangeReport {
  return new Exchange(seed, writer).play();
}

class Exchange {
  private readonly seed: number;
  private readonly world: World;
  private readonly random: RandomSource;
  private readonly client: SimHost;
  private readonly server: SimHost;
  private readonly conversations: Conversation[] = [];
  private readonly faults: string;
  private readonly medium: 'ip' | 'ethernet';
  private failure: string | null = null;

  constructor(seed: number, writer: PcapngWriter | null) {
    this.seed = seed;
    this.world = new World(seed);
    const random = this.world.fork();
    this.random = random;
    const forward = faultPlan(random);
    const backward = randomUnit(random) < 0.5 ? forward : faultPlan(random);
    this.faults = `→ ${describeFaults(forward)}; ← ${describeFaults(backward)}`;
    const wire = new Wire(this.world, forward, backward);
    const ipv6 = randomUnit(random) < 0.3;
    const medium = randomUnit(random) < 0.3 ? 'ethernet' : 'ip';
    this.medium = medium;
    const addresses = ipv6 ? ['fd00::1/64', 'fd00::2/64'] : ['10.0.0.1/24', '10.0.0.2/24'];
    // A cookie holds no state: text that comes without the ACK before it is met with a RST, and a late copy of that ACK
    // makes a connection nobody opened (RFC 4987 section 3.6). Cookies are used always only where neither can happen.
    const { delayMs: _delay, jitterMs: _jitter, ...troubles } = forward;
    const cookiesWork = Object.keys(troubles).length === 0;
    const host = (name: string, end: 'a' | 'b', address: string): SimHost => {
      const simulated = new SimHost(this.world, name, { settings: temper(random, cookiesWork) });
      const mtu = ipv6 ? 1280 + randomBelow(random, 3000) : 576 + randomBelow(random, 3000);
      const mac = medium === 'ethernet' ? Uint8Array.of(2, 0, 0, 0, 0, end === 'a' ? 1 : 2) : null;
      simulated.attach(wire, end, { name: 'wire', mtu, medium, mac, addresses: [address] });
      if (writer !== null) simulated.captureTo(writer, 0);
      return simulated;
    };
    this.client = host('client', 'a', addresses[0]);
    this.server = host('server', 'b', addresses[1]);
    this.listen();
    const count = 1 + randomBelow(random, MOST_CONNECTIONS);
    const remote = IpAddress.parse(addresses[1].split('/')[0]);
    for (let i = 0; i < count; i++) this.world.after(randomUnit(random) * 2000 * i, () => this.open(i, remote));
    this.expected = count;
  }

  private readonly expected: number;

  play(): ExchangeReport {
    const { world } = this;
    world.onStep = () => this.check();
    const over = (): boolean =>
      this.failure !== null || (this.conversations.length === this.expected && this.allDone());
    if (!world.runUntil(over, LIMIT)) this.fail(`stalled: ${this.describeStall()}`);
    const ms = world.now;
    if (this.failure === null) this.judge();
    if (this.failure === null) this.checkLeftovers();
    return {
      seed: this.seed,
      failure: this.failure,
      connections: this.conversations.length,
      octets: this.conversations.reduce((sum, c) => sum + c.client.received + (c.server?.received ?? 0), 0),
      events: world.stepCount,
      ms,
      faults: this.faults,
    };
  }

  private listen(): void {
    this.server.stack.listen({
      port: PORT,
      backlog: 8,
      handler: {
        acceptable: (listener) => {
          for (let next = listener.accept(this.world.now); next !== null; next = listener.accept(this.world.now)) {
            this.accept(next);
          }
        },
      },
    });
  }

  private open(index: number, remote: IpAddress): void {
    const { random, world } = this;
    // An empty first direction would leave a lost cookie ACK to nobody (RFC 4987 section 3.6), so it has one octet.
    const plan = talkerPlan(random, false, LARGEST);
    const client = new Talker(world, world.fork(), { ...plan, size: plan.size + 1 }, 2 * index, 2 * index + 1);
    const clientConnection = this.client.stack.connect(world.now, { remote, port: PORT });
    temperament(world.now, clientConnection, random);
    client.adopt(clientConnection, false);
    const serverPlan = talkerPlan(random, true, LARGEST);
    this.conversations.push({
      number: index,
      client,
      server: null,
      serverPlan,
      clientConnection,
      serverConnection: null,
    });
  }

  private accept(connection: Connection): void {
    const conversation = this.conversations.find((c) => c.clientConnection.localPort === connection.remotePort);
    if (conversation === undefined || conversation.server !== null) {
      this.fail(`a connection was accepted that nobody opened, from port ${connection.remotePort}`);
      return;
    }
    const server = new Talker(
      this.world,
      this.world.fork(),
      conversation.serverPlan,
      2 * conversation.number + 1,
      2 * conversation.number,
    );
    conversation.server = server;
    conversation.serverConnection = connection;
    temperament(this.world.now, connection, this.random);
    server.adopt(connection, true);
  }

  private allDone(): boolean {
    return this.conversations.every((c) => c.client.done && (c.server === null || c.server.done));
  }

  private check(): void {
    for (const { client, server, clientConnection, serverConnection } of this.conversations) {
      const complaint = client.complaint ?? server?.complaint ?? null;
      if (complaint !== null) this.fail(complaint);
      const broken = brokenInvariant(clientConnection.tcb);
      if (broken !== null) this.fail(`client, ${broken}`);
      const other = serverConnection === null ? null : brokenInvariant(serverConnection.tcb);
      if (other !== null) this.fail(`server, ${other}`);
    }
  }

  /** Everything is closed: was everything delivered, unless somebody broke it off? */
  private judge(): void {
    for (const { number, client, server, serverPlan } of this.conversations) {
      const broken = client.plan.ending === 'abort' || serverPlan.ending === 'abort';
      if (broken) continue;
      if (server === null) {
        // Without checksums of its own ARP can be lied to by one flipped bit, and then nobody answers.
        if (client.error === 'EHOSTUNREACH' && this.medium === 'ethernet') continue;
        this.fail(`connection ${number} was never accepted; the client ended with ${client.error}`);
        continue;
      }
      const outcome = `client ${client.error}, server ${server.error}`;
      if (server.received !== client.plan.size) {
        this.fail(
          `connection ${number}: ${server.received} of ${client.plan.size} octets arrived at the server (${outcome})`,
        );
      }
      if (client.received !== server.plan.size) {
        this.fail(
          `connection ${number}: ${client.received} of ${server.plan.size} octets arrived at the client (${outcome})`,
        );
      }
    }
  }

  /** TIME-WAIT and the like run out: then nothing may be left but the listener. */
  private checkLeftovers(): void {
    if (!this.world.runUntilIdle(this.world.now + LIMIT)) this.fail('the world does not fall idle');
    for (const host of [this.client, this.server]) {
      const { endpoints, memory, timeWait, orphans } = host.stack.usage;
      const listeners = host === this.server ? 1 : 0;
      if (endpoints !== listeners || memory !== 0 || timeWait !== 0 || orphans !== 0) {
        this.fail(
          `${host.name} keeps ${endpoints} endpoints, ${memory} bytes, ${timeWait} in TIME-WAIT, ${orphans} orphans`,
        );
      }
    }
  }

  private describeStall(): string {
    const open = this.conversations.flatMap(({ client, server, clientConnection, serverConnection }, index) => [
      ...(client.done ? [] : [`client ${index} ${clientConnection.state} received ${client.received}`]),
      ...(server === null || server.done
        ? []
        : [`server ${index} ${serverConnection?.state} received ${server.received}`]),
    ]);
    return `${this.conversations.length} of ${this.expected} opened; ${open.join('; ') || 'none open'}`;
  }

  private fail(what: string): void {
    this.failure ??= `at ${this.world.now.toFixed(3)} ms: ${what}`;
  }
}

/** Settings of a host that may be anybody's. */
function temper(random: RandomSource, cookiesWork: boolean): Settings {
  const settings = defaultSettings();
  const is = (probability: number): boolean => randomUnit(random) < probability;
  settings.tcp_timestamps = is(0.7) ? 1 : 0;
  settings.tcp_sack = is(0.7) ? 1 : 0;
  settings.tcp_window_scaling = is(0.7) ? 1 : 0;
  settings.tcp_ecn = randomBelow(random, 3);
  settings.tcp_syncookies = randomBelow(random, cookiesWork ? 3 : 2);
  settings.tcp_moderate_rcvbuf = is(0.5) ? 1 : 0;
  settings.tcp_dsack = is(0.8) ? 1 : 0;
  settings.tcp_slow_start_after_idle = is(0.8) ? 1 : 0;
  const buffer = 2048 + randomBelow(random, 200_000);
  settings.tcp_rmem = [2048, buffer, Math.max(buffer, 2048 + randomBelow(random, 2_000_000))];
  return settings;
}

/** Choices of one connection. Keep-alives are on: a lost RST leaves nobody else to notice. */
function temperament(now: number, connection: Connection, random: RandomSource): void {
  connection.configure(now, {
    noDelay: randomUnit(random) < 0.5,
    // Bad luck without end is what is being simulated: nobody gives up before it ends.
    userTimeoutMs: Number.POSITIVE_INFINITY,
    keepAlive: true,
    keepAliveTimeMs: 30_000,
    keepAliveIntervalMs: 5000,
    keepAliveProbes: 30,
  });
}
