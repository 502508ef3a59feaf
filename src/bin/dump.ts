/** `estab dump FILE`: a capture as lines in tcpdump's form. */

import { type Command, InvalidArgumentError } from 'commander';
import { fieldLines, fieldTree } from '../dissect/fields.ts';
import { compileFilter, type Filter } from '../dissect/filter.ts';
import { PacketDecoder } from '../dissect/packet.ts';
import { hexLines } from '../dissect/printer.ts';
import { TcpdumpFormatter } from '../dissect/tcpdump.ts';
import { Enough, readCapture } from './capture-input.ts';
import { complain, Output } from './output.ts';

interface DumpOptions {
  absolute?: boolean;
  verbose?: number;
  hex?: boolean;
  time?: boolean;
  epoch?: boolean;
  nano?: boolean;
  count?: number;
  fields?: number;
}

export function registerDump(program: Command): void {
  program
    .command('dump')
    .description("print a capture (pcap, pcapng; gzip, zstd; - for standard input) in tcpdump's line format")
    .argument('<file>', 'the capture, or - for standard input')
    .argument('[filter...]', 'only these: tcp port 80 and host 10.0.0.1; or tcp.flags.syn==1 && ip.addr==10.0.0.1')
    .option('-S, --absolute', 'absolute sequence numbers')
    .option('-v, --verbose', 'IP header fields and checksums; twice for more', (_, n: number) => n + 1, 0)
    .option('-x, --hex', 'the bytes of each packet, link layer included')
    .option('-t, --no-time', 'no time at the beginning of a line')
    .option('-e, --epoch', 'times as seconds since 1970')
    .option('--nano', 'nine digits of a second')
    .option('--fields <n>', 'the fields of packet n, each with its octets, and nothing else', parseCount)
    .option('-c, --count <n>', 'stop after this many packets', parseCount)
    .action(dump);
}

async function dump(file: string, words: string[], options: DumpOptions): Promise<void> {
  const filter = parseFilter(words);
  if (filter === undefined) return;
  const out = new Output('latin1');
  const formatter = new TcpdumpFormatter({
    absolute: options.absolute ?? false,
    verbose: options.verbose ?? 0,
    nanoseconds: options.nano ?? false,
    noTime: options.time === false,
    epochTime: options.epoch ?? false,
    timezone: localOffset,
  });
  const decoder = new PacketDecoder();
  const frame = { number: 0, length: 0 };
  let frames = 0;
  let left = options.count ?? Number.POSITIVE_INFINITY;
  const problem = await readCapture(file, {
    packet(r) {
      frames = r.frame;
      if (options.fields !== undefined) {
        if (r.frame < options.fields) return;
        out.write(fieldLines(fieldTree(r.linkType, r.data.slice(r.offset, r.offset + r.length))));
        throw new Enough();
      }
      if (filter !== null) {
        decoder.decode(r.linkType, r.data, r.offset, r.length);
        frame.number = r.frame;
        frame.length = r.originalLength;
        if (!filter(decoder.packet, frame)) return;
      }
      if (left-- <= 0) throw new Enough();
      out.write(
        `${formatter.lineAt(r.seconds, r.nanoseconds, r.linkType, r.data, r.offset, r.length, r.originalLength)}\n`,
      );
      if (options.hex) out.write(`${hexLines(r.data, r.offset, r.length, '\n\t').slice(1)}\n`);
    },
  });
  out.flush();
  if (options.fields !== undefined && frames < options.fields && problem === null) {
    complain(`${file}: there is no packet ${options.fields}; it has ${frames}`);
    process.exitCode = 1;
  }
  if (problem !== null) {
    complain(`${file}: ${problem}`);
    process.exitCode = 1;
  }
}

/** Null for no filter; undefined (and a complaint, and exit code 2) for one that is not understood. */
function parseFilter(words: string[]): Filter | null | undefined {
  if (words.length === 0) return null;
  try {
    return compileFilter(words.join(' '));
  } catch (error) {
    complain((error as Error).message);
    process.exitCode = 2;
    return undefined;
  }
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return count;
}

let offsetHour = Number.NaN;
let offsetSeconds = 0;

/** The local time zone's offset from UTC; it can only change on the quarter hour, so it is not asked each second. */
function localOffset(seconds: number): number {
  const quarter = Math.floor(seconds / 900);
  if (quarter !== offsetHour) {
    offsetHour = quarter;
    offsetSeconds = -new Date(seconds * 1000).getTimezoneOffset() * 60;
  }
  return offsetSeconds;
}
