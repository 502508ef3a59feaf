/** Misuse of `estab/dns` beside node:dns: what is thrown, to the class, code and message. */

import dns from 'node:dns';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookupWith, Resolver } from '../../src/dns/index.ts';
import { EmbeddedNetwork } from '../../src/embedded/index.ts';

type Lookup = (...args: unknown[]) => void;

let network: EmbeddedNetwork;
let lookup: Lookup;
let resolver: Resolver;
beforeAll(() => {
  network = new EmbeddedNetwork({
    hosts: {
      laptop: { address: '10.0.0.1' },
      ns: { address: '10.0.0.53', zones: [{ origin: 'example', records: [] }] },
    },
  });
  resolver = new Resolver(network.host('laptop'), { servers: ['10.0.0.53'] });
  lookup = lookupWith(resolver) as Lookup;
});
afterAll(() => network.close());

async function told(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    return { name, code, message };
  }
  return 'nothing was thrown';
}

const none = (): void => {};

describe('lookup throws what node throws for', () => {
  test.each<[what: string, args: unknown[]]>([
    ['a name that is no text', [5, none]],
    ['no callback', ['shop.example']],
    ['a callback that is none', ['shop.example', {}, 'soon']],
    ['a family there is not', ['shop.example', 5, none]],
    ['a family without a callback', ['shop.example', 4]],
    ['options that are none', ['shop.example', 'all', none]],
    ['options that are none, and no callback', ['shop.example', 'all']],
    ['a family option there is not', ['shop.example', { family: 5 }, none]],
    ['hints that are no number', ['shop.example', { hints: 'x' }, none]],
    ['an all that is no boolean', ['shop.example', { all: 1 }, none]],
    ['a verbatim that is no boolean', ['shop.example', { verbatim: 1 }, none]],
    ['an order there is not', ['shop.example', { order: 'mine' }, none]],
  ])('%s', async (_what, args) => {
    const node = await told(() => (dns.lookup as unknown as Lookup)(...args));
    expect(node).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    expect(await told(() => lookup(...args))).toEqual(node);
  });
});

/** From Node 26 on, no name is refused; before, it has a (deprecated) answer. */
const EMPTY_IS_REFUSED = Number.parseInt(process.versions.node, 10) >= 26;

describe('lookup answers as node does for', () => {
  const answerOf = (of: Lookup, ...args: unknown[]): Promise<unknown[]> => {
    return new Promise((resolve) => of(...args, (...answer: unknown[]) => resolve(answer)));
  };
  const node = dns.lookup as unknown as Lookup;

  test.each<[what: string, args: unknown[]]>([
    ['an address', ['192.0.2.7', {}]],
    ['an address, all', ['192.0.2.7', { all: true }]],
    ['an IPv6 address', ['2001:db8::7', {}]],
    ['no name', ['', {}]],
    ['no name, all', ['', { all: true }]],
    ['no name, of IPv6', ['', { family: 6 }]],
  ])('%s', async (what, args) => {
    if (what.startsWith('no name') && EMPTY_IS_REFUSED) return;
    expect(await answerOf(lookup, ...args)).toEqual(await answerOf(node, ...args));
  });

  test('a name there is not, with the fields of getaddrinfo', async () => {
    const [error] = (await answerOf(lookup, 'nobody.example', {})) as [Error];
    expect({ ...error, message: error.message }).toEqual({
      message: 'getaddrinfo ENOTFOUND nobody.example',
      errno: -3008,
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname: 'nobody.example',
    });
    expect(error.cause).toMatchObject({ code: 'ENOTFOUND', server: '10.0.0.53' });
  });
});

describe('the resolver rejects with what node throws for', () => {
  const theirs = new dns.promises.Resolver();

  test.each<[what: string, ours: () => unknown, node: () => unknown]>([
    ['a name that is no text', () => resolver.resolve4(5 as never), () => theirs.resolve4(5 as never)],
    ['no name', () => resolver.resolve6(undefined as never), () => theirs.resolve6(undefined as never)],
    ['a type there is not', () => resolver.resolve('a.example', 'B' as never), () => theirs.resolve('a.example', 'B')],
  ])('%s', async (_what, ours, node) => {
    const expected = await told(node);
    expect(expected).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    expect(await told(ours)).toEqual(expected);
  });
});
