import { beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { IpAddress } from '../wire/address.ts';
import { IcmpType } from '../wire/icmp.ts';
import { Icmpv6Type } from '../wire/icmpv6.ts';
import { IpPacket, Protocol } from '../wire/ip.ts';
import { Core } from './core.ts';
import { Egress } from './egress.ts';
import { IcmpOutput } from './icmp-output.ts';
import { IpOutput } from './ip-output.ts';

describe('whom an ICMP error is never sent to (RFC 1122 section 3.2.2, RFC 4443 section 2.4)', () => {
  let core: Core;
  let icmp: IcmpOutput;
  let egress: Egress;

  beforeEach(() => {
    core = new Core({ secret: new SeededRandom(1), random: new SeededRandom(2) });
    const addresses = ['10.0.0.2/24', '2001:db8::2/64'];
    core.addInterface({ name: 'if0', mtu: 1500, medium: 'ip', addresses });
    core.arriving = core.interfaces[1];
    const egresses = core.interfaces.map((iface) => new Egress(iface));
    egress = egresses[1];
    icmp = new IcmpOutput(core, new IpOutput(core, egresses, [null, null]));
  });

  /** How many messages a port unreachable about such a packet makes. */
  function sent(change: (packet: IpPacket, bytes: Uint8Array) => unknown, from = '10.0.0.9', to = '10.0.0.2'): number {
    const packet = new IpPacket();
    packet.setSource(IpAddress.parse(from));
    packet.setDestination(IpAddress.parse(to));
    packet.family = packet.destination.family;
    packet.protocol = Protocol.UDP;
    packet.payloadOffset = packet.family === 4 ? 20 : 40;
    packet.payloadLength = 40;
    const bytes = new Uint8Array(80);
    change(packet, bytes);
    icmp.portUnreachable(0, bytes, packet);
    return egress.queue.count;
  }

  const nothing = (): void => {};
  const inside = (protocol: number, type: number) => (packet: IpPacket, bytes: Uint8Array) => {
    packet.protocol = protocol;
    bytes[packet.payloadOffset] = type;
  };

  it('an ordinary packet is answered', () => {
    expect(sent(nothing)).toBe(1);
    expect(sent(nothing, '2001:db8::9', '2001:db8::2')).toBe(2);
  });

  it('not a later fragment, but the first', () => {
    expect(sent((p) => Object.assign(p, { isFragment: true, fragmentOffset: 8 }))).toBe(0);
    expect(sent((p) => Object.assign(p, { isFragment: true, moreFragments: true }))).toBe(1);
  });

  it.each([3, 4, 5, 11, 12])('not an ICMP error of type %i', (type) => {
    expect(sent(inside(Protocol.ICMP, type))).toBe(0);
  });

  it.each([1, 2, 3, 4, 100, 127])('not an ICMPv6 error of type %i', (type) => {
    expect(sent(inside(Protocol.ICMPV6, type), '2001:db8::9', '2001:db8::2')).toBe(0);
  });

  it('an echo request is no error', () => {
    expect(sent(inside(Protocol.ICMP, IcmpType.ECHO))).toBe(1);
    expect(sent(inside(Protocol.ICMPV6, Icmpv6Type.ECHO_REQUEST), '2001:db8::9', '2001:db8::2')).toBe(2);
  });

  it.each([
    ['0.0.0.0', '10.0.0.2'],
    ['224.0.0.5', '10.0.0.2'],
    ['127.0.0.1', '10.0.0.2'],
    ['10.0.0.9', '10.0.0.255'],
    ['10.0.0.9', '255.255.255.255'],
    ['10.0.0.9', '224.0.0.1'],
    ['2001:db8::9', 'ff02::1'],
    ['::', '2001:db8::2'],
  ])('not from %s to %s', (from, to) => {
    expect(sent(nothing, from, to)).toBe(0);
  });

  it('not what the link sent to a group', () => {
    core.arrivedByGroup = true;
    expect(sent(nothing)).toBe(0);
  });
});
