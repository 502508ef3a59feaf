import { expect, test } from 'vitest';
import { readI32, readU16, readU32, writeU16, writeU32 } from './bytes.ts';

test('reads in network order, signed and unsigned', () => {
  const bytes = Uint8Array.of(0, 0xff, 0xfe, 0xfd, 0xfc, 0x01);
  expect(readU16(bytes, 1)).toBe(0xfffe);
  expect(readU32(bytes, 1)).toBe(0xfffefdfc);
  expect(readI32(bytes, 1)).toBe(0xfffefdfc - 0x1_0000_0000);
  expect(readU16(bytes, 4)).toBe(0xfc01);
});

test.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff])(
  'writes %i, whichever sign it came in',
  (value) => {
    const bytes = new Uint8Array(6).fill(0xaa);
    writeU32(bytes, 1, value);
    expect(readU32(bytes, 1)).toBe(value);
    writeU32(bytes, 1, value | 0);
    expect(readU32(bytes, 1)).toBe(value);
    expect([bytes[0], bytes[5]]).toEqual([0xaa, 0xaa]);
  },
);

test('writes the low 16 bits, and nothing beside them', () => {
  const bytes = new Uint8Array(4).fill(0xaa);
  writeU16(bytes, 1, 0x12345);
  expect(Array.from(bytes)).toEqual([0xaa, 0x23, 0x45, 0xaa]);
});

test('past the end it reads zeros and writes nothing', () => {
  const bytes = Uint8Array.of(1, 2);
  expect(readU16(bytes, 1)).toBe(0x200);
  expect(readU32(bytes, 2)).toBe(0);
  writeU32(bytes, 1, 0x0a0b0c0d);
  expect(Array.from(bytes)).toEqual([1, 0x0a]);
});
