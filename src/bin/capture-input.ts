/**
 * Captures from files and standard input for the commands: plain, gzip and zstd told apart by their first bytes, read
 * in pieces so that a file of any size needs the same memory.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { CaptureHandler } from '../capture/formats.ts';
import { CaptureReader } from '../capture/reader.ts';

const PIECE = 1 << 18;

/** Thrown by a handler that has seen enough. */
export class Enough extends Error {}

/**
 * Reads the capture at `path` (`-`: standard input) into `handler`.
 * @returns null, or one line that says what was wrong with the file and where; what could be read has been handed out.
 */
export async function readCapture(path: string, handler: CaptureHandler): Promise<string | null> {
  const reader = new CaptureReader(handler);
  let problem: string | null = null;
  try {
    if (path === '-') await readStream(reader, process.stdin);
    else await readFile(reader, path);
  } catch (error) {
    if (error instanceof Enough) return null;
    if (!(error instanceof InputError)) throw error;
    problem = error.message;
  }
  const found = reader.end();
  // A stream that breaks off also leaves a cut record; the first cause is what helps.
  if (problem !== null) return problem;
  return found === null ? null : `${found.message} (at byte ${found.offset})`;
}

class InputError extends Error {}

async function readFile(reader: CaptureReader, path: string): Promise<void> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new InputError(`cannot open the file: ${reason(error)}`);
  }
  try {
    const piece = new Uint8Array(PIECE);
    let sink: Sink | null = null;
    for (;;) {
      let length: number;
      try {
        length = readSync(file, piece, 0, PIECE, null);
      } catch (error) {
        throw new InputError(`cannot read the file: ${reason(error)}`);
      }
      if (length === 0) break;
      const chunk = piece.subarray(0, length);
      sink ??= sinkFor(reader, chunk);
      await sink.push(chunk);
      if (reader.problem !== null) return;
    }
    await sink?.end();
  } finally {
    closeSync(file);
  }
}

async function readStream(reader: CaptureReader, stream: AsyncIterable<unknown>): Promise<void> {
  let sink: Sink | null = null;
  for await (const chunk of stream) {
    const bytes = chunk as Uint8Array;
    sink ??= sinkFor(reader, bytes);
    await sink.push(bytes);
    if (reader.problem !== null) return;
  }
  await sink?.end();
}

/** Where compressed or plain bytes go. */
interface Sink {
  push(chunk: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

function sinkFor(reader: CaptureReader, first: Uint8Array): Sink {
  if (first[0] === 0x1f && first[1] === 0x8b) return new GzipSink(reader);
  if (first[0] === 0x28 && first[1] === 0xb5 && first[2] === 0x2f && first[3] === 0xfd) return new ZstdSink(reader);
  return { push: (chunk) => reader.push(chunk), end: () => undefined };
}

/** zlib's stream, written to piece by piece so that it never holds more than one. */
class GzipSink implements Sink {
  private readonly gunzip = createGunzip();
  private readonly finished: Promise<void>;
  private failure: unknown = null;

  constructor(reader: CaptureReader) {
    this.finished = new Promise((resolve) => {
      this.gunzip.on('data', (chunk: Uint8Array) => {
        if (this.failure !== null) return;
        try {
          reader.push(chunk);
        } catch (error) {
          this.failure = error;
          resolve();
        }
      });
      this.gunzip.on('end', () => resolve());
      this.gunzip.on('error', (error) => {
        this.failure ??= new InputError(`the gzip stream is damaged or cut: ${error.message}`);
        resolve();
      });
    });
  }

  async push(chunk: Uint8Array): Promise<void> {
    const written = new Promise<void>((resolve) => this.gunzip.write(chunk.slice(), () => resolve()));
    await Promise.race([written, this.finished]);
    if (this.failure !== null) throw this.failure;
  }

  async end(): Promise<void> {
    this.gunzip.end();
    await this.finished;
    if (this.failure !== null) throw this.failure;
  }
}

class ZstdSink implements Sink {
  private readonly decompress: Decompress;

  constructor(reader: CaptureReader) {
    this.decompress = new Decompress((chunk) => reader.push(chunk));
  }

  push(chunk: Uint8Array): void {
    this.guarded(() => this.decompress.push(chunk.slice()));
  }

  end(): void {
    this.guarded(() => this.decompress.push(new Uint8Array(0), true));
  }

  private guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof Enough) throw error;
      throw new InputError(`the zstd stream is damaged or cut: ${reason(error)}`);
    }
  }
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'it may not be read by this user';
  if (code === 'EISDIR') return 'it is a directory';
  return message;
}
