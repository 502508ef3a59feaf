/** Node's TLS over our sockets as plain Duplexes, across a TUN: what a server of the kernel's side sends arrives whole. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { selfSigned } from '../libraries/certificate.ts';
import { makeTun, TUN } from './command.ts';
import { Namespace, needs } from './namespace.ts';

const SIZE = 16_000_000;
const SERVER = `
  const { KEY: key, CERT: cert } = process.env;
  const bytes = Buffer.alloc(${SIZE});
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 12)) & 255;
  require('node:tls').createServer({ key, cert }, (socket) => socket.end(bytes)).listen(443, () => console.log('listening'));`;

let ns: Namespace;
beforeEach(needs());
beforeEach(() => {
  ns = new Namespace();
  makeTun(ns);
});
afterEach(async () => {
  await ns?.close();
});

test('16 MB in TLS records, over a Duplex on a TUN', async () => {
  const { key, cert } = selfSigned();
  const server = ns.start('env', [`KEY=${key}`, `CERT=${cert}`, process.execPath, '-e', SERVER]);
  await server.seen(/listening/);
  const bytes = Buffer.alloc(SIZE);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 12)) & 255;
  const client = ns.program('tls-over-duplex.ts', [TUN, '10.7.0.2/24', '10.7.0.1', '443']);
  const { code, stdout, stderr } = await client.done();
  const hash = createHash('sha256').update(bytes).digest('hex');
  expect({ code, stderr, stdout: stdout.toString() }).toEqual({ code: 0, stderr: '', stdout: `${SIZE} ${hash}\n` });
});
