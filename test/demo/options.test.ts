import { describe, expect, it } from 'vitest';
import { Misuse, readOptions } from '../../src/bin/demo/options.ts';

describe('options of the demo', () => {
  it('have defaults', () => {
    const options = readOptions({});
    expect(options).toMatchObject({
      seed: 1,
      loss: 0,
      delayMs: 10,
      rate: null,
      mss: null,
      format: 'ladder',
      ipv6: false,
    });
    expect(`${options.client.address}:${options.client.port}`).toBe('10.0.0.1:49152');
    expect(`${options.server.address}:${options.server.port}`).toBe('10.0.0.2:7788');
    expect(readOptions({}, 80).server.port).toBe(80);
  });

  it('read their units', () => {
    expect(readOptions({ loss: '5%' }).loss).toBe(0.05);
    expect(readOptions({ loss: '0.25' }).loss).toBe(0.25);
    expect(readOptions({ delay: '2.5' }).delayMs).toBe(2.5);
    expect(readOptions({ delay: '1s' }).delayMs).toBe(1000);
    expect(readOptions({ rate: '10M' }).rate).toBe(10_000_000);
    expect(readOptions({ rate: '64kbit/s' }).rate).toBe(64_000);
    expect(readOptions({ msl: '15' }).mslMs).toBe(15_000);
    expect(readOptions({ msl: '250ms' }).mslMs).toBe(250);
    expect(readOptions({ clientIsn: '4294967295' }).clientIsn).toBe(4_294_967_295);
  });

  it('take the family from the addresses', () => {
    expect(readOptions({ client: '[fd00::1]:1', server: '[fd00::2]:2' }).ipv6).toBe(true);
    expect(`${readOptions({ ipv6: true }).client.address}`).toBe('2001:db8::1');
    expect(`${readOptions({ server: '[fd00::2]:2' }).client.address}`).toBe('2001:db8::1');
  });

  it.each([
    [{ seed: 'x' }, /--seed x: give a whole number/],
    [{ loss: '101%' }, /--loss 101%: give a probability/],
    [{ loss: '-1' }, /--loss/],
    [{ delay: '61s' }, /--delay 61s: give a time/],
    [{ rate: 'fast' }, /--rate fast: give bit\/s/],
    [{ client: '10.0.0.1' }, /--client 10.0.0.1: write ADDRESS:PORT/],
    [{ client: '10.0.0.256:1' }, /no IP address/],
    [{ server: '10.0.0.1:65536' }, /ports go from 1 to 65535/],
    [{ server: '10.0.0.1:80' }, /both 10.0.0.1/],
    [{ server: '224.0.0.1:80' }, /no host can have this address/],
    [{ client: '[fd00::1]:1', server: '10.0.0.2:80' }, /over IPv6/],
    [{ mss: '20' }, /--mss 20: give octets from 88/],
    [{ mss: '500', ipv6: true }, /--mss 500: give octets from 1220/],
    [{ window: '3' }, /--window 3/],
    [{ msl: '5min' }, /--msl 5min/],
    [{ clientIsn: '4294967296' }, /--client-isn/],
    [{ format: 'html' }, /write ladder or tcpdump/],
    [{ json: true, format: 'ladder' }, /exclude each other/],
  ])('%j is a misuse that says what to do', (raw, message) => {
    expect(() => readOptions(raw)).toThrow(Misuse);
    expect(() => readOptions(raw)).toThrow(message);
    try {
      readOptions(raw);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });
});
