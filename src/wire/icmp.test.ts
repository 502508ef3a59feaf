import { describe, expect, test } from 'vitest';
import { seqToUint32 } from '../base/seq.ts';
import { WireDrop, wireDropName } from './drop.ts';
import { emitIcmp, IcmpMessage, IcmpType, IcmpUnreachable, isIcmpError, parseIcmp } from './icmp.ts';
import { EmbeddedPacket, parseEmbedded } from './icmp-embedded.ts';
import { Icmpv6Message, Icmpv6Type, Icmpv6Unreachable, isIcmpv6Error } from './icmpv6.ts';
import { IpPacket, Protocol, parseIp, setTransportChecksum, transportChecksumOk } from './ip.ts';

/** Linux's echo request and reply, and its port unreachable for a datagram of "hello\n". */
const ECHO = '4500002461ab40004001c5190a0900010a09000208005435123400016162636465666768';
const ECHO_REPLY = '4500002446d2000040011ff30a0900020a09000100005c35123400016162636465666768';
const PORT_UNREACHABLE =
  '45c0003e4697000040011f540a0900020a0900010303ba4c00000000450000225dfd40004011c8b90a0900010a090002c382270f000e143468656c6c6f0a';
const ECHO_V6 =
  '6007049c00103a40fd090000000000000000000000000001fd0900000000000000000000000000028000e1d3123400016162636465666768';
const PORT_UNREACHABLE_V6 =
  '60008dc1003e3a40fd090000000000000000000000000002fd09000000000000000000000000000101048c6900000000' +
  '6004d16d000e1140fd090000000000000000000000000001fd090000000000000000000000000002d5fc270f000efa3568656c6c6f0a';

function read<T extends IcmpMessage>(text: string, message: T): [Uint8Array, IpPacket, T] {
  const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
  const packet = new IpPacket();
  expect(parseIp(bytes, 0, bytes.length, packet)).toBe(WireDrop.NONE);
  expect(parseIcmp(bytes, packet.payloadOffset, packet.payloadLength, message)).toBe(WireDrop.NONE);
  return [bytes, packet, message];
}

const ALL: [string, string, () => IcmpMessage][] = [
  ['echo', ECHO, () => new IcmpMessage()],
  ['echo reply', ECHO_REPLY, () => new IcmpMessage()],
  ['port unreachable', PORT_UNREACHABLE, () => new IcmpMessage()],
  ['echo of IPv6', ECHO_V6, () => new Icmpv6Message()],
  ['port unreachable of IPv6', PORT_UNREACHABLE_V6, () => new Icmpv6Message()],
];

describe.each(ALL)('%s, from Linux', (_name, text, make) => {
  test('its checksum is right, and wrong with a bit changed', () => {
    const [bytes, packet] = read(text, make());
    expect(transportChecksumOk(bytes, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
    bytes[bytes.length - 1] ^= 0x80;
    expect(transportChecksumOk(bytes, packet.payloadOffset, packet.payloadLength, packet)).toBe(false);
  });

  test('comes out byte for byte', () => {
    const [bytes, packet, message] = read(text, make());
    const again = bytes.slice();
    again.fill(0xee, packet.payloadOffset, packet.payloadOffset + 8);
    expect(emitIcmp(message, again, packet.payloadOffset)).toBe(8);
    setTransportChecksum(again, packet.payloadOffset, packet.payloadLength, packet);
    expect(again).toEqual(bytes);
  });
});

describe('fields', () => {
  test('echo', () => {
    const [, packet, message] = read(ECHO, new IcmpMessage());
    expect(packet.protocol).toBe(Protocol.ICMP);
    expect(message).toMatchObject({ type: IcmpType.ECHO, code: 0, identifier: 0x1234, sequence: 1, bodyLength: 8 });
    expect(read(ECHO_V6, new Icmpv6Message())[2]).toMatchObject({ type: Icmpv6Type.ECHO_REQUEST, identifier: 0x1234 });
    message.setEcho(0x1ffff, 0x20003);
    expect([message.identifier, message.sequence]).toEqual([0xffff, 3]);
  });

  test('ICMP: 16-bit MTU, 8-bit pointer, gateway', () => {
    const message = new IcmpMessage();
    const bytes = Uint8Array.of(3, 4, 0, 0, 0xff, 0xff, 0x05, 0xdc);
    expect(parseIcmp(bytes, 0, 8, message)).toBe(WireDrop.NONE);
    expect([message.code, message.mtu]).toEqual([IcmpUnreachable.FRAGMENTATION_NEEDED, 1500]);
    message.mtu = 576;
    expect([message.mtu, message.rest]).toEqual([576, 576]);
    message.pointer = 20;
    expect([message.pointer, message.rest]).toEqual([20, 20 << 24]);
    message.gateway = 0xc0000201;
    expect(message.gateway >>> 0).toBe(0xc0000201);
  });

  test('ICMPv6: 32-bit MTU and pointer', () => {
    const message = new Icmpv6Message();
    const bytes = Uint8Array.of(2, 0, 0, 0, 0xff, 0xff, 0x05, 0xdc);
    expect(parseIcmp(bytes, 0, 8, message)).toBe(WireDrop.NONE);
    expect(message.mtu).toBe(0xffff05dc);
    message.mtu = 1280;
    expect([message.mtu, message.rest]).toEqual([1280, 1280]);
    message.pointer = 0xffffffff;
    expect(message.pointer).toBe(0xffffffff);
    expect(Icmpv6Unreachable.PORT).toBe(4);
  });

  test('which types are errors', () => {
    const errors = Array.from({ length: 256 }, (_, type) => type).filter(isIcmpError);
    expect(errors).toEqual([3, 4, 5, 11, 12]);
    expect([0, 1, 127, 128, 255].map(isIcmpv6Error)).toEqual([true, true, true, false, false]);
  });

  test('less than 8 bytes, or past the end', () => {
    const bytes = new Uint8Array(20);
    for (let length = 0; length < 8; length++) {
      expect(parseIcmp(bytes, 0, length, new IcmpMessage())).toBe(WireDrop.ICMP_TRUNCATED);
    }
    expect(parseIcmp(bytes, 13, 8, new IcmpMessage())).toBe(WireDrop.ICMP_TRUNCATED);
    expect(() => emitIcmp(new IcmpMessage(), bytes, 13)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('the packet inside an error', () => {
  const NAT_FRAGMENT_HEADER = '2c00010400000000';
  const V6 = 'fd090000000000000000000000000001fd090000000000000000000000000002';
  const TCP8 = 'df5c0050fffffff0';

  function embedded(text: string): [string, EmbeddedPacket] {
    const bytes = Buffer.from(text, 'hex');
    const into = new EmbeddedPacket();
    return [wireDropName(parseEmbedded(bytes, 0, bytes.length, into)), into];
  }

  test.each([
    ['IPv4', PORT_UNREACHABLE, '10.9.0.1', 34, 50050],
    ['IPv6', PORT_UNREACHABLE_V6, 'fd09::1', 54, 54780],
  ])('of Linux’s port unreachable over %s', (_family, text, source, claimedLength, sourcePort) => {
    const [bytes, , message] = read(text, new IcmpMessage());
    const into = new EmbeddedPacket();
    expect(parseEmbedded(bytes, message.bodyOffset, message.bodyLength, into)).toBe(WireDrop.NONE);
    expect(String(into.ip.source)).toBe(source);
    expect(into).toMatchObject({ claimedLength, sourcePort, destinationPort: 9999, hasSeq: false });
    expect(into.ip.protocol).toBe(Protocol.UDP);
  });

  test('TCP, cut after eight bytes, its header changed and its checksum not', () => {
    const [drop, into] = embedded(`450005dc12344000ff0600000a4d00010a4d0002${TCP8}`);
    expect(drop).toBe('NONE');
    expect(into).toMatchObject({ claimedLength: 1500, sourcePort: 57180, destinationPort: 80, hasSeq: true });
    expect(seqToUint32(into.seq)).toBe(0xfffffff0);
    expect(into.ip).toMatchObject({ dontFragment: true, payloadLength: 8 });
  });

  test('with IPv4 options, and with IPv6 extension headers', () => {
    expect(embedded(`460005dc12344000ff0600000a4d00010a4d000294040000${TCP8}`)[1].sourcePort).toBe(57180);
    const [drop, into] = embedded(`6000000005a00040${V6}${NAT_FRAGMENT_HEADER}06000001deadbeef${TCP8}`);
    expect(drop).toBe('NONE');
    expect(into).toMatchObject({ sourcePort: 57180, hasSeq: true, claimedLength: 1480 });
  });

  test('an echo of ours has its identifier and sequence in the ports’ place', () => {
    const [, into] = embedded('4500002461ab40004001c5190a0900010a0900020800543512340001');
    expect(into).toMatchObject({ sourcePort: 0x1234, destinationPort: 1, hasSeq: false });
  });

  test('later fragments, torn or other protocols: no ports', () => {
    for (const text of [
      `450005dc12340001ff0600000a4d00010a4d0002${TCP8}`,
      `450005dc12344000ff0600000a4d00010a4d0002${TCP8.slice(2)}`,
      `450005dc12344000ff0600000a4d00010a4d0002`,
      `450005dc12344000ff2f00000a4d00010a4d0002${TCP8}`,
      `6000000005a02c40${V6}06000009deadbeef${TCP8}`,
    ]) {
      const [drop, into] = embedded(text);
      expect(drop).toBe('NONE');
      expect(into).toMatchObject({ sourcePort: -1, destinationPort: -1, hasSeq: false });
    }
  });

  test.each([
    ['nothing', '', 'ICMP_TRUNCATED'],
    ['19 bytes', '45'.repeat(19), 'ICMP_TRUNCATED'],
    ['IHL past the end', '4f0005dc12344000ff0600000a4d00010a4d0002', 'ICMP_TRUNCATED'],
    ['IHL below 5', `440005dc12344000ff0600000a4d00010a4d0002${TCP8}`, 'IP_HEADER_LENGTH'],
    ['another version', `550005dc12344000ff0600000a4d00010a4d0002${TCP8}`, 'IP_VERSION'],
    ['a torn IPv6 header', `6000000005a00640${V6}`.slice(0, 78), 'ICMP_TRUNCATED'],
    ['a torn extension header', `6000000005a02c40${V6}06000001dead`, 'IP_EXTENSION'],
  ])('%s', (_name, text, expected) => {
    expect(embedded(text)[0]).toBe(expected);
  });

  test('what an error before it left is gone', () => {
    const into = new EmbeddedPacket();
    const first = Buffer.from(`450005dc12344000ff0600000a4d00010a4d0002${TCP8}`, 'hex');
    parseEmbedded(first, 0, first.length, into);
    parseEmbedded(first, 0, 19, into);
    expect(into).toMatchObject({ sourcePort: -1, destinationPort: -1, hasSeq: false, claimedLength: 0 });
  });
});
