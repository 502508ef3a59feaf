/** What a host tells of its work: as a stream, and on Node's diagnostics_channel. */

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { Resolver } from '../../src/dns/index.ts';
import { EmbeddedNetwork } from '../../src/embedded/index.ts';
import { CHANNEL_NAMES } from '../../src/host/channels.ts';
import type { HostEvent } from '../../src/host/events.ts';
import { memoryPair } from '../../src/link/memory.ts';
import { createNet } from '../../src/net/index.ts';
import { connect, listen, type Socket } from '../../src/web/index.ts';
import { selfSigned } from '../libraries/certificate.ts';
import { type Hosts, twoHosts } from '../net/hosts.ts';

let hosts: Hosts;
afterEach(() => hosts.close());

/** A connection to an echo at the server's port 80, open. */
async function echoed(): Promise<Socket> {
  const listener = listen(hosts.server, { port: 80 });
  void (async () => {
    for await (const socket of listener) socket.readable.pipeTo(socket.writable).catch(() => {});
  })();
  const socket = connect(hosts.client, { hostname: '10.0.0.2', port: 80 });
  await socket.opened;
  return socket;
}

/** Hello and goodbye, to the last state. */
async function conversation(): Promise<void> {
  const socket = await echoed();
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode('hello'));
  await writer.close();
  for await (const _ of socket.readable as unknown as AsyncIterable<Uint8Array>);
  await socket.closed;
}

async function all(events: AsyncIterable<HostEvent>): Promise<HostEvent[]> {
  const list: HostEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

test('states and segments of a connection, in their order; the stream ends with the host', async () => {
  hosts = twoHosts();
  const states = all(hosts.client.events({ kinds: ['state'] }));
  const segments = all(hosts.client.events({ kinds: ['segment'] }));
  await conversation();
  hosts.client.close();
  const told = (await states).map((event) => (event.kind === 'state' ? `${event.from} ${event.to}` : event.kind));
  expect(told.slice(0, 4)).toEqual([
    'CLOSED SYN-SENT',
    'SYN-SENT ESTABLISHED',
    'ESTABLISHED FIN-WAIT-1',
    'FIN-WAIT-1 FIN-WAIT-2',
  ]);
  const seen = (await segments).flatMap((event) => (event.kind === 'segment' ? [event] : []));
  expect(seen.slice(0, 3).map(({ direction, flags, state }) => [direction, flags, state])).toEqual([
    ['sent', 'S', 'SYN-SENT'],
    ['received', 'S.', 'SYN-SENT'],
    ['sent', '.', 'ESTABLISHED'],
  ]);
  expect(seen[0]).toMatchObject({ remote: '10.0.0.2:80', interface: 'link', ack: null, relative: null });
  expect(seen[0].options).toMatchObject({ mss: 1460, sackPermitted: true, windowScale: 10 });
  expect(seen[1].ack).toBe((seen[0].seq + 1) % 2 ** 32);
  expect(seen.find(({ length }) => length === 5)).toMatchObject({ direction: 'sent', relative: { seq: 1, ack: 1 } });
});

test('text as the application moves it, timers, and drops', async () => {
  hosts = twoHosts();
  const client = hosts.client.events({ kinds: ['data', 'drop'] });
  const server = hosts.server.events({ kinds: ['timer'] });
  const socket = connect(hosts.client, { hostname: '10.0.0.2', port: 80 });
  // Nobody listens yet: that is refused, and nothing of it is in these kinds.
  await expect(socket.opened).rejects.toThrow('ECONNREFUSED');
  const listener = listen(hosts.server, { port: 81 });
  const talking = connect(hosts.client, { hostname: '10.0.0.2', port: 81 });
  await talking.opened;
  await talking.writable.getWriter().write(new Uint8Array(7));
  // The server's application says nothing, so that the ACK waits for its timer.
  const timer = await server.next();
  expect(timer.value).toMatchObject({ kind: 'timer', timer: 'delayed ACK', state: 'ESTABLISHED', remote: /:\d+$/ });
  expect((await client.next()).value).toMatchObject({ kind: 'data', direction: 'written', length: 7 });
  const iface = hosts.client.attach(memoryPair().a, { name: 'other', addresses: ['10.9.0.1/24'] });
  hosts.client.stack.handleFrame(hosts.client.now(), iface, Uint8Array.of(0x45, 0, 0));
  expect((await client.next()).value).toMatchObject({ kind: 'drop', interface: 'other', reason: 'IpInTruncatedPkts' });
  listener.close();
});

test('the buffer is bounded: the oldest give way and are counted', async () => {
  hosts = twoHosts();
  const few = hosts.client.events({ kinds: ['segment'], capacity: 4 });
  const whole = hosts.client.events({ kinds: ['segment'] });
  await conversation();
  hosts.client.close();
  const everything = await all(whole);
  expect(everything.length).toBeGreaterThan(6);
  expect(whole.dropped).toBe(0);
  expect(await all(few)).toEqual(everything.slice(-4));
  expect(few.dropped).toBe(everything.length - 4);
});

test('who leaves the iteration, aborts or closes hears no more, and costs no more', async () => {
  hosts = twoHosts();
  const aborter = new AbortController();
  const aborted = all(hosts.client.events({ signal: aborter.signal }));
  const left = hosts.client.events();
  await echoed();
  for await (const event of left) {
    expect(event.kind).toBe('state');
    break;
  }
  expect(left.isEnded).toBe(true);
  expect((await left.next()).done).toBe(true);
  aborter.abort();
  expect((await aborted).length).toBeGreaterThan(3);
  hosts.client.close();
  expect((await hosts.client.events().next()).done).toBe(true);
});

test('kinds and capacities that make no sense are refused', () => {
  hosts = twoHosts();
  expect(() => hosts.client.events({ kinds: ['states' as never] })).toThrow(
    /no events of kind "states"; known are .*tls/,
  );
  expect(() => hosts.client.events({ capacity: 0 })).toThrow('give 1 or more');
});

test('diagnostics_channel: each kind on its own channel, and nothing where nobody subscribed', async () => {
  hosts = twoHosts();
  const published = new Set<string>();
  const originals = Object.values(CHANNEL_NAMES).map((name) => {
    const of = channel(name);
    of.publish = (message) => {
      published.add(name);
      // A channel changes its prototype with its first subscriber.
      (Object.getPrototypeOf(of) as typeof of).publish.call(of, message);
    };
    return () => Reflect.deleteProperty(of, 'publish');
  });
  await conversation();
  expect([...published]).toEqual([]);
  const messages: HostEvent[] = [];
  const take = (message: unknown): number => messages.push(message as HostEvent);
  subscribe('estab:tcp:state', take);
  const refused = connect(hosts.client, { hostname: '10.0.0.2', port: 99 });
  await expect(refused.opened).rejects.toThrow('ECONNREFUSED');
  unsubscribe('estab:tcp:state', take);
  const first = messages.length;
  expect(messages.slice(0, 2).map((event) => event.kind === 'state' && [event.from, event.to, event.remote])).toEqual([
    ['CLOSED', 'SYN-SENT', '10.0.0.2:99'],
    ['SYN-SENT', 'CLOSED', '10.0.0.2:99'],
  ]);
  expect([...published]).toEqual(['estab:tcp:state']);
  await expect(connect(hosts.client, { hostname: '10.0.0.2', port: 98 }).opened).rejects.toThrow();
  expect(messages.length).toBe(first);
  for (const restore of originals) restore();
});

test('TLS messages in the clear are named, whoever speaks it', async () => {
  hosts = twoHosts();
  const { key, cert } = selfSigned();
  const events = hosts.client.events({ kinds: ['tls'] });
  const secure = createTlsServer({ key, cert, ALPNProtocols: ['h2'] });
  createNet(hosts.server)
    .createServer((socket) => secure.emit('connection', socket))
    .listen(443);
  const socket = createNet(hosts.client).connect(443, '10.0.0.2');
  const own = tlsConnect({ socket, rejectUnauthorized: false, servername: 'a.example', ALPNProtocols: ['h2'] });
  own.on('secureConnect', () => hosts.client.close());
  const told = (await all(events)).flatMap((event) => (event.kind === 'tls' ? [event] : []));
  expect(told.map(({ direction, message }) => `${direction} ${message.name}`)).toEqual([
    'sent ClientHello',
    'received ServerHello',
    'received ChangeCipherSpec',
    'received ApplicationData',
  ]);
  expect(told[0].message.hello).toMatchObject({ serverName: 'a.example', alpn: ['h2'] });
  expect(told[1].message.hello).toMatchObject({ versions: [0x304] });
  own.destroy();
});

test('questions and answers of the resolver', async () => {
  hosts = twoHosts();
  const network = new EmbeddedNetwork({
    hosts: {
      laptop: { address: '10.0.0.1', names: ['laptop.example'] },
      ns: { address: '10.0.0.53', zones: 'names' },
    },
  });
  const laptop = network.host('laptop');
  const events = all(laptop.events({ kinds: ['dns'] }));
  await new Resolver(laptop, { servers: ['10.0.0.53'] }).resolve('laptop.example', 'A');
  network.close();
  expect(await events).toMatchObject([
    { host: 'laptop', what: 'asked', name: 'laptop.example', type: 'A', server: '10.0.0.53', over: 'udp' },
    { what: 'answered', rcode: 'NOERROR', records: ['A 10.0.0.1 (ttl 300)'] },
  ]);
});
