import { describe, expect, it } from 'vitest';
import { IpAddress } from '../wire/address.ts';
import { Interface, type InterfaceOptions } from './interface.ts';

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 5);

function make(addresses: string[], options: Partial<InterfaceOptions> = {}): Interface {
  return new Interface(1, { name: 'if', mtu: 1500, medium: 'ethernet', mac: MAC, addresses, ...options });
}

function broadcast(iface: Interface, text: string): boolean {
  const a = IpAddress.parse(text);
  return iface.isBroadcast(a.w0, a.w1, a.w2, a.w3);
}

function group(iface: Interface, text: string): boolean {
  const a = IpAddress.parse(text);
  return iface.inGroup(a.w0, a.w1, a.w2, a.w3);
}

describe('Interface', () => {
  it('knows the broadcast addresses of its networks', () => {
    const iface = make(['10.1.2.3/24', '192.0.2.1/31', '198.51.100.1']);
    expect(broadcast(iface, '10.1.2.255')).toBe(true);
    expect(broadcast(iface, '255.255.255.255')).toBe(true);
    expect(broadcast(iface, '10.1.3.255')).toBe(false);
    expect(broadcast(iface, '192.0.2.1')).toBe(false);
    expect(broadcast(iface, '198.51.100.1')).toBe(false);
    expect(broadcast(iface, '::255.255.255.255')).toBe(false);
  });

  it.each(['127.0.0.1/8', '::1/128', '0.0.0.0/0', '224.0.0.1/4'])(
    'refuses %s, no host behind a link has it',
    (address) => {
      expect(() => make([address])).toThrow(/cannot be a host's address/);
    },
  );

  it('is in the groups every host is in, and in those its addresses need', () => {
    const iface = make(['10.1.2.3/24', '2001:db8::1:2:3/64']);
    expect(group(iface, '224.0.0.1')).toBe(true);
    expect(group(iface, '224.0.0.251')).toBe(false);
    expect(group(iface, 'ff02::1')).toBe(true);
    expect(group(iface, 'ff02::2')).toBe(false);
    expect(group(iface, 'ff02::1:ff02:3')).toBe(true);
    expect(group(iface, 'ff02::1:ff02:4')).toBe(false);
    expect(group(iface, 'ff02::1:ff00:5')).toBe(true); // its link-local address
  });

  it('makes itself a link-local address on Ethernet', () => {
    const own = make(['2001:db8::1/64']).addresses.map((a) => a.address.toString());
    expect(own).toEqual(['2001:db8::1', 'fe80::ff:fe00:5']);
    expect(make(['fe80::9/64']).addresses.length).toBe(1);
    expect(make(['10.0.0.1/8']).addresses.length).toBe(1);
  });

  it('speaks from the address in the network it speaks to', () => {
    const iface = make(['10.1.2.3/24', '192.0.2.1/24', '2001:db8::1/64', '2001:db8:5::1/64']);
    const from = (text: string): string => String(iface.sourceFor(IpAddress.parse(text)));
    expect(from('192.0.2.77')).toBe('192.0.2.1');
    expect(from('8.8.8.8')).toBe('10.1.2.3');
    expect(from('2001:db8:5::99')).toBe('2001:db8:5::1');
    expect(from('fd00::1')).toBe('2001:db8::1');
    expect(from('fe80::77')).toBe('fe80::ff:fe00:5');
    expect(make(['10.0.0.1/8']).sourceFor(IpAddress.parse('::1'))).toBeNull();
  });

  it.each([
    [{ mtu: 127 }, []],
    [{ mtu: 65_536 }, []],
    [{ mtu: 1279 }, ['2001:db8::1/64']],
    [{ mac: null }, []],
    [{ mac: Uint8Array.of(1, 0, 0, 0, 0, 0) }, []],
    [{}, ['0.0.0.0/8']],
    [{}, ['224.0.0.1/8']],
    [{}, ['10.0.0.255/24']],
    [{}, ['ff02::1/64']],
    [{}, ['ten']],
  ] as [Partial<InterfaceOptions>, string[]][])('refuses %o with %o', (options, addresses) => {
    expect(() => make(addresses, options)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
  });
});
