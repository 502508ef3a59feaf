import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { SIPHASH_KEY_LENGTH, SipHash } from './siphash.ts';

/**
 * The vectors published with SipHash-2-4: key 00 01 … 0f, input 00 01 02 … of lengths 0 to 63, the hash's octets in
 * little-endian order.
 */
const VECTORS = `
310e0edd47db6f72 fd67dc93c539f874 5a4fa9d909806c0d 2d7efbd796666785 b7877127e09427cf 8da699cd64557618
cee3fe586e46c9cb 37d1018bf50002ab 6224939a79f5f593 b0e4a90bdf82009e f3b9dd94c5bb5d7a a7ad6b22462fb3f4
fbe50e86bc8f1e75 903d84c02756ea14 eef27a8e90ca23f7 e545be4961ca29a1 db9bc2577fcc2a3f 9447be2cf5e99a69
9cd38d96f0b3c14b bd6179a71dc96dbb 98eea21af25cd6be c7673b2eb0cbf2d0 883ea3e395675393 c8ce5ccd8c030ca8
94af49f6c650adb8 eab8858ade92e1bc f315bb5bb835d817 adcf6b0763612e2f a5c91da7acaa4dde 716595876650a2a6
28ef495c53a387ad 42c341d8fa92d832 ce7cf2722f512771 e37859f94623f3a7 381205bb1ab0e012 ae97a10fd434e015
b4a31508beff4d31 81396229f0907902 4d0cf49ee5d4dcca 5c73336a76d8bf9a d0a704536ba93e0e 925958fcd6420cad
a915c29bc8067318 952b79f3bc0aa6d4 f21df2e41d4535f9 87577519048f53a9 10a56cf5dfcd9adb eb75095ccd986cd0
51a9cb9ecba312e6 96afadfc2ce666c7 72fe52975a4364ee 5a1645b276d592a1 b274cb8ebf87870a 6f9bb4203de7b381
eaecb2a30b22a87f 9924a43cc1315724 bd838d3aafbf8db7 0b1a2a3265d51aea 135079a3231ce660 932b2846e4d70666
e1915f5cb1eca46c f325965ca16d629f 575ff28e60381be5 724506eb4c328a95
`
  .trim()
  .split(/\s+/);

const key = Uint8Array.from({ length: SIPHASH_KEY_LENGTH }, (_, i) => i);

/** The 64 bits as the vectors write them. */
function littleEndian(low: number, high: number): string {
  const octets = [low, low >>> 8, low >>> 16, low >>> 24, high, high >>> 8, high >>> 16, high >>> 24];
  return octets.map((octet) => (octet & 255).toString(16).padStart(2, '0')).join('');
}

describe('SipHash', () => {
  it('gives the published vectors for inputs of 0 to 63 octets', () => {
    expect(VECTORS).toHaveLength(64);
    const hash = new SipHash(key);
    for (let length = 0; length < 64; length++) {
      const low = hash.hashBytes(Uint8Array.from({ length }, (_, i) => i));
      expect(littleEndian(low, hash.high), `length ${length}`).toBe(VECTORS[length]);
    }
  });

  it('hashes words as the octets they stand for, whatever lies behind them', () => {
    const hash = new SipHash(key);
    const words = new Int32Array(20).fill(-1);
    for (let count = 0; count <= 12; count++) {
      for (let i = 0; i < count; i++) words[i] = 0x03020100 + i * 0x04040404;
      expect(littleEndian(hash.hashWords(words, count), hash.high)).toBe(VECTORS[4 * count]);
      words.fill(-1);
    }
  });

  it('counts the length in one octet, past 255 too', () => {
    const hash = new SipHash(key);
    const hashes = [255, 256, 257].map((length) => littleEndian(hash.hashBytes(new Uint8Array(length)), hash.high));
    expect(new Set(hashes).size).toBe(3);
  });

  it('takes all 128 bits of its key from the source', () => {
    const word = Int32Array.of(1);
    const drawn: number[] = [];
    const source = { nextUint32: () => drawn.push(drawn.length) };
    SipHash.withKeyFrom(source);
    expect(drawn).toHaveLength(4);
    for (let octet = 0; octet < SIPHASH_KEY_LENGTH; octet++) {
      const other = key.slice();
      other[octet] ^= 0x80;
      expect(new SipHash(other).hashWords(word, 1)).not.toBe(new SipHash(key).hashWords(word, 1));
    }
    const [a, b] = [new SeededRandom(1), new SeededRandom(2)];
    expect(SipHash.withKeyFrom(a).hashWords(word, 1)).not.toBe(SipHash.withKeyFrom(b).hashWords(word, 1));
  });
});
