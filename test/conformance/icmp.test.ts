/** RFC 9293 section 3.9.2.2 with RFC 5461, 5927 and 6633: ICMP messages, from the wire to the application. */

import { describe, expect, test } from 'vitest';
import { IpAddress } from '../../src/wire/address.ts';
import { emitIcmp, IcmpMessage } from '../../src/wire/icmp.ts';
import { Protocol } from '../../src/wire/ip.ts';
import { ACK, SYN } from '../../src/wire/tcp.ts';
import { Node } from '../stack/pair.ts';
import { drain, inject, ip } from '../stack/raw.ts';

const PEER = '10.0.0.77';
const ROUTER = '10.0.0.254';

interface Story {
  readonly node: Node;
  readonly connection: ReturnType<Node['stack']['connect']>;
  /** The last frame it sent, which an error may quote. */
  readonly frame: Uint8Array;
  readonly told: string[];
}

/** A connection from `localPort`, its SYN sent and not answered. */
function opening(
  node = new Node({ addresses: ['10.0.0.2/24', '2001:db8::2/64'] }),
  localPort = 5000,
  to = PEER,
): Story {
  const told: string[] = [];
  const connection = node.stack.connect(0, {
    remote: IpAddress.parse(to),
    port: 80,
    localPort,
    handler: {
      softError: (_c, error) => told.push(`soft ${error}`),
      closed: (_c, error) => told.push(`closed ${error}`),
    },
  });
  const frame = node.poll(0);
  if (frame === null) throw new Error('no SYN');
  return { node, connection, frame, told };
}

/** The same, open, with text outstanding. */
function open(node?: Node, localPort = 5000): Story {
  const { connection, told, ...rest } = opening(node, localPort);
  const iss = connection.tcb.iss;
  inject(rest.node, 0, { sport: 80, dport: localPort, flags: SYN | ACK, seq: 7, ack: iss + 1, mss: 1460 });
  drain(rest.node, 0);
  connection.write(0, new Uint8Array(1400));
  const frame = rest.node.poll(0);
  if (frame === null) throw new Error('no text');
  expect(connection.state).toBe('ESTABLISHED');
  return { ...rest, connection, frame, told };
}

/** An error about `quoted`: its header and eight octets. */
function error(quoted: Uint8Array, type: number, code: number, rest = 0): Uint8Array {
  const v4 = quoted[0] >> 4 === 4;
  const message = new IcmpMessage();
  message.type = type;
  message.code = code;
  message.rest = rest;
  return ip(
    v4 ? ROUTER : '2001:db8::fe',
    v4 ? '10.0.0.2' : '2001:db8::2',
    v4 ? Protocol.ICMP : Protocol.ICMPV6,
    (out, at) => {
      emitIcmp(message, out, at);
      const body = quoted.subarray(0, (v4 ? 20 : 40) + 8);
      out.set(body, at + 8);
      return 8 + body.length;
    },
  );
}

function arrives(story: Story, frame: Uint8Array): void {
  story.node.stack.handleFrame(10, story.node.iface, frame);
  while (story.node.stack.deliverEvents());
}

/** Type and code of what must never end a connection: 3/0, 3/1, 3/5, time exceeded, parameter problem. */
const SOFT = [
  [3, 0],
  [3, 1],
  [3, 5],
  [11, 0],
  [11, 1],
  [12, 0],
] as const;

describe('errors find their connection', () => {
  test('[MUST-54] the one whose segment is quoted is told, and no other', () => {
    const first = open();
    const second = open(first.node, 5001);
    arrives(first, error(second.frame, 3, 1));
    expect([first.told, second.told]).toEqual([[], ['soft EHOSTUNREACH']]);
    arrives(first, error(first.frame, 3, 0));
    expect([first.told, second.told]).toEqual([['soft ENETUNREACH'], ['soft EHOSTUNREACH']]);
  });

  test('[MUST-54] what quotes nobody, or a number that is not outstanding, is dropped (B12)', () => {
    const story = open();
    const strangers = story.frame.slice();
    strangers[20] ^= 1;
    arrives(story, error(strangers, 3, 1));
    const old = story.frame.slice();
    old[24] ^= 0x40;
    arrives(story, error(old, 3, 1));
    expect(story.told).toEqual([]);
    expect(story.node.stack.counters.get('OutOfWindowIcmps')).toBe(1);
  });

  test('[MUST-54] packet too big: segments get smaller, what was lost goes again', () => {
    const story = open();
    arrives(story, error(story.frame, 3, 4, 1000));
    const again = drain(story.node, 10);
    expect(again[0].segment.payloadLength).toBe(story.connection.tcb.sndMss);
    expect(again[0].packet.payloadLength + 20).toBeLessThanOrEqual(1000);
    expect(again.map(({ text }) => text.length).reduce((a, b) => a + b)).toBe(1400);
  });

  test('[MUST-54] IPv6 too', () => {
    const story = opening(undefined, 5000, '2001:db8::77');
    arrives(story, error(story.frame, 1, 0));
    expect(story.told).toEqual(['soft ENETUNREACH']);
    arrives(story, error(story.frame, 1, 4));
    expect(story.told).toEqual(['soft ENETUNREACH', 'closed ECONNREFUSED']);
  });
});

describe('soft errors', () => {
  test('[MUST-56] unreachable 0, 1, 5, time exceeded and parameter problem abort neither an open nor a connection', () => {
    for (const [type, code] of SOFT) {
      for (const make of [opening, open]) {
        const story = make();
        const { state } = story.connection;
        for (let i = 0; i < 100; i++) arrives(story, error(story.frame, type, code));
        expect([type, code, story.connection.state]).toEqual([type, code, state]);
      }
    }
  });

  test('[MUST-47] [SHLD-25] the application is told of them', () => {
    for (const [type, code] of SOFT) {
      const story = open();
      arrives(story, error(story.frame, type, code));
      expect([type, code, story.told.length]).toEqual([type, code, 1]);
      expect(story.told[0]).toMatch(/^soft E(HOST|NET)UNREACH$/);
    }
  });

  test('[SHLD-20] unless it does not want to be', () => {
    const story = open();
    story.connection.configure(0, { softErrors: false });
    arrives(story, error(story.frame, 3, 1));
    expect(story.told).toEqual([]);
    expect(story.connection.status().softError).toBe('EHOSTUNREACH');
  });
});

describe('hard errors', () => {
  test('[SHLD-26] unreachable 2 and 3 end an open in progress', () => {
    for (const [code, why] of [
      [2, 'EPROTO'],
      [3, 'ECONNREFUSED'],
    ] as const) {
      const story = opening();
      arrives(story, error(story.frame, 3, code));
      expect(story.told).toEqual([`closed ${why}`]);
      expect(story.connection.state).toBe('CLOSED');
    }
  });

  test('B11: an open connection takes them for soft ones (RFC 5927 5.2)', () => {
    for (const code of [2, 3]) {
      const story = open();
      arrives(story, error(story.frame, 3, code));
      expect(story.connection.state).toBe('ESTABLISHED');
      expect(story.told.length).toBe(1);
    }
  });
});

test('[MUST-55] a source quench is discarded in silence: nothing slows down, nothing is said (RFC 6633)', () => {
  const story = open();
  const before = story.connection.status();
  arrives(story, error(story.frame, 4, 0));
  expect(story.connection.status()).toEqual(before);
  expect(story.told).toEqual([]);
  expect(drain(story.node, 10)).toEqual([]);
  expect(story.node.stack.counters.get('SourceQuenchIgnored')).toBe(1);
});
