/** Options under their Linux names, on the three shapes of sockets, and what they do on the wire. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { SegmentEvent } from '../../src/host/events.ts';
import { createNet } from '../../src/net/index.ts';
import { createNet as createPortableNet } from '../../src/net/portable.ts';
import { SimHost } from '../../src/sim/sim-host.ts';
import { Wire } from '../../src/sim/wire.ts';
import { World } from '../../src/sim/world.ts';
import type { Connection } from '../../src/stack/connection.ts';
import type { ConnectionOptions } from '../../src/stack/connection-options.ts';
import { describeSettings } from '../../src/stack/settings.ts';
import { SOCKET_OPTIONS, type SocketOptionName } from '../../src/stack/socket-options.ts';
import { connect, listen } from '../../src/web/index.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { type Hosts, twoHosts } from './hosts.ts';

let hosts: Hosts;
afterEach(() => hosts?.close());

interface Optioned {
  setOption(name: SocketOptionName, value: number | boolean | string): unknown;
  getOption(name: SocketOptionName): number | string;
}

/** An open socket of each shape. */
const SHAPES: Record<string, () => Promise<Optioned>> = {
  'estab/net': async () => {
    const socket = createNet(hosts.client).connect(80, '10.0.0.2');
    await once(socket, 'connect');
    return socket;
  },
  'estab/net, portable': async () => {
    const socket = createPortableNet(hosts.client).connect(80, '10.0.0.2');
    await once(socket, 'connect');
    return socket;
  },
  'estab/web': async () => {
    const socket = connect(hosts.client, { hostname: '10.0.0.2', port: 80 });
    await socket.opened;
    return socket;
  },
};

const VALUES: Partial<Record<SocketOptionName, number>> = {
  SO_RCVBUF: 30_000,
  SO_SNDBUF: 20_000,
  TCP_USER_TIMEOUT: 5000,
  TCP_MAXSEG: 1000,
  TCP_WINDOW_CLAMP: 9000,
  IP_TOS: 0xb8,
  IPV6_TCLASS: 0xb8,
};

describe.each(Object.entries(SHAPES))('%s', (_name, open) => {
  test('what is set is in force; what makes no sense is refused with what does', async () => {
    hosts = twoHosts();
    listen(hosts.server, { port: 80 });
    const socket = await open();
    for (const name of Object.keys(SOCKET_OPTIONS) as (keyof typeof SOCKET_OPTIONS)[]) {
      const value = VALUES[name] ?? (SOCKET_OPTIONS[name].max === 1 ? 1 : 3);
      socket.setOption(name, value);
      // The segment's own options are taken off: what is left for text.
      expect([name, socket.getOption(name)]).toEqual([name, name === 'TCP_MAXSEG' ? value - 12 : value]);
    }
    socket.setOption('TCP_CONGESTION', 'reno');
    expect(socket.getOption('TCP_CONGESTION')).toBe('reno');
    expect(() => socket.setOption('TCP_CONGESTION', 'cubist')).toThrow(
      'TCP_CONGESTION cubist is not available; allowed: reno',
    );
    expect(() => socket.setOption('TCP_KEEPIDLE', 0)).toThrow(
      'TCP_KEEPIDLE 0 is not allowed; a whole number 1 … 32767 (s) is',
    );
    expect(() => socket.setOption('TCP_NODELAI' as never, 1)).toThrow(
      /no socket option "TCP_NODELAI"; known are SO_KEEPALIVE/,
    );
    expect(() => socket.getOption('SO_NONE' as never)).toThrow('no socket option "SO_NONE"');
  });
});

/** The SYN and the first later segment of a connection whose socket was told options before it connected. */
async function opening(make: () => unknown): Promise<{ syn: SegmentEvent; later: SegmentEvent }> {
  const events = hosts.client.events({ kinds: ['segment'] });
  make();
  const sent: SegmentEvent[] = [];
  for await (const event of events) {
    if (event.direction === 'sent') sent.push(event);
    if (sent.length === 2) break;
  }
  return { syn: sent[0], later: sent[1] };
}

test('before the opening: the SYN tells of the segment size and the buffer, in both shapes of net', async () => {
  for (const make of [createNet, createPortableNet]) {
    hosts = twoHosts();
    listen(hosts.server, { port: 80 });
    const { syn, later } = await opening(() => {
      const socket = new (make(hosts.client).Socket)();
      socket.setOption('TCP_MAXSEG', 700).setOption('SO_RCVBUF', 20_000).setOption('TCP_WINDOW_CLAMP', 5000);
      socket.connect(80, '10.0.0.2');
    });
    expect(syn).toMatchObject({ flags: 'S', window: 5000, options: { mss: 700, windowScale: 0 } });
    expect(later).toMatchObject({ window: 5000 });
    hosts.close();
  }
});

test('a listener hands its options on, by a cookie too', async () => {
  for (const cookies of [0, 2]) {
    hosts = twoHosts();
    Object.assign(hosts.server.stack.settings, { tcp_syncookies: cookies });
    const options = { maxSegment: 600, receiveBuffer: 40_000, windowClamp: 7000 };
    const accepted = new Promise<Connection>((resolve) => {
      const acceptable = (listener: { accept(now: number): Connection | null }): void => {
        resolve(listener.accept(hosts.server.now()) as Connection);
      };
      hosts.server.stack.listen({ port: 80, options, handler: { acceptable } });
    });
    const events = hosts.client.events({ kinds: ['segment'] });
    connect(hosts.client, { hostname: '10.0.0.2', port: 80 });
    await events.next();
    expect((await events.next()).value).toMatchObject({
      flags: 'S.',
      window: 7000,
      options: { mss: 600, windowScale: 0 },
    });
    const connection = await accepted;
    expect([connection.status().rcvWscale, connection.getOption('SO_RCVBUF')]).toEqual([0, 40_000]);
    hosts.close();
  }
});

/** Two hosts in virtual time, and a connection between them. */
function simulated(wire: { loss?: number } = {}) {
  const world = new World(3);
  const cable = new Wire(world, { delayMs: 10, ...wire });
  const made = (['a', 'b'] as const).map((end, i) => {
    const host = new SimHost(world, end);
    host.attach(cable, end, { name: 'eth0', mtu: 1500, medium: 'ip', addresses: [`10.0.0.${i + 1}/24`] });
    return host;
  });
  const [client, server] = made;
  let accepted: Connection | null = null;
  server.stack.listen({
    port: 80,
    handler: {
      acceptable: (listener) => {
        accepted = listener.accept(world.now);
        if (accepted !== null) accepted.handler = {};
      },
    },
  });
  const open = (options: ConnectionOptions) => {
    return client.stack.connect(world.now, { remote: IpAddress.parse('10.0.0.2'), port: 80, handler: {}, options });
  };
  return { world, client, server, cable, open, accepted: () => accepted as unknown as Connection };
}

test('TCP_SYNCNT ends an opening early, where three minutes are the rule', () => {
  const { world, open } = simulated({ loss: 1 });
  const closed: Record<string, number> = {};
  for (const [name, options] of Object.entries({ two: { synRetries: 2 }, rule: {} })) {
    open(options).handler = {
      closed: () => {
        closed[name] = world.now;
      },
    };
  }
  world.runUntil(600_000);
  // tcp_syn_linear_timeouts come on top, as in Linux: 1 s each.
  expect(closed.two).toBeLessThan(8000);
  expect(closed.rule).toBeGreaterThan(180_000);
});

test('TCP_QUICKACK, SO_SNDBUF, TCP_LINGER2', () => {
  const { world, server, open, accepted } = simulated();
  const connection = open({ sendBuffer: 3000, finTimeoutMs: 2000 });
  world.runUntil(100);
  expect(connection.write(world.now, new Uint8Array(3000))).toBe(true);
  expect(connection.write(world.now, new Uint8Array(1))).toBe(false);
  world.settle();
  world.runUntil(1000);
  // Four segments have gone; the last, a small one, waits for a delayed ACK unless that is not wanted.
  const before = accepted().status().segsOut;
  accepted().setOption(world.now, 'TCP_QUICKACK', true);
  connection.write(world.now, new Uint8Array(5));
  world.settle();
  world.runUntil(1025);
  expect(accepted().status().segsOut).toBe(before + 1);
  connection.close(world.now);
  world.settle();
  world.runUntil(1100);
  expect(connection.state).toBe('FIN-WAIT-2');
  world.runUntil(3200);
  expect(connection.state).toBe('CLOSED');
  expect(server.stack.endpoints()).toHaveLength(2);
});

test('the documentation lists what there is', () => {
  const text = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
  for (const [name, { meaning, unit }] of Object.entries(SOCKET_OPTIONS)) {
    expect(text).toContain(`| \`${name}\` | ${meaning} | ${unit} |`);
  }
  for (const { name, value, meaning, unit, actedOn } of describeSettings()) {
    const shown = value === '' ? '' : `\`${value}\``;
    expect(text).toContain(`| \`${name}\` | ${shown} | ${meaning} | ${unit}${actedOn ? '' : ' (without effect)'} |`);
  }
});
