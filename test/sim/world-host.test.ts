import { describe, expect, it } from 'vitest';
import { CaptureReader, PcapngWriter } from '../../src/capture/index.ts';
import { SimHost } from '../../src/sim/sim-host.ts';
import { Wire, type WireOptions } from '../../src/sim/wire.ts';
import { World } from '../../src/sim/world.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { IpAddress } from '../../src/wire/address.ts';

const SERVER = IpAddress.parse('10.0.0.2');

/** A client, a server that echoes and closes when its peer has, and the wire between them. */
function setUp(options: WireOptions = { delayMs: 10 }, seed = 1, medium: 'ip' | 'ethernet' = 'ip') {
  const world = new World(seed);
  const wire = new Wire(world, options);
  const client = new SimHost(world, 'client');
  const server = new SimHost(world, 'server');
  const mac = (last: number): Uint8Array | null => (medium === 'ip' ? null : Uint8Array.of(2, 0, 0, 0, 0, last));
  client.attach(wire, 'a', { name: 'eth0', mtu: 1500, medium, mac: mac(1), addresses: ['10.0.0.1/24'] });
  server.attach(wire, 'b', { name: 'eth0', mtu: 1500, medium, mac: mac(2), addresses: ['10.0.0.2/24'] });
  const echo = (): void => {
    server.stack.listen({
      port: 7,
      handler: {
        acceptable: (listener) => {
          for (let c = listener.accept(world.now); c !== null; c = listener.accept(world.now)) {
            c.handler = {
              readable: (held) => {
                for (let b = held.read(world.now); b !== null; b = held.read(world.now)) held.write(world.now, b);
              },
              peerClosed: (held) => held.shutdown(world.now),
            };
          }
        },
      },
    });
  };
  echo();
  return { world, wire, client, server, echo };
}

/** Sends `text` and closes; gathers what comes back and how it ended. */
function call({ world, client }: ReturnType<typeof setUp>, text: string) {
  const heard = { text: '', error: undefined as string | null | undefined };
  const connection: Connection = client.stack.connect(world.now, {
    remote: SERVER,
    port: 7,
    handler: {
      opened: (held) => {
        held.write(world.now, new TextEncoder().encode(text));
        held.shutdown(world.now);
      },
      readable: (held) => {
        for (let b = held.read(world.now); b !== null; b = held.read(world.now))
          heard.text += new TextDecoder().decode(b);
      },
      closed: (_held, error) => {
        heard.error = error;
      },
    },
  });
  return { heard, connection };
}

describe('a host in the world', () => {
  it.each(['ip', 'ethernet'] as const)('talks over %s', (medium) => {
    const set = setUp({ delayMs: 10 }, 1, medium);
    const { heard } = call(set, 'hello');
    expect(set.world.runUntilIdle(600_000)).toBe(true);
    expect(heard).toEqual({ text: 'hello', error: null });
    expect(set.client.stack.usage.timeWait).toBe(0);
  });

  it('gets everything across a wire that loses, doubles, reorders and damages', () => {
    const set = setUp({
      delayMs: 10,
      jitterMs: 5,
      loss: 0.1,
      duplicate: 0.1,
      reorder: { probability: 0.2, extraMs: 30 },
      corrupt: { probability: 0.1 },
    });
    const text = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('');
    const { heard } = call(set, text);
    set.world.runUntilIdle(3_600_000);
    expect(heard.text === text).toBe(true);
    expect(heard.error).toBeNull();
    expect(set.server.stack.counters.get('TcpInCsumErrors')).toBeGreaterThan(0);
  });

  it('says nothing when it crashes, and knows nothing when it is back', () => {
    const set = setUp();
    const { world, wire, client, server } = set;
    const connection = client.stack.connect(0, { remote: SERVER, port: 7, handler: {} });
    world.runUntil(100);
    expect(connection.state).toBe('ESTABLISHED');
    const seen: string[] = [];
    wire.observe((event) => seen.push(`${event.kind} ${event.frame.direction}`));
    server.crash();
    expect(server.running).toBe(false);
    expect(() => server.stack).toThrow(/server has crashed/);
    connection.write(world.now, Uint8Array.of(1));
    world.runUntil(200);
    expect(seen).toEqual(['sent a->b', 'dropped a->b']);
    server.restart();
    world.runUntil(2000);
    // What is sent again finds a host without the connection: a RST.
    expect(connection.state).toBe('CLOSED');
    expect(connection.status().error).toBe('ECONNRESET');
    set.echo();
    const { heard } = call(set, 'again');
    world.runUntilIdle(600_000);
    expect(heard).toEqual({ text: 'again', error: null });
  });

  it('tells what it is doing', () => {
    const activities = new Set<string>();
    const world = new World(1);
    const host: SimHost = new SimHost(world, 'host', {
      trace: {
        segmentReceived: () => activities.add(host.activity),
        segmentSent: () => activities.add(host.activity),
        stateChanged: () => activities.add(host.activity),
        dropped: () => {},
      },
    });
    const wire = new Wire(world, { delayMs: 1 });
    const other = new SimHost(world, 'other');
    host.attach(wire, 'a', { name: 'w', mtu: 1500, medium: 'ip', addresses: ['10.0.0.1/24'] });
    other.attach(wire, 'b', { name: 'w', mtu: 1500, medium: 'ip', addresses: ['10.0.0.2/24'] });
    other.stack.listen({ port: 7 });
    host.stack.connect(0, { remote: SERVER, port: 7, handler: { opened: (held) => held.abort(world.now) } });
    world.runUntil(100);
    expect([...activities].sort()).toEqual(['events', 'frame', 'idle', 'transmit']);
  });

  it('writes a capture of its own end', () => {
    const set = setUp();
    const chunks: Uint8Array[] = [];
    set.client.captureTo(new PcapngWriter((bytes) => chunks.push(bytes)), 1_000_000);
    call(set, 'hello');
    set.world.runUntilIdle(600_000);
    const times: number[] = [];
    const reader = new CaptureReader({
      packet: (record) => times.push(record.seconds * 1000 + record.nanoseconds / 1e6),
    });
    for (const chunk of chunks) reader.push(chunk);
    expect(reader.end()).toBeNull();
    expect(times.slice(0, 3)).toEqual([1_000_000, 1_000_020, 1_000_020]);
  });

  it('is the same from the same seed', () => {
    const run = (seed: number): string => {
      const set = setUp({ delayMs: 5, jitterMs: 10, loss: 0.1, duplicate: 0.1 }, seed);
      const events: string[] = [];
      set.wire.observe((event) => events.push(`${event.kind} ${event.time} ${event.frame.bytes.join(' ')}`));
      call(set, 'x'.repeat(20_000));
      set.world.runUntilIdle(600_000);
      return events.join('\n');
    };
    expect(run(3)).toBe(run(3));
    expect(run(3)).not.toBe(run(4));
  });
});
