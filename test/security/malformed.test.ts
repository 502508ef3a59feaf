/** Segments that are wrong, stale or merely unusual: cases F04 … F30. */

import { describe, expect, it } from 'vitest';
import { writeU16, writeU32 } from '../../src/base/bytes.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { seqAdd } from '../../src/base/seq.ts';
import { IpPacket, parseIp, setTransportChecksum } from '../../src/wire/ip.ts';
import { ACK, FIN, PSH, RST, SYN, URG } from '../../src/wire/tcp.ts';
import { pattern, same } from '../stack/apps.ts';
import { ISN } from '../stack/flood.ts';
import { drain, flagsOf, inject, tcp } from '../stack/raw.ts';
import { Lone } from './lone.ts';

/** Lets a change be made to the TCP header of a frame, and makes the checksum right again. */
function altered(frame: Uint8Array, change: (tcpHeader: Uint8Array) => void): Uint8Array {
  const packet = new IpPacket();
  parseIp(frame, 0, frame.length, packet);
  change(frame.subarray(packet.payloadOffset));
  writeU16(frame, packet.payloadOffset + 16, 0);
  setTransportChecksum(frame, packet.payloadOffset, packet.payloadLength, packet);
  return frame;
}

describe('to a listener', () => {
  it.each([
    ['[F04] SYN,RST', SYN | RST],
    ['[F04] RST,ACK', RST | ACK],
    ['[F03] SYN,FIN', SYN | FIN],
    ['[F01] FIN,PSH,URG', FIN | PSH | URG],
    ['[F02] no flags', 0],
  ])('%s: no answer, no state', (_name, flags) => {
    const lone = new Lone();
    inject(lone.node, 0, { flags, seq: 5, ack: 7 });
    expect(drain(lone.node, 0)).toEqual([]);
    expect(lone.node.stack.usage.endpoints).toBe(1);
  });

  it('[F05] an ACK without a cookie: a RST that takes its sequence number from it', () => {
    const lone = new Lone();
    inject(lone.node, 0, { flags: ACK, seq: 5, ack: 7 });
    const [{ segment }] = drain(lone.node, 0);
    expect([flagsOf(segment), segment.seq]).toEqual(['R', 7]);
    expect(lone.node.stack.usage.endpoints).toBe(1);
  });
});

describe('on an open connection', () => {
  /** Blocks as [left, right], counted from the host's SYN, into the options of an ACK. */
  function sackAck(iss: number, ack: number, blocks: [number, number][]): Uint8Array {
    const frame = tcp({ seq: ISN + 1, ack: ack + iss, flags: ACK, text: new Uint8Array(4 + 8 * blocks.length) });
    return altered(frame, (header) => {
      header[12] = ((5 + 1 + 2 * blocks.length) << 4) | (header[12] & 15);
      header[20] = 1;
      header[21] = 1;
      header[22] = 5;
      header[23] = 2 + 8 * blocks.length;
      blocks.forEach(([left, right], i) => {
        writeU32(header, 24 + 8 * i, (left + iss) >>> 0);
        writeU32(header, 28 + 8 * i, (right + iss) >>> 0);
      });
    });
  }

  it('[F14] SACK blocks that make no sense change nothing, and the ACK they came with counts', () => {
    const absurd: [number, number][][] = [
      [[500, 500]],
      [[900, 500]],
      [[-5000, -4000]],
      [[50_000, 60_000]],
      [[-2_000_000_000, 100]],
      [[1, 2_147_483_649]],
      [
        [600, 900],
        [700, 800],
        [650, 950],
        [600, 900],
      ],
    ];
    for (const blocks of absurd) {
      const lone = new Lone();
      const peer = lone.open({ sackPermitted: true });
      peer.connection.write(0, pattern(3000));
      const sent = lone.pass(0);
      expect(sent.length).toBe(3);
      const before = peer.connection.status();
      lone.node.stack.handleFrame(0, lone.node.iface, sackAck(peer.iss, 501, blocks));
      const after = peer.connection.status();
      expect([after.sndUna, after.sndNxt]).toEqual([(peer.iss + 501) >>> 0, before.sndNxt]);
      // And in the end everything gets there.
      lone.pass(1000);
      peer.says({ seq: 1, ack: 3001, flags: ACK });
      expect(peer.connection.unacknowledged).toBe(0);
    }
  });

  it('[F18] reserved bits, and ECN bits that nobody negotiated, are ignored', () => {
    const lone = new Lone();
    const peer = lone.open();
    let at = 1;
    for (let bits = 0; bits < 16; bits++) {
      for (const ecn of [0, 0x40, 0x80, 0xc0]) {
        const frame = tcp({
          seq: ISN + at,
          ack: seqAdd(peer.iss, 1),
          flags: ACK | PSH,
          text: Uint8Array.of(at & 0xff),
        });
        at++;
        const odd = altered(frame, (header) => {
          header[12] |= bits;
          header[13] |= ecn;
        });
        lone.node.stack.handleFrame(0, lone.node.iface, odd);
      }
    }
    expect(peer.read().length).toBe(64);
    expect(peer.connection.status().ecn).toBe(false);
  });

  it('[F30] segments of 64 KB and of one octet are taken alike', () => {
    const lone = new Lone();
    const peer = lone.open({ windowScale: 7 });
    const text = pattern(65_000);
    const [{ segment }] = [...peer.says({ seq: 1, ack: 1, flags: ACK | PSH, text }), ...lone.pass(200)];
    expect(peer.theirs(segment.ack)).toBe(65_001);
    for (let i = 0; i < 1000; i++) peer.says({ seq: 65_001 + i, ack: 1, flags: ACK, text: text.subarray(i, i + 1) });
    expect(same(peer.read(), Buffer.concat([text, text.subarray(0, 1000)]))).toBe(true);
  });

  it('[F17] text on a RST is no text; what comes behind a FIN is not taken', () => {
    const lone = new Lone();
    const peer = lone.open();
    peer.says({ seq: 1, ack: 1, flags: FIN | ACK, text: pattern(10) });
    peer.says({ seq: 12, ack: 1, flags: ACK, text: pattern(10) });
    peer.says({ seq: 11, ack: 1, flags: FIN | ACK });
    expect(peer.read().length).toBe(10);
    peer.says({ seq: 12, ack: 1, flags: RST, text: pattern(10) });
    expect(peer.connection.status()).toMatchObject({ state: 'CLOSED', error: 'ECONNRESET' });
    expect(peer.read().length).toBe(0);
  });

  it('[F29] segments of an earlier incarnation of the same four-tuple put no octet into the new one', () => {
    for (const timestamps of [true, false]) {
      const lone = new Lone(`tcp_timestamps=${timestamps ? 1 : 0}`);
      const stamp = (value: number) => (timestamps ? { timestamps: [value, 0] as const } : {});
      const random = new SeededRandom(7);
      const old = lone.open(stamp(1000));
      const stale = Array.from({ length: 200 }, () => ({
        seq: ISN + 1 + (random.nextUint32() % 60_000),
        ack: seqAdd(old.iss, 1 + (random.nextUint32() % 1000)),
        text: pattern(1 + (random.nextUint32() % 1000), 9),
        ...stamp(1001 + (random.nextUint32() % 100)),
      }));
      old.says({ seq: 1, ack: 1, flags: RST, ...stamp(1200) });
      // The new one begins just where the old one's numbers were: the worst there is.
      lone.now += 1000;
      const young = lone.open(stamp(2200));
      for (const segment of stale) inject(lone.node, lone.now, { flags: ACK | PSH, ...segment });
      drain(lone.node, lone.now);
      const taken = young.read().length + young.connection.tcb.receiveBuffer.outOfOrder.total();
      expect({ timestamps, taken }).toEqual({ timestamps, taken: 0 });
      young.says({ seq: 1, ack: 1, flags: ACK | PSH, text: pattern(100), ...stamp(2300) });
      expect(same(young.read(), pattern(100))).toBe(true);
    }
  });
});
