/**
 * Node's http, http2, https and tls servers, as any program would start them. Argument: a folder with key.pem and
 * cert.pem. With TUN LOCAL/N PEER behind it they live on a stack made here, through `createNet`; without, on whatever
 * `node:net` is (under `estab/register`: on ours). Ports: 80 HTTP/1.1, 81 HTTP/2 in the clear, 443 both over TLS, 444
 * https, 7 an echo over TLS. Prints `ready`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Server } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { pattern } from './pattern.ts';

const [folder = '', ...device] = process.argv.slice(2);
const identity = {
  key: readFileSync(path.join(folder, 'key.pem')),
  cert: readFileSync(path.join(folder, 'cert.pem')),
};

/** `/bytes/N` gives N octets, a PUT answers with the hash of what came, all else with a line about the request. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const octets = /^\/bytes\/(\d+)$/.exec(request.url ?? '');
  if (request.method === 'PUT') {
    const hash = createHash('sha256');
    request.on('data', (part) => hash.update(part)).on('end', () => response.end(`${hash.digest('hex')}\n`));
  } else if (octets !== null) {
    const body = pattern(Number(octets[1]));
    // With it a client of HTTP/1.0 may keep its connection.
    response.setHeader('content-length', body.length);
    response.end(body);
  } else response.end(`${request.method} ${request.url} by HTTP/${request.httpVersion}\n`);
}

async function listener(): Promise<(server: Server, port: number) => void> {
  if (device.length === 0) return (server, port) => server.listen(port);
  const { Host } = await import('../../../src/host/host.ts');
  const { openTun } = await import('../../../src/link/tun.ts');
  const { configureTun } = await import('../../../src/link/tun-configure.ts');
  const { createNet } = await import('../../../src/net/index.ts');
  const [name = '', local = '', peer = ''] = device;
  const link = await openTun({ name });
  configureTun(name, [{ local, peer }]);
  const host = new Host();
  host.attach(link, { name, addresses: [local] });
  const net = createNet(host);
  return (server, port) => net.createServer((socket) => server.emit('connection', socket)).listen(port);
}

const listen = await listener();
listen(http.createServer(answer), 80);
listen(http2.createServer(answer as never), 81);
listen(http2.createSecureServer({ ...identity, allowHTTP1: true }, answer as never), 443);
listen(https.createServer(identity, answer), 444);
const echo = tls.createServer({ ...identity, ecdhCurve: 'X25519:P-256:ffdhe2048' }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
listen(echo, 7);
process.stdout.write('ready\n');
