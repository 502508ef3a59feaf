/** Bodies packed for the way (RFC 9110 section 8.4): unpacked as they come. */

import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** What we say we take. */
export const ACCEPTED = 'gzip, deflate, br';

const UNPACKERS: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
]);

/** Takes a body in pieces and hands on what is in it. */
export interface Unpacker {
  push(bytes: Uint8Array): void;
  /** Resolves when all has been handed on. Rejects when it was not what it said. */
  end(): Promise<void>;
}

/** For `content-encoding`; null when the body comes as it is, or packed in a way that nobody here asked for. */
export function unpackerFor(encoding: string | undefined, body: (bytes: Uint8Array) => void): Unpacker | null {
  const make = UNPACKERS.get(encoding?.trim().toLowerCase() ?? '');
  if (make === undefined) return null;
  const stream = make();
  const done = new Promise<void>((resolve, reject) => {
    stream.on('data', body);
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  // Whoever breaks off does not wait for the end.
  done.catch(() => undefined);
  let some = false;
  return {
    push: (bytes) => {
      some = true;
      stream.write(bytes);
    },
    // An answer without a body (to HEAD, or 304) may still name how it would be packed.
    end: () => {
      if (!some) return Promise.resolve();
      stream.end();
      return done;
    },
  };
}
