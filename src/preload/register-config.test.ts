import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from './register-config.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'estab-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string): string {
  const name = path.join(folder, 'estab.json');
  writeFileSync(name, content);
  return name;
}

describe('the configuration of estab/register', () => {
  test('nothing said: the embedded network, for everything', () => {
    expect(readConfig({})).toEqual({
      tun: null,
      address: [],
      peer: [],
      mtu: null,
      pcap: null,
      network: null,
      host: null,
      dns: null,
      search: [],
      sysctl: [],
      only: null,
      listen: null,
    });
  });

  test('the environment overrules the file', () => {
    const name = file('{"tun": "tun7", "address": ["10.7.0.2/24", "fd07::2/64"], "mtu": 1400, "listen": [80, 443]}');
    const config = readConfig({ ESTAB_CONFIG: name, ESTAB_MTU: '1280', ESTAB_ONLY: '10.0.0.0/8, *.example.org' });
    expect(config).toMatchObject({ tun: 'tun7', address: ['10.7.0.2/24', 'fd07::2/64'], mtu: 1280, listen: [80, 443] });
    expect(config.only).toEqual(['10.0.0.0/8', '*.example.org']);
    expect(readConfig({ ESTAB_LISTEN: 'none' }).listen).toEqual([]);
  });

  test.each([
    [{ ESTAB_MTU: '12' }, /mtu 12/],
    [{ ESTAB_TUN: 'tun0' }, /ESTAB_ADDRESS/],
    [{ ESTAB_ADDRESS: '10.7.0.2/24' }, /ESTAB_TUN/],
    [{ ESTAB_PCAP: 'a.pcapng' }, /ESTAB_TUN/],
    [{ ESTAB_LISTEN: 'web' }, /listen web/],
    [{ ESTAB_ONLY: '10.0.0.1,,' }, /only is no list/],
    [{ ESTAB_TUN: 'tun0', ESTAB_ADDRESS: '10.7.0.2/24', ESTAB_PEER: '10.7.0.1,10.7.0.3' }, /2 peers for 1/],
    [{ ESTAB_CONFIG: '/nowhere/estab.json' }, /cannot be read/],
    [{ ESTAB_NETWORK: '/nowhere/network.json' }, /network: \/nowhere\/network\.json cannot be read/],
    [{ ESTAB_HOST: 'laptop' }, /host laptop .* there is none; give ESTAB_NETWORK/],
    [{ ESTAB_SEARCH: 'example' }, /give ESTAB_DNS as well/],
  ])('refuses %j', (environment, message) => {
    expect(() => readConfig(environment)).toThrow(message);
  });

  test('refuses a file that is no object, or has entries that mean nothing', () => {
    expect(() => readConfig({ ESTAB_CONFIG: file('[1]') })).toThrow(/no object/);
    expect(() => readConfig({ ESTAB_CONFIG: file('{"tunnel": "tun0"}') })).toThrow(/"tunnel".*none of tun/);
    expect(() => readConfig({ ESTAB_CONFIG: file('{"tun": 5}') })).toThrow(/tun is no text/);
  });

  const laptop = { address: '10.0.0.1' };

  test('a declared network, in the file itself or in one of its own', () => {
    const hosts = { laptop, shop: { address: '203.0.113.10', delayMs: 5, loss: 0.1, listens: [80, 443] } };
    const inside = readConfig({ ESTAB_CONFIG: file(JSON.stringify({ network: { hosts, seed: 7 }, host: 'shop' })) });
    expect(inside.host).toBe('shop');
    expect(inside.network?.options).toMatchObject({ seed: 7, background: true });
    expect(inside.network?.options.hosts.shop).toEqual({ address: '203.0.113.10', delayMs: 5, loss: 0.1 });
    expect([...(inside.network?.listeners ?? [])]).toEqual([
      [80, 'shop'],
      [443, 'shop'],
    ]);
    expect(readConfig({ ESTAB_NETWORK: file(JSON.stringify({ hosts })) }).network).toMatchObject({
      options: { hosts: {} },
    });
  });

  test.each([
    [{ network: {} }, /the network has no hosts; write/],
    [{ network: { hosts: { laptop }, speed: 5 } }, /"speed" is none of hosts, seed, mtu/],
    [{ network: { hosts: { laptop }, mtu: 5 } }, /mtu 5 is no whole number from 68/],
    [{ network: { hosts: { laptop: '10.0.0.1' } } }, /host "laptop" is declared by no object/],
    [
      { network: { hosts: { laptop: { ...laptop, lost: 0.1 } } } },
      /host "laptop": there is no "lost"; known are address,.*loss/,
    ],
    [{ network: { hosts: { laptop: { ...laptop, loss: 5 } } } }, /host "laptop": loss 5 is no probability; give 0 … 1/],
    [{ network: { hosts: { laptop: { ...laptop, delayMs: '5' } } } }, /delayMs "5" is no number of milliseconds/],
    [
      { network: { hosts: { laptop: { ...laptop, reorder: { probability: 1 } } } } },
      /reorder extraMs undefined is no number/,
    ],
    [{ network: { hosts: { laptop: { ...laptop, listens: 80 } } } }, /listens is no list of ports; write \[80, 443\]/],
    [{ network: { hosts: { laptop }, seed: 1 }, host: 'shop' }, /no host "shop" was declared; there are laptop/],
    [{ network: { hosts: { laptop } }, tun: 'tun0', address: '10.7.0.2/24' }, /on a TUN or on a network of its own/],
  ])('refuses %j', (content, message) => {
    expect(() => readConfig({ ESTAB_CONFIG: file(JSON.stringify(content)) })).toThrow(message);
  });
});
