import { describe, expect, test } from 'vitest';
import { seq, seqToUint32 } from '../base/seq.ts';
import { pseudoHeaderSum } from './checksum.ts';
import { WireDrop } from './drop.ts';
import {
  ACK,
  AE,
  CWR,
  ECE,
  emitTcp,
  FIN,
  PSH,
  parseTcp,
  RST,
  Segment,
  SYN,
  setTcpChecksum,
  tcpChecksumOk,
  tcpHeaderLength,
  URG,
} from './tcp.ts';

/** A Linux 6.18 client's SYN, the SYN-ACK to it, and its request, from 10.77.0.1 and back. */
const LINUX_SYN = 'df5c00501ae58eb000000000a002faf09b380000020405b40402080a8ca38751000000000103030a';
const LINUX_SYN_ACK = '0050df5c032d6b711ae58eb1a012fe8891530000020405b40402080a671c30818ca387510103030a';
const LINUX_REQUEST =
  'df5c00501ae58eb1032d6b728018003f8f3500000101080a8ca38770671c3081474554202f20485454502f312e310d0a486f73743a207365727665722e746573740d0a0d0a';
const TO_SERVER = (length: number): number => pseudoHeaderSum(4, 0, 0, 0, 0x0a4d0001, 0, 0, 0, 0x0a4d0002, 6, length);

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

function parsed(bytes: Uint8Array): Segment {
  const segment = new Segment();
  expect(parseTcp(bytes, 0, bytes.length, segment)).toBe(WireDrop.NONE);
  return segment;
}

describe('parse', () => {
  test("a Linux client's SYN", () => {
    const segment = parsed(hex(LINUX_SYN));
    expect(segment).toMatchObject({
      sourcePort: 57180,
      destinationPort: 80,
      flags: SYN,
      window: 64240,
      urgentPointer: 0,
    });
    expect(seqToUint32(segment.seq)).toBe(0x1ae58eb0);
    expect(segment).toMatchObject({ mss: 1460, windowScale: 10, sackPermitted: true, timestamps: true, tsEcr: 0 });
    expect(segment.tsVal >>> 0).toBe(2359527249);
    expect(segment).toMatchObject({ fastOpen: false, userTimeout: -1, sackCount: 0, payloadLength: 0 });
  });

  test('its request: the text is where it lies, not copied', () => {
    const bytes = hex(LINUX_REQUEST);
    const segment = parsed(bytes);
    expect(segment).toMatchObject({
      flags: ACK | PSH,
      window: 63,
      payloadOffset: 32,
      payloadLength: bytes.length - 32,
    });
    expect(segment.payload).toBe(bytes);
    expect(segment).toMatchObject({ mss: 0, windowScale: -1, sackPermitted: false, timestamps: true });
  });

  test('what a segment before it left is gone, but for the ECN codepoint, which is not in its header', () => {
    const segment = parsed(hex(LINUX_SYN));
    segment.ecn = 3;
    const plain = hex('df5c00501ae58eb1032d6b725010003f8f350000');
    expect(parseTcp(plain, 0, 20, segment)).toBe(WireDrop.NONE);
    const expected = parsed(plain);
    expected.ecn = 3;
    expect(segment).toEqual(expected);
  });

  test('at an offset of a larger buffer, with something behind', () => {
    const bytes = new Uint8Array(200).fill(0x55);
    bytes.set(hex(LINUX_REQUEST), 34);
    const segment = new Segment();
    expect(parseTcp(bytes, 34, 50, segment)).toBe(WireDrop.NONE);
    expect(segment).toMatchObject({ sourcePort: 57180, payloadOffset: 66, payloadLength: 18 });
  });

  test('sequence numbers beyond 2^31 are int32, as Seq is', () => {
    const segment = parsed(hex('00010002fffffff07ffffff05010000000000000'));
    expect([segment.seq, segment.ack]).toEqual([-16, 0x7ffffff0]);
  });

  test('nine flags, and three reserved bits that are nobody’s', () => {
    expect(parsed(hex('000100020000000000000000' + '5fff' + '000000000000')).flags).toBe(
      FIN | SYN | RST | PSH | ACK | URG | ECE | CWR | AE,
    );
    expect(parsed(hex('000100020000000000000000' + '5e00' + '000000000000')).flags).toBe(0);
  });
});

describe('F06, F07: headers that cannot be', () => {
  test.each([0, 1, 2, 3, 4])('data offset %i', (offset) => {
    const bytes = hex(LINUX_REQUEST);
    bytes[12] = offset << 4;
    const segment = new Segment();
    expect(parseTcp(bytes, 0, bytes.length, segment)).toBe(WireDrop.TCP_DATA_OFFSET);
    // What could be read is there, for whoever wants to show it.
    expect(segment).toMatchObject({ sourcePort: 57180, flags: ACK | PSH, payloadLength: 0 });
  });

  test('data offset past the end', () => {
    const bytes = hex('df5c00501ae58eb1032d6b726010003f8f350000');
    expect(parseTcp(bytes, 0, 20, new Segment())).toBe(WireDrop.TCP_DATA_OFFSET);
    expect(parseTcp(hex(LINUX_SYN), 0, 39, new Segment())).toBe(WireDrop.TCP_DATA_OFFSET);
  });

  test('cut at each byte before 20', () => {
    for (let length = 0; length < 20; length++) {
      expect(parseTcp(hex(LINUX_SYN), 0, length, new Segment())).toBe(WireDrop.TCP_TRUNCATED);
    }
  });

  test('a length past the end of the buffer, a place before its beginning', () => {
    const bytes = hex(LINUX_SYN);
    expect(parseTcp(bytes, 0, 41, new Segment())).toBe(WireDrop.TCP_TRUNCATED);
    expect(parseTcp(bytes, 21, 20, new Segment())).toBe(WireDrop.TCP_TRUNCATED);
    expect(parseTcp(bytes, -1, 20, new Segment())).toBe(WireDrop.TCP_TRUNCATED);
  });
});

describe('emit', () => {
  test.each([
    ['SYN', LINUX_SYN],
    ['SYN-ACK', LINUX_SYN_ACK],
    ['request', LINUX_REQUEST],
  ])("Linux's %s comes out byte for byte, checksum too", (_name, text) => {
    const original = hex(text);
    const segment = parsed(original);
    const bytes = new Uint8Array(original.length + 2).fill(0xee);
    const length = emitTcp(segment, bytes, 1);
    expect(length).toBe(tcpHeaderLength(segment));
    bytes.set(original.subarray(length), 1 + length);
    setTcpChecksum(bytes, 1, original.length, TO_SERVER(original.length));
    expect(Buffer.from(bytes).toString('hex')).toBe(`ee${text}ee`);
  });

  test('all nine flags', () => {
    const segment = new Segment();
    segment.flags = FIN | SYN | RST | PSH | ACK | URG | ECE | CWR | AE;
    segment.seq = seq(-16);
    segment.urgentPointer = 0xfffe;
    const bytes = new Uint8Array(20).fill(0xff);
    expect(emitTcp(segment, bytes, 0)).toBe(20);
    expect(Buffer.from(bytes).toString('hex')).toBe(`00000000fffffff00000000051ff00000000fffe`);
  });

  test('no room for the header is the caller’s mistake', () => {
    const segment = parsed(hex(LINUX_SYN));
    expect(() => emitTcp(segment, new Uint8Array(39), 0)).toThrowError(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => emitTcp(segment, new Uint8Array(41), 2)).toThrowError(/40 bytes does not fit at 2 of 41/);
  });
});

describe('F08: checksum', () => {
  test('good, and with any bit of it wrong; zero and ones are values like others', () => {
    const bytes = hex(LINUX_REQUEST);
    expect(tcpChecksumOk(bytes, 0, bytes.length, TO_SERVER(bytes.length))).toBe(true);
    expect(tcpChecksumOk(bytes, 0, bytes.length, TO_SERVER(bytes.length) + 1)).toBe(false);
    for (const wrong of [0x0000, 0xffff, 0x8f34, 0x8e35]) {
      bytes[16] = wrong >> 8;
      bytes[17] = wrong;
      expect(tcpChecksumOk(bytes, 0, bytes.length, TO_SERVER(bytes.length))).toBe(false);
    }
  });
});

test('reset brings back every default and lets go of the buffer', () => {
  const segment = parsed(hex(LINUX_REQUEST));
  segment.ecn = 2;
  segment.fastOpen = true;
  segment.fastOpenCookie = new Uint8Array(4);
  segment.userTimeout = 5;
  segment.mss = 536;
  segment.windowScale = 3;
  segment.sackPermitted = true;
  segment.sackCount = 1;
  segment.urgentPointer = 9;
  segment.reset();
  expect(segment).toEqual(new Segment());
});
