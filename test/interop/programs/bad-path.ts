/**
 * A web server of ours behind a TUN and a bad path. Arguments: TUN LOCAL/N PEER SEED. GET /N answers with N octets of a
 * keystream, POST with the SHA-256 of what was sent. Prints `ready`; at the end, as JSON, what the path did to frames and
 * what the stack counted.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { faultyLink } from '../../../src/embedded/index.ts';
import { Host } from '../../../src/host/host.ts';
import { openTun } from '../../../src/link/tun.ts';
import { configureTun } from '../../../src/link/tun-configure.ts';
import { createNet } from '../../../src/net/index.ts';

const [name = '', local = '', peer = '', seed = ''] = process.argv.slice(2);
const device = await openTun({ name });
configureTun(name, [{ local, peer }]);
const did: Record<string, number> = {};
const link = faultyLink(device, {
  seed: Number(seed),
  delayMs: 4,
  loss: 0.01,
  burstLoss: { enter: 0.001, leave: 0.3 },
  reorder: { probability: 0.02, extraMs: 3 },
  duplicate: 0.01,
  corrupt: { probability: 0.005 },
  observe: ({ kind }) => {
    did[kind] = (did[kind] ?? 0) + 1;
  },
});
const host = new Host();
host.attach(link, { name, addresses: [local] });

/** The same octets for the same length, none like its neighbours. */
function octets(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}

const site = createServer(async (request, response) => {
  if (request.method === 'POST') {
    const hash = createHash('sha256');
    await pipeline(request, hash);
    response.end(hash.digest('hex'));
  } else response.end(octets(Number((request.url ?? '/0').slice(1))));
});
createNet(host)
  .createServer({}, (socket) => site.emit('connection', socket))
  .listen(80, () => process.stdout.write('ready\n'));

process.on('SIGINT', () => {
  const counted = host.stack.counters.snapshot();
  process.stdout.write(`${JSON.stringify({ did, counted })}\n`, () => process.exit(0));
  host.close();
});
