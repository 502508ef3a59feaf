/** The resolver against the authoritative server, and against servers that lie, on an embedded network. */

import type { lookup as nodeLookup } from 'node:dns';
import { afterEach, describe, expect, it } from 'vitest';
import { type DnsEvent, lookupWith, Resolver, type ResolverOptions } from '../../src/dns/index.ts';
import { EmbeddedNetwork, type HostDeclaration } from '../../src/embedded/index.ts';

const ZONES = [
  {
    origin: 'example',
    ttl: 300,
    records: [
      { name: 'shop.example', type: 'A', data: '203.0.113.10' },
      { name: 'shop.example', type: 'AAAA', data: '2001:db8::10' },
      { name: 'www.shop.example', type: 'CNAME', data: 'alias.example' },
      { name: 'alias.example', type: 'CNAME', data: 'shop.example' },
      { name: 'round.example', type: 'CNAME', data: 'about.example' },
      { name: 'about.example', type: 'CNAME', data: 'round.example' },
      { name: 'short.example', type: 'A', data: '203.0.113.11', ttl: 1 },
      { name: '_http._tcp.example', type: 'SRV', data: { priority: 1, weight: 2, port: 80, target: 'shop.example' } },
      { name: 'text.example', type: 'TXT', data: ['v=1', 'another string'] },
      ...Array.from({ length: 120 }, (_, i) => ({
        name: 'many.example',
        type: 'A' as const,
        data: `198.51.100.${i + 1}`,
      })),
    ],
  },
  { origin: 'in-addr.arpa', records: [{ name: '10.113.0.203.in-addr.arpa', type: 'PTR', data: 'shop.example' }] },
] as const;

let network: EmbeddedNetwork | null = null;
afterEach(() => network?.close());

function world(options: Partial<ResolverOptions> = {}, ns: Partial<HostDeclaration> = { zones: ZONES }) {
  const made = new EmbeddedNetwork({
    hosts: {
      client: { address: ['10.0.0.1', 'fd00::1'] },
      ns: { address: ['10.0.0.53', 'fd00::53'], delayMs: 1, ...ns },
    },
  });
  network = made;
  const events: DnsEvent[] = [];
  const resolver = new Resolver(made.host('client'), {
    servers: ['10.0.0.53'],
    // Generous: on a busy machine a question must not be asked again for lateness.
    timeoutMs: 1000,
    trace: (event) => events.push(event),
    ...options,
  });
  return { made, resolver, events, asked: () => events.filter(({ kind }) => kind === 'asked').length };
}

describe('resolver', () => {
  it('finds records of every type', async () => {
    const { resolver } = world();
    expect(await resolver.resolve4('shop.example')).toEqual(['203.0.113.10']);
    expect(await resolver.resolve6('SHOP.example.')).toEqual(['2001:db8::10']);
    expect((await resolver.resolve('_http._tcp.example', 'SRV')).records[0].data).toMatchObject({
      port: 80,
      target: 'shop.example',
    });
    expect((await resolver.resolve('text.example', 'TXT')).records[0].data).toEqual(['v=1', 'another string']);
    expect(await resolver.reverse('203.0.113.10')).toEqual(['shop.example']);
    expect((await resolver.resolve('www.shop.example', 'CNAME')).records[0].data).toBe('alias.example');
  });

  it('follows aliases, and gives up on a circle', async () => {
    const { resolver } = world();
    const answer = await resolver.resolve('www.shop.example', 'A');
    expect(answer.aliases).toEqual(['alias.example', 'shop.example']);
    expect(answer.name).toBe('shop.example');
    await expect(resolver.resolve('round.example')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  });

  it('remembers answers as long as their TTL, and that there are none', async () => {
    const { resolver, asked } = world();
    await resolver.resolve4('short.example');
    const again = await resolver.resolve('short.example');
    expect(again.cached).toBe(true);
    expect(asked()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await resolver.resolve('short.example')).cached).toBe(false);
    expect(asked()).toBe(2);
    for (let i = 0; i < 2; i++)
      await expect(resolver.resolve('none.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    for (let i = 0; i < 2; i++)
      await expect(resolver.resolve('text.example')).rejects.toMatchObject({ code: 'ENODATA' });
    expect(asked()).toBe(4);
  });

  it('asks once for questions asked at once', async () => {
    const { resolver, asked } = world();
    await Promise.all([resolver.resolve4('shop.example'), resolver.resolve4('shop.example')]);
    expect(asked()).toBe(1);
  });

  it('goes over to TCP when the answer does not fit a datagram', async () => {
    const { resolver, events } = world();
    expect(await resolver.resolve4('many.example')).toHaveLength(120);
    expect(events.filter(({ kind }) => kind === 'asked')).toMatchObject([{ over: 'udp' }, { over: 'tcp' }]);
  });

  it('asks again when a question or its answer is lost, each time with another id', async () => {
    const { resolver, events } = world(
      { attempts: 4, timeoutMs: 100 },
      { zones: ZONES, verdict: (i, _f, way) => (i === 0 && way === 'a->b' ? 'drop' : 'pass') },
    );
    expect(await resolver.resolve4('shop.example')).toEqual(['203.0.113.10']);
    const ids = events.flatMap((event) => (event.kind === 'asked' ? [event.id] : []));
    expect(ids).toHaveLength(2);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('says when nobody answers, and when nothing listens', async () => {
    const dead = world({ attempts: 2, timeoutMs: 20 }, { zones: ZONES, loss: 1 });
    await expect(dead.resolver.resolve('shop.example')).rejects.toMatchObject({ code: 'ETIMEOUT', syscall: 'queryA' });
    expect(dead.asked()).toBe(2);
    dead.made.close();
    const closed = world({ attempts: 1 }, {});
    await expect(closed.resolver.resolve('shop.example')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('asks the next server when one refuses', async () => {
    const { made, events } = world();
    const resolver = new Resolver(made.host('client'), {
      servers: ['10.0.0.53:54', '[fd00::53]:53'],
      timeoutMs: 1000,
      trace: (event) => events.push(event),
    });
    expect(await resolver.resolve4('shop.example')).toEqual(['203.0.113.10']);
    await expect(resolver.resolve('somewhere.test')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  it('uses the search list for short names only', async () => {
    const { resolver, events } = world({ search: ['nothere.example', 'example'] });
    expect(await resolver.resolve4('shop')).toEqual(['203.0.113.10']);
    const names = events.flatMap((event) => (event.kind === 'asked' ? [event.name] : []));
    expect(names).toEqual(['shop.nothere.example', 'shop.example']);
    await expect(resolver.resolve('shop.')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  it.each(['', '.', 'a..b', `${'x'.repeat(64)}.example`, 'x.'.repeat(130), 'spa ce.example'])(
    'asks nobody for %j',
    async (name) => {
      const { resolver, asked } = world();
      await expect(resolver.resolve(name)).rejects.toMatchObject({ code: 'EBADNAME' });
      expect(asked()).toBe(0);
    },
  );

  it('refuses servers that are no addresses', () => {
    expect(() => world({ servers: [] })).toThrow('needs servers');
    network?.close();
    expect(() => world({ servers: ['ns.example'] })).toThrow('no name server');
  });
});

describe('lookup', () => {
  it("has node's shape", async () => {
    const { resolver } = world();
    const lookup = lookupWith(resolver) as unknown as typeof nodeLookup;
    const one = await new Promise((resolve) =>
      lookup('shop.example', 4, (error, ...rest) => resolve([error, ...rest])),
    );
    expect(one).toEqual([null, '203.0.113.10', 4]);
    const all = await new Promise((resolve) => lookup('shop.example', { all: true }, (_error, list) => resolve(list)));
    expect(all).toEqual([
      { address: '203.0.113.10', family: 4 },
      { address: '2001:db8::10', family: 6 },
    ]);
    const none = await new Promise((resolve) => lookup('none.example', (error) => resolve(error)));
    expect(none).toMatchObject({ code: 'ENOTFOUND' });
    const own = await new Promise((resolve) =>
      lookup('localhost', { family: 6 }, (_error, address) => resolve(address)),
    );
    expect(own).toBe('::1');
  });
});

describe('forged answers', () => {
  /** A server that answers every question with what `forge` makes of it. */
  function forger(forge: (query: Uint8Array) => Uint8Array[]) {
    const all = world({ attempts: 1, timeoutMs: 300 }, {});
    const host = all.made.host('ns');
    host.stack.udp({
      port: 53,
      handler: {
        readable: (socket) => {
          for (let d = socket.receive(); d !== null; d = socket.receive()) {
            for (const bytes of forge(d.bytes)) socket.send(host.now(), bytes, { address: d.address, port: d.port });
          }
          host.wake();
        },
      },
    });
    return all;
  }
  const record = (query: Uint8Array, name: number[]): Uint8Array => {
    const end = query.length - 11; // without the OPT record
    const bytes = Uint8Array.from([...query.subarray(0, end), ...name, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 6, 6, 6, 6]);
    bytes.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
    return bytes;
  };

  it('believes an answer only with the id and the question of ours', async () => {
    const good = forger((query) => [record(query, [0xc0, 12])]);
    expect(await good.resolver.resolve4('shop.example')).toEqual(['6.6.6.6']);
    good.made.close();
    const otherId = forger((query) => {
      const forged = record(query, [0xc0, 12]);
      forged[0] ^= 1;
      return [forged];
    });
    await expect(otherId.resolver.resolve('shop.example')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(otherId.events.some(({ kind }) => kind === 'refused')).toBe(true);
    otherId.made.close();
    const otherQuestion = forger((query) => {
      const forged = record(query, [0xc0, 12]);
      forged[14] ^= 2;
      return [forged];
    });
    await expect(otherQuestion.resolver.resolve('shop.example')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });

  it('takes no record of a name nobody asked for', async () => {
    const { resolver } = forger((query) => [record(query, [4, 0x65, 0x76, 0x69, 0x6c, 0])]);
    await expect(resolver.resolve('shop.example')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  it('waits on for the true answer behind a compression loop', async () => {
    const { resolver } = forger((query) => [record(query, [0xc0, query.length - 11]), record(query, [0xc0, 12])]);
    expect(await resolver.resolve4('shop.example')).toEqual(['6.6.6.6']);
  });
});
