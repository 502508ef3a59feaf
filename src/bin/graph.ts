/** `estab graph FILE -n N --svg OUT`: a connection's sequence numbers, flight, round trips and throughput over time. */

import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Analyser } from '../analyse/analyser.ts';
import { type GraphData, graphOf } from '../analyse/graph.ts';
import { readCapture } from './capture-input.ts';
import { connectionNumber } from './explain.ts';
import { graphSvg } from './graph-svg.ts';
import { complain } from './output.ts';

export function registerGraph(program: Command): void {
  program
    .command('graph')
    .description('draw a connection over time: sequence numbers, bytes in flight, round trips, throughput')
    .argument('<file>', 'the capture, or - for standard input')
    .option('-n, --connection <n>', 'which connection', connectionNumber, 1)
    .requiredOption('--svg <file>', 'the SVG to write')
    .action(graph);
}

async function graph(file: string, options: { connection: number; svg: string }): Promise<void> {
  let data: GraphData | null = null;
  let title = '';
  const analyser = new Analyser({
    keep: options.connection,
    inspect: (facts, report) => {
      if (report.id !== options.connection) return;
      data = graphOf(facts);
      const { client, server } = report;
      title = `${client.address}:${client.port} and ${server.address}:${server.port}`;
    },
  });
  const problem = await readCapture(file, analyser);
  analyser.finish(file);
  if (data === null) {
    complain(`${file}: there is no connection ${options.connection}; it has ${analyser.total}`);
    process.exitCode = 1;
  } else writeFileSync(options.svg, graphSvg(data, title));
  if (problem !== null) {
    complain(`${file}: ${problem}`);
    process.exitCode = 1;
  }
}
