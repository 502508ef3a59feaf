/** `estab extract FILE -n N -o OUT`: the packets of one connection (and ICMP errors about it) as a capture of their own. */

import { closeSync, openSync } from 'node:fs';
import type { Command } from 'commander';
import { type PacketOptions, PcapngWriter } from '../capture/pcapng-writer.ts';
import { readCapture } from './capture-input.ts';
import { findConnection } from './connection-frames.ts';
import { connectionNumber } from './explain.ts';
import { complain, writeAll } from './output.ts';

export function registerExtract(program: Command): void {
  program
    .command('extract')
    .description('write one connection of a capture to a pcapng file')
    .argument('<file>', 'the capture')
    .requiredOption('-n, --connection <n>', 'which connection', connectionNumber)
    .requiredOption('-o, --output <file>', 'the pcapng file to write')
    .action(extract);
}

async function extract(file: string, options: { connection: number; output: string }): Promise<void> {
  const found = await findConnection(file, options.connection);
  if (found === null) return;
  let descriptor: number;
  try {
    descriptor = openSync(options.output, 'w');
  } catch (error) {
    complain(`${options.output}: cannot write it: ${(error as Error).message}`);
    process.exitCode = 1;
    return;
  }
  const writer = new PcapngWriter((bytes) => writeAll(descriptor, bytes), {
    comment: `connection ${options.connection}`,
  });
  const ids = new Map<number, number>();
  await readCapture(file, {
    packet(r) {
      if (!found.frames.has(r.frame)) return;
      let id = ids.get(r.linkType);
      if (id === undefined) {
        id = writer.addInterface({ linkType: r.linkType });
        ids.set(r.linkType, id);
      }
      const extra: PacketOptions = { originalLength: r.originalLength };
      if (r.comment !== null) extra.comment = r.comment;
      writer.packetAt(id, r.seconds, r.nanoseconds, r.data.slice(r.offset, r.offset + r.length), extra);
    },
    secrets: (secrets) => writer.secrets(secrets.type, secrets.data),
  });
  closeSync(descriptor);
  if (found.problem !== null) {
    complain(`${file}: ${found.problem}`);
    process.exitCode = 1;
  }
}
