/** Case G14: a link that says "full" at every n-th frame. Nothing is lost, doubled or left waiting. */

import { expect, it } from 'vitest';
import { Host } from '../../src/host/host.ts';
import type { Link, LinkHandlers } from '../../src/link/link.ts';
import type { Connection } from '../../src/stack/connection.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { pattern, same } from '../stack/apps.ts';

/** One end; takes a frame at the second asking when its turn has come. */
class Stubborn implements Link {
  readonly mtu = 1500;
  readonly layer = 'ip';
  readonly mac = null;
  readonly checksum = { tx: false, rx: false };
  readonly segmentation = 0;
  other!: Stubborn;
  refused = 0;
  private readonly every: number;
  private asked = 0;
  private handlers: LinkHandlers | null = null;

  constructor(every: number) {
    this.every = every;
  }

  start(handlers: LinkHandlers): void {
    this.handlers = handlers;
  }

  send(frame: Uint8Array): boolean {
    if (++this.asked % this.every === 0) {
      this.refused++;
      setImmediate(() => this.handlers?.writable());
      return false;
    }
    const copy = frame.slice();
    setImmediate(() => {
      this.other.handlers?.frame(copy, true);
      this.other.handlers?.burstEnd();
    });
    return true;
  }

  close(): void {
    this.handlers = null;
  }
}

it.each([2, 3, 5, 17])('[G14] full at every %i. frame', async (every) => {
  const links = [new Stubborn(every), new Stubborn(every)] as const;
  links[0].other = links[1];
  links[1].other = links[0];
  const hosts = links.map((link, i) => {
    const host = new Host({ background: true });
    host.attach(link, { name: 'stub', addresses: [`10.0.0.${i + 1}/24`] });
    return host;
  });
  const [client, server] = hosts;
  const up = pattern(300_000, 1);
  const down = pattern(200_000, 2);

  const sides: Promise<Uint8Array>[] = [];
  const connections: Connection[] = [];
  const side = (host: Host, connection: Connection, bytes: Uint8Array): void => {
    connections.push(connection);
    sides.push(
      new Promise((resolve, reject) => {
        const parts: Uint8Array[] = [];
        let at = 0;
        const pump = (): void => {
          while (at < bytes.length) {
            const piece = bytes.subarray(at, at + 10_000);
            at += piece.length;
            if (!connection.write(host.now(), piece)) return;
          }
          connection.shutdown(host.now());
        };
        connection.handler = {
          opened: pump,
          writable: pump,
          readable: () => {
            for (let part = connection.read(host.now()); part !== null; part = connection.read(host.now()))
              parts.push(part);
          },
          peerClosed: () => resolve(Buffer.concat(parts)),
          closed: (_connection, error) => (error === null ? resolve(Buffer.concat(parts)) : reject(new Error(error))),
        };
        if (connection.state === 'ESTABLISHED') pump();
      }),
    );
  };
  const accepted = new Promise<void>((resolve) => {
    server.stack.listen({
      port: 80,
      handler: {
        acceptable: (listener) => {
          side(server, listener.accept(server.now())!, down);
          resolve();
        },
      },
    });
  });
  side(client, client.stack.connect(client.now(), { remote: IpAddress.parse('10.0.0.2'), port: 80 }), up);
  client.wake();
  await accepted;
  server.wake();
  const [received, sent] = await Promise.all(sides);
  expect(same(received, down)).toBe(true);
  expect(same(sent, up)).toBe(true);
  // The frame that was refused was kept, not left to retransmission.
  for (const connection of connections) expect(connection.status().retransmits).toBe(0);
  expect(links[0].refused + links[1].refused).toBeGreaterThan(10);
  for (const host of hosts) host.close();
});
