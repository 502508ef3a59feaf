/** `estab dump` as a user runs it: whole, cut, packed, empty and foreign files, standard input, misuse. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { LinkType, PcapngWriter, PcapWriter } from '../../src/capture/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'estab-dump-'));
afterAll(() => rmSync(directory, { recursive: true }));

const command = join(import.meta.dirname, '..', '..', 'src', 'bin', 'estab.ts');

function estab(args: string[], input?: Uint8Array) {
  const run = spawnSync(process.execPath, ['--import', 'tsx', command, ...args], {
    input,
    env: { ...process.env, TZ: 'UTC' },
  });
  return { status: run.status, out: run.stdout.toString(), err: run.stderr.toString() };
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** A SYN from 192.168.1.116:3337 to 192.168.1.123:7788 with sequence number 3626544836. */
const SYN = Uint8Array.from(
  '450000280000000040060000c0a80174c0a8017b0d091e6cd828aec4000000005002200000000000'.match(/../g) ?? [],
  (pair) => Number.parseInt(pair, 16),
);
const LINE =
  '00:00:01.500000 IP 192.168.1.116.3337 > 192.168.1.123.7788: Flags [S], seq 3626544836, win 8192, length 0\n';

function capture(kind: 'pcap' | 'pcapng'): Uint8Array {
  const parts: number[] = [];
  const write = (bytes: Uint8Array): void => {
    parts.push(...bytes);
  };
  if (kind === 'pcap') {
    const writer = new PcapWriter(write, { linkType: LinkType.RAW });
    for (let i = 0; i < 2; i++) writer.packet(1500, SYN);
  } else {
    const writer = new PcapngWriter(write);
    const id = writer.addInterface({ linkType: LinkType.RAW });
    for (let i = 0; i < 2; i++) writer.packet(id, 1500, SYN);
  }
  return Uint8Array.from(parts);
}

describe('estab dump', () => {
  it('prints pcap and pcapng, packed or not, from a file or standard input', () => {
    for (const kind of ['pcap', 'pcapng'] as const) {
      const bytes = capture(kind);
      expect(estab(['dump', file(kind, bytes)])).toEqual({ status: 0, out: LINE + LINE, err: '' });
      expect(estab(['dump', '-'], gzipSync(bytes))).toEqual({ status: 0, out: LINE + LINE, err: '' });
    }
    // A zstd frame of one raw block, RFC 8878 section 3.1.1.
    const raw = capture('pcap');
    const frame = [
      0x28,
      0xb5,
      0x2f,
      0xfd,
      0x20,
      raw.length,
      ((raw.length << 3) & 0xff) | 1,
      (raw.length >> 5) & 0xff,
      raw.length >> 13,
    ];
    expect(estab(['dump', '-'], Uint8Array.from([...frame, ...raw]))).toEqual({ status: 0, out: LINE + LINE, err: '' });
  });

  it('prints what a cut file holds, then one clear line, and exits 1', () => {
    const bytes = capture('pcapng');
    const { status, out, err } = estab(['dump', file('cut', bytes.subarray(0, bytes.length - 10))]);
    expect({ status, out }).toEqual({ status: 1, out: LINE });
    expect(err).toMatch(/^estab: .*cut.* after packet 1.*\n$/);
    expect(err.trim().split('\n').length).toBe(1);
    const packed = gzipSync(capture('pcap'));
    const short = estab(['dump', '-'], packed.subarray(0, packed.length - 12));
    expect(short.status).toBe(1);
    expect(short.err).toMatch(/gzip stream is damaged or cut/);
  });

  it('says what is wrong with files that hold no capture', () => {
    expect(estab(['dump', file('empty', new Uint8Array(0))])).toMatchObject({ status: 1, out: '' });
    expect(estab(['dump', file('text', Buffer.from('not a capture at all'))]).err).toMatch(/neither a pcap nor/);
    const missing = estab(['dump', join(directory, 'nowhere')]);
    expect(missing.status).toBe(1);
    expect(missing.err).toMatch(/there is no such file/);
  });

  it('exits 2 when misused', () => {
    expect(estab(['dump']).status).toBe(2);
    expect(estab(['dump', '--no-such-option', 'x']).status).toBe(2);
    expect(estab(['dump', '-c', 'zero', 'x']).status).toBe(2);
    expect(estab(['dump', '--help']).status).toBe(0);
  });
});
