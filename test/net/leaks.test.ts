/** Sockets that end at every stage of their life leave nothing behind: not in the stack, and not on the heap. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.ts';
import { createNet as createHandleNet, type Net, type Socket } from '../../src/net/index.ts';
import { createNet as createDuplexNet } from '../../src/net/portable.ts';

const KINDS = [
  ['over handles', createHandleNet],
  ['as a Duplex', createDuplexNet as unknown as typeof createHandleNet],
] as const;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

type Stage = (net: Net, port: number) => Socket;
const TEXT = Buffer.alloc(3000, 'x');

/** How a life ends: each makes a socket and sees to its end. */
const STAGES: Record<string, Stage> = {
  'never connected': (net) => new net.Socket().destroy(),
  'destroyed while it connects': (net, port) => net.connect(port, '127.0.0.1').destroy(),
  'destroyed when connected': (net, port) => {
    const socket = net.connect(port, '127.0.0.1');
    return socket.on('connect', () => socket.destroy());
  },
  'destroyed with text under way': (net, port) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.write(TEXT);
    return socket.on('connect', () => socket.destroy());
  },
  'destroyed at the first answer': (net, port) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.write(TEXT);
    return socket.on('data', () => socket.destroy());
  },
  'destroyed after its end': (net, port) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.end(TEXT);
    return socket.on('finish', () => socket.destroy());
  },
  'destroyed unread': (net, port) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.pause().write(TEXT);
    setTimeout(() => socket.destroy(), 20);
    return socket;
  },
  reset: (net, port) => {
    const socket = net.connect(port, '127.0.0.1');
    return socket.on('connect', () => socket.resetAndDestroy());
  },
  refused: (net) => net.connect(1, '127.0.0.1'),
  'ended by both': (net, port) => net.connect(port, '127.0.0.1').resume().end(TEXT),
};

describe.each(KINDS)('%s', (_kind, createNet) => {
  test('10,000 sockets, ended at each of ten stages', { timeout: 60_000 }, async () => {
    const host = new Host();
    const net = createNet(host);
    const references: WeakRef<object>[] = [];
    const server = net.createServer((socket) => {
      references.push(new WeakRef(socket));
      socket.on('error', () => {}).pipe(socket);
    });
    server.listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    let open = 0;
    const live = async (): Promise<void> => {
      for (const stage of Object.values(STAGES)) {
        const socket = stage(net, port);
        references.push(new WeakRef(socket));
        open++;
        socket.on('error', () => {}).on('close', () => open--);
      }
      while (open > 400) await turn();
    };
    for (let i = 0; i < 1000; i++) await live();
    for (let i = 0; i < 500 && open > 0; i++) await sleep(10);
    expect(open).toBe(0);
    await new Promise((resolve) => server.close(resolve));

    // The last FINs may still be on their way.
    for (let i = 0; i < 200 && host.stack.usage.orphans > 0; i++) await sleep(10);
    const { endpoints, timeWait, orphans, memory } = host.stack.usage;
    // What is in TIME-WAIT stays there for its time, as it must; nothing else does.
    expect({ left: endpoints - timeWait, orphans, memory }).toEqual({ left: 0, orphans: 0, memory: 0 });
    let alive = references.length;
    for (let i = 0; i < 20 && alive > 0; i++) {
      await turn();
      collectGarbage();
      alive = references.filter((reference) => reference.deref() !== undefined).length;
    }
    // The engine may still hold the last one in a variable of its own.
    expect(alive).toBeLessThanOrEqual(2);
    host.close();
  });
});
