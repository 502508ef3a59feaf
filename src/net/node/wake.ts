/**
 * After what a stream has read or written: everything that the streams of one turn have caused leaves together, in the
 * next. Alone, each answer of a busy server would cost a round of timers and events of its own, and wake its reader once
 * more. Over the kernel, too, the other end of a connection hears of a write no sooner.
 */

import type { Host } from '../../host/host.ts';

const waiting = new Set<Host>();

export function wakeTogether(host: Host): void {
  if (waiting.has(host)) return;
  waiting.add(host);
  setImmediate(() => {
    waiting.delete(host);
    host.pump();
  });
}

// What has been written has been written, also where the process ends right behind it; before links close themselves.
process.prependListener('exit', () => {
  for (const host of waiting) host.pump();
});
