/** Connections by name over an embedded network: `estab/web` and the portable `estab/net`. */

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Resolver } from '../../src/dns/index.ts';
import { EmbeddedNetwork } from '../../src/embedded/index.ts';
import { createNet } from '../../src/net/portable.ts';
import { connect, denoNet, listen, type WebListener } from '../../src/web/index.ts';

let network: EmbeddedNetwork;
let listener: WebListener;
beforeEach(() => {
  network = new EmbeddedNetwork({
    hosts: {
      laptop: { address: ['10.0.0.1', '2001:db8:1::1'] },
      ns: { address: '10.0.0.53', zones: 'names' },
      // The first IPv6 address of half.example never answers.
      hole: { address: '2001:db8::dead', names: ['half.example', 'hole.example'], loss: 1 },
      shop: { address: ['203.0.113.10', '2001:db8::10'], names: ['shop.example', 'half.example'] },
    },
  });
  laptop().resolver = new Resolver(laptop(), { servers: ['10.0.0.53'] });
  listener = listen(network.host('shop'), { port: 80 });
  void (async () => {
    for await (const socket of listener) socket.readable.pipeTo(socket.writable).catch(() => {});
  })();
});
afterEach(() => {
  listener.close();
  network.close();
});

const laptop = () => network.host('laptop');

describe('estab/web', () => {
  test('IPv6 first, and IPv4 where that is asked for', async () => {
    const socket = connect(laptop(), { hostname: 'shop.example', port: 80 });
    socket.configure({ hopLimit: 33 });
    expect((await socket.opened).remoteAddress).toBe('[2001:db8::10]:80');
    expect(socket.getOption('IP_TTL')).toBe(33);
    const only = connect(laptop(), { hostname: 'shop.example', port: 80 }, { family: 4 });
    expect((await only.opened).remoteAddress).toBe('203.0.113.10:80');
    const conn = await denoNet(laptop()).connect({ hostname: 'shop.example', port: 80 });
    expect(conn.remoteAddr).toMatchObject({ hostname: '2001:db8::10', port: 80 });
  });

  test('an address that never answers costs one delay, and is given up in the end', async () => {
    const events = laptop().events({ kinds: ['state'] });
    const socket = connect(laptop(), { hostname: 'half.example', port: 80 }, { attemptDelayMs: 100 });
    expect((await socket.opened).remoteAddress).toBe('203.0.113.10:80');
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode('hello'));
    await writer.close();
    const parts: Uint8Array[] = [];
    for await (const part of socket.readable as unknown as AsyncIterable<Uint8Array>) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe('hello');
    await socket.closed;
    network.close();
    const left = new Map<string, string>();
    for await (const { remote, to } of events) left.set(remote, to);
    expect(left.get('[2001:db8::dead]:80')).toBe('CLOSED');
  });

  test('all refused: one error with all of them; no such name: the name server’s word', async () => {
    const refused = connect(laptop(), { hostname: 'shop.example', port: 81 });
    await expect(refused.opened).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: 'no connection to shop.example:81: [2001:db8::10]:81 ECONNREFUSED, 203.0.113.10:81 ECONNREFUSED',
      errors: [{ code: 'ECONNREFUSED' }, { code: 'ECONNREFUSED' }],
    });
    await expect(refused.closed).rejects.toThrow('ECONNREFUSED');
    await expect(refused.readable.getReader().read()).rejects.toThrow('ECONNREFUSED');
    const unknown = connect(laptop(), { hostname: 'nobody.example', port: 80 });
    await expect(unknown.opened).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test('closed while it is still looking: ECONNABORTED, and nothing stays behind', async () => {
    const socket = connect(laptop(), { hostname: 'hole.example', port: 80 });
    const reading = socket.readable.getReader().read();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await socket.writable.abort();
    await expect(socket.opened).rejects.toMatchObject({ code: 'ECONNABORTED' });
    await expect(reading).rejects.toThrow('closed before the connection was open');
    expect(laptop().stack.endpoints()).toEqual([]);
  });

  test('what makes no sense is thrown at once', () => {
    expect(() => connect(laptop(), { hostname: 'shop.example', port: 70_000 })).toThrow('port 70000 is not in');
    expect(() => connect(network.host('shop'), { hostname: 'shop.example', port: 80 })).toThrow(
      'nobody is there to ask',
    );
    expect(() => connect(laptop(), { hostname: 'shop.example', port: 80 }, { attemptDelayMs: 5 })).toThrow(
      'attemptDelayMs',
    );
    const options = { hopLimit: 0 };
    expect(() => connect(laptop(), { hostname: 'shop.example', port: 80 }, { options })).toThrow('hopLimit 0');
  });
});

describe('estab/net, portable', () => {
  test('attempts are told as node tells them; lookup says what was found', async () => {
    const net = createNet(laptop());
    const socket = new net.Socket();
    const told: unknown[][] = [];
    for (const name of ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect']) {
      socket.on(name, (...args) => told.push([name, ...args]));
    }
    socket.connect({ host: 'shop.example', port: 80 });
    await once(socket, 'connect');
    expect(socket.remoteAddress).toBe('2001:db8::10');
    expect(told.filter(([name]) => name === 'lookup')).toContainEqual([
      'lookup',
      null,
      '2001:db8::10',
      6,
      'shop.example',
    ]);
    expect(told.filter(([name]) => name !== 'lookup')).toEqual([
      ['connectionAttempt', '2001:db8::10', 80, 6],
      ['connect'],
    ]);
    socket.destroy();
    const failing = net.connect({ host: 'shop.example', port: 81 });
    const failed: string[] = [];
    failing.on('connectionAttemptFailed', (address, port, family, { code }) =>
      failed.push(`${address} ${port} ${family} ${code}`),
    );
    const [error] = await once(failing, 'error').catch((reason) => [reason]);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      errors: [{ address: '2001:db8::10', port: 81 }, { address: '203.0.113.10' }],
    });
    expect(failed).toEqual(['2001:db8::10 81 6 ECONNREFUSED', '203.0.113.10 81 4 ECONNREFUSED']);
  });

  test('a lookup of one’s own is asked once, for all; autoSelectFamily: false tries the first alone', async () => {
    const net = createNet(laptop());
    const asked: unknown[] = [];
    const lookup = (
      name: string,
      options: object,
      done: (error: null, list: { address: string; family: number }[]) => void,
    ) => {
      asked.push([name, options]);
      done(null, [
        { address: '203.0.113.10', family: 4 },
        { address: '2001:db8::10', family: 6 },
      ]);
    };
    const socket = net.connect({ host: 'anything', port: 80, lookup });
    await once(socket, 'connect');
    expect(asked).toEqual([['anything', { family: 0, hints: 0, all: true }]]);
    socket.destroy();
    const alone = net.connect({ host: 'anything', port: 81, lookup, autoSelectFamily: false });
    const [error] = await once(alone, 'error').catch((reason) => [reason]);
    expect(error).toMatchObject({ message: 'connect ECONNREFUSED 2001:db8::10:81' });
    const bad = net.connect({
      host: 'anything',
      port: 81,
      lookup: (_name, _options, done) => done(null, 'no address', 4),
    });
    const [wrong] = await once(bad, 'error').catch((reason) => [reason]);
    expect(wrong).toMatchObject({ message: 'lookup gave "no address", no IP address' });
  });

  test('destroyed on the way, it leaves nothing', async () => {
    const socket = createNet(laptop()).connect({ host: 'hole.example', port: 80 });
    socket.on('error', () => {});
    await once(socket, 'connectionAttempt');
    socket.destroy();
    await once(socket, 'close');
    expect(laptop().stack.endpoints()).toEqual([]);
  });
});
