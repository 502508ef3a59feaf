import { describe, expect, it } from 'vitest';
import {
  duration,
  inWords,
  moment,
  outputWidth,
  thousands,
  times,
  wantsColour,
  wrap,
} from '../../src/bin/demo/paint.ts';
import { flagLetters, flagMarks } from '../../src/bin/demo/segment-facts.ts';
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../src/wire/tcp.ts';
import { play } from './playing.ts';

/** Kinds of remarks with the flags of their segments, in order. */
function remarks(name: string, raw = {}): string[] {
  const { run } = play(name, raw);
  return [...run.remarks].map(([sent, remark]) => `${sent.from} ${flagLetters(sent.facts.flags)} ${remark.kind}`);
}

describe('remarks', () => {
  it('call a repetition needless only when what it repeats had been answered', () => {
    expect(remarks('lost-last-ack')).toEqual(['server FA again']);
    expect(remarks('lost-synack')).toEqual(['client S again', 'server SA again']);
    expect(remarks('http', { loss: '0.3', seed: '1' }).filter((remark) => remark.startsWith('client PA'))).toEqual([
      'client PA again',
      'client PA needless',
    ]);
  });

  it('know a SYN-ACK of a simultaneous open from a repetition', () => {
    expect(remarks('simultaneous-open')).toEqual([]);
  });

  it('know probes from keep-alives, and what a half-open connection answers', () => {
    expect(remarks('zero-window')).toContain('server A probe');
    expect(remarks('zero-window').join()).not.toContain('keep-alive');
    expect(remarks('keepalive')).toEqual(Array(5).fill('server A keep-alive'));
    // Wherever the numbers of the successive connections stand on the ring.
    for (let seed = 1; seed <= 12; seed++) {
      expect(remarks('half-open', { seed: String(seed) })).toEqual(['server A challenge', 'client S again']);
    }
  });
});

describe('words', () => {
  it('put flags in one order', () => {
    expect(flagLetters(SYN | FIN | RST | PSH | ACK | URG | ECE | CWR)).toBe('SFRPAUEW');
    expect([flagLetters(SYN | ACK), flagLetters(PSH | ACK), flagLetters(FIN | ACK)]).toEqual(['SA', 'PA', 'FA']);
    expect([flagMarks(SYN | ACK), flagMarks(ACK), flagMarks(0)]).toEqual(['S.', '.', 'none']);
  });

  it('say times and numbers as people do', () => {
    expect([0, 0.5, 20, 999, 1020, 60_000, 119_900, 150_000, 7_200_000].map(duration)).toEqual([
      '0 ms',
      '0.5 ms',
      '20 ms',
      '999 ms',
      '1.02 s',
      '60 s',
      '119.9 s',
      '2.5 min',
      '2 h',
    ]);
    expect([moment(610), moment(140_050)]).toEqual(['610 ms', '140.05 s']);
    expect([thousands(999), thousands(1_234_567)]).toEqual(['999', '1,234,567']);
    expect([times(1), times(2), times(3), inWords(11)]).toEqual(['once', 'twice', 'three times', '11']);
  });

  it('break lines at spaces', () => {
    expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four']);
  });
});

describe('the terminal', () => {
  it('gets colour, a pipe does not, and the user has the last word', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true);
    expect(wantsColour({}, {})).toBe(false);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour({}, { FORCE_COLOR: '1' })).toBe(true);
    expect(wantsColour({}, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
  });

  it('says how wide it is', () => {
    expect(outputWidth({ isTTY: true, columns: 77 }, {})).toBe(77);
    expect(outputWidth({}, {})).toBe(100);
    expect(outputWidth({}, { COLUMNS: '120' })).toBe(120);
    expect(outputWidth({ isTTY: true, columns: 5 }, {})).toBe(40);
  });
});
