import { describe, expect, it } from 'vitest';
import { CaptureReader } from '../../capture/reader.ts';
import { Packet } from '../../dissect/packet.ts';
import { Recorder, Tap } from './recorder.ts';

const ACK = 16;
const FIN_ACK = 17;
const RST = 4;

/** Feeds `[side, flags, seq, ack, text]` and gives after which of them the connection counted as over. */
function overAfter(segments: readonly (readonly [0 | 1, number, number, number, number?])[]): number | null {
  const tap = new Tap();
  for (const [at, [side, flags, seq, ack, length = 0]] of segments.entries()) {
    const packet = Object.assign(new Packet(), { flags, seq, ack, payloadLength: length, payloadCaptured: 0 });
    tap.segment(packet, side, at);
    if (tap.over) return at;
  }
  return null;
}

describe('the end of a connection, as the client sees it pass', () => {
  it('is the ACK of the second FIN', () => {
    const four = [
      [0, FIN_ACK, 0x7ffffff0, -16, 40],
      [1, ACK, -16, 0x7ffffff0 + 41],
      [1, FIN_ACK, -16, 0x7ffffff0 + 41],
      [0, ACK, 0x7ffffff0 + 41, -15],
    ] as const;
    expect(overAfter(four)).toBe(3);
    expect(overAfter(four.toSpliced(1, 1))).toBe(2);
  });

  it('waits for both ACKs where the FINs crossed', () => {
    const crossed = [
      [0, FIN_ACK, 7, -16],
      [1, FIN_ACK, -16, 7],
      [0, ACK, 8, -15],
      [1, ACK, -15, 8],
    ] as const;
    expect(overAfter(crossed)).toBe(3);
  });

  it('is not an ACK of the text before the FIN', () => {
    expect(
      overAfter([
        [0, FIN_ACK, 7, 9],
        [1, FIN_ACK, 9, 8],
        [0, ACK, 8, 9],
      ]),
    ).toBeNull();
  });

  it('is a reset', () => {
    expect(overAfter([[1, RST, 9, 0]])).toBe(0);
  });
});

describe('a long run', () => {
  it('keeps the headers of what is too much to be kept whole, and reads all of it', () => {
    const recorder = new Recorder(4000);
    const frame = (seq: number, text: number): Uint8Array => {
      const bytes = new Uint8Array(40 + text).fill(7);
      const total = bytes.length;
      bytes.set([0x45, 0, total >> 8, total & 255, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 10, 0, 0, 1]);
      bytes.set([0, 80, 195, 80, 0, 0, seq >> 8, seq & 255, 0, 0, 0, 1, 0x50, 16, 255, 255, 0, 0, 0, 0], 20);
      return bytes;
    };
    for (let i = 0; i < 10; i++) recorder.frame(frame(1 + 1000 * i, 1000), 'inbound');
    const tap = recorder.tap({ localPort: 50_000, address: '192.0.2.1', port: 80 });
    expect(tap.octetsDown).toBe(10_000);
    const reader = new CaptureReader({
      packet: ({ length, originalLength }) => lengths.push([length, originalLength]),
    });
    const lengths: [number, number][] = [];
    reader.push(recorder.pcapng('t0'));
    reader.end();
    expect(lengths.map(([, original]) => original)).toEqual(new Array(10).fill(1040));
    expect(lengths.map(([kept]) => kept)).toEqual([...new Array(4).fill(1040), ...new Array(6).fill(128)]);
  });
});
