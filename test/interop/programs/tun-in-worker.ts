/**
 * Opens a TUN device in a Worker that ends in one of two ways: it closes the link and then exits, or it exits with the
 * link open. Afterwards the main thread opens the same device: `device free`.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openTun } from '../../../src/link/tun.ts';

const NAME = 'w0';

if (isMainThread) {
  const how = process.argv[2] ?? 'close';
  // A Worker does not inherit the loader that lets this file be TypeScript.
  const load = `import('tsx/esm/api').then((tsx) => { tsx.register(); return import('${import.meta.url}'); })`;
  const worker = new Worker(load, { eval: true, workerData: how });
  await new Promise((resolve) => worker.once('message', resolve));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  await ended;
  process.stdout.write('worker ended\n');
  const link = await openTun({ name: NAME });
  process.stdout.write('device free\n');
  link.close();
} else {
  const link = await openTun({ name: NAME });
  link.start({ frame: () => {}, burstEnd: () => {}, writable: () => {}, closed: () => {} });
  parentPort?.postMessage('open');
  if (workerData === 'close') link.close();
  setTimeout(() => process.exit(0), 50);
}
