import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { groupName, hellosIn, isRetry } from './tls-hello.ts';

const u16 = (value: number): number[] => [value >> 8, value & 255];
const extension = (type: number, body: number[]): number[] => [...u16(type), ...u16(body.length), ...body];
const message = (type: number, body: number[]): number[] => [type, 0, ...u16(body.length), ...body];
const record = (type: number, body: number[]): number[] => [type, 3, 3, ...u16(body.length), ...body];

const KEY = [9, 8, 7, 6];
const share = [...u16(29), ...u16(KEY.length), ...KEY];
const client = (): number[] => {
  const extensions = [
    ...extension(0, [...u16(12), 0, ...u16(9), ...Buffer.from('a.example')]),
    ...extension(43, [4, 3, 4, 3, 3]),
    ...extension(51, [...u16(share.length), ...share]),
  ];
  return message(1, [
    3,
    3,
    ...new Array(32).fill(1),
    0,
    ...u16(2),
    19,
    1,
    1,
    0,
    ...u16(extensions.length),
    ...extensions,
  ]);
};
const server = (random: number[], body: number[]): number[] => {
  const extensions = [...extension(43, [3, 4]), ...extension(51, body)];
  return message(2, [3, 3, ...random, 0, 19, 1, 0, ...u16(extensions.length), ...extensions]);
};

describe('hellosIn', () => {
  it('reads the public values of both sides', () => {
    const [hello] = hellosIn(Uint8Array.from(record(22, client())));
    expect(hello).toMatchObject({
      serverName: 'a.example',
      versions: [0x304, 0x303],
      shares: [{ group: 29, key: '09080706' }],
    });
    const [answer] = hellosIn(Uint8Array.from(record(22, server(new Array(32).fill(2), share))));
    expect(answer).toMatchObject({ cipher: 0x1301, versions: [0x304], shares: [{ group: 29, key: '09080706' }] });
    expect(isRetry(answer)).toBe(false);
    expect(groupName(answer.shares[0].group)).toBe('X25519');
  });

  it('knows a request for another group, and the hello after it', () => {
    const random = [...Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')];
    const stream = [
      ...record(22, server(random, u16(23))),
      ...record(20, [1]),
      ...record(22, server(new Array(32).fill(3), share)),
    ];
    const found = hellosIn(Uint8Array.from(stream));
    expect(found.map(isRetry)).toEqual([true, false]);
    expect(found[0].shares).toEqual([{ group: 23, key: '' }]);
  });

  it('puts a hello together that came in two records, and waits for what is cut off', () => {
    const whole = client();
    const stream = Uint8Array.from([...record(22, whole.slice(0, 20)), ...record(22, whole.slice(20))]);
    expect(hellosIn(stream)).toHaveLength(1);
    expect(hellosIn(stream.subarray(0, 40))).toEqual([]);
  });

  it('never throws, whatever the octets', () => {
    const random = new SeededRandom(7);
    const good = Uint8Array.from([...record(22, client()), ...record(22, server(new Array(32).fill(2), share))]);
    for (let run = 0; run < 5000; run++) {
      const bytes = good.slice(0, random.nextUint32() % (good.length + 1));
      for (let k = 0; k < 4 && bytes.length > 0; k++) bytes[random.nextUint32() % bytes.length] = random.nextUint32();
      expect(Array.isArray(hellosIn(bytes))).toBe(true);
    }
  });
});
