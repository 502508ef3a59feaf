import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { KeyedHash } from '../ip/keyed-hash.ts';
import { IpAddress } from '../wire/address.ts';
import { IpPacket } from '../wire/ip-packet.ts';
import { Demux } from './demux.ts';
import { ANY_PORT, Endpoint, EndpointKind } from './endpoint.ts';

class Entry extends Endpoint {
  private readonly only: boolean;

  constructor(local: string, localPort: number, remote = '::', remotePort = 0, v6Only = false) {
    super(EndpointKind.CONNECTION, IpAddress.parse(local), localPort, remotePort);
    this.setRemote(IpAddress.parse(remote), remotePort);
    this.only = v6Only;
  }

  override get v6Only(): boolean {
    return this.only;
  }
}

const table = (seed = 1): Demux => new Demux(new KeyedHash(new SeededRandom(seed)));

function packet(from: string, to: string): IpPacket {
  const p = new IpPacket();
  p.setSource(IpAddress.parse(from));
  p.setDestination(IpAddress.parse(to));
  return p;
}

function bound(demux: Demux, address: string, port: number): Endpoint | null {
  const a = IpAddress.parse(address);
  return demux.findBound(a.w0, a.w1, a.w2, a.w3, port);
}

describe('Demux', () => {
  it('finds a connection by all four, from either side', () => {
    const demux = table();
    const a = new Entry('10.0.0.1', 80, '10.0.0.2', 40_000);
    const b = new Entry('2001:db8::1', 80, '2001:db8::2', 40_000);
    demux.add(a);
    demux.add(b);
    expect(demux.findConnected(packet('10.0.0.2', '10.0.0.1'), 40_000, 80)).toBe(a);
    expect(demux.findQuoted(packet('10.0.0.1', '10.0.0.2'), 80, 40_000)).toBe(a);
    expect(demux.findConnected(packet('10.0.0.2', '10.0.0.1'), 40_000, 81)).toBeNull();
    expect(demux.findConnected(packet('10.0.0.2', '10.0.0.1'), 80, 40_000)).toBeNull();
    expect(demux.findConnected(packet('10.0.0.3', '10.0.0.1'), 40_000, 80)).toBeNull();
    expect(demux.findConnected(packet('2001:db8::2', '2001:db8::1'), 40_000, 80)).toBe(b);
    expect(demux.findConnected(packet('::10.0.0.2', '::10.0.0.1'), 40_000, 80)).toBeNull();
  });

  it('keeps a hundred thousand apart, and forgets those deleted', () => {
    const demux = table();
    const entries: Entry[] = [];
    for (let i = 0; i < 100_000; i++) {
      const entry = new Entry('10.0.0.1', 80, `10.${1 + (i >> 14)}.0.2`, 1024 + (i & 0x3fff));
      entries.push(entry);
      demux.add(entry);
    }
    expect(demux.size).toBe(100_000);
    const p = new IpPacket();
    p.setDestination(IpAddress.parse('10.0.0.1'));
    const find = (e: Entry): Endpoint | null => {
      p.setSource(e.remote);
      return demux.findConnected(p, e.remotePort, 80);
    };
    expect(entries.every((e) => find(e) === e)).toBe(true);
    entries.forEach((e, i) => {
      if (i % 2 === 0) expect(demux.delete(e)).toBe(true);
    });
    expect(entries.every((e, i) => find(e) === (i % 2 === 0 ? null : e))).toBe(true);
    expect(demux.delete(entries[0])).toBe(false);
    expect(demux.size).toBe(50_000);
  });

  it('prefers the more exact listener', () => {
    const demux = table();
    const all = new Entry('::', ANY_PORT);
    expect(bound(demux, '10.0.0.1', 80)).toBeNull();
    demux.add(all);
    expect(bound(demux, '10.0.0.1', 80)).toBe(all);
    expect(bound(demux, '2001:db8::1', 80)).toBe(all);
    const anyV4 = new Entry('0.0.0.0', ANY_PORT);
    demux.add(anyV4);
    expect(bound(demux, '10.0.0.1', 80)).toBe(anyV4);
    expect(bound(demux, '2001:db8::1', 80)).toBe(all);
    const portDual = new Entry('::', 80);
    demux.add(portDual);
    expect(bound(demux, '10.0.0.1', 80)).toBe(portDual);
    expect(bound(demux, '10.0.0.1', 81)).toBe(anyV4);
    const port4 = new Entry('0.0.0.0', 80);
    demux.add(port4);
    expect(bound(demux, '10.0.0.1', 80)).toBe(port4);
    const exact = new Entry('10.0.0.1', 80);
    demux.add(exact);
    expect(bound(demux, '10.0.0.1', 80)).toBe(exact);
    expect(bound(demux, '10.0.0.2', 80)).toBe(port4);
  });

  it('keeps IPv4 away from a listener that wants IPv6 alone', () => {
    const demux = table();
    demux.add(new Entry('::', 80, '::', 0, true));
    expect(bound(demux, '10.0.0.1', 80)).toBeNull();
    expect(bound(demux, '2001:db8::1', 80)).not.toBeNull();
  });
});
