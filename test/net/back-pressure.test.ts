/** A reader that stops: the writer is told, both sides hold a bounded number of bytes, and nothing is lost. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNet as createHandleNet, type Socket } from '../../src/net/index.ts';
import { createNet as createDuplexNet } from '../../src/net/portable.ts';
import { type Hosts, SERVER_ADDRESS, twoHosts } from './hosts.ts';

const KINDS = [
  ['over handles', createHandleNet],
  ['as a Duplex', createDuplexNet as unknown as typeof createHandleNet],
] as const;
const TOTAL = 48 << 20;
const PIECE = 64 << 10;
const PAUSE_MS = 1500;

function piece(number: number): Buffer {
  return Buffer.alloc(PIECE, (number * 37 + (number >> 8)) & 255);
}

describe.each(KINDS)('%s', (_kind, createNet) => {
  let hosts: Hosts;
  beforeEach(() => {
    hosts = twoHosts();
  });
  afterEach(() => hosts.close());

  async function connected(): Promise<{ reader: Socket; writer: Socket }> {
    const server = createNet(hosts.server).createServer({ pauseOnConnect: true });
    server.listen(0);
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const { port } = server.address() as AddressInfo;
    const writer = createNet(hosts.client).connect({ host: SERVER_ADDRESS, port });
    const [[reader]] = await Promise.all([accepted, once(writer, 'connect')]);
    server.close();
    return { reader: reader as Socket, writer };
  }

  test('48 MiB against a reader that pauses: told after a few MiB, all there in the end', async () => {
    const { reader, writer } = await connected();
    const sent = createHash('sha256');
    let written = 0;
    const write = async (): Promise<void> => {
      for (let number = 0; written < TOTAL; number++) {
        const bytes = piece(number);
        sent.update(bytes);
        written += bytes.length;
        if (!writer.write(bytes)) await once(writer, 'drain');
      }
      writer.end();
    };
    const done = write();
    await sleep(PAUSE_MS);
    const stuck = written;
    const held = hosts.client.stack.usage.memory + hosts.server.stack.usage.memory;
    await sleep(PAUSE_MS);
    // Not a byte more has been taken from the writer, or is held anywhere.
    expect(written).toBe(stuck);
    expect(hosts.client.stack.usage.memory + hosts.server.stack.usage.memory).toBeLessThanOrEqual(held);
    expect(stuck).toBeLessThan(16 << 20);
    expect(writer.writableLength).toBeLessThanOrEqual(PIECE);
    expect(reader.readableLength).toBeLessThanOrEqual(PIECE * 2);

    const received = createHash('sha256');
    for await (const bytes of reader) received.update(bytes as Buffer);
    await done;
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(reader.bytesRead).toBe(TOTAL);
  });

  test('a reader that stops and goes on again and again', async () => {
    const { reader, writer } = await connected();
    const bytes = Buffer.concat(Array.from({ length: 64 }, (_, number) => piece(number)));
    writer.end(bytes);
    const received = createHash('sha256');
    let pauses = 0;
    reader.on('data', (part: Buffer) => {
      received.update(part);
      reader.pause();
      pauses++;
      setTimeout(() => reader.resume(), pauses % 8 === 0 ? 5 : 0);
    });
    reader.resume();
    await once(reader, 'end');
    expect(pauses).toBeGreaterThan(20);
    expect(received.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });
});
