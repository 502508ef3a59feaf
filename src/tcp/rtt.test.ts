import { expect, test } from 'vitest';
import { seq } from '../base/seq.ts';
import { DEFAULT_TCP_CONFIG } from './config.ts';
import { acknowledgeTiming, backOff, baseRto, sampleRtt, startTiming, stopTiming } from './rtt.ts';
import { Tcb } from './tcb.ts';

const tcb = (): Tcb => new Tcb(DEFAULT_TCP_CONFIG, 4, 1500);

test('a steady path settles at its round trip plus the floor, a jumping one at four deviations', () => {
  const steady = tcb();
  for (let i = 0; i < 200; i++) sampleRtt(steady, 50);
  expect(Math.round(steady.srttMs)).toBe(50);
  expect(Math.round(steady.rtoMs)).toBe(250);
  const jumping = tcb();
  for (let i = 0; i < 400; i++) sampleRtt(jumping, i % 2 === 0 ? 100 : 900);
  expect(jumping.srttMs).toBeGreaterThan(400);
  expect(jumping.srttMs).toBeLessThan(600);
  expect(jumping.rtoMs).toBeGreaterThan(900);
});

test('a clock that stands still or goes back gives a sample of nothing, not a negative one', () => {
  const t = tcb();
  sampleRtt(t, -5);
  expect([t.srttMs, t.rttvarMs]).toEqual([0, 0]);
  expect(t.rtoMs).toBe(DEFAULT_TCP_CONFIG.rtoMinMs);
});

test('back-off doubles up to the ceiling, and a new sample takes it back', () => {
  const t = tcb();
  sampleRtt(t, 100);
  const base = t.rtoMs;
  backOff(t);
  expect(t.rtoMs).toBe(2 * base);
  for (let i = 0; i < 20; i++) backOff(t);
  expect(t.rtoMs).toBe(DEFAULT_TCP_CONFIG.rtoMaxMs);
  expect(baseRto(t)).toBe(base);
});

test('one segment is timed at a time; an ACK short of it, or after a retransmission, is no sample', () => {
  const t = tcb();
  startTiming(t, seq(0x7fffffff), 1000);
  startTiming(t, seq(-0x7fffff00), 1500);
  acknowledgeTiming(t, seq(0x7ffffff0), 1600);
  expect(t.hasRtt).toBe(false);
  acknowledgeTiming(t, seq(-0x80000000), 1700);
  expect(t.srttMs).toBe(700);
  startTiming(t, seq(5), 2000);
  stopTiming(t);
  acknowledgeTiming(t, seq(5), 9000);
  expect(t.srttMs).toBe(700);
});
