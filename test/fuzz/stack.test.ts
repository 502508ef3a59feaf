/**
 * A peer's bytes never throw and never hang: a host with listeners and open connections is fed frames that are random,
 * mutated, or well-formed and absurd. Whatever comes, it answers within bounds and what it holds stays bounded.
 */

import { describe, expect, test } from 'vitest';
import { type RandomSource, randomBelow, randomFill, SeededRandom } from '../../src/base/random.ts';
import { type Seq, seq, seqAdd } from '../../src/base/seq.ts';
import type { Interface } from '../../src/ip/interface.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { Stack } from '../../src/stack/stack.ts';
import { brokenInvariant } from '../../src/tcp/index.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { emitIpHeader, IpPacket, Protocol, setTransportChecksum } from '../../src/wire/ip.ts';
import { emitTcp, Segment } from '../../src/wire/tcp.ts';

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 60_000);
const OWN = { 4: IpAddress.parse('10.0.0.2'), 6: IpAddress.parse('fd00::2') } as const;
const PEER = { 4: IpAddress.parse('10.0.0.1'), 6: IpAddress.parse('fd00::1') } as const;

class Target {
  now = 0;
  readonly stack: Stack;
  readonly iface: Interface;
  readonly connections: Connection[] = [];
  private readonly out = new Uint8Array(2000);

  constructor(seed: number) {
    this.stack = new Stack({ secret: new SeededRandom(seed), random: new SeededRandom(seed + 1) });
    this.iface = this.stack.addInterface({
      name: 'link',
      mtu: 1500,
      medium: 'ip',
      addresses: ['10.0.0.2/24', 'fd00::2/64'],
    });
    this.stack.listen({
      port: 80,
      backlog: 16,
      handler: {
        acceptable: (listener) => {
          for (let next = listener.accept(this.now); next !== null; next = listener.accept(this.now)) this.keep(next);
        },
      },
    });
  }

  /** Reads now and then, so that windows close and open. */
  keep(connection: Connection): void {
    this.connections.push(connection);
    if (this.connections.length > 50) (this.connections.shift() as Connection).abort(this.now);
    let turn = 0;
    connection.handler = {
      readable: () => {
        if (turn++ % 3 !== 0) return;
        for (let part = connection.read(this.now); part !== null; part = connection.read(this.now)) {
          if (connection.state === 'ESTABLISHED' || connection.state === 'CLOSE-WAIT') connection.write(this.now, part);
        }
      },
    };
  }

  feed(frame: Uint8Array): void {
    this.stack.handleFrame(this.now, this.iface, frame);
    this.settle();
  }

  settle(): void {
    for (let round = 0; this.stack.deliverEvents(); round++) expect(round).toBeLessThan(100);
    for (let frames = 0; this.stack.pollTransmit(this.now, this.iface, this.out) > 0; frames++) {
      expect(frames).toBeLessThan(2000);
    }
  }

  check(): void {
    for (const { tcb } of this.connections) expect(brokenInvariant(tcb)).toBeNull();
    expect(this.stack.usage.endpoints).toBeLessThan(400);
    expect(this.stack.usage.memory).toBeLessThan(64 << 20);
    expect(this.stack.usage.fragmentMemory).toBeLessThanOrEqual(4 << 20);
  }

  advance(ms: number): void {
    this.now += ms;
    this.stack.handleTimeout(this.now);
    this.settle();
  }
}

const packet = new IpPacket();

/** A segment with a right checksum, from the peer. */
function frameOf(segment: Segment, family: 4 | 6): Uint8Array {
  const bytes = new Uint8Array(1500);
  packet.reset();
  packet.family = family;
  packet.setSource(PEER[family]);
  packet.setDestination(OWN[family]);
  packet.protocol = Protocol.TCP;
  packet.hopLimit = 64;
  const header = family === 4 ? 20 : 40;
  const length = emitTcp(segment, bytes, header);
  bytes.set(segment.payload.subarray(0, segment.payloadLength), header + length);
  packet.payloadLength = length + segment.payloadLength;
  emitIpHeader(packet, bytes, 0);
  setTransportChecksum(bytes, header, packet.payloadLength, packet);
  return bytes.subarray(0, header + packet.payloadLength);
}

/** Absurd but well-formed: numbers near those of a connection, any flags, any options. */
function absurd(random: RandomSource, target: Target): Uint8Array {
  const segment = new Segment();
  const { connections } = target;
  const near = connections.length > 0 ? connections[randomBelow(random, connections.length)] : null;
  const about = (base: Seq): Seq =>
    randomBelow(random, 8) === 0 ? seq(random.nextUint32()) : seqAdd(base, randomBelow(random, 3000) - 1000);
  segment.sourcePort = near?.remotePort ?? randomBelow(random, 65_536);
  segment.destinationPort = near?.localPort ?? (randomBelow(random, 4) === 0 ? randomBelow(random, 65_536) : 80);
  segment.seq = about(near?.tcb.rcvNxt ?? seq(0));
  segment.ack = about(near?.tcb.sndNxt ?? seq(0));
  segment.flags = near !== null && randomBelow(random, 2) === 0 ? 16 : randomBelow(random, 512);
  segment.window = randomBelow(random, 3) === 0 ? randomBelow(random, 3) : randomBelow(random, 65_536);
  segment.urgentPointer = randomBelow(random, 65_536);
  if (randomBelow(random, 2) === 0) segment.mss = randomBelow(random, 65_536);
  if (randomBelow(random, 2) === 0) segment.windowScale = randomBelow(random, 256);
  segment.sackPermitted = randomBelow(random, 2) === 0;
  if (randomBelow(random, 3) > 0) {
    segment.timestamps = true;
    segment.tsVal = ((near?.tcb.tsRecent ?? 0) + randomBelow(random, 5000) - 1000) | 0;
    segment.tsEcr = random.nextUint32() | 0;
  }
  segment.sackCount = randomBelow(random, 4);
  for (let i = 0; i < 2 * segment.sackCount; i++) segment.sackEdges[i] = random.nextUint32() | 0;
  segment.payload = new Uint8Array(randomBelow(random, 3) === 0 ? randomBelow(random, 1200) : randomBelow(random, 4));
  segment.payloadLength = segment.payload.length;
  const family = near === null ? (randomBelow(random, 2) === 0 ? 4 : 6) : near.local.family;
  return frameOf(segment, family);
}

/** Opens a connection properly, so that there is something to attack. */
function open(random: RandomSource, target: Target): void {
  const segment = new Segment();
  const family = randomBelow(random, 2) === 0 ? 4 : 6;
  segment.sourcePort = 1024 + randomBelow(random, 60_000);
  segment.destinationPort = 80;
  segment.seq = seq(random.nextUint32());
  segment.flags = 2;
  segment.window = 65_535;
  segment.mss = 1460;
  const known = target.stack.usage.endpoints;
  target.stack.handleFrame(target.now, target.iface, frameOf(segment, family));
  const out = new Uint8Array(2000);
  const length = target.stack.pollTransmit(target.now, target.iface, out);
  if (length === 0 || target.stack.usage.endpoints === known) return;
  const at = family === 4 ? 20 : 40;
  const iss = (out[at + 4] << 24) | (out[at + 5] << 16) | (out[at + 6] << 8) | out[at + 7];
  segment.seq = seqAdd(segment.seq, 1);
  segment.ack = seq(iss + 1);
  segment.flags = 16;
  segment.mss = 0;
  target.feed(frameOf(segment, family));
}

describe(`a host fed ${ROUNDS} frames`, () => {
  for (const seed of [1, 2]) {
    test(`absurd segments around open connections, seed ${seed}`, () => {
      const random = new SeededRandom(seed);
      const target = new Target(seed);
      let opened = 0;
      for (let i = 0; i < ROUNDS; i++) {
        if (i % 20 === 0) {
          const before = target.connections.length;
          open(random, target);
          if (target.connections.length !== before) opened++;
        }
        target.feed(absurd(random, target));
        if (i % 50 === 0) target.advance(randomBelow(random, 3000));
        if (i % 500 === 0) target.check();
      }
      expect(opened).toBeGreaterThan(20);
      // In the end everything runs out.
      for (const connection of target.connections) connection.abort(target.now);
      for (let i = 0; i < 100; i++) target.advance(20_000);
      expect(target.stack.usage.endpoints).toBe(1);
      expect(target.stack.usage.memory).toBe(0);
    });

    test(`mutated and random bytes, seed ${seed}`, () => {
      const random = new SeededRandom(seed + 100);
      const target = new Target(seed);
      for (let i = 0; i < ROUNDS; i++) {
        if (i % 200 === 0) open(random, target);
        let frame: Uint8Array;
        if (randomBelow(random, 4) === 0) {
          frame = new Uint8Array(randomBelow(random, 200));
          randomFill(random, frame);
          if (frame.length > 0) frame[0] = randomBelow(random, 2) === 0 ? 0x45 : 0x60;
        } else {
          frame = absurd(random, target).slice();
          for (let k = randomBelow(random, 6); k > 0; k--) {
            frame[randomBelow(random, frame.length)] = randomBelow(random, 256);
          }
          if (randomBelow(random, 3) === 0) frame = frame.subarray(0, randomBelow(random, frame.length + 1));
        }
        target.feed(frame);
        if (i % 100 === 0) target.advance(randomBelow(random, 2000));
        if (i % 1000 === 0) target.check();
      }
      target.check();
    });
  }

  test('pure garbage of each length from 0 to 2000, as IPv4, as IPv6, as neither (F28)', () => {
    const random = new SeededRandom(28);
    const target = new Target(28);
    for (let round = 0; round < ROUNDS / 2000; round++) {
      for (let length = 0; length <= 2000; length++) {
        const frame = new Uint8Array(length);
        randomFill(random, frame);
        if (length > 0 && round % 3 > 0) frame[0] = round % 3 === 1 ? 0x45 : 0x60;
        target.feed(frame);
      }
      target.check();
    }
    expect(target.connections).toEqual([]);
    expect(target.stack.usage.endpoints).toBe(1);
  });
});
