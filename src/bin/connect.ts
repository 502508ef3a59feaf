/** `estab connect`: the client side of `serve`. Standard input goes out, what comes back is standard output. */

import type { Command } from 'commander';
import { EstabError } from '../base/errors.ts';
import { Socket } from '../net/socket.ts';
import { IpAddress } from '../wire/address.ts';
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
  try {
    const { address, port } = endpoint(target);
    await run(address, port, options);
  } catch (error) {
    if (!(error instanceof EstabError)) throw error;
    complain(`connect: ${error.message}`);
    process.exitCode = error.code === 'EINVAL' ? 2 : 1;
  }
}

/** @throws EstabError EINVAL that says how to write one. */
function endpoint(text: string): { address: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new EstabError('EINVAL', `"${text}" is no address and port; write 10.7.0.1:80 or [fd00::1]:80`);
  }
  const address = match[1] ?? match[2];
  if (IpAddress.tryParse(address) === null) {
    throw new EstabError('EINVAL', `"${address}" is no IP address; names are not looked up here, write its address`);
  }
  return { address, port };
}

/** What whoever typed the command can do about it. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; check the port, or start the server',
  ENETUNREACH: 'no way leads there from --address; name one in the network of the other end',
  EHOSTUNREACH: 'the network says that nobody is there; check the address',
  ETIMEDOUT: 'nobody answers; check the address, and what lies between',
  ECONNRESET: 'the other end has thrown the connection away',
};

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
  let status: number | null = null;
  // No kernel cleans up after this process: whoever stops it leaves a RST behind, not half a connection.
  const stop = (code: number): void => {
    status = code;
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  };
  process.once('SIGINT', () => stop(130));
  process.once('SIGTERM', () => stop(143));
  process.stdout.on('error', () => stop(0));
  const error = await outcome;
  trace?.flush();
  // What the last calls caused still leaves; TIME-WAIT ends with the process, as it must.
  setTimeout(() => {
    host.close();
    if (status !== null) process.exit(status);
    if (error !== null) {
      const advice = ADVICE[(error as { code?: string }).code ?? ''];
      complain(`connect: ${error.message}${advice === undefined ? '' : `: ${advice}`}`);
    }
    process.exit(error === null ? 0 : 1);
  }, 20);
}
