/** `estab ladder FILE`: one connection as a ladder, in the terminal, as SVG, or for Mermaid. */

import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { Analyser } from '../analyse/analyser.ts';
import { type Ladder, ladderOf } from '../analyse/ladder.ts';
import { ladderSvg } from '../analyse/ladder-svg.ts';
import { ladderMermaid, ladderText } from '../analyse/ladder-text.ts';
import { readCapture } from './capture-input.ts';
import { connectionNumber, painter } from './explain.ts';
import { complain, Output } from './output.ts';

interface LadderOptions {
  connection: number;
  svg?: string;
  mermaid?: boolean;
  all?: boolean;
  frames?: [number, number];
}

export function registerLadder(program: Command): void {
  program
    .command('ladder')
    .description('draw a connection as a ladder: every segment, what became of it, both ends and their states')
    .argument('<file>', 'the capture, or - for standard input')
    .option('-n, --connection <n>', 'which connection', connectionNumber, 1)
    .option('--svg <file>', 'write an SVG (light and dark) instead')
    .option('--mermaid', 'a Mermaid sequence diagram instead')
    .option('--all', 'fold nothing')
    .option('--frames <from-to>', 'show these frames whole, fold the rest', frameRange)
    .action(ladder);
}

async function ladder(file: string, options: LadderOptions): Promise<void> {
  let found: Ladder | null = null;
  const analyser = new Analyser({
    keep: options.connection,
    inspect: (facts, report) => {
      if (report.id === options.connection) found = ladderOf(facts, report);
    },
  });
  const problem = await readCapture(file, analyser);
  analyser.finish(file);
  const drawn = found as Ladder | null;
  if (drawn === null) {
    complain(`${file}: there is no connection ${options.connection}; it has ${analyser.total}`);
    process.exitCode = 1;
  } else draw(drawn, options);
  if (problem !== null) {
    complain(`${file}: ${problem}`);
    process.exitCode = 1;
  }
}

function draw(drawn: Ladder, options: LadderOptions): void {
  const keep = options.all ? 0 : 8;
  const range = options.frames === undefined ? {} : { range: options.frames };
  if (options.svg !== undefined) {
    writeFileSync(options.svg, ladderSvg(drawn, { keep, ...range }));
    return;
  }
  const out = new Output();
  if (options.mermaid) out.write(ladderMermaid(drawn, keep));
  else out.write(ladderText(drawn, { width: process.stdout.columns ?? 100, keep, paint: painter(), ...range }));
  out.flush();
}

function frameRange(text: string): [number, number] {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be two frame numbers, like 30-80.');
  return [Number(match[1]), Number(match[2])];
}
