/** Many connections, and what bounds them: memory, orphans, ports. */

import v8 from 'node:v8';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readI32 } from '../../src/base/bytes.ts';
import { seqAdd } from '../../src/base/seq.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { ACK, RST, SYN } from '../../src/wire/tcp.ts';
import { App, pattern, Server, same } from './apps.ts';
import { Node, Pair } from './pair.ts';
import { drain, flagsOf, inject } from './raw.ts';

/** A segment that is let in may need a new page of a receive buffer: by so much the mark can be passed. */
const LARGEST_PAGE = 65_536;

const B = IpAddress.parse('10.0.0.2');

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
}

/** Collects garbage, so that a heap size means something, and returns it. */
function heapAfterCollection(): number {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  collect();
  return v8.getHeapStatistics().used_heap_size;
}

describe('a hundred thousand connections in one host', () => {
  it('are all found, and cost less than 4 KB each while idle (D01)', () => {
    const node = new Node({ addresses: ['10.0.0.2/8'] });
    const listener = node.stack.listen({ port: 80, backlog: 4096 });
    const connections: Connection[] = [];
    const out = new Uint8Array(1600);
    const open = (count: number): void => {
      for (let i = connections.length, end = i + count; i < end; i++) {
        const peer = { from: `10.1.${i >> 14}.7`, sport: 1024 + (i & 0x3fff) };
        inject(node, 0, {
          ...peer,
          seq: i,
          flags: SYN,
          mss: 1460,
          timestamps: [1, 0],
          sackPermitted: true,
          windowScale: 7,
        });
        node.stack.pollTransmit(0, node.iface, out);
        inject(node, 1, { ...peer, seq: i + 1, ack: readI32(out, 24) + 1, flags: ACK, timestamps: [2, 0] });
        connections.push(listener.accept(1)!);
      }
    };
    open(1000);
    const before = heapAfterCollection();
    open(99_000);
    expect((heapAfterCollection() - before) / 99_000).toBeLessThan(4096);
    expect(node.stack.usage.endpoints).toBe(100_001);
    expect(connections.every((c) => c.state === 'ESTABLISHED')).toBe(true);
    for (const i of [0, 257, 10_000, 54_321, 99_999]) {
      const c = connections[i];
      inject(node, 2, {
        from: c.remote.toString(),
        sport: c.remotePort,
        seq: i + 1,
        ack: c.tcb.sndNxt,
        flags: ACK,
        timestamps: [3, 0],
        text: pattern(100, i),
      });
      expect(same(c.read(2)!, pattern(100, i))).toBe(true);
    }
    while (node.stack.pollTransmit(3, node.iface, out) > 0);
    for (const c of connections) c.abort(4);
    expect(node.stack.usage.endpoints).toBe(1);
    let resets = 0;
    while (node.stack.pollTransmit(4, node.iface, out) > 0) resets++;
    expect(resets).toBe(100_000);
  });
});

describe('tcp_mem (D23)', () => {
  /** A listener's connections, and peers that send what the application does not read. */
  function flooded(mem: string): {
    node: Node;
    connections: Connection[];
    feed: (c: number, at: number, length: number) => void;
  } {
    const node = new Node({ addresses: ['10.0.0.2/24'], settings: [`tcp_mem=${mem}`] });
    const listener = node.stack.listen({ port: 80 });
    const connections: Connection[] = [];
    for (let i = 0; i < 8; i++) {
      inject(node, 0, { sport: 2000 + i, seq: 0, flags: SYN, mss: 1460 });
      const iss = drain(node, 0)[0].segment.seq;
      inject(node, 1, { sport: 2000 + i, seq: 1, ack: seqAdd(iss, 1), flags: ACK });
      connections.push(listener.accept(1)!);
    }
    const feed = (c: number, at: number, length: number): void => {
      inject(node, 2, {
        sport: 2000 + c,
        seq: 1 + at,
        ack: connections[c].tcb.sndNxt,
        flags: ACK,
        text: pattern(length, at),
      });
    };
    return { node, connections, feed };
  }

  it('above the limit out-of-order text goes first', () => {
    const { node, connections, feed } = flooded('4 8 16');
    for (let i = 0; i < 12; i++) feed(0, 2000 + i * 1000, 1000);
    for (let c = 1; c < 8; c++) for (let i = 0; i < 8; i++) feed(c, i * 1000, 1000);
    expect(connections[0].tcb.receiveBuffer.outOfOrder.total()).toBe(12_000);
    feed(0, 20_000, 1000);
    expect(connections[0].tcb.receiveBuffer.outOfOrder.total()).toBeLessThanOrEqual(1000);
    expect(node.stack.usage.memory).toBeLessThanOrEqual(16 * 4096 + LARGEST_PAGE);
  });

  it('then nothing more is taken, and nothing is corrupted', () => {
    const { node, connections, feed } = flooded('4 8 16');
    for (let i = 0; i < 20; i++) for (let c = 0; c < 8; c++) feed(c, i * 1000, 1000);
    expect(node.stack.usage.memory).toBeLessThanOrEqual(16 * 4096 + LARGEST_PAGE);
    expect(node.stack.counters.get('TCPMemoryPressures')).toBe(1);
    expect(node.stack.counters.get('TCPMemoryRefused')).toBeGreaterThan(0);
    const acks = drain(node, 3);
    for (const [c, connection] of connections.entries()) {
      const got: Uint8Array[] = [];
      for (let b = connection.read(3); b !== null; b = connection.read(3)) got.push(b);
      const text = Buffer.concat(got);
      const whole = Buffer.concat(Array.from({ length: 20 }, (_, i) => pattern(1000, i * 1000)));
      expect(same(text, whole.subarray(0, text.length))).toBe(true);
      expect(text.length).toBeLessThan(20_000);
      // The peer is told where we stand.
      const last = acks.filter(({ segment }) => segment.destinationPort === 2000 + c).at(-1);
      expect(last?.segment.ack).toBe(1 + text.length);
    }
    // What was refused was never acknowledged: sent again, it arrives.
    feed(7, connections[7].tcb.rcvNxt - 1, 1000);
    expect(connections[7].readable).toBe(1000);
  });

  it('at the limit no new connection gets in', () => {
    const { node, feed } = flooded('1 1 1');
    feed(0, 0, 1400);
    feed(1, 0, 1400);
    feed(2, 0, 1400);
    drain(node, 3);
    inject(node, 4, { sport: 5000, flags: SYN });
    expect(drain(node, 4)).toEqual([]);
  });

  it('gives back what closed connections held', () => {
    const { node, connections, feed } = flooded('1000 2000 3000');
    for (let c = 0; c < 8; c++) feed(c, 0, 1000);
    expect(node.stack.usage.memory).toBeGreaterThan(8000);
    for (const c of connections) c.abort(5);
    expect(node.stack.usage.memory).toBe(0);
  });
});

describe('orphans', () => {
  it('above tcp_max_orphans are reset', () => {
    const pair = new Pair({}, { settings: ['tcp_max_orphans=3'] });
    const server = new Server(pair, pair.b, { port: 80 });
    const clients = Array.from({ length: 5 }, () => {
      const app = new App(pair);
      pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
      return app;
    });
    pair.pass(100);
    for (const { connection } of server.accepted) connection.close(pair.now);
    pair.pass(100);
    expect(clients.filter((app) => app.error === 'ECONNRESET').length).toBe(2);
    expect(clients.filter((app) => app.peerDone).length).toBe(3);
    expect(pair.b.stack.usage.orphans).toBe(3);
    expect(pair.b.stack.counters.get('TCPOrphanOverflow')).toBe(2);
  });

  it('in FIN-WAIT-2 die after tcp_fin_timeout (D04)', () => {
    const pair = new Pair({}, { settings: ['tcp_fin_timeout=20'] });
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: app });
    pair.pass(100);
    const { connection } = server.accepted[0];
    connection.close(pair.now);
    pair.pass(19_000);
    expect(connection.state).toBe('FIN-WAIT-2');
    pair.pass(2000);
    expect(connection.state).toBe('CLOSED');
    expect(pair.b.stack.usage).toMatchObject({ endpoints: 1, orphans: 0 });
  });
});

describe('an owner that lets go in TIME-WAIT', () => {
  it('before the last ACK has left, adds nothing to the orphans', () => {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80 });
    const connection = pair.a.stack.connect(pair.now, { remote: B, port: 80, handler: new App(pair) });
    pair.pass(100);
    connection.handler = { peerClosed: () => connection.close(pair.now) };
    connection.shutdown(pair.now);
    pair.pass(100);
    server.accepted[0].connection.shutdown(pair.now);
    pair.pass(100);
    expect(connection.state).toBe('TIME-WAIT');
    expect(pair.a.stack.usage).toMatchObject({ endpoints: 1, timeWait: 1, orphans: 0 });
  });
});

describe('local ports', () => {
  const narrow = (low: number, high: number, ...more: string[]): Pair =>
    new Pair({ settings: [`ip_local_port_range=${low} ${high}`, ...more] });

  it('come from ip_local_port_range, each once towards one destination, until none is left', () => {
    const pair = narrow(40_000, 40_099);
    const connect = (port: number): Connection => pair.a.stack.connect(pair.now, { remote: B, port });
    const ports = Array.from({ length: 100 }, () => connect(80).localPort);
    expect(new Set(ports).size).toBe(100);
    expect(Math.min(...ports)).toBe(40_000);
    expect(Math.max(...ports)).toBe(40_099);
    expect(codeOf(() => connect(80))).toBe('EADDRNOTAVAIL');
    // Another destination, the same ports again.
    expect(connect(81).localPort).toBeGreaterThanOrEqual(40_000);
  });

  it('are not those reserved, nor those somebody listens on', () => {
    const pair = narrow(40_000, 40_009, 'ip_local_reserved_ports=40000-40003,40009');
    pair.a.stack.listen({ port: 40_004 });
    const ports = Array.from({ length: 4 }, () => pair.a.stack.connect(pair.now, { remote: B, port: 80 }).localPort);
    expect(ports.sort()).toEqual([40_005, 40_006, 40_007, 40_008]);
    expect(codeOf(() => pair.a.stack.connect(pair.now, { remote: B, port: 80 }))).toBe('EADDRNOTAVAIL');
    expect(pair.a.stack.connect(pair.now, { remote: B, port: 80, localPort: 40_000 }).localPort).toBe(40_000);
  });

  it('cannot be had twice towards one destination', () => {
    const pair = new Pair();
    const connect = (port: number): Connection => pair.a.stack.connect(pair.now, { remote: B, port, localPort: 5000 });
    connect(80);
    expect(codeOf(() => connect(80))).toBe('EADDRINUSE');
    expect(codeOf(() => connect(81))).toBe('none');
  });

  it.each([
    [{ port: 80 }, { port: 80 }, 'EADDRINUSE'],
    [{ port: 80 }, { port: 80, address: '10.0.0.1' }, 'EADDRINUSE'],
    [{ port: 80, address: '10.0.0.1' }, { port: 80, address: '0.0.0.0' }, 'EADDRINUSE'],
    [{ port: 80, address: '10.0.0.1' }, { port: 80, address: '2001:db8::1' }, 'none'],
    [{ port: 80, address: '0.0.0.0' }, { port: 80, address: '::', v6Only: true }, 'none'],
    [{ port: 80, address: '0.0.0.0' }, { port: 80, address: '::' }, 'EADDRINUSE'],
    [{ port: 80 }, { port: 81 }, 'none'],
    [{ port: 80 }, { port: 'any' as const }, 'none'],
    [{ port: 'any' as const }, { port: 'any' as const }, 'EADDRINUSE'],
    [{ port: 80 }, { port: 81, address: '10.0.0.2' }, 'EADDRNOTAVAIL'],
    [{ port: 80 }, { port: 65_536 }, 'EINVAL'],
    [{ port: 80 }, { port: 81, backlog: -1 }, 'EINVAL'],
  ])('listening on %o, then on %o: %s', (first, second, expected) => {
    const pair = new Pair();
    const listen = ({ address, ...rest }: { port: number | 'any'; address?: string }): unknown =>
      pair.a.stack.listen({ ...rest, ...(address === undefined ? {} : { address: IpAddress.parse(address) }) });
    listen(first);
    expect(codeOf(() => listen(second))).toBe(expected);
  });

  it('a listener may take a port that a connect uses, and does not disturb it (MUST-41, MUST-42)', () => {
    const pair = new Pair();
    const server = new Server(pair, pair.b, { port: 80 });
    const app = new App(pair);
    const client = pair.a.stack.connect(pair.now, { remote: B, port: 80, localPort: 5000, handler: app });
    pair.a.stack.listen({ port: 5000 });
    app.send(client, pattern(1000));
    pair.run(() => server.accepted[0]?.app.peerDone === true);
    expect(same(server.accepted[0].app.bytes, pattern(1000))).toBe(true);
  });
});

describe('an open that cannot be', () => {
  it.each([
    ['to a group (MUST-46)', { remote: '224.0.0.1' }, 'EINVAL'],
    ['to an IPv6 group', { remote: 'ff02::1' }, 'EINVAL'],
    ['to everybody', { remote: '255.255.255.255' }, 'EINVAL'],
    ['to a network', { remote: '10.0.0.255' }, 'EINVAL'],
    ['to where no route leads', { remote: '192.0.2.1' }, 'ENETUNREACH'],
    ['from an address that is not ours', { remote: '10.0.0.2', local: '10.0.0.3' }, 'EADDRNOTAVAIL'],
    ['from the other family', { remote: '10.0.0.2', local: '2001:db8::1' }, 'EINVAL'],
    ['from the loopback to elsewhere', { remote: '10.0.0.2', local: '127.0.0.1' }, 'EINVAL'],
    ['to port 0', { remote: '10.0.0.2', port: 0 }, 'EINVAL'],
    ['from port 65536', { remote: '10.0.0.2', localPort: 65_536 }, 'EINVAL'],
    ['with a TTL of 0', { remote: '10.0.0.2', options: { hopLimit: 0 } }, 'EINVAL'],
  ])('%s', (_name, { remote, local, ...rest }: { remote: string; local?: string }, code) => {
    const pair = new Pair();
    const options = {
      port: 80,
      ...rest,
      remote: IpAddress.parse(remote),
      ...(local === undefined ? {} : { local: IpAddress.parse(local) }),
    };
    expect(codeOf(() => pair.a.stack.connect(pair.now, options))).toBe(code);
    expect(pair.a.stack.usage.endpoints).toBe(0);
  });
});

describe('churn (D24)', () => {
  it('ten thousand connections, opened, used and reset, leave nothing', () => {
    const node = new Node({ addresses: ['10.0.0.2/8'] });
    const listener = node.stack.listen({ port: 80 });
    for (let i = 0; i < 10_000; i++) {
      const peer = { sport: 1024 + (i % 50_000), from: '10.0.0.77' };
      inject(node, i, { ...peer, seq: i * 3, flags: SYN });
      const iss = drain(node, i)[0].segment.seq;
      inject(node, i, { ...peer, seq: i * 3 + 1, ack: seqAdd(iss, 1), flags: ACK, text: pattern(20) });
      const connection = listener.accept(i)!;
      connection.read(i);
      connection.write(i, pattern(20));
      drain(node, i);
      inject(node, i, { ...peer, seq: i * 3 + 21, ack: seqAdd(iss, 21), flags: RST | ACK });
      expect(connection.state).toBe('CLOSED');
    }
    expect(node.stack.usage).toEqual({ endpoints: 1, timeWait: 0, orphans: 0, memory: 0, fragmentMemory: 0 });
    expect(drain(node, 10_000).map((a) => flagsOf(a.segment))).toEqual([]);
    while (node.stack.deliverEvents());
    expect(node.stack.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });
});
