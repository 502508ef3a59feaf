/** ICMP messages made by hand, and those seen on the wire. */

import { expect } from 'vitest';
import { fragmentPayload, writeFragment } from '../../src/ip/fragments.ts';
import { emitIcmp, IcmpMessage, parseIcmp } from '../../src/wire/icmp.ts';
import { IpPacket, Protocol, parseIp, transportChecksumOk } from '../../src/wire/ip.ts';
import type { Node, Pair } from './pair.ts';
import { ip } from './raw.ts';

/** An ICMP or ICMPv6 message as a packet. */
export function icmp(from: string, to: string, type: number, code: number, rest: number, body: Uint8Array): Uint8Array {
  const message = new IcmpMessage();
  message.type = type;
  message.code = code;
  message.rest = rest;
  return ip(from, to, to.includes(':') ? Protocol.ICMPV6 : Protocol.ICMP, (out, at) => {
    emitIcmp(message, out, at);
    out.set(body, at + 8);
    return 8 + body.length;
  });
}

/** A packet in fragments. */
export function cut(whole: Uint8Array, mtu: number): Uint8Array[] {
  const packet = new IpPacket();
  parseIp(whole, 0, whole.length, packet);
  const { payloadOffset, payloadLength, family } = packet;
  packet.id = 77;
  const share = fragmentPayload(family, mtu);
  const list: Uint8Array[] = [];
  for (let at = 0; at < payloadLength; at += share) {
    const out = new Uint8Array(mtu);
    list.push(out.slice(0, writeFragment(packet, whole, payloadOffset, payloadLength, at, share, out, 0)));
  }
  return list;
}

/** The ICMP messages a pair's node sent. */
export function icmpSent(
  pair: Pair,
  node: Node,
): { type: number; code: number; rest: number; body: Uint8Array; to: string }[] {
  return pair.log.flatMap(({ from, frame }) => {
    const packet = new IpPacket();
    if (from !== node || parseIp(frame, 0, frame.length, packet) !== 0 || packet.isFragment) return [];
    if (packet.protocol !== Protocol.ICMP && packet.protocol !== Protocol.ICMPV6) return [];
    expect(transportChecksumOk(frame, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
    const m = new IcmpMessage();
    parseIcmp(frame, packet.payloadOffset, packet.payloadLength, m);
    const body = frame.slice(m.bodyOffset, m.bodyOffset + m.bodyLength);
    return [{ type: m.type, code: m.code, rest: m.rest, body, to: packet.destination.toString() }];
  });
}
