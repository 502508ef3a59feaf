#!/usr/bin/env node
/** The `estab` command: one file a subcommand, registered here. Exit codes: 0, 1 (failed), 2 (misused). */

import { Command, CommanderError } from 'commander';
import { misuse } from './output.ts';

type Register = (program: Command) => void;

/** In the order of the help. Loaded when asked for: a command does not wait for the others' code. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['demo', async () => (await import('./demo.ts')).registerDemo],
  ['dump', async () => (await import('./dump.ts')).registerDump],
  ['explain', async () => (await import('./explain.ts')).registerExplain],
  ['graph', async () => (await import('./graph.ts')).registerGraph],
  ['get', async () => (await import('./get.ts')).registerGet],
  ['ladder', async () => (await import('./ladder.ts')).registerLadder],
  ['flows', async () => (await import('./flows.ts')).registerFlows],
  ['follow', async () => (await import('./follow.ts')).registerFollow],
  ['extract', async () => (await import('./extract.ts')).registerExtract],
  ['serve', async () => (await import('./serve.ts')).registerServe],
  ['connect', async () => (await import('./connect.ts')).registerConnect],
]);

const program = new Command('estab')
  .description('a TCP/IP stack that shows its work, and a tool that shows and explains TCP')
  .exitOverride();
const asked = COMMANDS.get(process.argv[2] ?? '');
for (const load of asked === undefined ? COMMANDS.values() : [asked]) (await load())(program);
for (const command of [program, ...program.commands]) {
  const path = command === program ? [] : [command.name()];
  command.configureOutput({ outputError: (text, write) => write(misuse(path, text)) });
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
