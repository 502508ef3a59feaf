/**
 * An HTTP server whose TCP/IP lives in this process, behind a TUN device. As root on Linux:
 *
 *   node examples/http-on-tun/server.mjs &
 *   curl http://10.9.0.2/
 *   curl http://10.9.0.2/sockets        # what `ss -tin` would say, had the kernel these sockets
 */
import { createServer } from 'node:http';
import { Host } from 'estab';
import { openTun } from 'estab/link/tun';
import { configureTun } from 'estab/link/tun-configure';
import { createNet } from 'estab/net';
import { socketTable } from 'estab/stack';

// A cable to the kernel: its end is 10.9.0.1, ours 10.9.0.2.
const cable = await openTun({ name: 'estab0' });
configureTun(cable.name, [{ local: '10.9.0.2/24', peer: '10.9.0.1' }]);
const host = new Host();
host.attach(cable, { name: cable.name, addresses: ['10.9.0.2/24'] });

const site = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain');
  if (request.url === '/sockets') response.end(`${socketTable(host.stack.connections()).join('\n')}\n`);
  else response.end(`hello ${request.socket.remoteAddress}, no kernel made this connection\n`);
});

// Node's HTTP on sockets of ours.
const net = createNet(host);
const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => site.emit('connection', socket));
server.listen(80, '10.9.0.2', () => console.log('ready: curl http://10.9.0.2/'));

process.on('SIGINT', () => {
  host.reset();
  process.exit();
});
