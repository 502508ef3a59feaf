/** Delivery under faults: nothing lost, doubled, reordered or altered, and nothing left behind. Cases G01 … G15. */

import { describe, expect, it } from 'vitest';
import { randomBelow, randomUnit, SeededRandom } from '../../src/base/random.ts';
import type { VerdictHook } from '../../src/sim/wire.ts';
import { parseIp } from '../../src/wire/ip.ts';
import { IpPacket } from '../../src/wire/ip-packet.ts';
import { ACK, parseTcp, RST, Segment, SYN } from '../../src/wire/tcp.ts';
import { icmp } from '../stack/icmp.ts';
import { CLEAN, HOUR, PATIENT, Scene } from './scene.ts';

const MB = 1_000_000;
const LINE = { delayMs: 15, rate: 10 * MB, queuePackets: 25 };

/**
 * On lines this bad the ACK of the last FIN may be lost for longer than 2 MSL of a minute; then that FIN finds nobody,
 * and the answer is a RST. What helps is to wait longer and to ask more often.
 */
const LONG_WAIT = ['tcp_msl_ms=240000', 'tcp_rto_max_ms=10000'];

/** Loses a share of all frames, but never more than three in a row. */
function shortBursts(share: number, seed: number): VerdictHook {
  const random = new SeededRandom(seed);
  let row = 0;
  return () => {
    row = row < 3 && randomUnit(random) < share ? row + 1 : 0;
    return row > 0 ? 'drop' : 'pass';
  };
}

function flagsOf(frame: Uint8Array): number {
  const packet = new IpPacket();
  const segment = new Segment();
  if (parseIp(frame, 0, frame.length, packet) !== 0 || packet.protocol !== 6) return 0;
  return parseTcp(frame, packet.payloadOffset, packet.payloadLength, segment) === 0 ? segment.flags : 0;
}

/** Counts SYNs without ACK and RSTs that were sent. */
function census(scene: Scene): { syns: number; resets: number; frames: number } {
  const seen = { syns: 0, resets: 0, frames: 0 };
  scene.wire.observe((event) => {
    if (event.kind !== 'sent') return;
    const flags = flagsOf(event.frame.bytes);
    seen.frames++;
    if ((flags & (SYN | ACK)) === SYN) seen.syns++;
    if ((flags & RST) !== 0) seen.resets++;
  });
  return seen;
}

describe('a bad line', () => {
  it('[G01] 50 handshakes at 30 % loss each way: 50 connections', () => {
    const options = (seed: number) => ({ ...LINE, queuePackets: 100, verdict: shortBursts(0.3, seed) });
    const scene = new Scene({
      forward: options(1),
      backward: options(2),
      connections: 50,
      up: 200,
      down: 1000,
      choices: PATIENT,
    });
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
    expect(scene.leftovers()).toEqual(CLEAN);
  });

  it('[G02] 2 MB at 2 % loss each way', () => {
    const options = (seed: number) => ({ ...LINE, verdict: shortBursts(0.02, seed) });
    const scene = new Scene({ forward: options(1), backward: options(2), down: 2 * MB });
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
    expect(scene.world.now).toBeLessThan(120_000);
  });

  it('[G03] one flipped bit in 30 % of a handshake and in 2 % of a transfer: each is found', () => {
    const handshake = { ...LINE, corrupt: { probability: 0.3 } };
    const many = new Scene({
      forward: handshake,
      connections: 50,
      up: 100,
      down: 100,
      choices: PATIENT,
      settings: LONG_WAIT,
    });
    expect(many.finish()).toBe(true);
    expect(many.verdicts).toEqual([]);
    const transfer = new Scene({ seed: 2, forward: { ...LINE, corrupt: { probability: 0.02 } }, up: MB, down: MB });
    expect(transfer.finish()).toBe(true);
    expect(transfer.verdicts).toEqual([]);
  });

  it('[G04] two seconds of every seven black: 10 MB through one handshake', () => {
    const blackholes = Array.from({ length: 200 }, (_, i) => ({ from: 5000 + 7000 * i, until: 7000 + 7000 * i }));
    const scene = new Scene({ forward: { ...LINE, blackholes }, down: 10 * MB });
    const seen = census(scene);
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
    expect(seen.syns).toBe(1);
    expect(seen.resets).toBe(0);
  });

  it('[G05] 750 ms there and back: the window fills the line, and two share it', () => {
    const forward = { delayMs: 375, rate: 10 * MB, queueBytes: 1_000_000 };
    const alone = new Scene({ forward, down: 10 * MB });
    expect(alone.finish()).toBe(true);
    expect(alone.verdicts).toEqual([]);
    // 8 s are the line's own time, 5 of slow start before it is full.
    expect(alone.world.now).toBeLessThan(20_000);
    const two = new Scene({ forward, connections: 2, down: 5 * MB });
    expect(two.finish()).toBe(true);
    expect(two.verdicts).toEqual([]);
    expect(two.world.now).toBeLessThan(25_000);
  });

  it('[G06] after the first SYN six packets to the server are lost', () => {
    const verdict: VerdictHook = (index) => (index >= 1 && index <= 6 ? 'drop' : 'pass');
    const scene = new Scene({ forward: { delayMs: 15, verdict }, backward: { delayMs: 15 }, up: 1000, down: 100_000 });
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
  });

  it('[G07] all at once, up to half lost, doubled, overtaken: every seed is right', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new SeededRandom(seed);
      const up = (most: number): number => most * randomUnit(random);
      const way = () => ({
        delayMs: up(100),
        jitterMs: up(1000),
        loss: up(0.5),
        duplicate: up(0.5),
        reorder: { probability: up(1), extraMs: up(300) },
        burstLoss: { enter: up(0.05), leave: 0.2 + up(0.6), lossIn: 0.9 },
      });
      const forward = way();
      const backward = seed % 3 === 0 ? { delayMs: 20 } : way();
      const scene = new Scene({
        seed,
        forward,
        backward,
        up: 20_000,
        down: 20_000,
        choices: PATIENT,
        settings: ['tcp_syn_retries=20', 'tcp_synack_retries=20', ...LONG_WAIT],
      });
      expect({ seed, ended: scene.finish(48 * HOUR), wrong: scene.verdicts }).toEqual({ seed, ended: true, wrong: [] });
      expect(scene.leftovers()).toEqual(CLEAN);
    }
  });

  it('[G08] nine ACKs of ten lost', () => {
    const scene = new Scene({
      forward: { delayMs: 15, loss: 0.9 },
      backward: { delayMs: 15 },
      down: 500_000,
      choices: PATIENT,
      settings: ['tcp_syn_retries=60', 'tcp_synack_retries=60', ...LONG_WAIT],
    });
    expect(scene.finish(24 * HOUR)).toBe(true);
    expect(scene.verdicts).toEqual([]);
  });
});

describe('[G09] a path whose MTU falls from 1500 to 576 in the middle', () => {
  function shrinking(withIcmp: boolean, settings: string[]): Scene {
    const scene: Scene = new Scene({
      forward: { delayMs: 10 },
      backward: {
        delayMs: 10,
        verdict: (_index, frame, _direction, time) => {
          if (time < 50 || frame.length <= 576) return 'pass';
          if (withIcmp) {
            const tooBig = icmp('10.0.0.254', '10.0.0.2', 3, 4, 576, frame.slice(0, 48));
            scene.wire.inject('a->b', tooBig, 5);
          }
          return 'drop';
        },
      },
      down: 300_000,
      settings,
    });
    return scene;
  }

  it('and says so', () => {
    const scene = shrinking(true, []);
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
    expect(scene.conversations[0].accepted?.tcb.sndMss).toBe(576 - 52);
    expect(scene.world.now).toBeLessThan(20_000);
  });

  it('and says nothing: probing finds it out', () => {
    const scene = shrinking(false, ['tcp_mtu_probing=1', 'tcp_base_mss=500']);
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
  });
});

describe('hosts that stop for a while', () => {
  it('[G12] the line goes down and comes back', () => {
    const scene = new Scene({ forward: { ...LINE, blackholes: [{ from: 200, until: 60_000 }] }, down: MB });
    const seen = census(scene);
    expect(scene.finish()).toBe(true);
    expect(scene.verdicts).toEqual([]);
    expect(seen.resets).toBe(0);
  });

  it('[G12] the server restarts: the client is told within one round trip of its next word', () => {
    const scene = new Scene({ up: 10 * MB });
    scene.world.at(200, () => scene.server.crash());
    scene.world.at(5000, () => {
      scene.server.restart();
      scene.listen();
    });
    scene.world.runUntil(() => scene.conversations[0].client.done, HOUR);
    expect(scene.conversations[0].client.error).toBe('ECONNRESET');
    expect(scene.world.now).toBeLessThan(10_000);
    const again = scene.open();
    scene.world.runUntil(() => again.client.done, HOUR);
    expect([again.client.error, again.server?.received]).toEqual([null, 10 * MB]);
  });

  it('[G13] both directions stopped and restarted in random order, again and again', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new SeededRandom(seed);
      const scene = new Scene({ seed, forward: LINE, connections: 4, up: 300_000, down: 300_000, choices: PATIENT });
      for (let at = 100; at < 60_000; at += 1 + randomBelow(random, 4000)) {
        const direction = randomBelow(random, 2) === 0 ? 'a->b' : 'b->a';
        const off = randomBelow(random, 2) === 0;
        scene.world.at(at, () => scene.wire.change(direction, { loss: off ? 1 : 0 }));
      }
      scene.world.at(60_000, () => {
        scene.wire.change('a->b', { loss: 0 });
        scene.wire.change('b->a', { loss: 0 });
      });
      expect({ seed, ended: scene.finish(), wrong: scene.verdicts }).toEqual({ seed, ended: true, wrong: [] });
      expect(scene.leftovers()).toEqual(CLEAN);
    }
  });
});

describe('applications that do as they please', () => {
  it('[G11] slow readers, tiny writes: every octet before the FIN arrives', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const scene = new Scene({
        seed,
        forward: { ...LINE, loss: 0.02 },
        up: 50_000,
        down: 50_000,
        client: { readDelayMs: 400, readMax: 700 },
        server: { writeMax: 30, readDelayMs: 50, ending: 'after-peer' },
        settings: ['tcp_rmem=2304 2304 2304'],
      });
      expect({ seed, ended: scene.finish(), wrong: scene.verdicts }).toEqual({ seed, ended: true, wrong: [] });
    }
  });

  it.each(['client', 'server'] as const)(
    '[G15] the %s aborts after the n-th event, for every n: no leak, no late word',
    (who) => {
      const steps = (() => {
        const whole = new Scene({ forward: { ...LINE, loss: 0.05 }, up: 20_000, down: 20_000 });
        whole.finish();
        return whole.world.stepCount;
      })();
      expect(steps).toBeGreaterThan(50);
      for (let n = 0; n < steps; n++) {
        const scene = new Scene({ forward: { ...LINE, loss: 0.05 }, up: 20_000, down: 20_000, choices: PATIENT });
        for (let i = 0; i < n; i++) scene.world.step();
        const [{ connection, accepted }] = scene.conversations;
        const victim = who === 'client' ? connection : accepted;
        if (victim === null) continue;
        const told: string[] = [];
        victim.abort(scene.world.now);
        const before = victim.handler;
        victim.handler = {
          readable: () => told.push('readable'),
          writable: () => told.push('writable'),
          peerClosed: () => told.push('peerClosed'),
          closed: (c, error) => before?.closed?.(c, error),
        };
        scene.world.runUntilIdle(24 * HOUR);
        expect({ n, told, trouble: scene.trouble }).toEqual({ n, told: [], trouble: null });
        expect({ n, left: scene.leftovers() }).toEqual({ n, left: CLEAN });
      }
    },
  );
});
