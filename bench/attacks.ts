/**
 * What input made to be slow costs, a piece: a ratio near 1 between many and few says that the cost does not grow with
 * their number. Cases D08 and D21 of the attack list.
 *
 *   npm run bench:attacks
 */

import { SeededRandom } from '../src/base/random.ts';
import { KeyedHash } from '../src/ip/keyed-hash.ts';
import { Reassembly } from '../src/ip/reassembly.ts';
import { IpAddress } from '../src/wire/address.ts';
import { emitIpHeader, IpPacket, Protocol, parseIp } from '../src/wire/ip.ts';
import { ACK } from '../src/wire/tcp.ts';
import { Lone } from '../test/security/lone.ts';

const RUNS = 7;

/** Milliseconds for `count` segments of one octet with a hole before each. */
function oneOctetSegments(count: number): number {
  const peer = new Lone().open({ sackPermitted: true });
  const text = Uint8Array.of(1);
  const start = performance.now();
  for (let i = 0; i < count; i++) peer.says({ seq: 3 + 2 * i, ack: 1, flags: ACK, text });
  return performance.now() - start;
}

/** Milliseconds for `count` fragments of eight octets, none of which completes anything. */
function fragments(count: number): number {
  const reassembly = new Reassembly(
    { ipfrag_high_thresh: 2_000_000_000, ipfrag_time: 30 },
    new KeyedHash(new SeededRandom(1)),
  );
  const frames = Array.from({ length: count }, (_, i) => fragment(8 * ((i * 2 + 1) % 8191), i >> 12));
  const packet = new IpPacket();
  const start = performance.now();
  for (const frame of frames) {
    parseIp(frame, 0, frame.length, packet);
    reassembly.add(0, packet, frame);
  }
  return performance.now() - start;
}

function fragment(offset: number, id: number): Uint8Array {
  const packet = new IpPacket();
  packet.family = 4;
  packet.setSource(IpAddress.parse('192.0.2.1'));
  packet.setDestination(IpAddress.parse('192.0.2.2'));
  packet.protocol = Protocol.UDP;
  packet.hopLimit = 64;
  packet.id = id;
  packet.isFragment = true;
  packet.moreFragments = true;
  packet.fragmentOffset = offset;
  packet.payloadLength = 8;
  const out = new Uint8Array(28);
  emitIpHeader(packet, out, 0);
  return out;
}

/** Prints the median microseconds a piece for few and for many, and their ratio. */
function compare(name: string, few: number, many: number, run: (count: number) => number): void {
  run(few);
  const median = (count: number): number =>
    Array.from({ length: RUNS }, () => (1000 * run(count)) / count).sort((a, b) => a - b)[RUNS >> 1];
  const small = median(few);
  const large = median(many);
  const figures = `${small.toFixed(2)} µs each of ${few}, ${large.toFixed(2)} µs each of ${many}`;
  console.log(`${name.padEnd(34)} ${figures}, ratio ${(large / small).toFixed(2)}`);
}

compare('one-octet segments with holes', 1000, 20_000, oneOctetSegments);
compare('fragments that complete nothing', 400, 40_000, fragments);
