import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '../web/connect.ts';
import { listen } from '../web/listen.ts';
import { VirtualNetwork } from './virtual-network.ts';

const SIZE = 200_000;

/** Sends bytes to an echo and counts what comes back; gives that and the time at which it had come. */
async function echo(network: VirtualNetwork): Promise<string> {
  const listener = listen(network.server, { port: 7 });
  const serving = (async () => {
    for await (const socket of listener) await socket.readable.pipeTo(socket.writable);
  })();
  const socket = connect(network.client, { hostname: network.server.address, port: 7 });
  const writer = socket.writable.getWriter();
  const written = writer.write(new Uint8Array(SIZE)).then(() => writer.close());
  let received = 0;
  for await (const part of socket.readable) received += part.length;
  await written;
  listener.close();
  await serving;
  return `${received} by ${network.now}`;
}

function over(seed: number, loss: number): Promise<string> {
  const network = new VirtualNetwork({ seed, turn, wire: { delayMs: 10, loss } });
  return network.run(echo(network));
}

describe('a network in virtual time', () => {
  it('carries web sockets over a lossy wire, the same run for the same seed', async () => {
    const first = await over(7, 0.1);
    expect(first).toMatch(new RegExp(`^${SIZE} by `));
    expect(await over(7, 0.1)).toBe(first);
    expect(await over(8, 0.1)).not.toBe(first);
  });

  it('jumps over what is waited for', async () => {
    const network = new VirtualNetwork({ turn });
    await network.run(network.sleep(3_600_000));
    expect(network.now).toBe(3_600_000);
  });

  it('goes through an outage', async () => {
    const network = new VirtualNetwork({ turn, wire: { delayMs: 10 } });
    network.change({ loss: 1 });
    const program = echo(network);
    const mended = network.sleep(20_000).then(() => network.change({ loss: 0 }));
    const result = await network.run(program);
    await mended;
    expect(result).toMatch(new RegExp(`^${SIZE} by `));
    expect(network.now).toBeGreaterThan(20_000);
  });

  it('gives what the program throws, and ends one that waits for nothing', async () => {
    const network = new VirtualNetwork({ turn });
    await expect(network.run(Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    await expect(network.run(new Promise(() => {}))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });
});
