import { afterEach, describe, expect, it } from 'vitest';
import { Resolver } from '../dns/index.ts';
import { connect, listen } from '../web/index.ts';
import { EmbeddedNetwork, type HostDeclaration } from './index.ts';

let network: EmbeddedNetwork | null = null;
afterEach(() => network?.close());

function declare(shop: Partial<HostDeclaration> = {}): EmbeddedNetwork {
  network = new EmbeddedNetwork({
    hosts: {
      laptop: { address: ['10.0.0.1', 'fd00::1'] },
      ns: { address: '10.0.0.53', zones: 'names' },
      shop: { address: ['203.0.113.10', '2001:db8::10'], names: ['shop.example'], delayMs: 15, ...shop },
    },
  });
  return network;
}

/** Sends 100 kB from the shop to the laptop; how long that took. */
async function fetchFrom(made: EmbeddedNetwork, hostname: string): Promise<{ length: number; openedAfter: number }> {
  const listener = listen(made.host('shop'), { port: 80 });
  void (async () => {
    for await (const socket of listener) {
      const writer = socket.writable.getWriter();
      await writer.write(new Uint8Array(100_000));
      await writer.close();
    }
  })();
  const start = performance.now();
  const socket = connect(made.host('laptop'), { hostname, port: 80 });
  await socket.opened;
  const openedAfter = performance.now() - start;
  let length = 0;
  for await (const chunk of socket.readable as unknown as AsyncIterable<Uint8Array>) length += chunk.length;
  listener.close();
  return { length, openedAfter };
}

describe('EmbeddedNetwork', () => {
  it('carries what hosts say to one another, as late as declared', async () => {
    const { length, openedAfter } = await fetchFrom(declare(), '203.0.113.10');
    expect(length).toBe(100_000);
    expect(openedAfter).toBeGreaterThanOrEqual(30);
    expect((await fetchFrom(declare(), '2001:db8::10')).length).toBe(100_000);
  });

  it('loses frames where that is declared, and TCP makes up for it', async () => {
    let dropped = 0;
    network = new EmbeddedNetwork({
      seed: 4,
      hosts: { laptop: { address: '10.0.0.1' }, shop: { address: '203.0.113.10', delayMs: 2, loss: 0.1 } },
      observe: (host, event) => {
        if (host === 'shop' && event.kind === 'dropped') dropped++;
      },
    });
    expect((await fetchFrom(network, '203.0.113.10')).length).toBe(100_000);
    expect(dropped).toBeGreaterThan(0);
  });

  it('serves the declared names, forward and back', async () => {
    const resolver = new Resolver(declare().host('laptop'), { servers: ['10.0.0.53'] });
    expect(await resolver.resolve4('shop.example')).toEqual(['203.0.113.10']);
    expect(await resolver.resolve6('shop.example')).toEqual(['2001:db8::10']);
    expect(await resolver.reverse('2001:db8::10')).toEqual(['shop.example']);
  });

  it('refuses declarations that make no sense', () => {
    expect(() => declare({ address: 'shop' })).toThrow('not an IP address');
    network?.close();
    expect(() => declare({ address: '10.0.0.1' })).toThrow('for two hosts');
    network?.close();
    expect(() => declare().host('nobody')).toThrow('no host "nobody"');
  });
});
