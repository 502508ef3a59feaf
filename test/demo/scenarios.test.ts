/** Every story: what happens in it, and that the words about it are true. */

import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/bin/demo/catalogue.ts';
import type { RawOptions } from '../../src/bin/demo/options.ts';
import { type JsonLine, lifeOf, play } from './playing.ts';

const HANDSHAKE = [
  'client S CLOSED>SYN-SENT LISTEN>SYN-RECEIVED',
  'server SA SYN-SENT>ESTABLISHED SYN-RECEIVED',
  'client A ESTABLISHED SYN-RECEIVED>ESTABLISHED',
];

const CLOSE = [
  'client FA ESTABLISHED>FIN-WAIT-1 ESTABLISHED>CLOSE-WAIT',
  'server A FIN-WAIT-1>FIN-WAIT-2 CLOSE-WAIT',
  'server FA FIN-WAIT-2>TIME-WAIT CLOSE-WAIT>LAST-ACK',
  'client A TIME-WAIT LAST-ACK>CLOSED',
  '- TIME-WAIT>CLOSED CLOSED',
];

const segments = (lines: readonly JsonLine[]): JsonLine[] => lines.filter((line) => line.from !== null);

describe('three-way-handshake', () => {
  it('is three segments, each told with its numbers', () => {
    const { lines, told } = play('three-way-handshake', { clientIsn: '4294967295', serverIsn: '300' });
    expect(told).toEqual(HANDSHAKE);
    expect(lines[0]).toMatchObject({ t: 0, from: 'client', flags: 'S', seq: 4294967295, ack: 0, len: 0 });
    expect(lines[0].options).toMatchObject({ mss: 1460, sackPermitted: true });
    expect(lines[1]).toMatchObject({ t: 0.01, from: 'server', flags: 'SA', seq: 300, ack: 0 });
    expect(lines[2]).toMatchObject({ t: 0.02, from: 'client', flags: 'A', seq: 0, ack: 301, len: 0 });
  });

  it('says how long it took, the numbers, and that nobody closed', () => {
    const { words } = play('three-way-handshake', { delay: '25', clientIsn: '100', serverIsn: '300' });
    expect(words).toContain(
      'Opened in three segments: 50 ms until the client could send, 75 ms until the server could.',
    );
    expect(words).toContain('(client 100, server 300)');
    expect(words).toContain('Nobody closed: both ends are ESTABLISHED');
    expect(words).toContain('MSS 1460 each way');
    expect(words).toMatch(/round trip 50 ms by the client's clock, 50 ms by the server's/);
  });
});

describe('four-way-close', () => {
  it('is two FINs and two ACKs, and TIME-WAIT ends without a segment', () => {
    const { lines, told, words } = play('four-way-close', { msl: '15' });
    expect(told).toEqual([...HANDSHAKE, ...CLOSE]);
    expect(lines.at(-1)).toMatchObject({ t: 30.08, from: null });
    expect(words).toContain('Closed in four segments, client first.');
    expect(words).toContain('closed 20 ms later');
    expect(words).toContain('The client keeps TIME-WAIT for 30 s');
    expect(words).toContain('The server was free as soon as that ACK came.');
  });
});

describe('http', () => {
  it('opens, asks, answers and closes', () => {
    const { lines, told, words, run } = play('http');
    expect(told.slice(0, 3)).toEqual(HANDSHAKE);
    expect(told.slice(-5)).toEqual(CLOSE);
    const up = segments(lines).filter((line) => line.from === 'client' && line.len > 0);
    const down = segments(lines).filter((line) => line.from === 'server' && line.len > 0);
    expect(up).toHaveLength(1);
    expect(down.length).toBeGreaterThan(1);
    const octets = (of: JsonLine[]): number => of.reduce((sum, line) => sum + line.len, 0);
    expect(words).toContain(`${octets(up)} B up, ${octets(down).toLocaleString('en')} B down`);
    expect(run.happenings.filter((happening) => happening.error !== null)).toEqual([]);
    for (const said of [
      'Opened in three segments',
      'Closed in four segments, client first',
      'TIME-WAIT for 60 s',
      'Agreed: MSS 1460',
    ])
      expect(words).toContain(said);
  });

  it('tells a loss as it was, not as usual', () => {
    const { words, lines } = play('http', { loss: '0.3', seed: '2' });
    const lost = lines.filter((line) => line.lost);
    expect(lost.map((line) => line.flags)).toEqual(['FA']);
    expect(words).toContain("The server's FIN was sent twice, since no answer came in time.");
    expect(words).toMatch(/ 1 lost, 1 sent again\./);
  });

  it('does not say the FINs crossed when the first one was only lost', () => {
    const { words, lines } = play('http', { loss: '0.3', seed: '1' });
    expect(lines.some((line) => line.lost && line.flags === 'FA' && line.from === 'client')).toBe(true);
    expect(words).toContain('Closed in four segments, client first. The client');
    expect(words).not.toContain('crossed');
  });
});

describe('half-close', () => {
  it('carries text into the open half', () => {
    const { lines, words } = play('half-close');
    expect(lifeOf('client', lines)).toEqual([
      'CLOSED',
      'SYN-SENT',
      'ESTABLISHED',
      'FIN-WAIT-1',
      'FIN-WAIT-2',
      'TIME-WAIT',
      'CLOSED',
    ]);
    const late = lines.filter((line) => line.from === 'server' && line.len > 0);
    expect(late.every((line) => line.clientState[0] === 'FIN-WAIT-2')).toBe(true);
    const octets = late.reduce((sum, line) => sum + line.len, 0);
    expect(words).toContain(`then sent ${octets} B in three segments`);
  });
});

describe('simultaneous-open', () => {
  it('takes both sides through SYN-RECEIVED, with four segments', () => {
    const { lines, words } = play('simultaneous-open');
    const life = ['CLOSED', 'SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED'];
    expect(lifeOf('client', lines)).toEqual(life);
    expect(lifeOf('server', lines)).toEqual(life);
    expect(segments(lines).map((line) => line.flags)).toEqual(['S', 'S', 'SA', 'SA']);
    expect(words).toContain('Opened by both sides at once, in four segments');
    expect(words).not.toContain('sent again');
  });
});

describe('simultaneous-close', () => {
  it('takes both sides through CLOSING to TIME-WAIT', () => {
    const { lines, words } = play('simultaneous-close');
    expect(lifeOf('client', lines).slice(-4)).toEqual(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED']);
    expect(lifeOf('server', lines).slice(-4)).toEqual(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT', 'CLOSED']);
    expect(words).toContain('Closed by both sides at once');
    expect(words).toContain('Both ends keep TIME-WAIT for 60 s');
  });
});

describe('what is lost', () => {
  it('lost-syn: the same SYN again after a second', () => {
    const { lines, told, words } = play('lost-syn');
    expect(told).toEqual([
      'client S lost CLOSED>SYN-SENT LISTEN',
      'client S SYN-SENT LISTEN>SYN-RECEIVED',
      ...HANDSHAKE.slice(1),
    ]);
    expect(lines[1].seq).toBe(lines[0].seq);
    expect(lines[1].t).toBe(1);
    expect(words).toContain(
      'The client sent its SYN twice, always with the same number, the second 1 s after the first',
    );
    expect(words).toContain("one more than usual, one sent again. The wire lost the client's SYN.");
  });

  it('lost-synack: one SYN-ACK answers the SYN that came again, and no second one follows on its heels', () => {
    const { told, words } = play('lost-synack');
    expect(told).toEqual([
      'client S CLOSED>SYN-SENT LISTEN>SYN-RECEIVED',
      'server SA lost SYN-SENT SYN-RECEIVED',
      'client S SYN-SENT SYN-RECEIVED',
      ...HANDSHAKE.slice(1),
    ]);
    expect(words).toContain("in answer to the other's SYN that had come again");
  });

  it('lost-last-ack: the FIN again, the ACK again, TIME-WAIT anew', () => {
    const { told, words } = play('lost-last-ack');
    expect(told.slice(-5)).toEqual([
      'server FA FIN-WAIT-2>TIME-WAIT CLOSE-WAIT>LAST-ACK',
      'client A lost TIME-WAIT LAST-ACK',
      'server FA TIME-WAIT LAST-ACK',
      'client A TIME-WAIT LAST-ACK>CLOSED',
      '- TIME-WAIT>CLOSED CLOSED',
    ]);
    expect(words).toContain('60.2 s (2 MSL are 60 s; a FIN that came again started the clock anew)');
  });

  it('retransmission: one loss found by duplicate ACKs, one by the timer', () => {
    const { lines, words, run } = play('retransmission');
    expect(lines.filter((line) => line.lost)).toHaveLength(2);
    expect(words).toContain('duplicate ACKs told the sender');
    expect(words).toContain('only the timer noticed');
    expect(run.outcomes.map((outcome) => outcome.receivedOctets)).toEqual([9 * 1448 + 220, 19 + 15]);
  });
});

describe('strays', () => {
  it('old-duplicate-syn: figure 8 of the RFC', () => {
    const { lines, told, words } = play('old-duplicate-syn');
    expect(told).toEqual([
      'client S CLOSED>SYN-SENT LISTEN',
      'client S SYN-SENT LISTEN>SYN-RECEIVED',
      'server SA SYN-SENT SYN-RECEIVED',
      'client R SYN-SENT SYN-RECEIVED>LISTEN',
      '- SYN-SENT LISTEN>SYN-RECEIVED',
      'server SA SYN-SENT>ESTABLISHED SYN-RECEIVED',
      'client A ESTABLISHED SYN-RECEIVED>ESTABLISHED',
    ]);
    expect(lines[1].injected).toBe('old duplicate');
    expect(lines[3].seq).toBe(lines[2].ack);
    expect(words).toContain('goes back to LISTEN');
    expect(words).toContain('Opened in three segments');
  });

  it('two-way-handshake: with two segments text goes to nobody, with three none does', () => {
    const { run, lines, words } = play('two-way-handshake');
    const border = lines.findIndex((line) => line.serverState[1] === 'LISTEN');
    const [two, three] = [lines.slice(0, border), lines.slice(border)];
    expect(lifeOf('server', two)).toEqual(['LISTEN', 'SYN-RECEIVED', 'ESTABLISHED', 'CLOSED']);
    expect(lifeOf('server', three)).toEqual(['CLOSED', 'LISTEN', 'SYN-RECEIVED', 'CLOSED']);
    const texts = two.filter((line) => line.len > 0);
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.every((line) => line.lost)).toBe(true);
    expect(three.some((line) => line.len > 0)).toBe(false);
    expect(run.happenings.filter((happening) => happening.what === 'opened')).toHaveLength(1);
    expect(words).toContain('no application heard of it');
    expect(lifeOf('client', lines)).toEqual(['CLOSED']);
  });
});

describe('resets', () => {
  it('refused', () => {
    const { told, words, run } = play('refused');
    expect(told).toEqual(['client S CLOSED>SYN-SENT CLOSED', 'server RA SYN-SENT>CLOSED CLOSED']);
    expect(run.happenings.at(-1)).toMatchObject({ what: 'closed', error: 'ECONNREFUSED' });
    expect(words).toContain('the application was told ECONNREFUSED after 20 ms');
  });

  it('abort', () => {
    const { lines, words } = play('abort');
    const reset = lines.find((line) => line.flags === 'RA')!;
    expect(reset).toMatchObject({
      from: 'client',
      clientState: ['ESTABLISHED', 'CLOSED'],
      serverState: ['ESTABLISHED', 'CLOSED'],
    });
    expect(words).toContain('told ECONNRESET');
    expect(lines.some((line) => line.flags?.includes('F'))).toBe(false);
    expect(words).not.toContain('keeps TIME-WAIT');
  });

  it('half-open: figures 10 and 9', () => {
    const { lines } = play('half-open');
    const resets = lines.filter((line) => line.flags === 'R');
    expect(resets.map((line) => line.serverState)).toEqual([
      ['ESTABLISHED', 'CLOSED'],
      ['ESTABLISHED', 'CLOSED'],
    ]);
    const challenge = lines[lines.indexOf(resets[1]) - 1];
    expect(challenge).toMatchObject({ from: 'server', flags: 'A', clientState: ['SYN-SENT', 'SYN-SENT'] });
    expect(resets[1].seq).toBe(challenge.ack);
    expect(lines.at(-1)).toMatchObject({
      clientState: ['ESTABLISHED', 'ESTABLISHED'],
      serverState: ['ESTABLISHED', 'ESTABLISHED'],
    });
  });
});

describe('an open connection', () => {
  it('zero-window: closed, probed, opened', () => {
    const { lines, words, run } = play('zero-window');
    const closed = lines.findIndex((line) => line.from === 'client' && line.win === 0);
    const open = lines.findIndex((line, i) => i > closed && line.from === 'client' && line.win > 0);
    const probes = lines.slice(closed, open).filter((line) => line.from === 'server');
    expect(probes.map((line) => line.len)).toEqual([1, 1, 1]);
    expect(words).toContain('3 probes of one octet');
    expect(run.outcomes[0].receivedOctets).toBe(6 * 1448);
  });

  it('urgent: a pointer, and the text in line', () => {
    const { lines, words, run } = play('urgent');
    const marked = lines.filter((line) => line.flags?.includes('U'));
    expect(marked).toHaveLength(1);
    expect(marked[0]).toMatchObject({ from: 'client', flags: 'PAU', len: 10, urg: 10 });
    expect(run.happenings.filter((happening) => happening.what === 'urgent')).toHaveLength(1);
    expect(words).toContain(`own sequence number (${marked[0].seq})`);
  });

  it('keepalive: one answered, the others not, then given up', () => {
    const { lines, words, text } = play('keepalive');
    // The number before SND.NXT is what makes it one.
    expect(text).toContain('[.] 0 ack 7 win 131,072 · keep-alive');
    const probes = lines.filter((line) => line.from === 'server' && line.t > 10 && line.flags === 'A');
    expect(probes.map((line) => line.lost === true)).toEqual([false, true, true, true, true]);
    expect(lines.at(-1)).toMatchObject({ flags: 'RA', lost: true, serverState: ['ESTABLISHED', 'CLOSED'] });
    expect(words).toContain('1 probe answered, 4 not');
    expect(words).toContain('ETIMEDOUT');
  });

  it('reordering: everything arrives, nothing goes twice', () => {
    const { lines, words, run } = play('reordering');
    const numbers = lines.filter((line) => line.from === 'server' && line.len > 0).map((line) => line.seq);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(lines.some((line) => (line.options?.sack?.length ?? 0) > 0)).toBe(true);
    expect(words).toContain('2 segments were overtaken');
    expect(run.outcomes[0].receivedOctets).toBe(7 * 1448);
  });
});

const VARIANTS: readonly RawOptions[] = [
  {},
  { ipv6: true },
  { delay: '0' },
  { delay: '300' },
  { rate: '64k' },
  { mss: '88' },
  { window: '1024' },
  { msl: '1ms' },
  { clientIsn: '4294967290', serverIsn: '4294967295' },
  ...[1, 2, 3, 4, 5].map((seed) => ({ seed: String(seed), loss: String(seed / 10) })),
  { loss: '1' },
  { absolute: true, loss: '0.2' },
  { client: '[2001:db8:1234::5678]:65535', server: '[2001:db8::2]:7788' },
];

describe.each(SCENARIOS.map(({ name }) => name))('%s under all conditions', (name) => {
  it('chains at both ends, keeps to its width and says no nonsense', () => {
    for (const raw of VARIANTS) {
      for (const width of [40, 60, 80, 100, 140]) {
        const { text } = play(name, raw, width);
        const long = text.split('\n').filter((line) => line.length > width);
        expect(long, `${JSON.stringify(raw)} at ${width}`).toEqual([]);
        expect(text).not.toMatch(/NaN|undefined|null|Infinity|-\d+ m?s\b/);
      }
      const { lines } = play(name, raw);
      for (const end of ['clientState', 'serverState'] as const) {
        lines.forEach((line, i) => {
          if (i > 0) expect(line[end][0], `${JSON.stringify(raw)} line ${i} ${end}`).toBe(lines[i - 1][end][1]);
        });
      }
      for (const line of lines.filter((one) => one.lost)) {
        const receiver = line.from === 'client' ? line.serverState : line.clientState;
        expect(receiver[0]).toBe(receiver[1]);
      }
      const times = lines.map((line) => line.t);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('is the same from the same seed, and another from another', () => {
    const once = play(name, { seed: '9' });
    expect(play(name, { seed: '9' }).text).toBe(once.text);
    expect(play(name, { seed: '10' }).lines[0].seq).not.toBe(once.lines[0].seq);
  });
});
