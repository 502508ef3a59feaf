/**
 * Loaded before each of Node's test files: `require('net')` gives estab/net, tls and http go over the same stack, and
 * every TCP call to the kernel is written down in the file that ESTAB_KERNEL_CALLS names.
 */
import { appendFileSync } from 'node:fs';
import Module from 'node:module';
import net from '../../src/net/index.ts';
import { registerFromEnvironment } from '../../src/preload/register.ts';

type Loader = (request: string, ...rest: unknown[]) => unknown;

const loader = Module as unknown as { _load: Loader };
const load = loader._load;
loader._load = function (this: unknown, request, ...rest) {
  return request === 'net' || request === 'node:net' ? net : load.call(this, request, ...rest);
};

const record = process.env.ESTAB_KERNEL_CALLS ?? '';
const { binding } = process as unknown as { binding(name: string): { TCP: { prototype: Record<string, Loader> } } };
const { prototype } = binding.call(process, 'tcp_wrap').TCP;
for (const call of ['open', 'bind', 'bind6', 'listen', 'connect', 'connect6']) {
  const original = prototype[call];
  prototype[call] = function (...args) {
    appendFileSync(record, `${call}\n`);
    return original.apply(this, args);
  };
}

registerFromEnvironment({});
