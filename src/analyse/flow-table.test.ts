import { describe, expect, it } from 'vitest';
import { Packet } from '../dissect/packet.ts';
import { ACK, FIN, SYN } from '../wire/tcp.ts';
import type { Flow } from './flow.ts';
import { FlowTable } from './flow-table.ts';
import { SegmentLog } from './segment-log.ts';

/** A table, the flows it has retired, and packets between 10.0.0.1:`port` and 10.0.0.2:80. */
function world() {
  const log = new SegmentLog();
  const retired: Flow[] = [];
  const table = new FlowTable(log, (flow) => {
    retired.push(flow);
    log.release(flow.head, flow.tail, flow.count, flow.sackSeen);
  });
  let frame = 0;
  const add = (time: number, port: number, up: boolean, flags: number, seq: number, ack = 0): Flow => {
    const p = new Packet();
    p.s3 = up ? 1 : 2;
    p.d3 = up ? 2 : 1;
    p.sourcePort = up ? port : 80;
    p.destinationPort = up ? 80 : port;
    p.flags = flags;
    p.seq = seq;
    p.ack = ack;
    return table.add(p, ++frame, time);
  };
  /** Opened and closed within a second. */
  const connection = (time: number, port: number): Flow => {
    add(time, port, true, SYN, -16);
    add(time, port, false, SYN | ACK, 0x7ffffff0, -15);
    add(time, port, true, ACK, -15, 0x7ffffff1);
    add(time + 1, port, true, FIN | ACK, -15, 0x7ffffff1);
    add(time + 1, port, false, FIN | ACK, 0x7ffffff1, -14);
    return add(time + 1, port, true, ACK, -14, 0x7ffffff2);
  };
  return { log, table, retired, add, connection };
}

describe('closed connections that are retired early', () => {
  it('leave only those that have been quiet, and give their records back', () => {
    const { log, table, retired, connection } = world();
    for (let port = 1000; port < 1100; port++) connection(port - 1000, port);
    table.bury(50);
    expect(retired.map((flow) => flow.id)).toEqual(Array.from({ length: 49 }, (_, n) => n + 1));
    expect(log.used).toBe(51 * 8);
    table.finish();
    expect(retired.length).toBe(100);
    expect(log.used).toBe(0);
  });

  it('pass over what comes late, and let the ports be used again', () => {
    const { table, retired, add, connection } = world();
    const first = connection(0, 5000);
    table.bury(10);
    expect(retired).toEqual([first]);
    expect(add(12, 5000, false, FIN | ACK, 0x7ffffff1, -14)).toBe(first);
    expect(add(12, 5000, true, ACK, -14, 0x7ffffff2)).toBe(first);
    expect(first.count).toBe(6);
    const second = add(13, 5000, true, SYN, 70_000);
    expect(second).not.toBe(first);
    expect(second.previous).toEqual({ id: first.id, lastTime: 1, closed: true });
    table.finish();
    expect(retired).toEqual([first, second]);
  });

  it('are forgotten when nothing can come any more', () => {
    const { table, retired, add, connection } = world();
    const first = connection(0, 5000);
    table.bury(10);
    table.expire(10);
    expect(add(300, 5000, true, ACK, -14, 0x7ffffff2)).not.toBe(first);
    table.finish();
    expect(retired.length).toBe(2);
  });

  it('do not take those that are open', () => {
    const { table, retired, add } = world();
    add(0, 5000, true, SYN, -16);
    add(0, 5000, false, SYN | ACK, 5, -15);
    table.bury(10);
    expect(retired).toEqual([]);
  });
});
