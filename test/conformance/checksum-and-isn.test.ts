/** RFC 9293 section 3.1 (the checksum) and 3.4.1 (initial sequence numbers, RFC 6528), seen on the wire of a host. */

import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { seqDiff } from '../../src/base/seq.ts';
import { IsnGenerator } from '../../src/crypto/isn.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { SYN } from '../../src/wire/tcp.ts';
import { App, pattern, Server } from '../stack/apps.ts';
import { Node, Pair } from '../stack/pair.ts';
import { drain, flagsOf, tcp } from '../stack/raw.ts';

/** The sum of RFC 1071 over pseudo header and segment, made the plainest way: 0xffff when the checksum is right. */
function plainSum(frame: Uint8Array): number {
  const v4 = frame[0] >> 4 === 4;
  const headerLength = v4 ? (frame[0] & 15) * 4 : 40;
  const addresses = v4 ? frame.subarray(12, 20) : frame.subarray(8, 40);
  const text = frame.subarray(headerLength);
  const length = text.length;
  const octets = [...addresses, 0, 6, length >> 8, length & 255, ...text, ...(length % 2 === 0 ? [] : [0])];
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += octets[i] * 256 + octets[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}

describe('the checksum', () => {
  test('[MUST-2] is made for every segment: SYN, text, FIN, RST, odd lengths and none, IPv4 and IPv6', () => {
    for (const to of ['10.0.0.2', '2001:db8::2']) {
      const pair = new Pair();
      new Server(pair, pair.b, { port: 80 }).onAccept = (connection, app) => app.send(connection, pattern(20_001));
      const app = new App(pair);
      const remote = IpAddress.parse(to);
      app.send(pair.a.stack.connect(pair.now, { remote, port: 80, handler: app }), pattern(33_333, 7));
      pair.pass(3000);
      expect(app.received).toBe(20_001);
      pair.a.stack.connect(pair.now, { remote, port: 81 });
      pair.pass(100);
      const aborted = pair.a.stack.connect(pair.now, { remote, port: 80 });
      pair.pass(100);
      aborted.abort(pair.now);
      pair.pass(100);
      expect(pair.log.length).toBeGreaterThan(40);
      for (const { frame } of pair.log) expect(plainSum(frame)).toBe(0xffff);
    }
  });

  test('[MUST-3] is verified: a segment with any one bit wrong is dropped, without an answer', () => {
    const good = tcp({ flags: SYN, text: new Uint8Array([1, 2, 3]) });
    const node = new Node({ addresses: ['10.0.0.2/24'] });
    node.stack.listen({ port: 80 });
    const before = node.stack.counters.get('TcpInCsumErrors');
    let dropped = 0;
    for (let bit = 20 * 8; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3] ^= 1 << (bit & 7);
      node.stack.handleFrame(0, node.iface, bad);
      expect(drain(node, 0)).toEqual([]);
      dropped++;
    }
    // A data offset that points nowhere is found out before the checksum is.
    expect(node.stack.counters.get('TcpInCsumErrors') - before).toBeGreaterThan(dropped - 8);
    node.stack.handleFrame(0, node.iface, good);
    expect(drain(node, 0).map(({ segment }) => flagsOf(segment))).toEqual(['SA']);
  });

  test('[MUST-3] 0 is a wrong checksum like any other, not "none" (F08)', () => {
    const node = new Node({ addresses: ['10.0.0.2/24'] });
    node.stack.listen({ port: 80 });
    for (const value of [0x0000, 0xffff]) {
      const bad = tcp({ flags: SYN });
      bad[36] = value >> 8;
      bad[37] = value & 255;
      node.stack.handleFrame(0, node.iface, bad);
      expect(drain(node, 0)).toEqual([]);
    }
  });
});

describe('initial sequence numbers', () => {
  const remote = IpAddress.parse('10.0.0.77');

  /** The ISN a host with this secret uses at `now` from this port. */
  function isnOf(now: number, localPort: number, secret = 1, port = 80, to = remote): number {
    const node = new Node({ addresses: ['10.0.0.2/24'], seed: secret });
    node.stack.connect(now, { remote: to, port, localPort });
    return drain(node, now)[0].segment.seq;
  }

  test('[MUST-8] for the same sockets they rise by one every four microseconds', () => {
    for (const later of [0.004, 1, 1000, 60_000, 4 * 3_600_000]) {
      expect(seqDiff(isnOf(1000 + later, 5000) as never, isnOf(1000, 5000) as never)).toBe((later * 250) | 0);
    }
    // A SYN,ACK's too.
    const synAck = (now: number): number => {
      const node = new Node({ addresses: ['10.0.0.2/24'], settings: ['tcp_syncookies=0'] });
      node.stack.listen({ port: 80 });
      node.stack.handleFrame(now, node.iface, tcp({ flags: SYN }));
      return drain(node, now)[0].segment.seq;
    };
    expect(synAck(3000) - synAck(1000)).toBe(500_000);
  });

  test('[SHLD-1] ISN = M + F: what depends on time and what depends on the sockets and the secret are apart', () => {
    const f = (port: number, secret: number, to: number, host: IpAddress): number =>
      (isnOf(2000, port, secret, to, host) - 2000 * 250) | 0;
    const base = f(5000, 1, 80, remote);
    expect((isnOf(9000, 5000) - 9000 * 250) | 0).toBe(base);
    // Each of the inputs changes it.
    const others = [
      f(5001, 1, 80, remote),
      f(5000, 1, 81, remote),
      f(5000, 1, 80, IpAddress.parse('10.0.0.78')),
      f(5000, 2, 80, remote),
    ];
    expect(new Set([base, ...others]).size).toBe(5);
    const generator = new IsnGenerator(new SeededRandom(5));
    const [a, b] = [IpAddress.parse('10.0.0.1'), IpAddress.parse('10.0.0.2')];
    expect(generator.isn(0, a, 1, b, 2)).not.toBe(generator.isn(0, b, 1, a, 2));
  });

  test('[MUST-9] who knows the numbers of many connections cannot tell that of the next', () => {
    const generator = new IsnGenerator(new SeededRandom(77));
    const local = IpAddress.parse('10.0.0.2');
    const isns = Array.from({ length: 40_000 }, (_, i) => generator.isn(0, local, 1024 + i, remote, 80) >>> 0);
    // Spread evenly: 256 boxes by the top byte and by the bottom byte, chi-squared with 255 degrees of freedom.
    for (const shift of [24, 0]) {
      const boxes = new Array<number>(256).fill(0);
      for (const isn of isns) boxes[(isn >>> shift) & 255]++;
      const mean = isns.length / 256;
      const chi = boxes.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      expect(chi).toBeLessThan(340);
      expect(chi).toBeGreaterThan(180);
    }
    // No step between neighbours occurs twice as often as chance has it: nothing linear in the port.
    const steps = new Map<number, number>();
    for (let i = 1; i < isns.length; i++) {
      const step = (isns[i] - isns[i - 1]) >>> 16;
      steps.set(step, (steps.get(step) ?? 0) + 1);
    }
    expect(Math.max(...steps.values())).toBeLessThan(10);
    // And another secret has nothing in common with this one.
    const other = new IsnGenerator(new SeededRandom(78));
    const equal = isns.filter((isn, i) => other.isn(0, local, 1024 + i, remote, 80) >>> 0 === isn);
    expect(equal.length).toBeLessThan(2);
  });
});
