import { describe, expect, it } from 'vitest';
import { IpAddress } from '../wire/address.ts';
import { orderDestinations } from './destination-order.ts';

/** The examples of RFC 6724 section 10.2 that need no temporary or mobile addresses, and a few of our own. */
const CASES: readonly (readonly [what: string, candidates: Record<string, string | null>, first: string])[] = [
  ['matching scope', { '2001:db8:1::1': '2001:db8:1::2', '198.51.100.121': '169.254.13.78' }, '2001:db8:1::1'],
  ['matching scope', { '198.51.100.121': '198.51.100.117', '2001:db8:1::1': 'fe80::1' }, '198.51.100.121'],
  ['higher precedence', { '10.1.2.3': '10.1.2.4', '2001:db8:1::1': '2001:db8:1::2' }, '2001:db8:1::1'],
  ['smaller scope', { '2001:db8:1::1': '2001:db8:1::2', 'fe80::1': 'fe80::2' }, 'fe80::1'],
  [
    'matching label',
    { '2001:db8:1::1': '2002:c633:6401::2', '2002:c633:6401::1': '2002:c633:6401::2' },
    '2002:c633:6401::1',
  ],
  [
    'higher precedence',
    { '2002:c633:6401::1': '2002:c633:6401::2', '2001:db8:1::1': '2001:db8:1::2' },
    '2001:db8:1::1',
  ],
  [
    'longest prefix',
    { '2001:db8:1::1': '2001:db8:3ffe::100', '2001:db8:3ffe::1': '2001:db8:3ffe::100' },
    '2001:db8:3ffe::1',
  ],
  ['a way there', { '2001:db8:1::1': null, '10.0.0.1': '10.0.0.2' }, '10.0.0.1'],
  ['IPv4 before unique local without one of ours', { 'fd00::1': '2001:db8::1', '10.0.0.1': '10.0.0.2' }, '10.0.0.1'],
  ['the order given, where no rule speaks', { '10.0.0.9': '10.0.0.2', '10.0.0.1': '10.0.0.2' }, '10.0.0.9'],
];

describe('orderDestinations', () => {
  it.each(CASES)('prefers %s', (_what, candidates, first) => {
    const addresses = Object.keys(candidates).map((text) => IpAddress.parse(text));
    const sourceFor = (to: IpAddress): IpAddress | null => {
      const source = candidates[to.toString()];
      return source === null ? null : IpAddress.parse(source);
    };
    expect(String(orderDestinations(addresses, sourceFor)[0])).toBe(first);
    // Whatever the order was, unless it is the order that decides.
    if (!_what.startsWith('the order')) {
      expect(String(orderDestinations([...addresses].reverse(), sourceFor)[0])).toBe(first);
    }
  });
});
