import { describe, expect, test } from 'vitest';
import { IPV4_ANY, IPV6_ANY, IpAddress } from './address.ts';

describe('text', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    // RFC 5952 section 4.2: the longest run, the first of equals, and never a single group.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    // The mapped form is IPv4 itself.
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is %s', (text, canonical) => {
    expect(IpAddress.parse(text).toString()).toBe(canonical);
    expect(IpAddress.parse(canonical).equals(IpAddress.parse(text))).toBe(true);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '1..2.3',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    'fe80::1%eth0',
  ])('"%s" is none', (text) => {
    expect(IpAddress.tryParse(text)).toBeNull();
    expect(() => IpAddress.parse(text)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('kinds', () => {
  test.each([
    ['127.255.0.1', 'isLoopback', true],
    ['128.0.0.1', 'isLoopback', false],
    ['::1', 'isLoopback', true],
    ['::2', 'isLoopback', false],
    ['1::1', 'isLoopback', false],
    ['0:0:1::1', 'isLoopback', false],
    ['::1:0:0:1', 'isLoopback', false],
    ['224.0.0.1', 'isMulticast', true],
    ['239.255.255.255', 'isMulticast', true],
    ['240.0.0.1', 'isMulticast', false],
    ['ff02::1', 'isMulticast', true],
    ['fe80::1', 'isMulticast', false],
    ['169.254.3.4', 'isLinkLocal', true],
    ['169.255.3.4', 'isLinkLocal', false],
    ['febf::1', 'isLinkLocal', true],
    ['fec0::1', 'isLinkLocal', false],
    ['255.255.255.255', 'isLimitedBroadcast', true],
    ['255.255.255.254', 'isLimitedBroadcast', false],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'isLimitedBroadcast', false],
    ['0.0.0.0', 'isUnspecified', true],
    ['::', 'isUnspecified', true],
    ['0.0.0.1', 'isUnspecified', false],
    ['1::', 'isUnspecified', false],
  ] as const)('%s %s: %s', (text, kind, answer) => {
    expect(IpAddress.parse(text)[kind]).toBe(answer);
  });

  test('families', () => {
    expect(IpAddress.v4(0x7f000001).toString()).toBe('127.0.0.1');
    expect([String(IPV4_ANY), String(IPV6_ANY)]).toEqual(['0.0.0.0', '::']);
    expect(IPV4_ANY.family).toBe(4);
    expect(IPV6_ANY.family).toBe(6);
    expect(IpAddress.parse('::fffe:1.2.3.4').family).toBe(6);
  });
});

test('equal in all four words, or not equal', () => {
  const address = new IpAddress(1, 2, 3, 4);
  expect(address.equals(new IpAddress(1, 2, 3, 4))).toBe(true);
  const others: [number, number, number, number][] = [
    [9, 2, 3, 4],
    [1, 9, 3, 4],
    [1, 2, 9, 4],
    [1, 2, 3, 9],
  ];
  for (const other of others) {
    expect(address.equals(new IpAddress(...other))).toBe(false);
  }
});

describe('prefixes', () => {
  test.each([
    ['192.0.2.200', '192.0.2.1', 24, true],
    ['192.0.3.1', '192.0.2.1', 24, false],
    ['192.0.3.1', '192.0.2.1', 23, true],
    ['8.8.8.8', '0.0.0.0', 0, true],
    ['127.0.0.1', '0.0.0.0', 1, true],
    ['128.0.0.1', '0.0.0.0', 1, false],
    ['8000::', '::', 1, false],
    ['0:0:8000::', '::', 33, false],
    ['192.0.2.1', '192.0.2.0', 32, false],
    ['192.0.2.1', '192.0.2.1', 32, true],
    ['2001:db8:1::1', '2001:db8::', 32, true],
    ['2001:db8:1::1', '2001:db8::', 48, false],
    ['2001:db8::1', '2001:db8::', 127, true],
    ['2001:db8::2', '2001:db8::', 127, false],
    ['2001:db8::1', '2001:db8::1', 128, true],
    ['1.2.3.4', '::', 0, true],
    ['1.2.3.4', '::', 96, false],
  ] as const)('%s in %s/%i: %s', (address, prefix, length, answer) => {
    expect(IpAddress.parse(address).inPrefix(IpAddress.parse(prefix), length)).toBe(answer);
  });
});
