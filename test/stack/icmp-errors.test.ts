/** ICMP errors about our own packets, and how far they are believed: RFC 5927, RFC 1191, RFC 8201. */

import { describe, expect, it } from 'vitest';
import { IpAddress } from '../../src/wire/address.ts';
import { IcmpType, IcmpUnreachable } from '../../src/wire/icmp.ts';
import { Icmpv6Type, Icmpv6Unreachable } from '../../src/wire/icmpv6.ts';
import { App, pattern, Server, same } from './apps.ts';
import { icmp } from './icmp.ts';
import { Pair } from './pair.ts';
import { seen, sentBy } from './raw.ts';

const A4 = '10.0.0.1';
const B4 = '10.0.0.2';
const A6 = '2001:db8::1';
const B6 = '2001:db8::2';
const address = (text: string): IpAddress => IpAddress.parse(text);

describe('ICMP errors received, about TCP (RFC 5927)', () => {
  /** An open connection from a to b, and a's last segment on the wire. */
  function open(
    remote: string,
    settings: string[] = [],
  ): { pair: Pair; app: App; server: Server; quoted: Uint8Array; state: () => string } {
    const pair = new Pair({ settings });
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
    pair.run(() => app.told.length > 0);
    pair.pass(100);
    pair.filter = (_frame, from) => from !== pair.a;
    client.write(pair.now, pattern(1000));
    pair.settle();
    return { pair, app, server, quoted: pair.log.at(-1)!.frame.slice(0, 60), state: () => client.state };
  }

  it('port unreachable is a soft error for an open connection (B11, MUST-47, MUST-54, SHLD-25)', () => {
    const { pair, app, quoted, state } = open(B4);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, 3, 0, quoted));
    pair.settle();
    expect(app.told).toEqual(['opened', 'soft ECONNREFUSED']);
    expect(state()).toBe('ESTABLISHED');
  });

  it('a quoted sequence number that is not outstanding is not believed (B12)', () => {
    const { pair, app, quoted } = open(B4);
    quoted[24] ^= 0x80;
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, 3, 0, quoted));
    pair.settle();
    expect(app.told).toEqual(['opened']);
    expect(pair.a.stack.counters.get('OutOfWindowIcmps')).toBe(1);
  });

  it('source quench is ignored (B15, MUST-55)', () => {
    const { pair, app, quoted } = open(B4);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(B4, A4, IcmpType.SOURCE_QUENCH, 0, 0, quoted));
    pair.settle();
    expect(app.told).toEqual(['opened']);
    expect(pair.a.stack.counters.get('SourceQuenchIgnored')).toBe(1);
  });

  it.each([
    [B4, A4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PORT, 'ECONNREFUSED'],
    [B4, A4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.PROTOCOL, 'EPROTO'],
    [B6, A6, Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.PORT, 'ECONNREFUSED'],
  ])('a hard error ends an open to %s at once (SHLD-26)', (remote, us, type, code, error) => {
    const pair = new Pair();
    pair.filter = () => false;
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
    pair.settle();
    pair.a.stack.handleFrame(pair.now, pair.a.iface, icmp(remote, us, type, code, 0, pair.log[0].frame));
    pair.settle();
    expect(app.told).toEqual([`closed ${error}`]);
  });

  it.each([0, 1, 5])('unreachable code %i is soft even then (MUST-56)', (code) => {
    const pair = new Pair();
    pair.filter = () => false;
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: address(B4), port: 80, handler: app });
    pair.settle();
    pair.a.stack.handleFrame(
      pair.now,
      pair.a.iface,
      icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, code, 0, pair.log[0].frame),
    );
    pair.settle();
    expect(app.told[0]).toMatch(/^soft/);
  });

  it.each([
    [B4, A4, 0, 1492],
    [B4, A4, 1, 552],
    [B4, A4, 67, 552],
    [B4, A4, 551, 552],
    [B4, A4, 1000, 1000],
    [B4, A4, 1500, 1500],
    [B4, A4, 9000, 1500],
    [B6, A6, 0, 1280],
    [B6, A6, 1279, 1280],
    [B6, A6, 1400, 1400],
  ])(
    'too big, about a packet to %s, told to %s, MTU %i: the path is taken for %i (B13)',
    (remote, us, told, expected) => {
      const pair = new Pair();
      const server = new Server(pair, pair.b, { port: 80 });
      const app = new App(pair);
      const client = pair.a.stack.connect(pair.now, { remote: address(remote), port: 80, handler: app });
      pair.run(() => app.told.length > 0);
      pair.pass(100);
      let lost = false;
      pair.filter = (frame, from) => {
        if (lost || from !== pair.a || frame.length < 1000) return true;
        lost = true;
        const six = remote === B6;
        const type = six ? Icmpv6Type.PACKET_TOO_BIG : IcmpType.DESTINATION_UNREACHABLE;
        const code = six ? 0 : IcmpUnreachable.FRAGMENTATION_NEEDED;
        const error = icmp(remote, us, type, code, told, frame.slice(0, 60));
        pair.a.stack.handleFrame(pair.now, pair.a.iface, error);
        return false;
      };
      client.write(pair.now, pattern(20_000));
      pair.pass(5000);
      expect(same(server.accepted[0].app.bytes, pattern(20_000))).toBe(true);
      const later = sentBy(pair, pair.a).slice(-3);
      const size = Math.max(...later.map(({ packet }) => packet.payloadLength + (remote === B6 ? 40 : 20)));
      expect(size).toBeLessThanOrEqual(expected);
      const { sndMss } = client.status();
      expect(sndMss).toBe(expected - (remote === B6 ? 60 : 40) - 12);
      // A new connection knows at once; DF stays set (B16).
      const next = pair.a.stack.connect(pair.now, { remote: address(remote), port: 80 });
      expect(next.tcb.mtu).toBe(expected);
      if (remote === B4)
        expect(sentBy(pair, pair.a).every(({ packet }) => packet.dontFragment && packet.id === 0)).toBe(true);
      pair.pass(10 * 60_000);
      client.write(pair.now, pattern(10));
      pair.pass(100);
      expect(client.tcb.mtu).toBe(1500);
    },
  );

  /** A transfer whose first 20,000 octets have arrived in full segments, and the moment the next one leaves. */
  function underWay(meddle: (pair: Pair, frame: Uint8Array) => boolean): {
    pair: Pair;
    sizes: () => number[];
    whole: () => boolean;
  } {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: address(B4), port: 80, handler: app });
    const all = pattern(200_000);
    client.write(pair.now, all.subarray(0, 20_000));
    pair.pass(2000);
    expect(server.accepted[0].app.bytes).toHaveLength(20_000);
    const before = pair.log.length;
    pair.filter = (frame, from) => from !== pair.a || frame.length < 1000 || meddle(pair, frame);
    client.write(pair.now, all.subarray(20_000));
    pair.pass(10_000);
    return {
      pair,
      sizes: () => pair.log.slice(before).flatMap(({ from, frame }) => (from === pair.a ? [frame.length] : [])),
      whole: () => same(server.accepted[0].app.bytes, all),
    };
  }
  const tooBig = (pair: Pair, frame: Uint8Array, mtu: number): void => {
    const code = IcmpUnreachable.FRAGMENTATION_NEEDED;
    const error = icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, code, mtu, frame.slice(0, 60));
    pair.a.stack.handleFrame(pair.now, pair.a.iface, error);
  };

  it('too big, forged about packets that arrive, again and again: changes nothing (B14)', () => {
    const { pair, sizes, whole } = underWay((world, frame) => {
      tooBig(world, frame, world.now % 2 === 0 ? 552 : 1000);
      return true;
    });
    expect(whole()).toBe(true);
    expect(sizes()).toHaveLength(Math.ceil(180_000 / 1448));
    expect(new Set(sizes().slice(0, -1))).toEqual(new Set([1500]));
    expect(pair.a.stack.connect(pair.now, { remote: address(B4), port: 80 }).tcb.mtu).toBe(1500);
  });

  it('too big, true of a path that has shrunk: the retransmission timer says the same, and all arrives (B14)', () => {
    const { pair, sizes, whole } = underWay((world, frame) => {
      if (frame.length <= 1000) return true;
      tooBig(world, frame, 1000);
      return false;
    });
    expect(whole()).toBe(true);
    const large = sizes().findLastIndex((size) => size > 1000);
    expect(large).toBeGreaterThan(0);
    expect(sizes().slice(large + 1)).toContain(1000);
    expect(pair.a.stack.connect(pair.now, { remote: address(B4), port: 80 }).tcb.mtu).toBe(1000);
  });

  it('too big for a size larger than any packet of the connection is not believed', () => {
    const { pair, quoted } = open(B4);
    tooBig(pair, quoted, 1200);
    expect(pair.a.stack.counters.get('OutOfWindowIcmps')).toBe(1);
    tooBig(pair, quoted, 1000);
    expect(pair.a.stack.connect(pair.now, { remote: address(B4), port: 80 }).tcb.mtu).toBe(1000);
  });

  it.each([
    ['ip_no_pmtu_disc=1', 552, false],
    ['ip_no_pmtu_disc=2', 1500, false],
    ['ip_no_pmtu_disc=3', 1000, true],
  ])('with %s the path is taken for %i, DF %s', (setting, expected, df) => {
    const { pair, quoted } = open(B4, [setting]);
    expect(seen(pair.log.at(-1)!.frame)!.packet.dontFragment).toBe(df);
    const error = icmp(B4, A4, IcmpType.DESTINATION_UNREACHABLE, IcmpUnreachable.FRAGMENTATION_NEEDED, 1000, quoted);
    pair.a.stack.handleFrame(pair.now, pair.a.iface, error);
    const next = pair.a.stack.connect(pair.now, { remote: address(B4), port: 80 });
    expect(next.tcb.mtu).toBe(expected);
  });
});
