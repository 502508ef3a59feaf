import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { CaptureReader } from '../capture/reader.ts';
import { captureFile } from './capture-file.ts';
import type { LinkHandlers } from './link.ts';
import { memoryPair } from './memory.ts';
import { type FrameSink, teeLink } from './tee.ts';

const silent: LinkHandlers = { frame: () => {}, burstEnd: () => {}, writable: () => {}, closed: () => {} };

test('shows both directions in order, then hands on; a refused frame is shown when it is taken', () => {
  const log: string[] = [];
  const sink: FrameSink = {
    frame: (frame, direction) => log.push(`${direction} ${frame[0]}`),
    end: () => log.push('end'),
  };
  const { a, b, pump } = memoryPair({ delivery: 'pump', capacity: 1 });
  const tee = teeLink(a, sink);
  tee.start({
    ...silent,
    frame: (frame, owned) => log.push(`got ${frame[0]} ${owned}`),
    writable: () => log.push('writable'),
  });
  b.start({ ...silent, frame: (frame) => b.send(frame) });
  expect(tee.send(Uint8Array.of(1))).toBe(true);
  expect(tee.send(Uint8Array.of(2))).toBe(false);
  pump();
  expect(tee.send(Uint8Array.of(2))).toBe(true);
  pump();
  tee.close();
  tee.close();
  tee.send(Uint8Array.of(3));
  expect(log).toEqual(['outbound 1', 'writable', 'outbound 2', 'inbound 1', 'got 1 true', 'end']);
  expect([tee.mtu, tee.layer, tee.mac, tee.segmentation]).toEqual([a.mtu, a.layer, a.mac, a.segmentation]);
  expect(tee.checksum).toEqual(a.checksum);
});

test('a capture file holds the frames with direction and wall-clock times', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'estab-'));
  try {
    const file = path.join(folder, 'x.pcapng');
    const before = Date.now() - 1;
    const { a } = memoryPair({ delivery: 'pump' });
    const tee = teeLink(a, captureFile(file, a, 'mem0'));
    tee.start(silent);
    tee.send(Uint8Array.of(0x45, 1, 2));
    tee.send(new Uint8Array(1500).fill(7));
    tee.close();
    const seen: string[] = [];
    const reader = new CaptureReader({
      interface: (iface) => seen.push(`${iface.name} ${iface.linkType}`),
      packet: (record) => {
        seen.push(`${record.length} ${record.direction} ${record.data[record.offset]}`);
        const ms = record.seconds * 1000 + record.nanoseconds / 1e6;
        expect(ms).toBeGreaterThanOrEqual(before);
        expect(ms).toBeLessThanOrEqual(Date.now() + 1);
      },
    });
    reader.push(readFileSync(file));
    reader.end();
    expect(seen).toEqual(['mem0 101', '3 2 69', '1500 2 7']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('secrets stand before the packets of the moments before, after those that are written already', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'estab-'));
  try {
    const file = path.join(folder, 'x.pcapng');
    const { a } = memoryPair({ delivery: 'pump' });
    const sink = captureFile(file, a, 'mem0');
    sink.frame(Uint8Array.of(1), 'inbound');
    const empty = readFileSync(file).length;
    await vi.waitFor(() => expect(readFileSync(file).length).toBeGreaterThan(empty));
    sink.frame(Uint8Array.of(2), 'inbound');
    sink.secret(Buffer.from('SECRET of 2'));
    sink.frame(Uint8Array.of(3), 'outbound');
    sink.end();
    const seen: string[] = [];
    const reader = new CaptureReader({
      packet: (record) => seen.push(`packet ${record.data[record.offset]}`),
      secrets: ({ data }) => seen.push(Buffer.from(data).toString()),
    });
    reader.push(readFileSync(file));
    expect(reader.end()).toBeNull();
    expect(seen).toEqual(['packet 1', 'SECRET of 2', 'packet 2', 'packet 3']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a capture that cannot be written is the caller’s mistake', () => {
  const { a } = memoryPair({ delivery: 'pump' });
  expect(() => captureFile('/nowhere/at/all.pcapng', a, 'x')).toThrow(
    'cannot write a capture to /nowhere/at/all.pcapng',
  );
});
