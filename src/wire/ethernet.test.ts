import { describe, expect, test } from 'vitest';
import { ArpOperation, ArpPacket, emitArp, parseArp } from './arp.ts';
import { WireDrop } from './drop.ts';
import { EthernetFrame, EtherType, emitEthernet, ethernetHeaderLength, parseEthernet } from './ethernet.ts';
import {
  copyMac,
  formatMac,
  isGroupMac,
  MAC_BROADCAST,
  macEquals,
  multicastMacV4,
  multicastMacV6,
  parseMac,
} from './mac.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** Linux's ARP request for 10.9.0.2, and the reply. */
const REQUEST = 'ffffffffffff02000000000a0806' + '0001080006040001' + '02000000000a0a090001' + '0000000000000a090002';
const REPLY = '02000000000a02000000000b0806' + '0001080006040002' + '02000000000b0a090002' + '02000000000a0a090001';

function frame(bytes: Uint8Array, length = bytes.length): EthernetFrame {
  const into = new EthernetFrame();
  expect(parseEthernet(bytes, 0, length, into)).toBe(WireDrop.NONE);
  return into;
}

describe('Ethernet', () => {
  test('a plain frame', () => {
    const into = frame(hex(REQUEST));
    expect(formatMac(into.destination)).toBe('ff:ff:ff:ff:ff:ff');
    expect(formatMac(into.source)).toBe('02:00:00:00:00:0a');
    expect(into).toMatchObject({
      etherType: EtherType.ARP,
      payloadOffset: 14,
      payloadLength: 28,
      vlanCount: 0,
      vlan: 0,
    });
  });

  test('QinQ, as captured', () => {
    const into = frame(hex('00000000000100000000000081000e78810009aa886411000f07'));
    expect(into).toMatchObject({ etherType: 0x8864, vlanCount: 2, vlan: 0x9aa, payloadOffset: 22, payloadLength: 4 });
    expect(Array.from(into.vlanTags.subarray(0, 2))).toEqual([0x0e78, 0x09aa]);
  });

  test('802.1ad and the older outer tag', () => {
    const into = frame(hex('0000000000010000000000009100000188a8600281000fff0800'));
    expect(Array.from(into.vlanTypes)).toEqual([0x9100, 0x88a8, 0x8100, 0]);
    expect(into).toMatchObject({ vlanCount: 3, vlan: 0xfff, etherType: EtherType.IPV4, payloadLength: 0 });
  });

  test('an 802.3 length cuts the padding off, and is not believed past the end', () => {
    const bytes = new Uint8Array(60);
    bytes[13] = 38;
    expect(frame(bytes)).toMatchObject({ etherType: 38, payloadLength: 38 });
    bytes[12] = 5;
    expect(frame(bytes)).toMatchObject({ payloadLength: 46 });
  });

  test('cut frames and endless tags', () => {
    const bytes = hex(`000000000001000000000000${'81000001'.repeat(5)}0800`);
    for (let length = 0; length < bytes.length; length++) {
      const drop = parseEthernet(bytes, 0, length, new EthernetFrame());
      expect(drop).toBe(length < 34 ? WireDrop.ETHERNET_TRUNCATED : WireDrop.ETHERNET_TAGS);
    }
    expect(parseEthernet(bytes, 0, bytes.length + 1, new EthernetFrame())).toBe(WireDrop.ETHERNET_TRUNCATED);
    const four = hex(`000000000001000000000000${'81000001'.repeat(4)}0800`);
    expect(frame(four)).toMatchObject({ vlanCount: 4, etherType: EtherType.IPV4 });
  });

  test('emit, with tags and without', () => {
    for (const text of [REQUEST.slice(0, 28), '00000000000100000000000081000e78810009aa8864']) {
      const into = frame(hex(text));
      const bytes = new Uint8Array(text.length / 2 + 1).fill(0xee);
      expect(emitEthernet(into, bytes, 0)).toBe(text.length / 2);
      expect(ethernetHeaderLength(into)).toBe(text.length / 2);
      expect(Buffer.from(bytes).toString('hex')).toBe(`${text}ee`);
      expect(() => emitEthernet(into, bytes, 2)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
    }
  });
});

describe('ARP', () => {
  test.each([
    [REQUEST, { operation: ArpOperation.REQUEST, senderAddress: 0x0a090001, targetAddress: 0x0a090002 }],
    [REPLY, { operation: ArpOperation.REPLY, senderAddress: 0x0a090002, targetAddress: 0x0a090001 }],
  ])('there and back: %s', (text, expected) => {
    const packet = new ArpPacket();
    expect(parseArp(hex(text), 14, 28, packet)).toBe(WireDrop.NONE);
    expect(packet).toMatchObject(expected);
    expect(Buffer.from(packet.senderMac).toString('hex')).toBe(text.slice(44, 56));
    expect(Buffer.from(packet.targetMac).toString('hex')).toBe(text.slice(64, 76));
    const bytes = new Uint8Array(28);
    expect(emitArp(packet, bytes, 0)).toBe(28);
    expect(Buffer.from(bytes).toString('hex')).toBe(text.slice(28));
    expect(() => emitArp(packet, bytes, 1)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
  });

  test('padding may follow; less than 28 bytes is none', () => {
    const padded = new Uint8Array(60);
    padded.set(hex(REPLY));
    expect(parseArp(padded, 14, 46, new ArpPacket())).toBe(WireDrop.NONE);
    for (let length = 0; length < 28; length++) {
      expect(parseArp(padded, 14, length, new ArpPacket())).toBe(WireDrop.ARP_TRUNCATED);
    }
    expect(parseArp(padded, 33, 28, new ArpPacket())).toBe(WireDrop.ARP_TRUNCATED);
  });

  test.each([14, 16, 18, 19])('other hardware, protocol or lengths are not ours: byte %i', (at) => {
    const bytes = hex(REPLY);
    bytes[at] ^= 0x10;
    expect(parseArp(bytes, 14, 28, new ArpPacket())).toBe(WireDrop.ARP_FORMAT);
  });
});

describe('link-layer addresses', () => {
  test('text', () => {
    expect(formatMac(parseMac('02:00:5E:10:00:ff'))).toBe('02:00:5e:10:00:ff');
    expect(formatMac(parseMac('02-00-5e-10-00-ff'))).toBe('02:00:5e:10:00:ff');
    expect(formatMac(Uint8Array.of(9, 1, 2, 3, 4, 5, 6), 1)).toBe('01:02:03:04:05:06');
    for (const wrong of ['', '02:00:5e:10:00', '02:00:5e:10:00:ff:01', '2:0:5e:10:0:ff', '02:00:5g:10:00:ff']) {
      expect(() => parseMac(wrong)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
    }
  });

  test('comparison, copy, group bit', () => {
    const bytes = Uint8Array.of(0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1);
    expect(macEquals(bytes, 1, bytes, 7)).toBe(true);
    expect(macEquals(bytes, 1, bytes, 6)).toBe(false);
    bytes[12] = 9;
    expect(macEquals(bytes, 1, bytes, 7)).toBe(false);
    copyMac(bytes, 7, bytes, 1);
    expect(bytes[6]).toBe(9);
    expect(isGroupMac(MAC_BROADCAST)).toBe(true);
    expect(isGroupMac(parseMac('33:33:00:00:00:01'))).toBe(true);
    expect(isGroupMac(bytes, 1)).toBe(false);
  });

  test('where multicast goes', () => {
    const mac = new Uint8Array(7);
    multicastMacV4(0xe0ff_00fb, mac, 1);
    expect(formatMac(mac, 1)).toBe('01:00:5e:7f:00:fb');
    multicastMacV6(0xff12_3456, mac, 0);
    expect(formatMac(mac)).toBe('33:33:ff:12:34:56');
  });
});
