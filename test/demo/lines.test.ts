import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLines } from '../../src/bin/demo/json-lines.ts';
import { type Line, linesOf } from '../../src/bin/demo/lines.ts';
import { type EndName, otherEnd, Record } from '../../src/bin/demo/record.ts';
import { World } from '../../src/sim/world.ts';
import type { StateName } from '../../src/tcp/state.ts';
import { ACK, FIN, SYN } from '../../src/wire/tcp.ts';
import { type Fields, madeFrame } from './made-frames.ts';

/** A stage on which segments and changes are put by hand. */
class Script {
  readonly world = new World(1);
  readonly record = new Record(() => this.world.now);

  send(
    time: number,
    from: EndName,
    fields: Fields,
    own?: [StateName, StateName],
    arrival?: [StateName, StateName],
    travelMs = 10,
  ): void {
    this.world.at(time, () => {
      if (own !== undefined) this.record.stateChanged(from, ...own, 'a call');
      const frame = madeFrame(from, fields, time);
      this.record.onWire({ kind: 'sent', time, frame });
      this.world.after(travelMs, () => {
        this.record.onWire({ kind: 'delivered', time: this.world.now, frame });
        if (arrival !== undefined) this.record.stateChanged(otherEnd(from), ...arrival, '');
        this.record.processed(otherEnd(from));
      });
    });
  }

  lines(): Line[] {
    this.world.runUntilIdle();
    this.record.flush();
    return linesOf(this.record);
  }
}

function told(lines: readonly Line[]): string[] {
  return lines.map((line) => {
    const what = line.kind === 'segment' ? line.sent.from : line.kind;
    return `${line.time} ${what} ${line.client.join('>')} ${line.server.join('>')}`;
  });
}

describe('lines', () => {
  it('tell a departure and its arrival together', () => {
    const script = new Script();
    script.record.begin('server', 'LISTEN');
    script.send(0, 'client', { flags: SYN, seq: 100 }, ['CLOSED', 'SYN-SENT'], ['LISTEN', 'SYN-RECEIVED']);
    script.send(11, 'server', { flags: SYN | ACK, seq: 300, ack: 101 }, undefined, ['SYN-SENT', 'ESTABLISHED']);
    script.send(22, 'client', { flags: ACK, seq: 101, ack: 301 }, undefined, ['SYN-RECEIVED', 'ESTABLISHED']);
    expect(told(script.lines())).toEqual([
      '0 client CLOSED>SYN-SENT LISTEN>SYN-RECEIVED',
      '11 server SYN-SENT>ESTABLISHED SYN-RECEIVED>SYN-RECEIVED',
      '22 client ESTABLISHED>ESTABLISHED SYN-RECEIVED>ESTABLISHED',
    ]);
  });

  it('tell an arrival by itself where segments crossed', () => {
    const script = new Script();
    script.record.begin('client', 'ESTABLISHED');
    script.record.begin('server', 'ESTABLISHED');
    const fin = (seq: number): Fields => ({ flags: FIN | ACK, seq, ack: 1 });
    script.send(0, 'client', fin(100), ['ESTABLISHED', 'FIN-WAIT-1'], ['FIN-WAIT-1', 'CLOSING']);
    script.send(4, 'server', fin(300), ['ESTABLISHED', 'FIN-WAIT-1'], ['FIN-WAIT-1', 'CLOSING']);
    expect(told(script.lines())).toEqual([
      '0 client ESTABLISHED>FIN-WAIT-1 ESTABLISHED>ESTABLISHED',
      '4 server FIN-WAIT-1>CLOSING ESTABLISHED>FIN-WAIT-1',
      '10 arrival CLOSING>CLOSING FIN-WAIT-1>CLOSING',
    ]);
  });

  it('give a change nobody sent anything for a line of its own', () => {
    const script = new Script();
    script.record.begin('client', 'TIME-WAIT');
    script.world.at(60_000, () => script.record.stateChanged('client', 'TIME-WAIT', 'CLOSED', '2 MSL are over'));
    const lines = script.lines();
    expect(told(lines)).toEqual(['60000 change TIME-WAIT>CLOSED CLOSED>CLOSED']);
    expect(JSON.parse(jsonLines(lines)[0])).toEqual({
      t: 60,
      from: null,
      cause: 'client: 2 MSL are over',
      clientState: ['TIME-WAIT', 'CLOSED'],
      serverState: ['CLOSED', 'CLOSED'],
    });
  });

  it('leave the receiver of a lost segment as it was', () => {
    const script = new Script();
    script.record.begin('server', 'LISTEN');
    script.record.stateChanged('client', 'CLOSED', 'SYN-SENT', 'a call');
    const frame = madeFrame('client', { flags: SYN, seq: -1, mss: 1460, window: 5 });
    script.record.onWire({ kind: 'sent', time: 0, frame });
    script.record.onWire({ kind: 'dropped', time: 0, frame, reason: 'verdict' });
    expect(JSON.parse(jsonLines(script.lines())[0])).toEqual({
      t: 0,
      from: 'client',
      flags: 'S',
      seq: 4294967295,
      ack: 0,
      len: 0,
      win: 5,
      options: { mss: 1460 },
      lost: true,
      clientState: ['CLOSED', 'SYN-SENT'],
      serverState: ['LISTEN', 'LISTEN'],
    });
  });

  it('chain at both ends and lose no state, whatever crosses and overtakes', () => {
    const states: StateName[] = ['CLOSED', 'SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'];
    const step = fc.record({
      from: fc.constantFrom<EndName>('client', 'server'),
      at: fc.integer({ min: 0, max: 60 }),
      travel: fc.integer({ min: 0, max: 30 }),
      call: fc.boolean(),
      arrives: fc.boolean(),
      sends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const world = new World(1);
        const record = new Record(() => world.now);
        const truth: { [end in EndName]: StateName[] } = { client: ['CLOSED'], server: ['CLOSED'] };
        const move = (end: EndName): void => {
          const before = truth[end].at(-1)!;
          const after = states[(states.indexOf(before) + 1) % states.length];
          truth[end].push(after);
          record.stateChanged(end, before, after, 'moved');
        };
        for (const { from, at, travel, call, arrives, sends } of steps) {
          world.at(at, () => {
            if (call) move(from);
            if (!sends) return;
            const frame = madeFrame(from, { flags: ACK, seq: at }, at);
            record.onWire({ kind: 'sent', time: at, frame });
            world.after(travel, () => {
              record.onWire({ kind: 'delivered', time: world.now, frame });
              if (arrives) move(otherEnd(from));
              record.processed(otherEnd(from));
            });
          });
        }
        world.runUntilIdle();
        record.flush();
        const lines = linesOf(record);
        expect(lines.filter((line) => line.kind === 'segment')).toHaveLength(steps.filter((s) => s.sends).length);
        expect(lines.some((line) => line.kind === 'change' && line.cause !== 'moved')).toBe(false);
        for (const end of ['client', 'server'] as const) {
          const seen: StateName[] = ['CLOSED'];
          for (const line of lines) {
            const [before, after] = line[end];
            expect(before).toBe(seen.at(-1));
            if (after !== before) seen.push(after);
          }
          // Calls at one instant that one segment carries away are told as one step.
          expect(seen.at(-1)).toBe(truth[end].at(-1));
          expect(truth[end].filter((state) => seen.includes(state)).length).toBeGreaterThanOrEqual(seen.length - 1);
        }
        const times = lines.map((line) => line.time);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });
});
