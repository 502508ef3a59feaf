/**
 * Writes docs/against-wireshark.md: for every TCP stream of the capture collection, what tshark (and Zeek, where a
 * conn.log is known) says beside what this project computes for the same labels, and why where they differ.
 *
 * Usage: npx tsx tools/against-wireshark.ts [--check]
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Analyser, type CaptureReport, type ConnectionReport } from '../src/analyse/index.ts';
import { CaptureReader } from '../src/capture/index.ts';
import { collection, collectionFiles, readCollection } from '../test/captures.ts';

interface Stream {
  stream: number;
  a: string;
  b: string;
  first_frame: number;
  last_frame: number;
  completeness: number;
  flags: Record<string, number>;
}

interface Reference {
  files: Record<string, { tshark: Stream[]; zeek_conn_log?: [string, string[]][] }>;
}

/** Where tshark is wrong, or counts something else, by file; each shown by the packets themselves. */
const REASONS: Readonly<Record<string, string>> = {
  'g31-challenge-ack.pcap':
    'tshark splits the connection at the forged SYN into two streams and calls the first one reset; the packets go on with the old numbers (RFC 5961).',
  'sv-split-handshake-5whs.pcap':
    'One connection: tshark takes the SYN with which the server answers (a split handshake) for a new use of the ports and makes two streams of it.',
  'v01-seqwrap-g10.pcap':
    'The packets of g10 with the numbers moved: in frame 3 the acknowledgment number is 0 (the server began at 4294967295), which tshark does not tell from "nothing acknowledged yet" and calls a window update. A constant added to all numbers must change nothing.',
  'zeek-reassembly.pcap':
    'Frames 7, 26, 35, 39 and 85 are up to eight octets shorter than their IP headers say ("truncated-ip" in tcpdump): tshark counts the octets of the frame, so that acknowledgments of all the text acknowledge "lost segments" to it; tcpdump and this project believe the header, and the acknowledgments bear it out. Its three fast retransmissions are FINs that no duplicate ACK asked for (frames 8, 10, 12).',
  'sv-transform-base64-7296.pcap':
    'A file made by a fuzzer: headers contradict each other, and each tool gives up elsewhere.',
  'zeek-rst-inject-rae.pcap':
    'A forged reset with a number of its own comes before the SYN-ACK; tshark takes the SYN-ACK for a new use of the ports.',
  'zeek-ipv6.pcap':
    'FTP data connections: the FTP dissector has announced them, and tshark then does not count the SYN although it is there (frame 30).',
};

/** The same of Zeek, by file. */
const ZEEK_REASONS: Readonly<Record<string, string>> = {
  'zeek-pppoe-over-qinq.pcap':
    'Six acknowledgments (frames 19, 33, 41, 47, 63, 81) have an IP length of 46 in a PPPoE frame of 40 octets: the six octets behind it are zero, padding up to the least Ethernet frame, and real text follows with the same numbers. Zeek takes them for text that is repeated; tshark and this project end the packet where PPPoE does (RFC 2516 section 4).',
};

function analyse(bytes: Uint8Array): CaptureReport {
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  reader.push(bytes);
  return analyser.finish('', reader.end());
}

function matching(report: CaptureReport, s: Stream): ConnectionReport | undefined {
  const ends = (c: ConnectionReport): string[] => [c.client, c.server].map((e) => `${e.address} ${e.port}`);
  return report.connections.find(
    (c) =>
      c.firstFrame <= s.first_frame && c.lastFrame >= s.last_frame && ends(c).includes(s.a) && ends(c).includes(s.b),
  );
}

const sorted = (flags: Record<string, number>): string =>
  Object.entries(flags)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, n]) => `${name.replaceAll('_', ' ')} ${n}`)
    .join(', ') || 'none';

export function againstWireshark(): string {
  const reference = JSON.parse(readFileSync(join(collection ?? '', 'reference.open.json'), 'utf8')) as Reference;
  const rows: string[] = [];
  const differences: string[] = [];
  let streams = 0;
  let flagsAgree = 0;
  let completenessAgree = 0;
  for (const name of collectionFiles().sort()) {
    const known = reference.files[`open/${name}`]?.tshark ?? [];
    const report = analyse(readCollection(name));
    let flags = 0;
    let completeness = 0;
    for (const s of known) {
      const c = matching(report, s);
      const sameFlags = c !== undefined && sorted(c.wireshark.flags) === sorted(s.flags);
      const sameCompleteness = c?.wireshark.completeness === s.completeness;
      if (sameFlags) flags++;
      if (sameCompleteness) completeness++;
      if (sameFlags && sameCompleteness) continue;
      const ours =
        c === undefined
          ? 'no such connection'
          : `${sorted(c.wireshark.flags)}; completeness ${c.wireshark.completeness}`;
      differences.push(
        `- **${name}**, stream ${s.stream}: tshark ${sorted(s.flags)}; completeness ${s.completeness}. Here: ${ours}. ${REASONS[name] ?? 'Not explained.'}`,
      );
    }
    streams += known.length;
    flagsAgree += flags;
    completenessAgree += completeness;
    rows.push(
      `| ${name} | ${known.length} | ${report.connections.length} | ${flags} | ${completeness} | ${report.problem === null ? '' : 'cut'} |`,
    );
  }
  return [
    '# Against Wireshark and Zeek',
    '',
    'Written by `npx tsx tools/against-wireshark.ts` from the capture collection: the labels `estab explain --json` gives under',
    '`wireshark`, beside those of tshark 4.0 (two passes) for the same streams.',
    '',
    `Of ${streams} streams, ${flagsAgree} have the same \`tcp.analysis\` flags, each counted, and ${completenessAgree} the same completeness.`,
    '',
    'These labels are a translation for readers who know them. The verdicts of `estab explain` are not built on them, and differ',
    'where the labels mislead: on the captures made with known truth tshark calls retransmissions within one round trip',
    'out-of-order (g10, g26), network duplicates and the SYN-ACKs of a simultaneous open retransmissions (g05), late originals',
    'retransmissions (g12), and window probes keep-alives (g14).',
    '',
    '| capture | streams | connections | flags agree | completeness agrees | file |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...rows,
    '',
    '## Differences',
    '',
    ...differences,
    '',
    '## Zeek',
    '',
    ...zeek(reference),
    '',
    ...Object.entries(ZEEK_REASONS).flatMap(([name, reason]) => [`- **${name}**: ${reason}`, '']),
  ].join('\n');
}

function zeek(reference: Reference): string[] {
  const lines: string[] = ['| capture | connection | Zeek | here |', '| --- | --- | --- | --- |'];
  for (const name of collectionFiles().sort()) {
    const logs = reference.files[`open/${name}`]?.zeek_conn_log;
    if (logs === undefined) continue;
    const report = analyse(readCollection(name));
    for (const [, entries] of logs) {
      for (const entry of entries) {
        const f = entry.split('\t');
        const c = report.connections.find(
          (x) =>
            x.client.address === f[2] &&
            x.client.port === Number(f[3]) &&
            x.server.address === f[4] &&
            x.server.port === Number(f[5]),
        );
        const at = f.findIndex((cell) => /^(S[0-3]|SF|REJ|RSTO|RSTR|RSTOS0|RSTRH|SHR?|OTH)$/.test(cell));
        if (c === undefined || at < 0) continue;
        const history = f.slice(at + 3).find((cell) => /^\^?[a-zA-Z]+$/.test(cell)) ?? '';
        lines.push(`| ${name} | ${f[2]}:${f[3]} | ${f[at]} ${history} | ${c.zeek.connState} ${c.zeek.history} |`);
      }
    }
  }
  return lines;
}

const target = join(import.meta.dirname, '..', 'docs', 'against-wireshark.md');
if (collection === null) {
  console.log('skipped: the capture collection is not here');
} else {
  const text = againstWireshark();
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
    console.error('docs/against-wireshark.md is out of date: npx tsx tools/against-wireshark.ts');
    process.exitCode = 1;
  }
}
