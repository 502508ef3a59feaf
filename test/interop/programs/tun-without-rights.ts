/** Opens a TUN device as the user `nobody`, and prints why that fails. */
import { openTun } from '../../../src/link/tun.ts';

// Everything that is imported on first use must be read while this user still may read it.
await import('koffi');
process.setgroups?.([]);
process.setgid?.(65534);
process.setuid?.(65534);
try {
  const link = await openTun({ name: 't9' });
  link.close();
  process.stdout.write('opened\n');
} catch (error) {
  process.stdout.write(`error ${(error as { code: string }).code} ${(error as Error).message}\n`);
}
