/**
 * The codecs against packets that others made: every TCP packet of the reference captures is read, and found good
 * or bad as tshark finds it; and what Linux wrote, we write byte for byte: IP and TCP headers, options, checksums.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WireDrop, wireDropName } from '../../src/wire/drop.ts';
import { EthernetFrame, EtherType, parseEthernet } from '../../src/wire/ethernet.ts';
import {
  emitIpHeader,
  IpPacket,
  Protocol,
  parseIp,
  setTransportChecksum,
  transportChecksumOk,
} from '../../src/wire/ip.ts';
import { emitTcp, parseTcp, Segment } from '../../src/wire/tcp.ts';

const FOLDER = new URL('../../../shared/captures/', import.meta.url);
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.pcap')) : [];
if (files.length === 0) console.log('wire-captures: skipped, no reference captures beside the checkout');

/** Where IP begins in frames of these link types: BSD loopback, raw IP, and Linux's cooked captures. */
const LINK_HEADER: Record<number, number> = { 0: 4, 101: 0, 113: 16, 228: 0, 229: 0, 276: 20 };

/**
 * What is wrong in these files, as tshark 4.0 counts it: headers a network card was to finish, frames shorter than
 * their IP packet, and one file whose sequence numbers were moved without new checksums.
 */
const BAD: Record<string, { header?: number; length?: number; tcp?: number }> = {
  'sv-bug-7264-tcp-3whs-ack-data-tls-01.pcap': { tcp: 1 },
  'sv-krb5-krb5_msg_type.pcap': { header: 25 },
  'sv-tcp_fastopen_segmentation.pcap': { tcp: 8 },
  'sv-transform-base64-7296.pcap': { header: 59 },
  'td-mptcp-v1.pcap': { tcp: 20 },
  'v01-seqwrap-g10.pcap': { tcp: 251 },
  'zeek-gap-recovery.pcap': { header: 58 },
  'zeek-mixed-vlan-mpls.pcap': { header: 22 },
  'zeek-reassembly.pcap': { length: 5, tcp: 10 },
  'zeek-retransmit-fast009.pcap': { header: 18 },
  'zeek-ssh-dups.pcap': { tcp: 152 },
};

interface Captured {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
  /** Where IP begins; -1 when the frame holds something else. */
  readonly ip: number;
}

/** A pcap reader of a few lines, so that no reader of ours is between the packets and this test. */
function packetsOf(name: string): Captured[] {
  const file = readFileSync(new URL(name, FOLDER));
  const little = file[0] === 0xd4 || file[0] === 0x4d;
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const link = u32(20) & 0xffff;
  const packets: Captured[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const captured = u32(at + 8);
    if (at + 16 + captured > file.length) break;
    const bytes = new Uint8Array(file.subarray(at + 16, at + 16 + captured));
    packets.push({ bytes, whole: captured === u32(at + 12), ip: ipOffset(link, bytes) });
    at += 16 + captured;
  }
  return packets;
}

function ipOffset(link: number, bytes: Uint8Array): number {
  if (link !== 1) return LINK_HEADER[link] ?? -1;
  const frame = new EthernetFrame();
  if (parseEthernet(bytes, 0, bytes.length, frame) !== WireDrop.NONE) return -1;
  const isIp = frame.etherType === EtherType.IPV4 || frame.etherType === EtherType.IPV6;
  return isIp ? frame.payloadOffset : -1;
}

const packet = new IpPacket();
const segment = new Segment();

describe.skipIf(files.length === 0)('reference captures', () => {
  test.each(files)('%s: good is found good, and bad is found bad where tshark finds it', (name) => {
    const bad = { header: 0, length: 0, tcp: 0 };
    for (const { bytes, whole, ip } of packetsOf(name)) {
      if (ip < 0 || !whole) continue;
      const drop = parseIp(bytes, ip, bytes.length - ip, packet);
      if (drop === WireDrop.IP_CHECKSUM) bad.header++;
      else if (drop === WireDrop.IP_TOTAL_LENGTH) bad.length++;
      else expect(wireDropName(drop)).toBe('NONE');
      if (drop !== WireDrop.NONE || packet.protocol !== Protocol.TCP || packet.isFragment) continue;
      const { payloadOffset, payloadLength } = packet;
      expect(wireDropName(parseTcp(bytes, payloadOffset, payloadLength, segment))).toBe('NONE');
      if (!transportChecksumOk(bytes, payloadOffset, payloadLength, packet)) bad.tcp++;
    }
    expect(bad).toEqual({ header: 0, length: 0, tcp: 0, ...BAD[name] });
  });

  test.each(files.filter((name) => name.startsWith('g')))('%s: Linux’s headers come out byte for byte', (name) => {
    let compared = 0;
    for (const { bytes, whole, ip } of packetsOf(name)) {
      if (!whole || ip < 0 || parseIp(bytes, ip, bytes.length - ip, packet) !== WireDrop.NONE) continue;
      if (packet.protocol !== Protocol.TCP) continue;
      const { payloadOffset, payloadLength } = packet;
      if (parseTcp(bytes, payloadOffset, payloadLength, segment) !== WireDrop.NONE) continue;
      const again = bytes.slice();
      again.fill(0xee, ip, segment.payloadOffset);
      expect(emitIpHeader(packet, again, ip)).toBe(payloadOffset - ip);
      expect(emitTcp(segment, again, payloadOffset)).toBe(segment.payloadOffset - payloadOffset);
      setTransportChecksum(again, payloadOffset, payloadLength, packet);
      expect(Buffer.from(again).toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});
