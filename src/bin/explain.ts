/** `estab explain FILE…`: what happened in a capture, in words or as JSON. */

import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { Analyser } from '../analyse/analyser.ts';
import { describe, type Paint, type Tone } from '../analyse/describe.ts';
import type { CaptureReport } from '../analyse/report.ts';
import { readCapture } from './capture-input.ts';
import { complain, Output } from './output.ts';

interface ExplainOptions {
  connection?: number;
  json?: boolean;
  all?: boolean;
}

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('say what happened in a capture: a summary first, then each connection')
    .argument('<files...>', 'captures (pcap, pcapng; gzip, zstd), or - for standard input')
    .option('-n, --connection <n>', 'only this connection', connectionNumber)
    .option('--json', 'the whole report as JSON (docs/explain.schema.json); one object for each file')
    .option('--all', 'every connection, not only those in which something happened')
    .action(explain);
}

async function explain(files: string[], options: ExplainOptions): Promise<void> {
  const out = new Output();
  for (const file of files) {
    const { report, total } = await analyseFile(file, keptBy(options));
    if (options.connection !== undefined && report.connections.length === 0) {
      complain(`${file}: there is no connection ${options.connection}; it has ${total}`);
      process.exitCode = 1;
      continue;
    }
    if (options.json) out.write(`${JSON.stringify(report, null, 1)}\n`);
    else {
      const { connection, all } = options;
      out.write(
        describe(report, {
          width: Math.max(60, process.stdout.columns ?? 100),
          paint: painter(),
          all: all ?? false,
          total,
          ...(connection === undefined ? {} : { connection }),
        }),
      );
    }
    if (report.problem !== null) {
      out.flush();
      complain(`${file}: ${report.problem}`);
      process.exitCode = 1;
    }
  }
  out.flush();
}

/** Which connections' reports will be shown. */
function keptBy(options: ExplainOptions): 'all' | 'telling' | number {
  return options.connection ?? (options.json || options.all ? 'all' : 'telling');
}

/**
 * Reads and analyses a whole file; a damaged one gives the report of what could be read, with its `problem` set.
 * `total`: how many connections it has, of which the report holds those that were to be kept.
 */
export async function analyseFile(
  file: string,
  keep: 'all' | 'telling' | number = 'all',
): Promise<{ report: CaptureReport; total: number }> {
  const analyser = new Analyser({ keep });
  const problem = await readCapture(file, analyser);
  const report = analyser.finish(file === '-' ? 'standard input' : basename(file), problem);
  return { report, total: analyser.total };
}

/** A connection's number, from 1. */
export function connectionNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It must be the number of a connection, from 1.');
  return n;
}

const CODES: Readonly<Record<Tone, string>> = { head: '1', bad: '31', warn: '33', good: '32', plain: '0', faint: '2' };

/** Colour for a terminal, none for a pipe or where NO_COLOR is set. */
export function painter(): Paint {
  const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return colour ? (tone, text) => `\u001b[${CODES[tone]}m${text}\u001b[0m` : (_, text) => text;
}
