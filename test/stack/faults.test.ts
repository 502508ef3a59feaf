/** Transfers under loss with settings away from their defaults: what is delivered is what was sent, whatever is set. */

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { brokenInvariant } from '../../src/tcp/index.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { App, pattern, Server, same } from './apps.ts';
import { type NodeOptions, Pair } from './pair.ts';

const SETTINGS: readonly (readonly string[])[] = [
  [],
  ['tcp_syncookies=2'],
  ['tcp_syncookies=2', 'tcp_timestamps=0'],
  ['tcp_timestamps=0', 'tcp_sack=0', 'tcp_window_scaling=0'],
  ['tcp_timestamps=2', 'tcp_dsack=0'],
  ['tcp_ecn=1'],
  ['tcp_rmem=4096 4096 4096', 'tcp_wmem=4096 4096 4096'],
  ['tcp_moderate_rcvbuf=0', 'tcp_slow_start_after_idle=0'],
  ['tcp_rto_min_us=5000', 'tcp_rto_max_ms=2000'],
  ['tcp_mtu_probing=1', 'tcp_base_mss=500'],
  ['tcp_mem=30 40 60'],
  ['tcp_abort_on_overflow=1', 'somaxconn=1'],
];

const PATHS: readonly NodeOptions[] = [{}, { medium: 'ethernet' }, { mtu: 1280 }, { mtu: 9000, medium: 'ethernet' }];

describe.each(SETTINGS)('with %s %s %s', (...settings) => {
  it('bytes arrive in order, whole, and both ends close', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = new SeededRandom(seed);
      const path = PATHS[seed % PATHS.length];
      const pair = new Pair({ ...path, settings, seed }, { ...path, settings, seed: seed + 99 });
      // A cookie is the client's to bring back in its first segment: a later one that overtakes it is for nobody, and
      // reset, in Linux as here. So with cookies the handshake is spared.
      const cookies = settings.includes('tcp_syncookies=2');
      pair.filter = () => (cookies && server.accepted.length === 0) || random.nextUint32() % 100 >= 5;
      const server = new Server(pair, pair.b, { port: 80 });
      server.onAccept = (connection, app) => app.send(connection, pattern(40_000, 2));
      const remote = IpAddress.parse(seed % 2 === 0 ? '10.0.0.2' : '2001:db8::2');
      const app = new App(pair);
      const client = pair.a.stack.connect(pair.now, { remote, port: 80, handler: app });
      app.send(client, pattern(60_000, 1));
      const done = (): boolean => {
        expect(brokenInvariant(client.tcb)).toBeNull();
        const other = server.accepted[0];
        if (other !== undefined) expect(brokenInvariant(other.connection.tcb)).toBeNull();
        return app.error !== undefined && other?.app.error !== undefined;
      };
      expect(pair.run(done, pair.now + 2_000_000), `seed ${seed}`).toBe(true);
      const other = server.accepted[0].app;
      expect([app.error, other.error], `seed ${seed}`).toEqual([null, null]);
      expect(same(app.bytes, pattern(40_000, 2)) && same(other.bytes, pattern(60_000, 1)), `seed ${seed}`).toBe(true);
      pair.pass(300_000);
      for (const node of [pair.a, pair.b]) {
        expect(node.stack.usage).toMatchObject({ timeWait: 0, orphans: 0, memory: 0, fragmentMemory: 0 });
      }
    }
  });
});
