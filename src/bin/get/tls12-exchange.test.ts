import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { keyExchangeIn } from './tls12-exchange.ts';

const u16 = (value: number): number[] => [value >> 8, value & 255];
const message = (type: number, body: number[]): number[] => [type, 0, ...u16(body.length), ...body];
const record = (type: number, body: number[]): number[] => [type, 3, 3, ...u16(body.length), ...body];
const CHANGE = record(20, [1]);

const curve = message(12, [3, ...u16(29), 4, 1, 2, 3, 4, ...u16(0x0403), ...u16(2), 9, 9]);
const answer = message(16, [4, 5, 6, 7, 8]);
const seen = (client: number[], server: number[]) => keyExchangeIn(Uint8Array.from(client), Uint8Array.from(server));
const prime = (begin: string): number[] => [...Buffer.from(begin.padEnd(512, '5a'), 'hex')];
const RFC7919 = 'ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1';

describe('keyExchangeIn', () => {
  it('reads both public values of an exchange on a curve', () => {
    const server = [
      ...record(22, message(2, [])),
      ...record(22, [...message(11, [1, 2]), ...curve, ...message(14, [])]),
    ];
    expect(seen(record(22, answer), server)).toEqual({ group: 29, clientPublic: '05060708', serverPublic: '01020304' });
  });

  it("reads those of a finite field, and names the group only where the prime is RFC 7919's", () => {
    const ours = record(22, message(16, [...u16(2), 7, 7]));
    const theirs = (begin: string): number[] =>
      record(22, message(12, [...u16(256), ...prime(begin), ...u16(1), 2, ...u16(3), 8, 8, 8, ...u16(0)]));
    expect(seen(ours, theirs(RFC7919))).toEqual({ group: 256, clientPublic: '0707', serverPublic: '080808' });
    expect(seen(ours, theirs('c0ffee'))).toEqual({ group: null, clientPublic: '0707', serverPublic: '080808' });
  });

  it('reads nothing behind ChangeCipherSpec, where all is encrypted', () => {
    expect(seen([...CHANGE, ...record(22, answer)], record(22, curve))).toEqual({
      group: null,
      clientPublic: null,
      serverPublic: null,
    });
  });

  it('never throws, whatever the octets', () => {
    const random = new SeededRandom(5);
    const good = Uint8Array.from([...record(22, curve), ...record(22, answer)]);
    for (let run = 0; run < 3000; run++) {
      const bytes = good.slice(0, random.nextUint32() % (good.length + 1));
      for (let k = 0; k < 3 && bytes.length > 0; k++) bytes[random.nextUint32() % bytes.length] = random.nextUint32();
      expect(keyExchangeIn(bytes, bytes)).toHaveProperty('group');
    }
  });
});
