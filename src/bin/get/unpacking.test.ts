import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unpackerFor } from './unpacking.ts';

const TEXT = Buffer.from('a page and a page and a page\n'.repeat(5000));

/** Gives `packed` to the unpacker in small pieces; what came out. */
async function unpack(encoding: string, packed: Uint8Array): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const unpacker = unpackerFor(encoding, (bytes) => parts.push(bytes))!;
  for (let at = 0; at < packed.length; at += 100) unpacker.push(packed.subarray(at, at + 100));
  await unpacker.end();
  return Buffer.concat(parts);
}

describe('unpackerFor', () => {
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['X-GZIP', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
  ])('%s gives back what was packed', async (encoding, packed) => {
    expect((await unpack(encoding, packed)).equals(TEXT)).toBe(true);
  });

  it('says when the body is not what it said, or was cut off', async () => {
    await expect(unpack('gzip', TEXT.subarray(0, 500))).rejects.toThrow('incorrect header check');
    await expect(unpack('gzip', gzipSync(TEXT).subarray(0, 200))).rejects.toThrow('unexpected end of file');
  });

  it('has nothing to say of an answer without a body, or of packings nobody asked for', async () => {
    await expect(unpack('gzip', new Uint8Array(0))).resolves.toHaveLength(0);
    expect(unpackerFor(undefined, () => undefined)).toBeNull();
    expect(unpackerFor('zstd', () => undefined)).toBeNull();
    expect(unpackerFor('constructor', () => undefined)).toBeNull();
  });
});
