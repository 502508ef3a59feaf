/**
 * Packets of an interop test, as tcpdump saw them on the TUN and tshark reads them: the judge is another's code.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Analyser } from '../../src/analyse/index.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import type { Namespace } from './namespace.ts';

/** One TCP segment; sequence and acknowledgment numbers are absolute. */
export interface SeenSegment {
  /** Seconds since 1970. */
  time: number;
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
  /** Letters of the flags set, in the order F S R P A U E C: `SA`, `FA`, `PA`. */
  flags: string;
  seq: number;
  ack: number;
  length: number;
  /** The window field, unscaled. */
  window: number;
  mss: number | null;
  windowScale: number | null;
  sackPermitted: boolean;
  timestamps: boolean;
  /** tshark's verdict on the TCP checksum; 0xffff counts as the 0 it stands for (Linux never writes 0). */
  checksumGood: boolean;
  /** tshark's number of the connection. */
  stream: number;
}

export interface Capture {
  /** Ends the capture and reads the TCP segments, in order. Only those that match tshark's `filter`, when given. */
  segments(filter?: string): Promise<SeenSegment[]>;
  /** Ends the capture and returns tshark's line for each packet that matches `filter`. */
  lines(filter: string): Promise<string[]>;
  /** Ends the capture and returns how many packets match `filter`. */
  count(filter: string): Promise<number>;
}

/**
 * Starts tcpdump on an interface and waits until it listens. `snap` bytes of each packet are kept: fewer than the MTU for
 * large transfers, where checksums cannot be verified then. (The kernel's ring has slots of that size: with tcpdump's own
 * 256 KiB there would be no room for a burst.)
 */
export async function capture(namespace: Namespace, iface: string, snap = 2000): Promise<Capture> {
  const file = path.join(namespace.folder, `${iface}-${captures++}.pcap`);
  // A large kernel buffer, so that a transfer at full speed leaves no holes in what the test then judges.
  const args = ['-i', iface, '-w', file, '-U', '--immediate-mode', '-s', String(snap), '-B', '65536', '-Z', 'root'];
  const tcpdump = namespace.start('tcpdump', args);
  await tcpdump.seen(/listening on/);
  let ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    // tcpdump gets what the kernel has queued for it, but not what is under way on this very instant.
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { stderr } = await tcpdump.stop('SIGINT');
    const lost = /(\d+) packets? dropped by kernel/.exec(stderr)?.[1] ?? '0';
    if (lost !== '0') throw new Error(`tcpdump lost ${lost} packets, so nothing can be said about this run`);
    witness(file);
  };
  return {
    segments: async (filter) => {
      await end();
      return readSegments(file, filter);
    },
    lines: async (filter) => {
      await end();
      return tshark(['-r', file, '-n', '-Y', filter]);
    },
    count: async (filter) => {
      await end();
      return tshark(['-r', file, '-n', '-Y', filter, '-T', 'fields', '-e', 'frame.number']).length;
    },
  };
}

let captures = 0;

/**
 * What cannot happen between two hosts on one TUN, however busy: its queue may overflow (loss, and what follows from it),
 * but it copies nothing, nobody injects, nobody else is there. Our own analysis, which knows nothing of the engine, says
 * so of every capture.
 */
const IMPOSSIBLE = new Set([
  'network-duplicate',
  'captured-twice',
  'injected-reset',
  'overlap',
  'split-handshake',
  'old-duplicate-syn',
  'port-scan',
  'syn-flood',
]);

function witness(file: string): void {
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  reader.push(readFileSync(file));
  const report = analyser.finish(file, reader.end());
  const findings = [...report.findings, ...report.connections.flatMap((connection) => connection.findings)];
  const wrong = findings.filter((finding) => IMPOSSIBLE.has(finding.kind));
  if (wrong.length === 0) return;
  throw new Error(`the analysis of ${file} found what nobody planted: ${wrong[0].kind}, ${wrong[0].text}`);
}

function tshark(args: readonly string[]): string[] {
  const output = execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output.split('\n').filter((line) => line !== '');
}

const FIELDS = [
  'frame.time_epoch',
  'ip.src',
  'ipv6.src',
  'ip.dst',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.flags',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.len',
  'tcp.window_size_value',
  'tcp.options.mss_val',
  'tcp.options.wscale.shift',
  'tcp.options.sack_perm',
  'tcp.options.timestamp.tsval',
  'tcp.checksum.status',
  'tcp.checksum',
  'tcp.checksum_calculated',
  'tcp.stream',
];

function readSegments(file: string, filter = 'tcp'): SeenSegment[] {
  const args = ['-r', file, '-n', '-o', 'tcp.check_checksum:TRUE', '-Y', filter, '-T', 'fields', '-E', 'separator=|'];
  return tshark([...args, ...FIELDS.flatMap((field) => ['-e', field])]).map(toSegment);
}

function toSegment(line: string): SeenSegment {
  const values = line.split('|');
  const text = (field: string): string => values[FIELDS.indexOf(field)] ?? '';
  const optional = (field: string): number | null => (text(field) === '' ? null : Number(text(field)));
  return {
    time: Number(text('frame.time_epoch')),
    from: text('ip.src') || text('ipv6.src'),
    to: text('ip.dst') || text('ipv6.dst'),
    fromPort: Number(text('tcp.srcport')),
    toPort: Number(text('tcp.dstport')),
    flags: flagLetters(Number(text('tcp.flags'))),
    seq: Number(text('tcp.seq_raw')),
    ack: Number(text('tcp.ack_raw')),
    length: Number(text('tcp.len')),
    window: Number(text('tcp.window_size_value')),
    mss: optional('tcp.options.mss_val'),
    windowScale: optional('tcp.options.wscale.shift'),
    sackPermitted: text('tcp.options.sack_perm') !== '',
    timestamps: text('tcp.options.timestamp.tsval') !== '',
    checksumGood:
      text('tcp.checksum.status') === '1' ||
      (text('tcp.checksum') === '0xffff' && text('tcp.checksum_calculated') === '0x0000'),
    stream: Number(text('tcp.stream')),
  };
}

function flagLetters(bits: number): string {
  return [...'FSRPAUEC'].filter((_letter, i) => (bits & (1 << i)) !== 0).join('');
}
