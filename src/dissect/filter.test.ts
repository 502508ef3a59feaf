import { describe, expect, it } from 'vitest';
import { LinkType } from '../capture/formats.ts';
import { fieldTree } from './fields.ts';
import { compileFilter } from './filter.ts';
import { PacketDecoder } from './packet.ts';

/** 192.168.1.116:3337 > 192.168.1.123:80, SYN with MSS 1460. */
const SYN = Uint8Array.from(
  '4500002c00014000400600007f000001c0a8017b0d090050d8286ec4000000006002200000000000020405b4'
    .replace('7f000001', 'c0a80174')
    .match(/../g) ?? [],
  (pair) => Number.parseInt(pair, 16),
);

function passes(filter: string): boolean {
  const decoder = new PacketDecoder();
  decoder.decode(LinkType.RAW, SYN, 0, SYN.length);
  return compileFilter(filter)(decoder.packet, { number: 3, length: 44 });
}

/** The same host's UDP fragment, not the first of its datagram. */
const FRAGMENT = (() => {
  const bytes = SYN.slice(0, 28);
  bytes[3] = bytes.length;
  bytes[7] = 1;
  bytes[9] = 17;
  return bytes;
})();
/** An IPv6 header with nothing behind it (next header 59). */
const SIX = Uint8Array.of(0x60, 0, 0, 0, 0, 0, 59, 64, ...new Uint8Array(32));

it('does not take a packet for the one before it', () => {
  const decoder = new PacketDecoder();
  const meets = (bytes: Uint8Array, filter: string): boolean => {
    const apart = new Uint8Array(bytes.length + 7);
    apart.set(bytes, 7);
    decoder.decode(LinkType.RAW, SYN, 0, SYN.length);
    decoder.decode(LinkType.RAW, apart, 7, bytes.length);
    return compileFilter(filter)(decoder.packet, { number: 2, length: bytes.length });
  };
  expect(meets(FRAGMENT, 'ip.proto == 6')).toBe(false);
  expect(meets(FRAGMENT, 'ip.proto == 17')).toBe(true);
  expect(meets(FRAGMENT, 'ip[6:2] & 0x1fff != 0')).toBe(true);
  expect(meets(SIX, 'ip[0] = 0x60')).toBe(false);
});

describe('packet filters', () => {
  it.each([
    ['tcp', true],
    ['udp', false],
    ['tcp port 80', true],
    ['src port 80', false],
    ['dst port 80 and host 192.168.1.116', true],
    ['net 192.168.1.0/24', true],
    ['net 192.168', true],
    ['net 10.0.0.0/8', false],
    ['not (port 80 or port 443)', false],
    ['tcp[tcpflags] & tcp-syn != 0', true],
    ['tcp[13] & 2 == 2 and not tcp[tcpflags] & (tcp-ack|tcp-rst) != 0', true],
    ['tcp.flags.syn==1 && !(tcp.flags.ack==1)', true],
    ['tcp.flags.reset', false],
    ['ip.addr==192.168.1.123 && tcp.dstport==80', true],
    ['ip.src != 192.168.1.116', false],
    ['portrange 70-90', true],
    ['ip6', false],
    ['less 44', true],
    ['greater 45', false],
    ['len >= 44', true],
    ['frame.number <= 2 || frame.len gt 44', false],
    ['dst port http', true],
    ['port https', false],
    ['tcp[0:2] = 3337 and ip[8] > 60', true],
    ['tcp[13:3] = 1', 'tcp[13:3]'],
    ['tcp.port in {443, 70..90}', true],
    ['tcp.dstport in {443,8080}', false],
    ['ip.src == 192.168.0.0/16', true],
    ['ip.dst in {10.0.0.0/8, 192.168.1.123}', true],
    ['ip.addr != 192.168.1.0/24', false],
    ['tcp.options.mss_val == 1460', true],
    ['icmp or arp or vlan or vlan 5', false],
    ['http.request', false],
    ['tcp.stream eq 0', 'tcp.stream'],
  ])('%s: %s', (filter, expected) => {
    if (typeof expected === 'string') expect(() => passes(filter)).toThrow(expected);
    else expect(passes(filter)).toBe(expected);
  });

  it('names the word it does not understand', () => {
    expect(() => compileFilter('tcp port eighty')).toThrow(/"eighty"/);
    expect(() => compileFilter('foo')).toThrow(/"foo"/);
    expect(() => compileFilter('(tcp')).toThrow(/missing \)/);
    expect(() => compileFilter('tcp port')).toThrow(/the end/);
  });
});

describe('field tree', () => {
  it('covers the frame: the layers lie end to end, children within their parent', () => {
    const tree = fieldTree(LinkType.RAW, SYN);
    expect(tree.map((f) => [f.name, f.offset, f.length])).toEqual([
      ['ip', 0, 20],
      ['tcp', 20, 24],
    ]);
    for (const layer of tree) {
      for (const child of layer.children) {
        expect(child.offset).toBeGreaterThanOrEqual(layer.offset);
        expect(child.offset + child.length).toBeLessThanOrEqual(layer.offset + layer.length);
      }
    }
    expect(tree[1].children.at(-1)).toMatchObject({ name: 'tcp.options.mss', value: '1460', offset: 40, length: 4 });
  });

  it('stops where the bytes stop', () => {
    for (let n = 0; n < SYN.length; n++) {
      for (const field of fieldTree(LinkType.RAW, SYN.subarray(0, n)))
        expect(field.offset).toBeLessThan(Math.max(1, n));
    }
  });
});
