/** Every pattern of losses in the first segments of an opening, and of a closing, ends as it should. */

import { describe, expect, test } from 'vitest';
import { SimHost } from '../../src/sim/sim-host.ts';
import { type VerdictHook, Wire } from '../../src/sim/wire.ts';
import { World } from '../../src/sim/world.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { IpAddress } from '../../src/wire/address.ts';

const HOUR = 3_600_000;
/** Frames counted over both directions in the order in which they are sent: that many are lost or not, in all ways. */
const K = 8;

interface Ending {
  readonly client: string[];
  readonly server: string[];
}

class Play {
  readonly world = new World(1);
  readonly client: SimHost;
  readonly server: SimHost;
  readonly told: Ending = { client: [], server: [] };
  clientEnd!: Connection;
  serverEnd: Connection | null = null;
  heard = { client: '', server: '' };
  /** Asked for every frame once it is set. */
  lose: ((index: number) => boolean) | null = null;
  private counted = 0;

  constructor() {
    const verdict: VerdictHook = () => (this.lose?.(this.counted++) === true ? 'drop' : 'pass');
    const wire = new Wire(this.world, { delayMs: 10, verdict });
    this.client = this.host('client', wire, 'a', '10.0.0.1/24');
    this.server = this.host('server', wire, 'b', '10.0.0.2/24');
    this.server.stack.listen({
      port: 80,
      handler: {
        acceptable: (listener) => {
          this.serverEnd = listener.accept(this.world.now) as Connection;
          this.watch(this.serverEnd, 'server');
        },
      },
    });
  }

  connect(): void {
    this.clientEnd = this.client.stack.connect(this.world.now, { remote: IpAddress.parse('10.0.0.2'), port: 80 });
    this.watch(this.clientEnd, 'client');
  }

  write(end: 'client' | 'server', text: string): void {
    const connection = end === 'client' ? this.clientEnd : (this.serverEnd as Connection);
    connection.write(this.world.now, new TextEncoder().encode(text));
  }

  get leftovers(): number[] {
    return [this.client.stack.usage.endpoints, this.server.stack.usage.endpoints];
  }

  private watch(connection: Connection, end: 'client' | 'server'): void {
    const told = this.told[end];
    connection.handler = {
      opened: () => told.push('opened'),
      readable: () => {
        for (let part = connection.read(this.world.now); part !== null; part = connection.read(this.world.now)) {
          this.heard[end] += new TextDecoder().decode(part);
        }
      },
      peerClosed: () => told.push('peer closed'),
      closed: (_connection, error) => told.push(error === null ? 'closed' : error),
    };
  }

  private host(name: string, wire: Wire, end: 'a' | 'b', address: string): SimHost {
    const host = new SimHost(this.world, name);
    host.attach(wire, end, { name: 'wire', mtu: 1500, medium: 'ip', addresses: [address] });
    return host;
  }
}

/** Bit i of `pattern`: the i-th frame is lost. */
const losing = (pattern: number) => (index: number) => index < K && (pattern & (1 << index)) !== 0;
const name = (pattern: number): string => pattern.toString(2).padStart(K, '0');

function eachPattern(run: (pattern: number) => void): void {
  for (let pattern = 0; pattern < 2 ** K; pattern++) {
    try {
      run(pattern);
    } catch (error) {
      throw new Error(`losses ${name(pattern)} (last bit: first frame): ${(error as Error).message}`);
    }
  }
}

describe(`all ${2 ** K} ways to lose the first ${K} frames`, () => {
  test('of an opening: both ends are ESTABLISHED, once, and can talk', () => {
    eachPattern((pattern) => {
      const play = new Play();
      play.lose = losing(pattern);
      play.connect();
      // The client speaks first: where the last ACK of the three is lost, its text is the ACK the server waits for.
      const open = play.world.runUntil(() => play.clientEnd.state === 'ESTABLISHED', HOUR);
      expect(open).toBe(true);
      play.write('client', 'hello');
      expect(play.world.runUntil(() => play.heard.server === 'hello', play.world.now + HOUR)).toBe(true);
      expect(play.serverEnd?.state).toBe('ESTABLISHED');
      play.write('server', 'world');
      expect(play.world.runUntil(() => play.heard.client === 'world', play.world.now + HOUR)).toBe(true);
      expect(play.told).toEqual({ client: ['opened'], server: [] });
      expect(play.leftovers).toEqual([1, 2]);
    });
  });

  /** Opens without losses, then closes with them. */
  function closing(pattern: number, close: (play: Play) => void): Play {
    const play = new Play();
    play.connect();
    play.world.runUntil(() => play.serverEnd !== null && play.clientEnd.state === 'ESTABLISHED', HOUR);
    play.world.runUntil(play.world.now + 1000);
    play.lose = losing(pattern);
    close(play);
    expect(play.world.runUntilIdle(play.world.now + HOUR)).toBe(true);
    expect(play.clientEnd.state).toBe('CLOSED');
    expect(play.serverEnd?.state).toBe('CLOSED');
    expect(play.leftovers).toEqual([0, 1]);
    return play;
  }

  test('of a closing, client first: four segments, TIME-WAIT, nothing left, no error', () => {
    eachPattern((pattern) => {
      const play = closing(pattern, (p) => {
        p.clientEnd.shutdown(p.world.now);
        p.serverEnd!.handler = {
          ...p.serverEnd!.handler,
          peerClosed: (connection) => {
            p.told.server.push('peer closed');
            connection.shutdown(p.world.now);
          },
        };
      });
      expect(play.told).toEqual({ client: ['opened', 'peer closed', 'closed'], server: ['peer closed', 'closed'] });
    });
  });

  test('of a simultaneous closing', () => {
    eachPattern((pattern) => {
      const play = closing(pattern, (p) => {
        p.clientEnd.shutdown(p.world.now);
        p.serverEnd?.shutdown(p.world.now);
      });
      expect(play.told).toEqual({ client: ['opened', 'peer closed', 'closed'], server: ['peer closed', 'closed'] });
    });
  });

  test('of a closing with text before the FIN, in both directions', () => {
    eachPattern((pattern) => {
      const play = closing(pattern, (p) => {
        p.write('client', 'last words');
        p.clientEnd.shutdown(p.world.now);
        p.write('server', 'goodbye');
        p.serverEnd?.shutdown(p.world.now);
      });
      expect(play.heard).toEqual({ client: 'goodbye', server: 'last words' });
    });
  });

  test('of an opening to a port where nobody listens: refused, or retried until it is', () => {
    eachPattern((pattern) => {
      const play = new Play();
      play.lose = losing(pattern);
      play.clientEnd = play.client.stack.connect(play.world.now, { remote: IpAddress.parse('10.0.0.2'), port: 81 });
      let outcome: string | null | undefined;
      play.clientEnd.handler = {
        closed: (_connection, error) => {
          outcome = error;
        },
      };
      expect(play.world.runUntil(() => outcome !== undefined, HOUR)).toBe(true);
      expect(outcome).toBe('ECONNREFUSED');
      expect(play.leftovers).toEqual([0, 1]);
    });
  });
});
