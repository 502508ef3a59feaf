import { describe, expect, it } from 'vitest';
import { LinkType } from '../capture/formats.ts';
import { Kind, PacketDecoder } from './packet.ts';

/** An acknowledgment in PPPoE under two VLAN tags, whose IP header counts the frame's six octets of padding as its own. */
const PADDED = Uint8Array.from(
  (
    'bcd17717750d000000000000' +
    '81000e78810009aa8864' +
    '11000f07002a0021' +
    '4500002e1c464000ef06697e0202020201010101' +
    '01bb4faafc90b007d7a84499501008628727000000000000' +
    '0000'
  ).match(/../g) ?? [],
  (pair) => Number.parseInt(pair, 16),
);

describe('packets for analysis', () => {
  it('end where PPPoE ends, whatever the IP header says', () => {
    const decoder = new PacketDecoder();
    expect(decoder.decode(LinkType.ETHERNET, PADDED, 0, PADDED.length)).toBe(Kind.TCP);
    expect(decoder.packet).toMatchObject({ vlan: 0xe78, etherType: 0x8864, payloadLength: 0, ipLength: 40 });
    // The bound is of that frame alone.
    const ip = PADDED.slice(30);
    expect(decoder.decode(LinkType.RAW, ip, 0, ip.length)).toBe(Kind.TCP);
    expect(decoder.packet).toMatchObject({ vlan: -1, etherType: 0, payloadLength: 6 });
  });
});
