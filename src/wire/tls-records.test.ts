import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { type TlsMessage, TlsReader } from './tls-records.ts';

const u16 = (value: number): number[] => [value >> 8, value & 255];
const record = (type: number, body: number[]): number[] => [type, 3, 3, ...u16(body.length), ...body];
const message = (type: number, length: number): number[] => [type, 0, ...u16(length), ...new Array(length).fill(7)];
const names = (messages: TlsMessage[]): string[] => messages.map(({ name }) => name);

/** A TLS 1.2 server: two messages in one record, one over two records, the ciphers change, the rest is sealed. */
const SERVER = [
  ...record(22, [...message(11, 300), ...message(14, 0)]),
  ...record(22, message(16, 40).slice(0, 10)),
  ...record(22, message(16, 40).slice(10)),
  ...record(20, [1]),
  ...record(22, new Array(40).fill(9)),
  ...record(23, new Array(100).fill(9)),
  ...record(23, new Array(100).fill(9)),
];
const SAID = [
  ...['Certificate', 'ServerHelloDone', 'ClientKeyExchange', 'ChangeCipherSpec'],
  ...['sealed handshake message', 'ApplicationData'],
];

describe('TlsReader', () => {
  it('names what is in the clear, however the octets come', () => {
    const bytes = Uint8Array.from(SERVER);
    expect(names(new TlsReader().push(bytes))).toEqual(SAID);
    for (const step of [1, 2, 7, 100]) {
      const reader = new TlsReader();
      const found: TlsMessage[] = [];
      for (let at = 0; at < bytes.length; at += step) found.push(...reader.push(bytes.subarray(at, at + step)));
      expect(names(found)).toEqual(SAID);
      expect(reader.done).toBe(true);
    }
  });

  it('says alerts by level and name', () => {
    const [alert] = new TlsReader().push(Uint8Array.from(record(21, [2, 40])));
    expect(alert).toMatchObject({ name: 'Alert', alert: 'fatal handshake_failure' });
  });

  it('stops at what is no TLS, or too long to be one message', () => {
    const reader = new TlsReader();
    expect(reader.push(new TextEncoder().encode('GET / HTTP/1.1\r\n'))).toEqual([]);
    expect(reader.done).toBe(true);
    const endless = new TlsReader();
    expect(endless.push(Uint8Array.from(record(22, [11, 0x7f, 0xff, 0xff, 1, 2, 3])))).toEqual([]);
    expect(endless.done).toBe(true);
  });

  it('never throws on mutated input', () => {
    const random = new SeededRandom(11);
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from(SERVER);
      for (let i = 0; i < 3; i++) bytes[random.nextUint32() % bytes.length] = random.nextUint32() & 255;
      const reader = new TlsReader();
      const cut = random.nextUint32() % bytes.length;
      expect(() => [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))]).not.toThrow();
    }
  });
});
