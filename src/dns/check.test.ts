import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { messageProblem } from './check.ts';
import { decodeMessage, encodeReply } from './message.ts';

const HEADER = (questions: number, answers: number): number[] => [
  0,
  1,
  0x81,
  0x80,
  0,
  questions,
  0,
  answers,
  0,
  0,
  0,
  0,
];
const A = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4];
const problem = (...parts: number[][]): string | null => messageProblem(Uint8Array.from(parts.flat()));
const label = (length: number): number[] => [length, ...new Array<number>(length).fill(0x61)];

describe('messageProblem', () => {
  it('takes what is well formed', () => {
    expect(problem(HEADER(1, 1), [1, 0x61, 0], [0, 1, 0, 1], [0xc0, 12], A)).toBeNull();
    expect(problem(HEADER(0, 1), [...label(63), ...label(63), ...label(63), ...label(61), 0], A)).toBeNull();
  });

  it.each([
    ['a loop onto itself', [[0xc0, 12], A], 'point back'],
    ['a loop of two', [[1, 0x61, 0xc0, 12], A], 'point back'],
    ['a forward pointer', [[0xc0, 30], A], 'point back'],
    ['a pointer into the header', [[0xc0, 2], A], 'point back'],
    ['a label of 64 octets or more', [[0x40, ...new Array<number>(80).fill(0x61), 0], A], '63'],
    ['a name of 256 octets', [[...label(63), ...label(63), ...label(63), ...label(62), 0], A], '255'],
    ['a label that ends behind the message', [[63, 0x61]], 'past its end'],
    ['a pointer cut in two', [[0xc0]], 'past its end'],
    ['a record cut short', [[0], [0, 1, 0, 1, 0, 0]], 'counts'],
    ['data longer than the message', [[0], [0, 1, 0, 1, 0, 0, 0, 60, 0, 9, 1, 2, 3, 4]], 'counts'],
    ['an address of three octets', [[0], [0, 1, 0, 1, 0, 0, 0, 60, 0, 3, 1, 2, 3]], 'length'],
    ['an alias whose name ends before its data', [[0], [0, 5, 0, 1, 0, 0, 0, 60, 0, 3, 0, 0, 0]], 'length'],
    ['a string longer than its data', [[0], [0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 9, 9]], 'length'],
    ['a dot in a label', [[3, 0x61, 0x2e, 0x62, 0], A], 'dot'],
  ])('refuses %s', (_name, parts, words) => {
    expect(problem(HEADER(0, 1), ...(parts as number[][]))).toContain(words);
  });

  it('refuses counts that promise more than there is', () => {
    expect(problem([0, 1, 0x81, 0x80, 255, 255, 255, 255, 255, 255, 255, 255])).not.toBeNull();
    expect(problem(HEADER(1, 2), [1, 0x61, 0], [0, 1, 0, 1], [0xc0, 12], A)).not.toBeNull();
  });

  it('never throws, and what passes it decodes without a throw, for damaged messages (F31)', () => {
    const random = new SeededRandom(31);
    const query = { id: 7, response: false, opcode: 0, rcode: 0, truncated: false, authoritative: false } as const;
    const good = encodeReply(
      {
        ...query,
        recursionDesired: true,
        questions: [{ name: 'a.example', type: 'A', class: 'IN' }],
        answers: [],
        authorities: [],
        udpPayloadSize: 1232,
      },
      {
        rcode: 0,
        authoritative: true,
        answers: [
          { name: 'a.example', type: 'CNAME', ttl: 5, data: 'b.example' },
          { name: 'b.example', type: 'TXT', ttl: 5, data: ['x'] },
        ],
        authorities: [],
      },
      1232,
    );
    for (let run = 0; run < 20_000; run++) {
      const bytes = good.slice(0, run % 3 === 0 ? random.nextUint32() % (good.length + 1) : good.length);
      for (let k = 0; k < 3 && bytes.length > 0; k++) bytes[random.nextUint32() % bytes.length] = random.nextUint32();
      const message = decodeMessage(bytes);
      expect(typeof message === 'string' || Array.isArray(message.answers)).toBe(true);
    }
  });
});
