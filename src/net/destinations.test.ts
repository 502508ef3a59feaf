import { describe, expect, test } from 'vitest';
import { chooser } from './destinations.ts';

describe('rules for destinations', () => {
  const cases: [rule: string, address: string, port: number, name: string | null, chosen: boolean][] = [
    ['10.0.0.0/8', '10.1.2.3', 80, null, true],
    ['10.0.0.0/8', '11.1.2.3', 80, null, false],
    ['10.0.0.1', '10.0.0.1', 80, 'any.example', true],
    ['10.0.0.1:443', '10.0.0.1', 80, null, false],
    ['0.0.0.0/0', '203.0.113.9', 80, null, true],
    ['0.0.0.0/0', '2001:db8::1', 80, null, false],
    ['2001:db8::/32', '2001:db8:7::1', 80, null, true],
    ['2001:db8::1', '2001:db8::1', 80, null, true],
    ['[2001:db8::1]:443', '2001:db8::1', 443, null, true],
    ['[2001:db8::1]:443', '2001:db8::1', 80, null, false],
    ['[2001:db8::/32]:443', '2001:db8::5', 443, null, true],
    ['example.org', '192.0.2.1', 80, 'Example.ORG', true],
    ['example.org', '192.0.2.1', 80, 'example.org.', true],
    ['example.org', '192.0.2.1', 80, 'www.example.org', false],
    ['example.org', '192.0.2.1', 80, null, false],
    ['*.example.org:443', '192.0.2.1', 443, 'a.b.example.org', true],
    ['*.example.org:443', '192.0.2.1', 443, 'example.org', false],
    ['*.example.org:443', '192.0.2.1', 80, 'a.example.org', false],
    ['*', '192.0.2.1', 1, null, true],
    ['*:80', '192.0.2.1', 81, null, false],
  ];
  test.each(cases)('%s and %s port %i, asked for as %s: %s', (rule, address, port, name, chosen) => {
    expect(chooser([rule])(address, port, name)).toBe(chosen);
  });

  test('one of several is enough, none chooses nothing', () => {
    expect(chooser(['10.0.0.0/8', '*:443'])('192.0.2.1', 443, null)).toBe(true);
    expect(chooser([])('192.0.2.1', 443, null)).toBe(false);
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0.1/',
    '10.0.0.1:0',
    '10.0.0.1:70000',
    '::/129',
    'a b',
    'http://x',
    '*x',
    '[::1',
  ])('refuses %j', (rule) => {
    expect(() => chooser([rule])).toThrow(/chooses no destination/);
  });
});
