import { describe, expect, test } from 'vitest';
import { IpAddress } from './address.ts';
import { checksumSet } from './checksum.ts';
import { WIRE_DROP_COUNT, WireDrop, wireDropName } from './drop.ts';
import { emitIpHeader, emitIpv4Header, IpPacket, Protocol, parseIp } from './ip.ts';

/** Linux's UDP datagram "hello\n" from 10.9.0.1 to 10.9.0.2. */
const DATAGRAM = '450000225dfd40004011c8b90a0900010a090002' + 'c382270f000e143468656c6c6f0a';
/** With record route; with router alert. */
const RECORD_ROUTE = '470000285e0140004011ad9e0a0900010a0900020707080a09000100' + '93ed270e000c14326f707473';
const ROUTER_ALERT = '460000245e004000401133b00a0900010a09000294040000' + '9727270e000c14326f707473';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

function parse(bytes: Uint8Array, length = bytes.length): [string, IpPacket] {
  const packet = new IpPacket();
  return [wireDropName(parseIp(bytes, 0, length, packet)), packet];
}

/** The datagram with one byte set and the header checksum made good again. */
function changed(at: number, value: number, text = DATAGRAM): Uint8Array {
  const bytes = Uint8Array.from(hex(text));
  bytes[at] = value;
  const headerLength = Math.max(20, (bytes[0] & 15) * 4);
  if (at !== 10 && at !== 11) checksumSet(0, bytes, 0, headerLength, 10);
  return bytes;
}

/** A header with these option bytes (a multiple of 4) and 4 bytes of payload. */
function withOptions(options: string): Uint8Array {
  const text = options.replaceAll(' ', '');
  const headerLength = 20 + text.length / 2;
  const bytes = hex(`450000180000000040110000${'0a0900010a090002'}${text}01020304`);
  bytes[0] = 0x40 | (headerLength / 4);
  bytes[3] = headerLength + 4;
  checksumSet(0, bytes, 0, headerLength, 10);
  return bytes;
}

describe('parse', () => {
  test("Linux's datagram", () => {
    const [drop, packet] = parse(hex(DATAGRAM));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ family: 4, protocol: Protocol.UDP, hopLimit: 64, id: 0x5dfd, dontFragment: true });
    expect(packet).toMatchObject({ isFragment: false, moreFragments: false, fragmentOffset: 0, sourceRoute: false });
    expect(packet).toMatchObject({ headerOffset: 0, payloadOffset: 20, payloadLength: 14, nextHeaderOffset: 9 });
    expect(String(packet.source)).toBe('10.9.0.1');
    expect(String(packet.destination)).toBe('10.9.0.2');
  });

  test.each([
    ['record route', RECORD_ROUTE, 28],
    ['router alert', ROUTER_ALERT, 24],
  ])('with the option %s', (_name, text, headerLength) => {
    const [drop, packet] = parse(hex(text));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ payloadOffset: headerLength, payloadLength: 12, sourceRoute: false });
  });

  test('a piece: off=1480, more to come', () => {
    const bytes = new Uint8Array(1500);
    bytes.set(hex('450005dc5dfe20b9401100000a0900010a090002'));
    checksumSet(0, bytes, 0, 20, 10);
    const [drop, packet] = parse(bytes);
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ isFragment: true, moreFragments: true, fragmentOffset: 1480, payloadLength: 1480 });
  });

  test('F19: the link’s padding is trimmed by the total length', () => {
    const bytes = new Uint8Array(46);
    bytes.set(hex(DATAGRAM));
    const [drop, packet] = parse(bytes);
    expect([drop, packet.payloadLength]).toEqual(['NONE', 14]);
  });

  test('TTL 0 and 1 are the stack’s to judge', () => {
    expect(parse(changed(8, 0))[1].hopLimit).toBe(0);
    expect(parse(changed(8, 1))[0]).toBe('NONE');
  });

  test('what a packet before it left is gone', () => {
    const packet = new IpPacket();
    parseIp(withOptions('83070404050607 00'), 0, 32, packet);
    expect(packet.sourceRoute).toBe(true);
    const v6 = hex(`6bcabcde00002c40${'fd'.repeat(32)}`);
    expect(wireDropName(parseIp(v6, 0, 40, packet))).toBe('IP_EXTENSION');
    expect(packet).toMatchObject({ flowLabel: 0xabcde, trafficClass: 0xbc });
    parseIp(hex(DATAGRAM), 0, 34, packet);
    expect(packet).toEqual(parse(hex(DATAGRAM))[1]);
  });
});

describe('F19: headers that cannot be', () => {
  test.each([
    ['IP_VERSION', 0, 0x55],
    ['IP_VERSION', 0, 0x05],
    ['IP_HEADER_LENGTH', 0, 0x44],
    ['IP_HEADER_LENGTH', 0, 0x40],
    ['IP_HEADER_LENGTH', 0, 0x4f],
    ['IP_TOTAL_LENGTH', 3, 19],
    ['IP_TOTAL_LENGTH', 3, 0],
    ['IP_TOTAL_LENGTH', 3, 35],
    ['IP_TOTAL_LENGTH', 2, 0xff],
    ['IP_CHECKSUM', 10, 0xc9],
    ['IP_CHECKSUM', 11, 0],
  ])('%s: byte %i is %i', (name, at, value) => {
    expect(parse(changed(at, value))[0]).toBe(name);
  });

  test('cut at each byte before 20; past the end of the buffer; nothing', () => {
    const bytes = hex(DATAGRAM);
    for (let length = 0; length < 20; length++) expect(parse(bytes, length)[0]).toBe('IP_TRUNCATED');
    expect(parse(bytes, 33)[0]).toBe('IP_TOTAL_LENGTH');
    expect(parse(bytes, 35)[0]).toBe('IP_TRUNCATED');
    expect(parse(new Uint8Array(0))[0]).toBe('IP_TRUNCATED');
    expect(wireDropName(parseIp(bytes, -1, 20, new IpPacket()))).toBe('IP_VERSION');
  });

  test('a drop leaves no payload', () => {
    expect(parse(changed(10, 0))[1].payloadLength).toBe(0);
  });
});

describe('D22: fragments that cannot be', () => {
  const piece = (field: number, payload: number): string => {
    const bytes = new Uint8Array(20 + payload);
    bytes.set(hex('45000000000000004011000001020304c0000201'));
    bytes[2] = bytes.length >> 8;
    bytes[3] = bytes.length;
    bytes[6] = field >> 8;
    bytes[7] = field;
    checksumSet(0, bytes, 0, 20, 10);
    return parse(bytes)[0];
  };

  test.each([
    ['ends at 65535 exactly', 8188, 11, 'NONE'],
    ['ping of death', 8188, 12, 'IP_FRAGMENT'],
    ['past 65535', 8191, 8, 'IP_FRAGMENT'],
    ['empty, last', 10, 0, 'IP_FRAGMENT'],
    ['empty, first', 0x2000, 0, 'IP_FRAGMENT'],
    ['more to come, no multiple of 8', 0x2000, 12, 'IP_FRAGMENT'],
    ['last, no multiple of 8', 10, 12, 'NONE'],
    ['no fragment, empty', 0, 0, 'NONE'],
  ])('%s', (_name, field, payload, expected) => {
    expect(piece(field, payload)).toBe(expected);
  });
});

describe('options', () => {
  test.each([
    ['LSRR', '83070404050607 00', true],
    ['SSRR behind NOPs', '01010189070404 050607 0000', true],
    ['LSRR behind an unknown one', 'de04ffff 8307040405060700', true],
    ['LSRR behind END', '00000000 8307040405060700', false],
    ['LSRR’s number inside another', '94048389', false],
    ['length 0', '94000000 8307040405060700', false],
    ['length 1', '94010000 8307040405060700', false],
    ['length past the end', '94ff8307', false],
    ['type and no length', '01010194', false],
    ['40 NOPs', '01'.repeat(40), false],
  ])('%s', (_name, options, sourceRoute) => {
    const [drop, packet] = parse(withOptions(options));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ sourceRoute, payloadLength: 4 });
  });
});

describe('emit', () => {
  test.each([
    ['plain', DATAGRAM, null],
    ['record route', RECORD_ROUTE, hex('0707080a090001'.padEnd(16, '0')).subarray(0, 8)],
    ['router alert', ROUTER_ALERT, hex('94040000')],
  ])("Linux's header comes out byte for byte: %s", (_name, text, options) => {
    const [, packet] = parse(hex(text));
    const bytes = new Uint8Array(70).fill(0xee);
    const own = options === null ? null : hex(text).subarray(20, packet.payloadOffset);
    expect(emitIpv4Header(packet, bytes, 1, own)).toBe(packet.payloadOffset);
    expect(Buffer.from(bytes.subarray(0, packet.payloadOffset + 2)).toString('hex')).toBe(
      `ee${text.slice(0, 2 * packet.payloadOffset)}ee`,
    );
  });

  test('options are padded with END', () => {
    const bytes = new Uint8Array(28).fill(0xee);
    expect(emitIpv4Header(new IpPacket(), bytes, 0, hex('0707040000'))).toBe(28);
    expect(Buffer.from(bytes.subarray(20)).toString('hex')).toBe('0707040000000000');
  });

  test('the caller’s mistakes', () => {
    const packet = new IpPacket();
    const room = new Uint8Array(100);
    expect(() => emitIpv4Header(packet, room, 81)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => emitIpv4Header(packet, room, 0, new Uint8Array(41))).toThrowError(/60 at most/);
    packet.payloadLength = 65_516;
    expect(() => emitIpHeader(packet, room, 0)).toThrowError(expect.objectContaining({ code: 'EMSGSIZE' }));
  });
});

test('a packet’s addresses, and reset', () => {
  const packet = new IpPacket();
  packet.setSource(IpAddress.parse('2001:db8::1'));
  packet.setDestination(IpAddress.parse('192.0.2.1'));
  expect([String(packet.source), String(packet.destination)]).toEqual(['2001:db8::1', '192.0.2.1']);
  packet.setSourceV4(0x7f000001);
  expect(String(packet.source)).toBe('127.0.0.1');
  packet.reset();
  expect(packet).toEqual(new IpPacket());
  const [, dirty] = parse(withOptions('83070404050607 00'));
  dirty.reset();
  expect(dirty).toEqual(new IpPacket());
});

test('every drop has its own number and name', () => {
  const numbers = Object.values(WireDrop);
  expect(numbers).toEqual(numbers.map((_, i) => i));
  expect(WIRE_DROP_COUNT).toBe(numbers.length);
  for (const [name, number] of Object.entries(WireDrop)) expect(wireDropName(number)).toBe(name);
  expect(wireDropName(-1)).toBe('UNKNOWN');
  expect(wireDropName(WIRE_DROP_COUNT)).toBe('UNKNOWN');
});
