import { describe, expect, test } from 'vitest';
import { WireDrop } from './drop.ts';
import { IpPacket, Protocol, parseIp, pseudoSum, setTransportChecksum, transportChecksumOk } from './ip.ts';
import { emitUdp, parseUdp, UdpDatagram } from './udp.ts';

/** "hello\n" over IPv4 and IPv6; the checksums are tshark's, since Linux had left them to the card. */
const V4 = '450000225dfd40004011c8b90a0900010a090002c382270f000ebd4f68656c6c6f0a';
const V6 =
  '6004d16d000e1140fd090000000000000000000000000001fd090000000000000000000000000002d5fc270f000ec4d368656c6c6f0a';

function read(text: string): [Uint8Array, IpPacket, UdpDatagram] {
  const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
  const packet = new IpPacket();
  const datagram = new UdpDatagram();
  expect(parseIp(bytes, 0, bytes.length, packet)).toBe(WireDrop.NONE);
  expect(parseUdp(bytes, packet.payloadOffset, packet.payloadLength, datagram)).toBe(WireDrop.NONE);
  return [bytes, packet, datagram];
}

describe.each([
  ['IPv4', V4, 0xbd4f],
  ['IPv6', V6, 0xc4d3],
])('over %s', (family, text, checksum) => {
  test('parse and checksum', () => {
    const [bytes, packet, datagram] = read(text);
    expect(datagram).toMatchObject({ destinationPort: 9999, checksum, payloadLength: 6 });
    expect(String.fromCharCode(...bytes.subarray(datagram.payloadOffset))).toBe('hello\n');
    expect(transportChecksumOk(bytes, packet.payloadOffset, 14, packet)).toBe(true);
    bytes[bytes.length - 1] ^= 1;
    expect(transportChecksumOk(bytes, packet.payloadOffset, 14, packet)).toBe(false);
  });

  test('the addresses are part of the sum', () => {
    const [bytes, packet] = read(text);
    packet.s3 ^= 1;
    expect(transportChecksumOk(bytes, packet.payloadOffset, 14, packet)).toBe(false);
  });

  test(`no checksum: ${family === 'IPv4' ? 'allowed' : 'refused'}`, () => {
    const [bytes, packet] = read(text);
    bytes[packet.payloadOffset + 6] = 0;
    bytes[packet.payloadOffset + 7] = 0;
    expect(transportChecksumOk(bytes, packet.payloadOffset, 14, packet)).toBe(family === 'IPv4');
  });

  test('emit brings the same bytes', () => {
    const [bytes, packet, datagram] = read(text);
    const again = bytes.slice();
    again.fill(0xee, packet.payloadOffset, packet.payloadOffset + 8);
    expect(emitUdp(datagram, again, packet.payloadOffset)).toBe(8);
    setTransportChecksum(again, packet.payloadOffset, 14, packet);
    expect(again).toEqual(bytes);
  });

  test('a sum of zero is sent as ones', () => {
    const [bytes, packet] = read(text);
    // Two bytes of text chosen so that the whole comes out as 0.
    const at = packet.payloadOffset;
    bytes.fill(0, at + 8, at + 14);
    setTransportChecksum(bytes, at, 14, packet);
    bytes[at + 8] = bytes[at + 6];
    bytes[at + 9] = bytes[at + 7];
    setTransportChecksum(bytes, at, 14, packet);
    expect([bytes[at + 6], bytes[at + 7]]).toEqual([0xff, 0xff]);
    expect(transportChecksumOk(bytes, at, 14, packet)).toBe(true);
  });
});

test('the length field counts: what lies behind is ignored, below 8 or past the end is a drop', () => {
  const [bytes] = read(V4);
  const datagram = new UdpDatagram();
  const withLength = (value: number, length = 14): number => {
    bytes[24] = value >> 8;
    bytes[25] = value;
    return parseUdp(bytes, 20, length, datagram);
  };
  expect([withLength(8), datagram.payloadLength]).toEqual([WireDrop.NONE, 0]);
  expect([withLength(13), datagram.payloadLength]).toEqual([WireDrop.NONE, 5]);
  for (const wrong of [0, 7, 15, 0xffff]) {
    expect([withLength(wrong), datagram.payloadLength]).toEqual([WireDrop.UDP_LENGTH, 0]);
  }
  for (let length = 0; length < 8; length++) expect(withLength(14, length)).toBe(WireDrop.UDP_TRUNCATED);
  expect(withLength(14, 15)).toBe(WireDrop.UDP_TRUNCATED);
});

test('the caller’s mistakes', () => {
  const datagram = new UdpDatagram();
  expect(() => emitUdp(datagram, new Uint8Array(7), 0)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
  datagram.payloadLength = 65_528;
  expect(() => emitUdp(datagram, new Uint8Array(8), 0)).toThrowError(expect.objectContaining({ code: 'EMSGSIZE' }));
});

test("the pseudo header's sum is what Linux leaves for the card to finish", () => {
  const [, packet] = read(V4);
  expect(pseudoSum(packet, Protocol.UDP, 14)).toBe(0x1434);
});
