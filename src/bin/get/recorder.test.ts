import { describe, expect, it } from 'vitest';
import { Packet } from '../../dissect/packet.ts';
import { Tap } from './recorder.ts';

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
