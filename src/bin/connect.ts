/** `estab connect`: the client side of `serve`. Standard input goes out, what comes back is standard output. */

import type { Command } from 'commander';
import { EstabError } from '../base/errors.ts';
import { Socket } from '../net/socket.ts';
import { complain, writeAll } from './output.ts';
import { LiveTrace } from './serve/live-trace.ts';
import { type NetworkOptions, networkOptions, openNetwork } from './serve/network.ts';

interface ConnectOptions extends NetworkOptions {
  readonly trace?: boolean;
}

export function registerConnect(program: Command): void {
  networkOptions(
    program
      .command('connect')
      .description('open a connection from a host behind a TUN; end of input closes our half')
      .argument('<address:port>', 'where to: 10.7.0.1:80, [fd00::1]:80'),
  )
    .option('--trace', 'print every segment on standard error')
    .action(connect);
}

async function connect(target: string, options: ConnectOptions): Promise<void> {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(target);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    complain(`connect: "${target}" is no address and port; write 10.7.0.1:80 or [fd00::1]:80`);
    process.exitCode = 2;
    return;
  }
  const address = match[1] ?? match[2];
  try {
    await run(address, port, options);
  } catch (error) {
    if (!(error instanceof EstabError)) throw error;
    complain(`connect: ${error.message}`);
    process.exitCode = error.code === 'EINVAL' ? 2 : 1;
  }
}

async function run(address: string, port: number, options: ConnectOptions): Promise<void> {
  const trace = options.trace === true ? new LiveTrace((line) => writeAll(2, Buffer.from(`${line}\n`))) : null;
  const host = await openNetwork(options, trace);
  const socket = new Socket(host, { allowHalfOpen: true });
  const outcome = new Promise<Error | null>((resolve) => {
    socket.on('error', resolve);
    socket.on('close', () => resolve(null));
  });
  socket.connect({ host: address, port }, () => process.stdin.pipe(socket));
  socket.pipe(process.stdout);
  const error = await outcome;
  trace?.flush();
  // What the last calls caused still leaves; TIME-WAIT ends with the process, as it must.
  setTimeout(() => {
    host.close();
    if (error !== null) complain(`connect: ${error.message}`);
    process.exit(error === null ? 0 : 1);
  }, 20);
}
