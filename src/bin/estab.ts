#!/usr/bin/env node
/** The `estab` command: one file a subcommand, registered here. Exit codes: 0, 1 (failed), 2 (misused). */

import { Command, CommanderError } from 'commander';
import { registerConnect } from './connect.ts';
import { registerDemo } from './demo.ts';
import { registerDump } from './dump.ts';
import { registerExplain } from './explain.ts';
import { registerExtract } from './extract.ts';
import { registerFlows } from './flows.ts';
import { registerFollow } from './follow.ts';
import { registerGraph } from './graph.ts';
import { registerLadder } from './ladder.ts';
import { misuse } from './output.ts';
import { registerServe } from './serve.ts';

const program = new Command('estab')
  .description('a TCP/IP stack that shows its work, and a tool that shows and explains TCP')
  .exitOverride();
registerDemo(program);
registerDump(program);
registerExplain(program);
registerGraph(program);
registerLadder(program);
registerFlows(program);
registerFollow(program);
registerExtract(program);
registerServe(program);
registerConnect(program);
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
