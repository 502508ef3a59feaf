/**
 * Misuse of `estab/net` and of its portable form beside Node's own net: what is thrown, and what comes as an 'error',
 * to the class, code and message.
 */

import { EventEmitter, once } from 'node:events';
import nodeNet from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNet } from '../../src/net/index.ts';
import { createNet as createPortable } from '../../src/net/portable.ts';
import { type Hosts, twoHosts } from './hosts.ts';

type Net = typeof nodeNet;
let hosts: Hosts;
let shapes: Record<string, Net>;
beforeAll(() => {
  hosts = twoHosts();
  shapes = {
    'on handles': createNet(hosts.client) as unknown as Net,
    portable: createPortable(hosts.client) as unknown as Net,
  };
});
afterAll(() => hosts.close());

interface Told {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** What a misuse ends with: thrown, or told by 'error'. */
async function outcome(net: Net, misuse: (net: Net) => unknown): Promise<Told | string> {
  const tell = (error: Error & { code?: string }): Told => ({
    name: error.name,
    code: error.code,
    message: error.message,
  });
  try {
    const made = misuse(net) as (Partial<nodeNet.Socket> & EventEmitter) | undefined;
    if (typeof made?.on !== 'function') return `nothing was thrown, ${String(made)} came back`;
    const first = once(made, 'error').then(([error]) => tell(error), tell);
    const none = new Promise<string>((resolve) => setTimeout(() => resolve('no error'), 200));
    const ended = await Promise.race([first, none]);
    made.on('error', () => {});
    made.destroy?.();
    return ended;
  } catch (error) {
    return tell(error as Error);
  }
}

const wrong = (value: unknown): never => value as never;

const MISUSES: readonly (readonly [what: string, misuse: (net: Net) => unknown])[] = [
  ['a port above 65535', (net) => net.connect(70_000)],
  ['a negative port', (net) => net.connect(-1)],
  ['a port that is no number', (net) => net.connect({ port: wrong('web') })],
  ['a port of a wrong type', (net) => net.connect({ port: wrong(true) })],
  ['an empty port', (net) => net.connect({ port: wrong('') })],
  ['half a port', (net) => net.connect(1.5)],
  ['no port', (net) => net.connect(wrong({}))],
  ['no port but a host', (net) => net.connect(wrong({ host: '10.0.0.2' }))],
  ['a local address that is none', (net) => net.connect({ port: 1, localAddress: 'nowhere' })],
  ['a local port that is no number', (net) => net.connect({ port: 1, localPort: wrong('5') })],
  ['a lookup that is none', (net) => net.connect({ port: 1, host: 'name.example', lookup: wrong(5) })],
  [
    'an attempt time-out that is none',
    (net) => net.connect({ port: 1, host: '10.0.0.2', autoSelectFamilyAttemptTimeout: wrong('soon') }),
  ],
  ['an attempt time-out of 0', (net) => net.connect({ port: 1, host: '10.0.0.2', autoSelectFamilyAttemptTimeout: 0 })],
  [
    'autoSelectFamily that is no boolean',
    (net) => net.connect({ port: 1, host: '10.0.0.2', autoSelectFamily: wrong(5) }),
  ],
  ['a time-out that is no number', (net) => new net.Socket().setTimeout(wrong('5'))],
  ['a negative time-out', (net) => new net.Socket().setTimeout(-1)],
  ['a time-out without end', (net) => new net.Socket().setTimeout(Number.POSITIVE_INFINITY)],
  ['a time-out callback that is none', (net) => new net.Socket().setTimeout(5, wrong('soon'))],
  ['a write before there is a connection, that is none', (net) => new net.Socket().write(wrong(5))],
  ['a write of nothing', (net) => new net.Socket().write(wrong(null))],
  [
    'a write after the end',
    (net) => {
      const socket = new net.Socket();
      socket.end();
      socket.write('late');
      return socket;
    },
  ],
  [
    'a write when destroyed',
    (net) => {
      const told = new EventEmitter();
      new net.Socket().destroy().write('late', (error) => told.emit('error', error));
      return told;
    },
  ],
  ['an encoding that is none', (net) => new net.Socket().setEncoding(wrong('utf9'))],
  ['a signal that is none', (net) => new net.Socket({ signal: wrong(5) })],
  ['a reset without a connection', (net) => new net.Socket().resetAndDestroy()],
  ['an object mode', (net) => new net.Socket(wrong({ objectMode: true }))],
  ['a port to listen on above 65535', (net) => net.createServer().listen(70_000)],
  ['a port to listen on that is none', (net) => net.createServer().listen(wrong({ port: 'web' }))],
  ['nothing to listen on', (net) => net.createServer().listen(wrong({}))],
  ['options of a server that are none', (net) => net.createServer(wrong('options'))],
  [
    'a second listen',
    (net) => {
      const server = net.createServer().listen(0);
      try {
        server.listen(0);
      } finally {
        server.close();
      }
    },
  ],
  [
    'a close without a listen',
    (net) => {
      const server = net.createServer();
      server.close((error) => server.emit('error', error));
      return server;
    },
  ],
  ['an address that is not ours', (net) => net.createServer().listen(0, '192.0.2.77')],
  ['a signal to listen that is none', (net) => net.createServer().listen({ port: 0, signal: wrong(5) })],
];

test.each(MISUSES)('%s', async (_what, misuse) => {
  const node = await outcome(nodeNet, misuse);
  expect(typeof node).toBe('object');
  for (const [shape, net] of Object.entries(shapes)) expect([shape, await outcome(net, misuse)]).toEqual([shape, node]);
});
