/** `estab demo`: two hosts on an embedded network play a story, told as a ladder and explained in plain words. */

import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { captureOf } from './demo/capture.ts';
import { catalogue, FLOOD_STORY, nearestName, scenarioNamed } from './demo/catalogue.ts';
import { runFlood } from './demo/flood.ts';
import { type FloodRuns, floodCapture, floodJson, floodReport, floodTcpdump } from './demo/flood-report.ts';
import { jsonLines } from './demo/json-lines.ts';
import { type DemoOptions, Misuse, type RawOptions, readOptions } from './demo/options.ts';
import { outputWidth, painter, wantsColour } from './demo/paint.ts';
import { perform } from './demo/perform.ts';
import { report, type View } from './demo/report.ts';
import type { Scenario } from './demo/scenario.ts';
import { tcpdumpLines } from './demo/tcpdump-lines.ts';
import { complain, Output } from './output.ts';

interface CommandOptions extends RawOptions {
  readonly list?: boolean;
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('two hosts on an embedded network open, talk and close: a ladder of it, and what it means')
    .argument('[name]', 'the story to play, see --list', 'http')
    .option('--list', 'the stories, one line each')
    .option('--seed <n>', 'everything random follows from it; the same seed gives the same bytes (1)')
    .option('--loss <p>', 'lose segments at random, each way: 0.05 or 5%')
    .option('--delay <ms>', 'one way (10)')
    .option('--rate <bit/s>', 'each way, as in 500k or 10M; no limit when left out')
    .option('--client <a:p>', 'address and port of the client (10.0.0.1:49152)')
    .option('--server <a:p>', 'address and port of the server (10.0.0.2:80, where no HTTP is spoken :7788)')
    .option('--client-isn <n>', "the client's first sequence number")
    .option('--server-isn <n>', "the server's first sequence number")
    .option('--mss <n>', 'maximum segment size both ends name (1460; 1440 over IPv6)')
    .option('--window <n>', 'receive buffer of both ends, in octets')
    .option('--msl <s>', 'maximum segment lifetime; TIME-WAIT lasts twice as long (30)')
    .option('--ipv6', 'over IPv6')
    .option('--pcap <file>', 'where the capture goes; NAME.pcapng when left out')
    .option('--json', 'one object a line instead of the ladder')
    .option('--format <form>', "ladder, or tcpdump for tcpdump's lines")
    .option('--absolute', 'absolute sequence numbers in the ladder and in tcpdump lines')
    .action(demo);
}

function demo(name: string, raw: CommandOptions): void {
  const out = new Output();
  try {
    if (raw.list === true) {
      print(out, catalogue());
    } else if (name === FLOOD_STORY.name) {
      playFlood(out, readOptions(raw));
    } else {
      const story = scenario(name);
      play(out, story, readOptions(raw, story.port));
    }
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    complain(`demo: ${error.message}`);
    process.exitCode = 2;
  }
  out.flush();
}

/** @throws Misuse */
function scenario(name: string): Scenario {
  const found = scenarioNamed(name);
  if (found !== null) return found;
  const near = nearestName(name);
  const hint = near === null ? '' : `did you mean ${near}? `;
  throw new Misuse(`there is no story "${name}"; ${hint}"estab demo --list" names them all`);
}

function play(out: Output, story: Scenario, options: DemoOptions): void {
  const run = perform(story, options);
  const captured = capture(options, story.name, captureOf(run.record, story.name));
  if (options.format === 'json') print(out, jsonLines(run.lines));
  else if (options.format === 'tcpdump') print(out, tcpdumpLines(run.record, options.absolute));
  else print(out, report(story, run, view(), captured));
}

function playFlood(out: Output, options: DemoOptions): void {
  const runs: FloodRuns = { without: runFlood(options, false), with: runFlood(options, true) };
  const captured = capture(options, FLOOD_STORY.name, floodCapture(runs));
  if (options.format === 'json') print(out, floodJson(runs));
  else if (options.format === 'tcpdump') print(out, floodTcpdump(runs, options.absolute));
  else print(out, floodReport(runs, options, view(), captured));
}

function view(): View {
  const { stdout, env } = process;
  return { width: outputWidth(stdout, env), paint: painter(wantsColour(stdout, env)) };
}

function print(out: Output, lines: readonly string[]): void {
  for (const line of lines) out.write(`${line}\n`);
}

/**
 * Writes the capture and says where it is. Where nobody asked for one, a directory that may not be written to is no
 * reason to fail.
 */
function capture(options: DemoOptions, name: string, bytes: Uint8Array): string {
  const file = options.pcap ?? `${name}.pcapng`;
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    const reason = (error as { code?: string }).code ?? String(error);
    if (options.pcap !== null) {
      complain(
        `demo: cannot write ${file} (${reason}); give --pcap a file in a directory that exists and may be written to`,
      );
      process.exitCode = 1;
    }
    return `Not captured: ${file} cannot be written (${reason}); --pcap FILE puts it elsewhere.`;
  }
  return `Captured: ${file} (open it in Wireshark, or: estab dump ${file})`;
}
