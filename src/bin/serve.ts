/** `estab serve`: our stack as a host of its own behind a TUN, with one service on it. */

import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { EstabError } from '../base/errors.ts';
import { Server } from '../net/server.ts';
import { socketTable } from '../stack/socket-table.ts';
import { complain, writeAll } from './output.ts';
import { type Application, chargen, discard, echo, http } from './serve/applications.ts';
import { Ledger } from './serve/ledger.ts';
import { LiveTrace } from './serve/live-trace.ts';
import { type NetworkOptions, networkOptions, openNetwork } from './serve/network.ts';

interface ServeOptions extends NetworkOptions {
  readonly http?: string;
  readonly echo?: boolean;
  readonly discard?: boolean;
  readonly chargen?: boolean;
  readonly port?: string;
  readonly backlog?: string;
  readonly trace?: boolean;
}

/** node's own. */
const DEFAULT_BACKLOG = 511;

/** How long connections get to say goodbye after Ctrl-C. */
const FAREWELL_MS = 2000;

export function registerServe(program: Command): void {
  networkOptions(
    program
      .command('serve')
      .description('a host of its own behind a TUN, with a service that real clients can talk to'),
  )
    .option('--http <dir>', 'a web server for the files in a directory (port 80)')
    .option('--echo', 'send back what comes (port 7); the default')
    .option('--discard', 'read and forget (port 9)')
    .option('--chargen', 'characters without end (port 19)')
    .option('--port <p>', 'listen on this port instead')
    .option('--backlog <n>', 'connections that may wait to be accepted (511)')
    .option('--trace', 'print every segment, with the state before and after')
    .addHelpText(
      'after',
      '\nCtrl-C closes connections and prints who was there; SIGUSR1 prints who is, as ss -tin would.',
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  try {
    // All that can be wrong with the options is said before the device is touched.
    const chosen = service(options);
    const port = options.port === undefined ? chosen.port : wholeNumber('--port', options.port, 1, 65_535);
    const backlog =
      options.backlog === undefined ? DEFAULT_BACKLOG : wholeNumber('--backlog', options.backlog, 1, 65_535);
    await run(options, chosen.application, { port, backlog });
  } catch (error) {
    if (!(error instanceof EstabError)) throw error;
    complain(`serve: ${error.message}`);
    process.exitCode = error.code === 'EINVAL' ? 2 : 1;
  }
}

async function run(
  options: ServeOptions,
  application: Application,
  { port, backlog }: { port: number; backlog: number },
): Promise<void> {
  const trace = options.trace === true ? new LiveTrace((line) => writeAll(1, Buffer.from(`${line}\n`))) : null;
  const host = await openNetwork(options, trace);
  const ledger = new Ledger(() => host.now());
  const server = new Server(host, { allowHalfOpen: true }, (socket) => {
    ledger.add(socket);
    application(socket);
  });
  server.listen({ port, backlog });
  if (trace !== null) setInterval(() => trace.flush(), 20).unref();
  const address = options.address[0].split('/')[0];
  writeAll(1, Buffer.from(`ready ${address.includes(':') ? `[${address}]` : address}:${port}\n`));

  process.on('SIGUSR1', () =>
    writeAll(1, Buffer.from(`${socketTable(host.stack.connections(host.now())).join('\n')}\n`)),
  );
  const stop = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    server.close();
    for (const socket of ledger.open) socket.end();
    const finish = (): void => {
      ledger.reset();
      // One more turn, so that what the last calls caused still leaves.
      setTimeout(() => {
        trace?.flush();
        writeAll(1, Buffer.from(`${ledger.table().join('\n')}\n`));
        host.close();
        process.exit(0);
      }, 50);
    };
    const deadline = host.now() + FAREWELL_MS;
    const wait = setInterval(() => {
      if (ledger.open.length > 0 && host.now() < deadline) return;
      clearInterval(wait);
      finish();
    }, 20);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  host.onLinkClosed = (_iface, error) => {
    complain(`serve: the TUN device is gone${error === null ? '' : `: ${error.message}`}`);
    process.exit(1);
  };
}

function service(options: ServeOptions): { application: Application; port: number } {
  const names = [options.http !== undefined, options.echo, options.discard, options.chargen];
  if (names.filter((chosen) => chosen === true).length > 1) {
    throw new EstabError('EINVAL', 'one service at a time: --http DIR, --echo, --discard or --chargen');
  }
  if (options.http !== undefined) {
    const directory = statSync(options.http, { throwIfNoEntry: false });
    if (directory?.isDirectory() !== true) {
      throw new EstabError('EINVAL', `--http ${options.http} is no directory; name one that holds the files`);
    }
    return { application: http(options.http), port: 80 };
  }
  if (options.discard === true) return { application: discard, port: 9 };
  if (options.chargen === true) return { application: chargen, port: 19 };
  return { application: echo, port: 7 };
}

/** @throws EstabError EINVAL that names the option. */
function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new EstabError('EINVAL', `${option} ${text}: give a whole number from ${min} to ${max}`);
}
