/** Many connections to an echo server, from whichever side: each sends a line of its own, reads it back and closes. */
import type { Duplex } from 'node:stream';

/** What is common to `net.Socket` and ours. `connect` has been called already. */
export interface EchoSocket extends Duplex {
  setTimeout(milliseconds: number, onTimeout: () => void): this;
}

/** Opens `count` connections, `atOnce` at a time; prints `N echoed, N failed`, and each kind of failure. */
export async function crowd(open: () => EchoSocket, count: number, atOnce: number): Promise<void> {
  const failures = new Map<string, number>();
  const fail = (what: string): void => {
    failures.set(what, (failures.get(what) ?? 0) + 1);
  };
  let echoed = 0;
  let next = 0;

  const one = (index: number): Promise<void> =>
    new Promise((resolve) => {
      const text = `connection ${index} `.padEnd(50 + (index % 100), 'x');
      const socket = open();
      let got = '';
      socket.setTimeout(30_000, () => socket.destroy(new Error('nothing for 30 seconds')));
      socket.setEncoding('utf8');
      socket.on('connect', () => socket.end(text));
      socket.on('data', (chunk) => {
        got += String(chunk);
      });
      socket.on('end', () => {
        if (got === text) echoed++;
        else fail(got === '' ? 'nothing came back' : 'something else came back');
      });
      socket.on('error', (error: Error) => fail(error.message.replace(/:\d+/, ':N')));
      socket.on('close', () => resolve());
    });
  const worker = async (): Promise<void> => {
    while (next < count) await one(next++);
  };

  await Promise.all(Array.from({ length: atOnce }, worker));
  const failed = [...failures.values()].reduce((sum, n) => sum + n, 0);
  process.stdout.write(`${echoed} echoed, ${failed} failed\n`);
  for (const [what, n] of failures) process.stdout.write(`  ${n} × ${what}\n`);
}
