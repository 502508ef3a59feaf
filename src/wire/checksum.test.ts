import { describe, expect, test } from 'vitest';
import { randomBelow, randomFill, SeededRandom } from '../base/random.ts';
import { checksumAdd, checksumAdjust, checksumFold, checksumOk, checksumSet, pseudoHeaderSum } from './checksum.ts';

/** RFC 1071 word for word, over one run of bytes, odd ones padded with a zero. */
function reference(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i] * 256 + (i + 1 < bytes.length ? bytes[i + 1] : 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

function checksum(bytes: Uint8Array, offset: number, length: number): number {
  return checksumFold(checksumAdd(0, bytes, offset, length));
}

const random = new SeededRandom(1071);
const noise = new Uint8Array(70_000);
randomFill(random, noise);

describe('one run', () => {
  test('the example of RFC 1071 section 3', () => {
    const bytes = Buffer.from('0001f203f4f5f6f7', 'hex');
    expect(checksum(bytes, 0, 8)).toBe(~0xddf2 & 0xffff);
  });

  test('a Linux IPv4 header', () => {
    const bytes = Buffer.from('4500003c91984000400694870a4d00010a4d0002', 'hex');
    expect(checksum(bytes, 0, 20)).toBe(0);
  });

  test('each length to 600 at each offset to 9, in a view that begins inside its buffer', () => {
    const view = noise.subarray(3, 1003);
    for (let length = 0; length <= 600; length++) {
      for (let offset = 0; offset < 10; offset++) {
        const expected = reference(view.slice(offset, offset + length));
        if (checksum(view, offset, length) !== expected) expect.fail(`length ${length} offset ${offset}`);
      }
    }
  });

  test('the largest, and all ones, where sums are widest', () => {
    expect(checksum(noise, 1, 65_535)).toBe(reference(noise.slice(1, 65_536)));
    const ones = new Uint8Array(1 << 20).fill(0xff);
    expect(checksum(ones, 0, ones.length)).toBe(0);
    expect(checksum(ones, 0, ones.length - 1)).toBe(0x00ff);
  });

  test('nothing, and zeros, sum to zero', () => {
    expect(checksum(noise, 0, 0)).toBe(0xffff);
    expect(checksum(new Uint8Array(500), 0, 500)).toBe(0xffff);
  });

  test('what lies past the end counts as zeros', () => {
    const bytes = noise.slice(0, 201);
    const padded = new Uint8Array(400);
    padded.set(bytes);
    for (const length of [201, 202, 203, 300, 399, 400]) {
      expect(checksum(bytes, 0, length)).toBe(reference(padded.slice(0, length)));
    }
    expect(checksum(bytes, 500, 10)).toBe(0xffff);
  });

  test('alternating buffers do not mix', () => {
    const other = noise.slice().reverse();
    const mine = reference(noise.slice(0, 1460));
    const its = reference(other.slice(0, 1460));
    for (let i = 0; i < 4; i++) {
      expect(checksum(noise, 0, 1460)).toBe(mine);
      expect(checksum(other, 0, 1460)).toBe(its);
    }
  });
});

describe('chains', () => {
  test('parts of odd length, at odd offsets, sum as one run', () => {
    for (let round = 0; round < 3000; round++) {
      const total = randomBelow(random, 700);
      const start = randomBelow(random, 64);
      let sum = 0;
      for (let at = 0; at < total; ) {
        const part = Math.min(total - at, 1 + randomBelow(random, 260));
        // Each part elsewhere, so that neither alignment nor neighbours help.
        const elsewhere = new Uint8Array(part + 7);
        elsewhere.set(noise.subarray(start + at, start + at + part), at % 7);
        sum = checksumAdd(sum, elsewhere, at % 7, part);
        at += part;
      }
      expect(checksumFold(sum)).toBe(reference(noise.slice(start, start + total)));
    }
  });

  test('the running sum stays a small integer, however long the chain', () => {
    const ones = new Uint8Array(65_535).fill(0xff);
    let sum = 0;
    for (let i = 0; i < 1001; i++) {
      sum = checksumAdd(sum, ones, 0, ones.length);
      expect(sum >= 0 && sum < 0x2000_0000).toBe(true);
    }
    expect(checksumFold(sum)).toBe(0x00ff);
  });

  test('header words may be added between even parts', () => {
    const sum = checksumAdd(0, noise, 0, 40) + 0xffff + 0x1234;
    const words = Uint8Array.of(0xff, 0xff, 0x12, 0x34);
    expect(checksumFold(sum)).toBe(checksumFold(checksumAdd(checksumAdd(0, noise, 0, 40), words, 0, 4)));
  });
});

describe('pseudo headers', () => {
  test('are the sum of the bytes that the RFCs draw', () => {
    const v4 = Buffer.from('c0000201cb007105' + '0006' + '05c8', 'hex');
    expect(checksumFold(pseudoHeaderSum(4, 0, 0, 0xffff, 0xc0000201 | 0, 0, 0, 0xffff, 0xcb007105 | 0, 6, 0x5c8))).toBe(
      reference(v4),
    );
    const v6 = Buffer.from(
      '20010db800000000000000000000000120010db8ffff00010002000300040005' + '00012345' + '0000003a',
      'hex',
    );
    const sum = pseudoHeaderSum(6, 0x20010db8, 0, 0, 1, 0x20010db8, -65535, 0x20003, 0x40005, 58, 0x12345);
    expect(checksumFold(sum)).toBe(reference(v6));
  });

  test("Linux's offloaded UDP datagram holds just this sum", () => {
    expect(checksumFold(pseudoHeaderSum(4, 0, 0, 0, 0x0a090001, 0, 0, 0, 0x0a090002, 17, 14))).toBe(~0x1434 & 0xffff);
  });
});

describe('fields', () => {
  test('set makes what ok accepts, and ok sees every flipped bit', () => {
    const bytes = noise.slice(0, 61);
    checksumSet(4711, bytes, 1, 60, 17);
    expect(checksumOk(4711, bytes, 1, 60)).toBe(true);
    expect(checksumOk(4712, bytes, 1, 60)).toBe(false);
    for (let bit = 8; bit < 61 * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      expect(checksumOk(4711, bytes, 1, 60)).toBe(false);
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
  });

  test('the example of RFC 1624 section 4', () => {
    expect(checksumAdjust(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test('adjusted is the same as made again', () => {
    const bytes = noise.slice(0, 40);
    checksumSet(0, bytes, 0, 40, 10);
    for (let round = 0; round < 2000; round++) {
      const field = 12 + 2 * randomBelow(random, 14);
      const from = (bytes[field] << 8) | bytes[field + 1];
      const to = randomBelow(random, 0x1_0000);
      const adjusted = checksumAdjust((bytes[10] << 8) | bytes[11], from, to);
      bytes[field] = to >> 8;
      bytes[field + 1] = to;
      checksumSet(0, bytes, 0, 40, 10);
      expect(adjusted).toBe((bytes[10] << 8) | bytes[11]);
    }
  });
});
