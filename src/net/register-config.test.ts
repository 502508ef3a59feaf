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
  ])('refuses %j', (environment, message) => {
    expect(() => readConfig(environment)).toThrow(message);
  });

  test('refuses a file that is no object, or has entries that mean nothing', () => {
    expect(() => readConfig({ ESTAB_CONFIG: file('[1]') })).toThrow(/no object/);
    expect(() => readConfig({ ESTAB_CONFIG: file('{"tunnel": "tun0"}') })).toThrow(/"tunnel".*none of tun/);
    expect(() => readConfig({ ESTAB_CONFIG: file('{"tun": 5}') })).toThrow(/tun is no text/);
  });
});
