import { describe, expect, test } from 'vitest';
import { IpAddress } from './address.ts';
import { wireDropName } from './drop.ts';
import { emitIpHeader, emitIpv6Header, IpPacket, Protocol, parseIp } from './ip.ts';
import { ParameterProblem } from './ipv6-extensions.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** fd09::1 to fd09::2, as Linux sent these. */
const ADDRESSES = 'fd090000000000000000000000000001fd090000000000000000000000000002';
const DATAGRAM = `6004d16d000e1140${ADDRESSES}d5fc270f000efa3568656c6c6f0a`;
/** A destination options header holding PadN. */
const DESTINATION_OPTIONS = `60070d2b00163c40${ADDRESSES}1100010400000000ea36270d000eab206473746f7074`;
/** Hop-by-hop with router alert, then MLD. */
const MLD =
  '60000000003800010000000000000000 0000000000000000ff02000000000000 00000000000000163a00050200000100' +
  '8f006d650000000204000000ff020000 0000000000000001ff00000a04000000 ff0200000000000000000001ff000001';

function parse(bytes: Uint8Array, length = bytes.length): [string, IpPacket] {
  const packet = new IpPacket();
  return [wireDropName(parseIp(bytes, 0, length, packet)), packet];
}

/** A packet of these extension headers, the first of this kind, and 16 bytes more. */
function chain(first: number, headers: string, destination = 'fd090000000000000000000000000002'): Uint8Array {
  const body = hex(`${headers}${'ab'.repeat(16)}`);
  const bytes = new Uint8Array(40 + body.length);
  bytes.set(hex(`6000000000000040fd090000000000000000000000000001${destination}`));
  bytes[4] = body.length >> 8;
  bytes[5] = body.length;
  bytes[6] = first;
  bytes.set(body, 40);
  return bytes;
}

describe('parse', () => {
  test("Linux's datagram", () => {
    const [drop, packet] = parse(hex(DATAGRAM));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({
      family: 6,
      protocol: Protocol.UDP,
      hopLimit: 64,
      flowLabel: 0x4d16d,
      trafficClass: 0,
    });
    expect(packet).toMatchObject({
      payloadOffset: 40,
      payloadLength: 14,
      nextHeaderOffset: 6,
      isFragment: false,
      id: 0,
    });
    expect([String(packet.source), String(packet.destination)]).toEqual(['fd09::1', 'fd09::2']);
  });

  test('traffic class lies across two bytes', () => {
    const bytes = hex(DATAGRAM);
    bytes[0] = 0x6a;
    bytes[1] = 0xb4;
    expect(parse(bytes)[1]).toMatchObject({ trafficClass: 0xab, flowLabel: 0x4d16d });
  });

  test('F19: the link’s padding is trimmed by the payload length', () => {
    const bytes = new Uint8Array(60);
    bytes.set(hex(DATAGRAM));
    expect(parse(bytes)[1].payloadLength).toBe(14);
  });

  test('a packet without payload, of no next header', () => {
    const [drop, packet] = parse(chain(Protocol.NO_NEXT_HEADER, ''));
    expect([drop, packet.protocol, packet.payloadLength]).toEqual(['NONE', 59, 16]);
  });

  test('what a packet before it left is gone', () => {
    const packet = new IpPacket();
    const refused = chain(Protocol.ROUTING, '1100000100000000');
    parseIp(refused, 0, refused.length, packet);
    const piece = chain(Protocol.FRAGMENT, '11000009deadbeef');
    parseIp(piece, 0, piece.length, packet);
    parseIp(hex(DATAGRAM), 0, 54, packet);
    expect(packet).toEqual(parse(hex(DATAGRAM))[1]);
  });

  test('cut at each byte, and past the end', () => {
    const bytes = hex(DATAGRAM);
    for (let length = 1; length < 54; length++) {
      expect(parse(bytes, length)[0]).toBe(length < 40 ? 'IP_TRUNCATED' : 'IP_TOTAL_LENGTH');
    }
    expect(parse(bytes, 55)[0]).toBe('IP_TRUNCATED');
  });

  test('an IPv4-mapped address on the wire is nobody’s, on either side', () => {
    const bytes = chain(Protocol.TCP, '', '00000000000000000000ffff0a4d0002');
    expect(parse(bytes)[0]).toBe('IP_MAPPED_ADDRESS');
    bytes.copyWithin(8, 24, 40);
    bytes[24] = 0xfd;
    expect(parse(bytes)[0]).toBe('IP_MAPPED_ADDRESS');
    bytes[8] = 0xfd;
    expect(parse(bytes)[0]).toBe('NONE');
  });
});

describe('extension headers', () => {
  test.each([
    ['destination options, from Linux', DESTINATION_OPTIONS, 17, 48, 14, 40],
    ['hop-by-hop with router alert, from Linux', MLD, 58, 48, 48, 40],
  ])('%s', (_name, text, protocol, payloadOffset, payloadLength, nextHeaderOffset) => {
    const [drop, packet] = parse(hex(text));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ protocol, payloadOffset, payloadLength, nextHeaderOffset });
  });

  test.each([
    [
      'hop-by-hop, destination options, routing used up',
      0,
      '3c00010400000000 2b00010400000000 1100000000000000',
      17,
      24,
    ],
    ['routing with its addresses, used up', 43, `06020000${'00'.repeat(20)}`, 6, 24],
    ['Pad1s and an unknown option to skip', 60, '11010000000000 1e0200000000000000', 17, 16],
    ['authentication: in fours, less two', 51, `0604${'00'.repeat(22)}`, 6, 24],
    ['ESP ends the walk', 60, '3200010400000000', 50, 8],
    ['no next header ends the walk', 60, '3b00010400000000', 59, 8],
    ['an unknown one ends the walk', 60, '8700010400000000', 135, 8],
    ['atomic fragment: a whole packet, with what follows', 44, '3c000000deadbeef 1100010400000000', 17, 16],
    ['eight of them', 60, `${'3c00010400000000'.repeat(7)}1100010400000000`, 17, 64],
  ])('%s', (_name, first, headers, protocol, length) => {
    const [drop, packet] = parse(chain(first, headers));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ protocol, payloadOffset: 40 + length, payloadLength: 16, isFragment: false });
    expect(chain(first, headers)[packet.nextHeaderOffset]).toBe(protocol);
  });

  test.each([
    ['nine of them', 60, `${'3c00010400000000'.repeat(8)}1100010400000000`, 'IP_EXTENSION_LIMIT'],
    ['a length past the end', 60, '1104010400000000', 'IP_EXTENSION'],
    ['an authentication header past the end', 51, '11ff010400000000', 'IP_EXTENSION'],
    ['an option past its header', 60, '1100010500000000', 'IP_EXTENSION'],
    ['an option without length at the end', 60, '1100010300000005', 'IP_EXTENSION'],
    ['an unknown option: 01, discard', 60, '11004004 00000000', 'IP_OPTION_UNKNOWN'],
  ])('%s: dropped, nothing sent', (_name, first, headers, expected) => {
    const [drop, packet] = parse(chain(first, headers));
    expect([drop, packet.problemCode]).toEqual([expected, -1]);
  });

  test('cut inside the last header', () => {
    const bytes = chain(60, '1100010400000000').subarray(0, 47);
    bytes[5] = 7;
    expect(parse(bytes)[0]).toBe('IP_EXTENSION');
  });

  const multicast = 'ff020000000000000000000000000001';
  const { ERRONEOUS_FIELD, UNRECOGNIZED_NEXT_HEADER, UNRECOGNIZED_OPTION } = ParameterProblem;
  test.each([
    ['routing with segments left', 43, '1100000100000000', 'IP_ROUTING', ERRONEOUS_FIELD, 42],
    ['an unknown option: 10', 60, '11000000 80020000', 'IP_OPTION_UNKNOWN', UNRECOGNIZED_OPTION, 44],
    ['an unknown option: 11, such as jumbo', 0, '1100c20400010000', 'IP_OPTION_UNKNOWN', UNRECOGNIZED_OPTION, 42],
    ['hop-by-hop not first', 60, '0000010400000000 1100010400000000', 'IP_EXTENSION', UNRECOGNIZED_NEXT_HEADER, 40],
    ['a piece of no multiple of 8', 44, '11000001deadbeef ffffffff', 'IP_FRAGMENT', ERRONEOUS_FIELD, 4],
    ['a piece past 65535', 44, '1100fff8deadbeef', 'IP_FRAGMENT', ERRONEOUS_FIELD, 42],
  ])('%s: a parameter problem to send', (_name, first, headers, expected, code, offset) => {
    const [drop, packet] = parse(chain(first, headers));
    expect(drop).toBe(expected);
    expect(packet).toMatchObject({ problemCode: code, problemOffset: offset });
  });

  test('to a multicast group, 10 still tells and 11 does not', () => {
    expect(parse(chain(60, '1100800400000000', multicast))[1].problemCode).toBe(UNRECOGNIZED_OPTION);
    const [drop, packet] = parse(chain(60, '1100c00400000000', multicast));
    expect([drop, packet.problemCode]).toEqual(['IP_OPTION_UNKNOWN', -1]);
  });
});

describe('fragments', () => {
  test('a first piece: the walk stops at what only the whole packet shows', () => {
    const [drop, packet] = parse(chain(0, '2c00010400000000 3c000001e57c3830'));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({ isFragment: true, moreFragments: true, fragmentOffset: 0, protocol: 60 });
    expect(packet).toMatchObject({
      fragmentLinkOffset: 40,
      fragmentHeaderOffset: 48,
      payloadOffset: 56,
      payloadLength: 16,
    });
    expect(packet.id >>> 0).toBe(0xe57c3830);
  });

  test('a last one', () => {
    const [drop, packet] = parse(chain(44, '11000b50e57c3830'));
    expect(drop).toBe('NONE');
    expect(packet).toMatchObject({
      isFragment: true,
      moreFragments: false,
      fragmentOffset: 2896,
      fragmentLinkOffset: 6,
    });
  });

  test('ends at 65535 exactly', () => {
    const exact = chain(44, '1100ffe8deadbeef ffffffffffffff');
    expect(parse(exact)[0]).toBe('NONE');
    const over = chain(44, '1100ffe8deadbeef ffffffffffffffff');
    expect(parse(over)[0]).toBe('IP_FRAGMENT');
  });

  test('an empty piece', () => {
    const bytes = chain(44, '1100 0008 deadbeef').subarray(0, 48);
    bytes[5] = 8;
    expect(parse(bytes)[0]).toBe('IP_FRAGMENT');
  });
});

describe('emit', () => {
  test('as Linux does it, and with a fragment header', () => {
    for (const text of [DATAGRAM, `6004d16d00782c40${ADDRESSES}11000b50e57c3830${'79'.repeat(112)}`]) {
      const original = hex(text);
      const [, packet] = parse(original);
      const bytes = new Uint8Array(60).fill(0xee);
      const length = emitIpHeader(packet, bytes, 1);
      expect(length).toBe(packet.payloadOffset);
      expect(Buffer.from(bytes.subarray(0, length + 2)).toString('hex')).toBe(`ee${text.slice(0, 2 * length)}ee`);
    }
  });

  test('the caller’s mistakes', () => {
    const packet = new IpPacket();
    packet.family = 6;
    packet.setSource(IpAddress.parse('::1'));
    expect(() => emitIpv6Header(packet, new Uint8Array(39), 0)).toThrowError(
      expect.objectContaining({ code: 'EINVAL' }),
    );
    packet.isFragment = true;
    expect(() => emitIpv6Header(packet, new Uint8Array(47), 0)).toThrowError(/48 bytes does not fit in 47/);
    packet.payloadLength = 65_528;
    const room = new Uint8Array(60);
    expect(() => emitIpv6Header(packet, room, 0)).toThrowError(expect.objectContaining({ code: 'EMSGSIZE' }));
  });
});
