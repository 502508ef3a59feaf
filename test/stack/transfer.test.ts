import { describe, expect, it } from 'vitest';
import { readU16 } from '../../src/base/bytes.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { checksumAdd, checksumFold } from '../../src/wire/checksum.ts';
import { IpPacket, Protocol, parseIp, pseudoSum, transportChecksumOk } from '../../src/wire/ip.ts';
import { App, pattern, Server, same } from './apps.ts';
import { Pair } from './pair.ts';

const B4 = IpAddress.parse('10.0.0.2');
const B6 = IpAddress.parse('2001:db8::2');

describe.each([
  ['IPv4 over IP', B4, {}],
  ['IPv6 over IP', B6, {}],
  ['IPv4 over Ethernet', B4, { medium: 'ethernet' as const }],
  ['IPv6 over Ethernet', B6, { medium: 'ethernet' as const }],
  ['IPv4 with checksums left to the link', B4, { checksum: { tx: true, rx: true } }],
])('%s', (_name, remote, options) => {
  it('opens, carries a megabyte both ways and closes', () => {
    const pair = new Pair(options, options);
    const up = pattern(1 << 20, 1);
    const down = pattern(1 << 20, 2);
    const server = new Server(pair, pair.b, { port: 80 });
    server.onAccept = (connection, app) => app.send(connection, down);
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote, port: 80, handler: app });
    app.send(client, up);
    expect(pair.run(() => app.error !== undefined && server.accepted[0]?.app.error !== undefined, 60_000)).toBe(true);
    const other = server.accepted[0];
    expect(app.error).toBeNull();
    expect(other.app.error).toBeNull();
    expect(same(app.bytes, down)).toBe(true);
    expect(same(other.app.bytes, up)).toBe(true);
    expect(app.told).toEqual(['opened', 'peerClosed', 'closed null']);
    expect([client.state, other.connection.state].sort()).toContain('TIME-WAIT');
    pair.pass(61_000);
    expect([client.state, other.connection.state]).toEqual(['CLOSED', 'CLOSED']);
    expect(pair.a.stack.usage).toMatchObject({ endpoints: 0, timeWait: 0, orphans: 0, memory: 0 });
    expect(pair.b.stack.usage).toMatchObject({ endpoints: 1, timeWait: 0, orphans: 0, memory: 0 });
  });
});

describe('a link that makes checksums', () => {
  it('finds the sum of the pseudo header in the field (TCP and UDP), and a whole one for ICMP', () => {
    const pair = new Pair({ checksum: { tx: true, rx: false } });
    pair.a.stack.connect(pair.now, { remote: B4, port: 81 });
    pair.a.stack.udp({ remote: B4, remotePort: 9 }).send(pair.now, pattern(33));
    pair.settle();
    for (const { frame } of pair.log) {
      const packet = new IpPacket();
      parseIp(frame, 0, frame.length, packet);
      const at = packet.payloadOffset + (packet.protocol === Protocol.TCP ? 16 : 6);
      const field = readU16(frame, at);
      expect(field).toBe(~checksumFold(pseudoSum(packet, packet.protocol, packet.payloadLength)) & 0xffff);
      // What the link does with it: sum up everything from the transport header on.
      frame.set([0, 0], at);
      const sum = checksumFold(checksumAdd(field, frame, packet.payloadOffset, packet.payloadLength));
      frame.set([sum >>> 8, sum & 255], at);
      expect(transportChecksumOk(frame, packet.payloadOffset, packet.payloadLength, packet)).toBe(true);
    }
    expect(pair.log.length).toBe(2);
  });
});

describe('without a listener', () => {
  it.each([B4, B6])('a connect to %s is refused', (remote) => {
    const pair = new Pair();
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote, port: 81, handler: app });
    pair.pass(100);
    expect(app.told).toEqual(['closed ECONNREFUSED']);
    expect(client.state).toBe('CLOSED');
    expect(pair.b.stack.counters.get('TcpOutRsts')).toBe(1);
    expect(pair.a.stack.usage.endpoints).toBe(0);
  });
});

describe('one host with itself', () => {
  it.each(['127.0.0.1', '::1', '10.0.0.1', '2001:db8::1', '127.9.9.9'])('talks over the loopback on %s', (text) => {
    const pair = new Pair();
    const server = new Server(pair, pair.a, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: IpAddress.parse(text), port: 80, handler: app });
    app.send(client, pattern(100_000));
    pair.run(() => server.accepted[0]?.app.peerDone === true, 10_000);
    expect(same(server.accepted[0].app.bytes, pattern(100_000))).toBe(true);
    expect(client.local.toString()).toBe(text);
    expect(pair.log.length).toBe(0);
  });

  it('opens with itself alone (E05)', () => {
    const pair = new Pair();
    const app = new App(pair);
    const remote = IpAddress.parse('10.0.0.1');
    const client = pair.a.stack.connect(pair.now, { remote, port: 5000, localPort: 5000, handler: app });
    app.send(client, pattern(10), false);
    pair.pass(1000);
    expect(client.state).toBe('ESTABLISHED');
    expect(same(app.bytes, pattern(10))).toBe(true);
  });
});
