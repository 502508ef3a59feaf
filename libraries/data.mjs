/** Bytes that are known, so that whatever comes out at the other end can be held against them. */
import { createHash } from 'node:crypto';

/** Bytes that differ at every place and for every seed. */
export function body(length, seed) {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 131 + (i >> 8) * 7 + seed * 59) & 255;
  return bytes;
}

export function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** All that a stream brings until its end. (To iterate would destroy the stream, and its other direction with it.) */
export function collect(stream) {
  return new Promise((resolve, reject) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part)).resume();
    stream.once('end', () => resolve(Buffer.concat(parts)));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('closed before its end')));
  });
}

/** `count` results of `make`, made at once. */
export function together(count, make) {
  return Promise.all(Array.from({ length: count }, (_, i) => make(i)));
}
