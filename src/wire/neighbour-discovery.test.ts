import { describe, expect, test } from 'vitest';
import { IpAddress } from './address.ts';
import { wireDropName } from './drop.ts';
import { Icmpv6Type } from './icmpv6.ts';
import { IpPacket, parseIp, setTransportChecksum, transportChecksumOk } from './ip.ts';
import { formatMac } from './mac.ts';
import {
  ALL_NODES,
  ALL_ROUTERS,
  NeighbourDiscovery,
  parseNeighbourDiscovery,
  solicitedNode,
} from './neighbour-discovery.ts';
import { emitNeighbourDiscovery, neighbourDiscoveryLength } from './neighbour-discovery-emit.ts';

/** What Linux sends: duplicate address detection with a nonce, looking for fd09::2, the answer, looking for routers. */
const DAD =
  '6000000000203aff00000000000000000000000000000000ff0200000000000000000001ff00000b' +
  '8700284900000000fe80000000000000000000fffe00000b0e01cf0926ac5109';
const SOLICITATION =
  '6000000000203afffd090000000000000000000000000001ff0200000000000000000001ff000002' +
  '87007d7c00000000fd090000000000000000000000000002010102000000000a';
const ADVERTISEMENT =
  '6000000000203afffd090000000000000000000000000002fd090000000000000000000000000001' +
  '88001c7660000000fd090000000000000000000000000002020102000000000b';
const ROUTER_SOLICITATION =
  '6000000000103afffe80000000000000000000fffe00000bff020000000000000000000000000002' +
  '85007b1800000000010102000000000b';
const ROUTER_ADVERTISEMENT =
  '6000cde900403afffe80000000000000000000fffe00000aff020000000000000000000000000001' +
  '8600e39c40c0070800007530000003e8010102000000000a05010000000005dc' +
  '030440c0000151800000384000000000fd090001000000000000000000000000';

function read(text: string, change: (bytes: Uint8Array, packet: IpPacket) => void = () => {}) {
  const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
  const packet = new IpPacket();
  const message = new NeighbourDiscovery();
  expect(wireDropName(parseIp(bytes, 0, bytes.length, packet))).toBe('NONE');
  change(bytes, packet);
  const drop = wireDropName(parseNeighbourDiscovery(bytes, packet, message));
  return { bytes, packet, message, drop };
}

test('the groups', () => {
  expect([String(ALL_NODES), String(ALL_ROUTERS)]).toEqual(['ff02::1', 'ff02::2']);
  expect(String(solicitedNode(IpAddress.parse('2001:db8::12:3456')))).toBe('ff02::1:ff12:3456');
});

describe('parse, from Linux', () => {
  test('a solicitation', () => {
    const { drop, message, bytes, packet } = read(SOLICITATION);
    expect(drop).toBe('NONE');
    expect(transportChecksumOk(bytes, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
    expect(message).toMatchObject({
      type: Icmpv6Type.NEIGHBOUR_SOLICITATION,
      hasSourceLink: true,
      hasTargetLink: false,
    });
    expect(String(message.target)).toBe('fd09::2');
    expect(formatMac(message.sourceLink)).toBe('02:00:00:00:00:0a');
    expect(packet.destination.equals(solicitedNode(message.target))).toBe(true);
  });

  test('duplicate address detection, with an option we don’t know', () => {
    const { drop, message, packet } = read(DAD);
    expect(drop).toBe('NONE');
    expect(message).toMatchObject({ hasSourceLink: false, hasTargetLink: false });
    expect(String(packet.destination)).toBe(String(solicitedNode(message.target)));
  });

  test('an advertisement', () => {
    const { drop, message } = read(ADVERTISEMENT);
    expect(drop).toBe('NONE');
    expect(message).toMatchObject({ router: false, solicited: true, override: true, hasTargetLink: true });
    expect(formatMac(message.targetLink)).toBe('02:00:00:00:00:0b');
  });

  test('a router solicitation', () => {
    expect(read(ROUTER_SOLICITATION)).toMatchObject({ drop: 'NONE', message: { hasSourceLink: true, mtu: 0 } });
  });

  test('a router advertisement', () => {
    const { drop, message } = read(ROUTER_ADVERTISEMENT);
    expect(drop).toBe('NONE');
    expect(message).toMatchObject({ hopLimit: 64, managed: true, otherConfiguration: true, routerLifetime: 1800 });
    expect(message).toMatchObject({ reachableTime: 30_000, retransTimer: 1000, mtu: 1500, prefixCount: 1 });
    const [prefix] = message.prefixes;
    expect(prefix).toMatchObject({ length: 64, onLink: true, autonomous: true, validLifetime: 86_400 });
    expect([prefix.preferredLifetime, String(prefix.prefix)]).toEqual([14_400, 'fd09:1::']);
  });
});

describe('RFC 4861 sections 6.1 and 7.1: what must be discarded', () => {
  const messages = { SOLICITATION, ADVERTISEMENT, ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT };
  describe.each(Object.entries(messages))('%s', (_name, text) => {
    test('a hop limit below 255: it came from elsewhere', () => {
      expect(read(text, (_, packet) => (packet.hopLimit = 254)).drop).toBe('ND_INVALID');
    });

    test('a code', () => {
      expect(read(text, (bytes) => (bytes[41] = 1)).drop).toBe('ND_INVALID');
    });

    test('any cut', () => {
      const whole = read(text).packet.payloadLength;
      const fixed = { 133: 8, 134: 16, 135: 24, 136: 24 }[read(text).message.type] ?? 0;
      for (let length = 0; length < whole; length++) {
        const { drop } = read(text, (_, packet) => (packet.payloadLength = length));
        // Between options nothing is missing.
        const between = length >= fixed && [0, 8, 16, 48].includes(length - fixed);
        expect([length, drop]).toEqual([length, between ? 'NONE' : length < 8 ? 'ICMP_TRUNCATED' : 'ND_INVALID']);
      }
    });

    test('an option of length 0', () => {
      const { bytes, packet } = read(text);
      const fixed = { 133: 8, 134: 16, 135: 24, 136: 24 }[bytes[packet.payloadOffset]] ?? 0;
      expect(read(text, (changed) => (changed[packet.payloadOffset + fixed + 1] = 0)).drop).toBe('ND_INVALID');
    });
  });

  test('a multicast target', () => {
    expect(read(SOLICITATION, (bytes) => (bytes[48] = 0xff)).drop).toBe('ND_INVALID');
    expect(read(ADVERTISEMENT, (bytes) => (bytes[48] = 0xff)).drop).toBe('ND_INVALID');
  });

  test('no source address, yet a link-layer one; or not to the solicited-node group', () => {
    const anonymous = (_: Uint8Array, packet: IpPacket): void => packet.setSource(IpAddress.parse('::'));
    expect(read(SOLICITATION, anonymous).drop).toBe('ND_INVALID');
    expect(read(ROUTER_SOLICITATION, anonymous).drop).toBe('ND_INVALID');
    expect(read(DAD, (_, packet) => packet.setDestination(IpAddress.parse('ff02::1'))).drop).toBe('ND_INVALID');
    expect(read(DAD, (_, packet) => packet.setDestination(IpAddress.parse('fd09::2'))).drop).toBe('ND_INVALID');
  });

  test('a solicited advertisement to a group', () => {
    const toAll = (_: Uint8Array, packet: IpPacket): void => packet.setDestination(IpAddress.parse('ff02::1'));
    expect(read(ADVERTISEMENT, toAll).drop).toBe('ND_INVALID');
    const unsolicited = (bytes: Uint8Array, packet: IpPacket): void => {
      toAll(bytes, packet);
      bytes[44] = 0x20;
    };
    expect(read(ADVERTISEMENT, unsolicited).drop).toBe('NONE');
  });

  test('a router that speaks from another than its link-local address', () => {
    const global = (_: Uint8Array, packet: IpPacket): void => packet.setSource(IpAddress.parse('2001:db8::1'));
    expect(read(ROUTER_ADVERTISEMENT, global).drop).toBe('ND_INVALID');
  });

  test('other types', () => {
    expect(read(SOLICITATION, (bytes) => (bytes[40] = Icmpv6Type.REDIRECT)).drop).toBe('ND_INVALID');
    expect(read(SOLICITATION, (bytes) => (bytes[40] = Icmpv6Type.ECHO_REQUEST)).drop).toBe('ND_INVALID');
  });
});

test('options of other lengths than ours are ignored', () => {
  // The advertisement's options, each a unit of 8 longer, swallow what follows.
  const { drop, message } = read(ROUTER_ADVERTISEMENT, (bytes) => (bytes[57] = 2));
  expect([drop, message.hasSourceLink, message.mtu, message.prefixCount]).toEqual(['NONE', false, 0, 1]);
  expect(read(ROUTER_ADVERTISEMENT, (bytes) => (bytes[65] = 5)).message).toMatchObject({ mtu: 0, prefixCount: 0 });
  expect(read(ADVERTISEMENT, (bytes) => (bytes[64] = 5)).message).toMatchObject({ mtu: 0x0b, hasTargetLink: false });
});

test('more prefixes than we keep', () => {
  const message = new NeighbourDiscovery();
  message.type = Icmpv6Type.ROUTER_ADVERTISEMENT;
  message.prefixCount = 8;
  for (let i = 0; i < 8; i++) message.prefixes[i].w0 = i;
  const bytes = new Uint8Array(16 + 9 * 32);
  emitNeighbourDiscovery(message, bytes, 0);
  bytes.copyWithin(16 + 8 * 32, 16, 16 + 32);
  const packet = read(ROUTER_ADVERTISEMENT).packet;
  packet.payloadOffset = 0;
  packet.payloadLength = bytes.length;
  const again = new NeighbourDiscovery();
  expect(wireDropName(parseNeighbourDiscovery(bytes, packet, again))).toBe('NONE');
  expect(again.prefixCount).toBe(8);
  expect(again.prefixes.map((prefix) => prefix.w0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

describe('emit', () => {
  test.each([
    ['solicitation', SOLICITATION],
    ['advertisement', ADVERTISEMENT],
    ['router solicitation', ROUTER_SOLICITATION],
    ['router advertisement', ROUTER_ADVERTISEMENT],
  ])("Linux's %s comes out byte for byte", (_name, text) => {
    const { bytes, packet, message } = read(text);
    const again = bytes.slice();
    again.fill(0xee, packet.payloadOffset);
    expect(neighbourDiscoveryLength(message)).toBe(packet.payloadLength);
    expect(emitNeighbourDiscovery(message, again, packet.payloadOffset)).toBe(packet.payloadLength);
    setTransportChecksum(again, packet.payloadOffset, packet.payloadLength, packet);
    expect(Buffer.from(again).toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
  });

  test('the caller’s mistakes', () => {
    const message = new NeighbourDiscovery();
    expect(() => emitNeighbourDiscovery(message, new Uint8Array(99), 0)).toThrowError(/set one of 133 to 136/);
    message.type = Icmpv6Type.NEIGHBOUR_SOLICITATION;
    expect(() => emitNeighbourDiscovery(message, new Uint8Array(23), 0)).toThrowError(/24 bytes does not fit in 23/);
  });

  test('setTarget and reset', () => {
    const { message } = read(ROUTER_ADVERTISEMENT);
    message.setTarget(IpAddress.parse('fe80:1:2:3:4:5:6:7'));
    expect(String(message.target)).toBe('fe80:1:2:3:4:5:6:7');
    message.reset();
    expect(message).toMatchObject({ type: 0, t0: 0, t3: 0, mtu: 0, prefixCount: 0, hasSourceLink: false, hopLimit: 0 });
    expect(message).toMatchObject({ routerLifetime: 0, reachableTime: 0, retransTimer: 0, managed: false });
  });
});
