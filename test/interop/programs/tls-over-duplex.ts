/**
 * Node's TLS over a plain Duplex socket of ours on a TUN: prints the length and the hash of all that a server at PEER
 * sends. Arguments: TUN LOCAL/N PEER PORT
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import tls from 'node:tls';
import { Host } from '../../../src/host/host.ts';
import { openTun } from '../../../src/link/tun.ts';
import { configureTun } from '../../../src/link/tun-configure.ts';
import { createNet } from '../../../src/net/portable.ts';

const [name = '', local = '', peer = '', port = ''] = process.argv.slice(2);
const link = await openTun({ name });
configureTun(name, [{ local, peer }]);
const host = new Host();
host.attach(link, { name, addresses: [local] });
const socket = createNet(host).connect({ host: peer, port });
const secure = tls.connect({ socket: socket as never, rejectUnauthorized: false });
const hash = createHash('sha256');
let received = 0;
secure.on('data', (part: Buffer) => {
  received += part.length;
  hash.update(part);
});
await once(secure, 'end');
process.stdout.write(`${received} ${hash.digest('hex')}\n`);
host.close();
