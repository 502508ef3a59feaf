import { describe, expect, it } from 'vitest';
import { IpAddress } from '../wire/address.ts';
import { maskAddress, parsePrefix, Routes } from './routes.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text);

function table(...routes: [prefix: string, device: string][]): Routes<string> {
  const table = new Routes<string>();
  for (const [prefix, device] of routes) table.add({ prefix: parsePrefix(prefix), via: null, device, source: null });
  return table;
}

describe('parsePrefix', () => {
  it('reads both families and bare addresses', () => {
    expect(parsePrefix('10.1.2.3/8')).toMatchObject({ length: 8 });
    expect(parsePrefix('10.1.2.3')).toMatchObject({ length: 32 });
    expect(parsePrefix('2001:db8::/32')).toMatchObject({ length: 32 });
    expect(parsePrefix('::1')).toMatchObject({ length: 128 });
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '::/129', '10.0.0.0/8/8', 'ten/8'])('refuses %s', (text) => {
    expect(() => parsePrefix(text)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('maskAddress', () => {
  it.each([
    ['10.1.2.3', 8, '10.0.0.0'],
    ['10.1.2.3', 0, '0.0.0.0'],
    ['10.1.2.3', 32, '10.1.2.3'],
    ['255.255.255.255', 31, '255.255.255.254'],
    ['2001:db8:1:2::9', 33, '2001:db8::'],
    ['2001:db8:1:2::9', 128, '2001:db8:1:2::9'],
    ['2001:db8:1:2::9', 0, '::'],
  ])('%s/%i is %s', (address, length, network) => {
    expect(maskAddress(ip(address), length).toString()).toBe(network);
  });
});

describe('Routes', () => {
  const routes = table(
    ['0.0.0.0/0', 'default'],
    ['10.0.0.0/8', 'ten'],
    ['10.1.0.0/16', 'ten-one'],
    ['10.1.2.3/32', 'host'],
    ['2001:db8::/32', 'doc'],
    ['2001:db8:0:5::/64', 'doc5'],
  );

  it.each([
    ['10.1.2.3', 'host'],
    ['10.1.2.4', 'ten-one'],
    ['10.2.0.1', 'ten'],
    ['192.0.2.1', 'default'],
    ['2001:db8::1', 'doc'],
    ['2001:db8:0:5::1', 'doc5'],
  ])('%s goes to %s', (destination, device) => {
    expect(routes.lookup(ip(destination))?.device).toBe(device);
  });

  it('has no IPv6 route because there is an IPv4 default', () => {
    expect(routes.lookup(ip('fd00::1'))).toBeNull();
  });

  it('replaces and deletes, and says that it changed', () => {
    const routes = table(['10.0.0.0/8', 'a']);
    const before = routes.generation;
    routes.add({ prefix: parsePrefix('10.9.9.9/8'), via: null, device: 'b', source: null });
    expect(routes.lookup(ip('10.0.0.1'))?.device).toBe('b');
    expect(routes.delete(parsePrefix('10.0.0.0/9'))).toBe(false);
    expect(routes.delete(parsePrefix('10.0.0.0/8'))).toBe(true);
    expect(routes.lookup(ip('10.0.0.1'))).toBeNull();
    expect(routes.generation).toBeGreaterThan(before);
  });
});
