/** `estab follow FILE -n N`: what the two ends said to each other, as text, hex or raw bytes. */

import { type Command, Option } from 'commander';
import { StreamReader } from '../analyse/streams.ts';
import { Kind, PacketDecoder } from '../dissect/packet.ts';
import { hexAndText } from '../dissect/printer.ts';
import { readCapture } from './capture-input.ts';
import { findConnection } from './connection-frames.ts';
import { connectionNumber, painter } from './explain.ts';
import { complain, Output, writeAll } from './output.ts';

interface FollowOptions {
  connection: number;
  as: 'text' | 'hex' | 'raw';
  from?: 'client' | 'server';
}

export function registerFollow(program: Command): void {
  program
    .command('follow')
    .description('print the byte streams of a connection, each octet once and in order')
    .argument('<file>', 'the capture')
    .option('-n, --connection <n>', 'which connection', connectionNumber, 1)
    .addOption(new Option('--as <form>', 'how to print it').choices(['text', 'hex', 'raw']).default('text'))
    .addOption(new Option('--from <side>', 'only this side').choices(['client', 'server']))
    .action(follow);
}

async function follow(file: string, options: FollowOptions): Promise<void> {
  const found = await findConnection(file, options.connection);
  if (found === null) return;
  const { firstIsClient } = found;
  const out = new Output();
  const paint = painter();
  const streams = new StreamReader({
    text(side, bytes) {
      const fromClient = (side === 0) === firstIsClient;
      if (options.from !== undefined && (options.from === 'client') !== fromClient) return;
      if (options.as === 'raw') {
        out.flush();
        writeAll(1, bytes);
        return;
      }
      const head = `${fromClient ? '→ client' : '← server'}, ${bytes.length} bytes`;
      const body = options.as === 'hex' ? hexAndText(bytes, 0, bytes.length, '\n').slice(1) : printable(bytes);
      out.write(
        `${paint('faint', head)}\n${paint(fromClient ? 'good' : 'plain', body)}${body.endsWith('\n') ? '' : '\n'}`,
      );
    },
    gap(side, octets) {
      if (options.as === 'raw') return;
      const who = (side === 0) === firstIsClient ? 'client' : 'server';
      out.write(`${paint('bad', `[${octets} bytes of the ${who} are not in the capture]`)}\n`);
    },
  });
  const decoder = new PacketDecoder();
  await readCapture(file, {
    packet(r) {
      if (!found.frames.has(r.frame) || decoder.decode(r.linkType, r.data, r.offset, r.length) !== Kind.TCP) return;
      streams.add(decoder.packet, found.first.has(r.frame) ? 0 : 1);
    },
  });
  streams.end();
  out.flush();
  if (found.problem !== null) {
    complain(`${file}: ${found.problem}`);
    process.exitCode = 1;
  }
}

/** Text as it is; control characters (but tab and line ends) as dots, so that a terminal survives it. */
function printable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '.');
}
