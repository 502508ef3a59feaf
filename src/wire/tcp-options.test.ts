import { describe, expect, test } from 'vitest';
import { WireDrop } from './drop.ts';
import { ACK, emitTcp, parseTcp, Segment, SYN, tcpHeaderLength } from './tcp.ts';
import { tcpOptionsLength } from './tcp-options.ts';

const NONE = {
  mss: 0,
  windowScale: -1,
  sackPermitted: false,
  timestamps: false,
  tsVal: 0,
  tsEcr: 0,
  sackCount: 0,
  fastOpen: false,
  fastOpenCookie: null,
  userTimeout: -1,
};

/** A segment with these option bytes, padded with EOL and then garbage that must not be looked at. */
function withOptions(flags: number, options: string): Segment {
  const bytes = Buffer.from(options.replaceAll(' ', ''), 'hex');
  const padded = (bytes.length + 3) & ~3;
  const packet = new Uint8Array(20 + padded + 3).fill(0x77);
  packet.set(Buffer.from('00010002000000000000000050000000000000', 'hex'));
  packet[12] = ((20 + padded) >> 2) << 4;
  packet[13] = flags;
  packet.set(bytes, 20);
  if (padded > bytes.length) packet[20 + bytes.length] = 0;
  const segment = new Segment();
  expect(parseTcp(packet, 0, packet.length, segment)).toBe(WireDrop.NONE);
  expect(segment.payloadLength).toBe(3);
  return segment;
}

function emitted(fill: (segment: Segment) => void): string {
  const segment = new Segment();
  fill(segment);
  const bytes = new Uint8Array(61).fill(0xee);
  const length = emitTcp(segment, bytes, 0);
  expect(length).toBe(tcpHeaderLength(segment));
  expect(length % 4).toBe(0);
  expect(bytes[length]).toBe(0xee);
  return Buffer.from(bytes.subarray(20, length)).toString('hex');
}

describe('each option', () => {
  test.each([
    ['MSS', '020405b4', { mss: 1460 }],
    ['MSS, the largest', '0204ffff', { mss: 65535 }],
    ['window scale', '03030e', { windowScale: 14 }],
    ['F12: window scale above 14 is handed on as it came', '0303ff', { windowScale: 255 }],
    ['SACK permitted', '0402', { sackPermitted: true }],
    ['timestamps, beyond 2^31', '080a ffffffff 80000000', { timestamps: true, tsVal: -1, tsEcr: -0x8000_0000 }],
    ['fast open request', '2202', { fastOpen: true }],
    [
      'fast open cookie',
      '220a 0102030405060708',
      { fastOpen: true, fastOpenCookie: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    ],
    ['user timeout', '1c04 8005', { userTimeout: 0x8005 }],
    ['user timeout of 0', '1c04 0000', { userTimeout: 0 }],
    ['MD5, skipped', '1312 00112233445566778899aabbccddeeff 020405b4', { mss: 1460 }],
    ['AO, skipped', '1d10 0102 000102030405060708090a0b 020405b4', { mss: 1460 }],
    ['experimental, skipped', 'fe04 f989 020405b4', { mss: 1460 }],
    ['multipath, skipped', '1e0c 0081 0102030405060708 020405b4', { mss: 1460 }],
  ])('%s', (_name, options, expected) => {
    expect(withOptions(SYN, options)).toMatchObject({ ...NONE, ...expected });
  });

  test.each([1, 2, 3, 4])('%i SACK blocks', (count) => {
    const edges = Array.from({ length: 2 * count }, (_, i) => 0x7fff_fff0 + 8 * i);
    const options = `0101 05${(2 + 8 * count).toString(16).padStart(2, '0')}${edges.map((e) => e.toString(16)).join('')}`;
    const segment = withOptions(ACK, options);
    expect(segment.sackCount).toBe(count);
    expect(Array.from(segment.sackEdges.subarray(0, 2 * count))).toEqual(edges.map((edge) => edge | 0));
  });

  test('timestamps alone, as nearly every segment has them, and at an odd place', () => {
    const expected = { ...NONE, timestamps: true, tsVal: 0x01020304, tsEcr: 0x05060708 };
    expect(withOptions(ACK, '0101080a 01020304 05060708')).toMatchObject(expected);
    expect(withOptions(ACK, '01080a 01020304 05060708 00')).toMatchObject(expected);
    expect(withOptions(ACK, '080a 01020304 05060708 0000')).toMatchObject(expected);
  });

  test('the cookie is a copy, even out of a Buffer', () => {
    const bytes = Buffer.from(`000100020000000000000000${'7002'}000000000000${'2206'}01020304${'0000'}`, 'hex');
    const segment = new Segment();
    parseTcp(bytes, 0, bytes.length, segment);
    bytes.fill(0);
    expect(segment.fastOpenCookie).toEqual(Uint8Array.of(1, 2, 3, 4));
  });
});

describe('F09: lengths that cannot be stop the walk and keep what was valid', () => {
  test.each([
    ['length 0', '020405b4 0800 03030a 00'],
    ['length 1', '020405b4 0801 03030a 00'],
    ['past the end', '020405b4 080a 0303'],
    ['past the end by one', '020405b4 01 0304 0a'],
    ['a kind and no length at the end', '020405b4 010101 08'],
    ['unknown, length 0', '020405b4 fd00 0303 0a'],
    ['unknown, past the end', '020405b4 fd09 0303 0a'],
  ])('%s', (_name, options) => {
    const bytes = options.replaceAll(' ', '');
    const padded = bytes.length % 8 === 0 ? bytes : bytes.padEnd(bytes.length + 8 - (bytes.length % 8), '0');
    expect(withOptions(SYN, padded)).toMatchObject({ ...NONE, mss: 1460 });
  });
});

describe('F10: a known option of a wrong length is ignored, and the walk goes on', () => {
  test.each([
    ['MSS 3', '020305'],
    ['MSS 5', '020505b400'],
    ['MSS 2', '0202'],
    ['window scale 2', '0302'],
    ['window scale 4', '03040a00'],
    ['SACK permitted 3', '040300'],
    ['SACK without a block', '0502'],
    ['SACK 8n+1', '050900000000000000'],
    ['SACK 8n+3', '050b000000000000000000'],
    ['timestamps 9', '080900000001000000'],
    ['timestamps 11', '080b000000010000000200'],
    ['fast open cookie of 2', '22040102'],
    ['fast open cookie of 5', '22070102030405'],
    ['fast open cookie of 18', '2214000102030405060708090a0b0c0d0e0f1011'],
    ['user timeout 3', '1c0301'],
    ['user timeout 6', '1c0601020304'],
  ])('%s', (_name, option) => {
    expect(withOptions(SYN, `${option}01020405b4`)).toMatchObject({ ...NONE, mss: 1460 });
  });

  test('one of a wrong length is not the first of two', () => {
    expect(withOptions(SYN, '020305 020405b4')).toMatchObject({ ...NONE, mss: 1460 });
  });
});

describe('F11: order, padding, duplicates', () => {
  test('of duplicates the first wins, an MSS of 0 too', () => {
    const twice = '020405b4 03030a 020402 18 030305 1c048001 1c040002 2202 220601020304';
    expect(withOptions(SYN, twice)).toMatchObject({ mss: 1460, windowScale: 10, userTimeout: 0x8001, fastOpen: true });
    expect(withOptions(SYN, twice).fastOpenCookie).toBeNull();
    expect(withOptions(SYN, '02040000 020405b4')).toMatchObject(NONE);
    expect(withOptions(SYN, '030300 030305 1c040000 1c040001')).toMatchObject({ windowScale: 0, userTimeout: 0 });
    expect(withOptions(ACK, '080a0000000100000002 080a0000000300000004')).toMatchObject({ tsVal: 1, tsEcr: 2 });
    const sack = withOptions(ACK, '050a0000000100000002 05120000000300000004 0000000500000006');
    expect([sack.sackCount, sack.sackEdges[0]]).toEqual([1, 1]);
  });

  test('40 NOPs', () => {
    expect(withOptions(SYN, '01'.repeat(40))).toMatchObject(NONE);
  });

  test('EOL ends, whatever follows', () => {
    expect(withOptions(SYN, '020405b4 00 03030a 080a0000000100000002 00')).toMatchObject({ ...NONE, mss: 1460 });
    expect(withOptions(SYN, '00ffffff')).toMatchObject(NONE);
  });

  test('any order, any alignment', () => {
    expect(withOptions(SYN, '01 080a0000000100000002 03030a 01 0402 020405b4')).toMatchObject({
      ...NONE,
      mss: 1460,
      windowScale: 10,
      sackPermitted: true,
      timestamps: true,
      tsVal: 1,
      tsEcr: 2,
    });
  });
});

test('F13: what only a SYN may say is not heard from other segments', () => {
  const segment = withOptions(ACK, '020405b4 03030a 0402 2202 1c048001 080a0000000100000002');
  expect(segment).toMatchObject({ ...NONE, userTimeout: 0x8001, timestamps: true, tsVal: 1, tsEcr: 2 });
});

describe('emit lays options out as Linux does', () => {
  const stamp = (segment: Segment): void => {
    segment.timestamps = true;
    segment.tsVal = 0x01020304;
    segment.tsEcr = -1;
  };
  const blocks = (segment: Segment, count: number): void => {
    segment.sackCount = count;
    for (let i = 0; i < 8; i++) segment.sackEdges[i] = i + 1;
  };

  test('a SYN with everything Linux offers, and with less', () => {
    const syn = (segment: Segment): void => {
      segment.mss = 1460;
      segment.windowScale = 7;
    };
    const full = (segment: Segment): void => {
      syn(segment);
      stamp(segment);
      segment.sackPermitted = true;
    };
    expect(emitted(full)).toBe('020405b4' + '0402080a01020304ffffffff' + '01030307');
    expect(emitted(syn)).toBe('020405b4' + '01030307');
    expect(emitted((s) => (s.sackPermitted = true))).toBe('01010402');
    expect(emitted((s) => (s.windowScale = 0))).toBe('01030300');
    expect(emitted(() => {})).toBe('');
  });

  test('data: NOP NOP timestamps; SACK behind', () => {
    expect(emitted(stamp)).toBe('0101080a01020304ffffffff');
    expect(
      emitted((s) => {
        stamp(s);
        blocks(s, 1);
      }),
    ).toBe('0101080a01020304ffffffff' + '0101050a0000000100000002');
  });

  test('as many SACK blocks as there is room for: four, or three beside timestamps', () => {
    expect(emitted((s) => blocks(s, 4))).toHaveLength(2 * 36);
    const beside = emitted((s) => {
      stamp(s);
      blocks(s, 4);
    });
    expect(beside).toHaveLength(2 * 40);
    expect(beside.slice(24, 32)).toBe('0101051a');
  });

  test('fast open, padded; and user timeout', () => {
    expect(emitted((s) => (s.fastOpen = true))).toBe('22020101');
    expect(
      emitted((s) => {
        s.fastOpen = true;
        s.fastOpenCookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
      }),
    ).toBe('220a01020304050607080101');
    expect(emitted((s) => (s.userTimeout = 0x8002))).toBe('1c048002');
  });

  test('what does not fit gives way: user timeout first, then the cookie', () => {
    const crowded = (cookie: number) => (s: Segment) => {
      s.mss = 1460;
      s.windowScale = 7;
      stamp(s);
      s.fastOpen = true;
      s.fastOpenCookie = new Uint8Array(cookie).fill(0xcc);
      s.userTimeout = 1;
      blocks(s, 4);
    };
    expect(emitted(crowded(16))).toHaveLength(2 * 40);
    expect(emitted(crowded(16))).not.toContain('1c04');
    expect(emitted(crowded(12))).toContain('1c04');
    expect(emitted(crowded(20))).not.toContain('cccc');
    const segment = new Segment();
    crowded(20)(segment);
    expect(tcpOptionsLength(segment)).toBe(36);
  });
});
