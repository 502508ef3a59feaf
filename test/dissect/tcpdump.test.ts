/** Our lines against tcpdump's own, byte for byte, over every capture at hand and over damaged copies of them. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { CaptureReader, LinkType, PcapWriter } from '../../src/capture/index.ts';
import { TcpdumpFormatter, type TcpdumpOptions } from '../../src/dissect/tcpdump.ts';
import { collection, collectionFiles, readCollection } from '../captures.ts';
import { NO_COLLECTION, unless } from '../unless.ts';

const { stdout, stderr } = spawnSync('tcpdump', ['--version']);
const version = `${stdout ?? ''}${stderr ?? ''}`;
const present = /tcpdump version 4\.99/.test(version);
const directory = mkdtempSync(join(tmpdir(), 'estab-dump-'));
afterAll(() => rmSync(directory, { recursive: true }));

function ours(file: Uint8Array, options: TcpdumpOptions): string {
  const formatter = new TcpdumpFormatter(options);
  let text = '';
  const reader = new CaptureReader({
    packet: (r) => {
      text += `${formatter.lineAt(r.seconds, r.nanoseconds, r.linkType, r.data, r.offset, r.length, r.originalLength)}\n`;
    },
  });
  reader.push(file);
  reader.end();
  return text;
}

function theirs(file: Uint8Array, flags: string[]): string {
  const path = join(directory, 'input');
  writeFileSync(path, file);
  const run = spawnSync('tcpdump', ['-nr', path, ...flags], { maxBuffer: 1 << 28, env: { ...process.env, TZ: 'UTC' } });
  // On "Linux cooked v2" tcpdump shows its own machine's name for the other machine's interface number.
  return run.stdout.toString('latin1').replace(/^([\d:.]+) \w+ +((?:In|Out|B|M|P) +IP)/gm, '$1 ?     $2');
}

/** tcpdump decodes Telnet's commands in square brackets; this project does not. */
function withoutTelnet(text: string): string {
  return text.replace(/ \[telnet .*\]$/gm, '');
}

const MODES: [string[], TcpdumpOptions][] = [
  [[], {}],
  [['-S'], { absolute: true }],
  [['-v'], { verbose: 1 }],
  [['-vv'], { verbose: 2 }],
];

describe('against tcpdump 4.99', () => {
  beforeEach(unless(present, 'tcpdump is not installed'));
  it('every capture of the collection: relative, absolute, -v, -vv', ({ skip }) => {
    skip(collection === null, NO_COLLECTION);
    const files = collectionFiles();
    expect(files.length).toBeGreaterThan(40);
    for (const name of files) {
      const file = readCollection(name);
      for (const [flags, options] of MODES) {
        expect(ours(file, options), `${name} ${flags.join(' ')}`).toBe(withoutTelnet(theirs(file, flags)));
      }
    }
  });

  it('damaged and cut packets: the same words where bytes are missing or wrong', ({ skip }) => {
    skip(collection === null, NO_COLLECTION);
    const random = new SeededRandom(7);
    for (const name of [
      'g01-client-closes.pcap',
      'zeek-timeout-with-pings.pcap',
      'g26-pmtu-icmp.pcap',
      'zeek-ssh-dups.pcap',
    ]) {
      const file = damaged(readCollection(name), random);
      expect(ours(file, {}), name).toBe(theirs(file, []));
      // With -v tcpdump also looks for extensions (RFC 4884) behind what an ICMP message quotes.
      if (!name.includes('icmp')) expect(ours(file, { verbose: 1 }), name).toBe(theirs(file, ['-v']));
    }
  });
});

/** Packets with some octets changed behind the link layer and some cut short. */
function damaged(file: Uint8Array, random: SeededRandom): Uint8Array {
  const parts: Uint8Array[] = [];
  let writer: PcapWriter | null = null;
  const reader = new CaptureReader({
    packet: (r) => {
      writer ??= new PcapWriter((bytes) => parts.push(bytes), { linkType: r.linkType });
      const packet = r.data.slice(r.offset, r.offset + Math.min(r.length, 100));
      const link = r.linkType === LinkType.ETHERNET ? 14 : 0;
      for (let n = random.nextUint32() % 4; n > 0; n--) {
        // The protocol field and the fragment offset stay: what tcpdump makes of other protocols is not the question.
        const at = link + (random.nextUint32() % (packet.length - link));
        if (at === link + 6 || at === link + 7 || at === link + 9) continue;
        packet[at] = random.nextUint32();
      }
      const keep =
        random.nextUint32() % 3 === 0 ? link + 1 + (random.nextUint32() % (packet.length - link)) : packet.length;
      writer.packetAt(r.seconds, r.nanoseconds, packet.subarray(0, keep), packet.length);
    },
  });
  reader.push(file);
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
