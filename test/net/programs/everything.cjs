/** A program that knows nothing of estab: serves and asks by http, https, http2, fetch, tls and net. */
const { once } = require('node:events');
const { createServer: createHttpServer, get } = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');

const [key, cert] = [process.env.KEY, process.env.CERT];

async function listening(server) {
  await once(server.listen(0), 'listening');
  return server.address().port;
}

async function text(stream) {
  stream.setEncoding('utf8');
  let all = '';
  for await (const part of stream) all += part;
  return all;
}

async function main() {
  const answer = (request, response) => response.end(`${request.url} over ${request.httpVersion}`);
  const plain = createHttpServer(answer);
  const secure = https.createServer({ key, cert }, answer);
  const second = http2.createSecureServer({ key, cert }, answer);
  const echo = net.createServer((socket) => socket.pipe(socket));
  const secret = tls.createServer({ key, cert }, (socket) => socket.end(`hello ${socket.remoteAddress}`));
  const ports = [];
  for (const server of [plain, secure, second, echo, secret]) ports.push(await listening(server));

  const [response] = await once(get({ port: ports[0], path: '/get', agent: false }), 'response');
  console.log('http', await text(response));
  console.log('fetch', await (await fetch(`http://localhost:${ports[0]}/fetched`)).text());
  const [secured] = await once(https.get({ port: ports[1], path: '/s', ca: cert, agent: false }), 'response');
  console.log('https', await text(secured));
  const session = http2.connect(`https://localhost:${ports[2]}`, { ca: cert });
  console.log('http2', await text(session.request({ ':path': '/two' })));
  session.close();
  const socket = net.connect(ports[3], '127.0.0.1');
  socket.end('echo');
  console.log('net', await text(socket));
  const guarded = tls.connect({ port: ports[4], host: '127.0.0.1', ca: cert });
  console.log('tls', await text(guarded), guarded.authorized);
  const refused = net.connect(1, '127.0.0.1');
  const [error] = await once(refused, 'error');
  console.log('refused', error.message);

  for (const server of [plain, secure, second, echo, secret]) server.close();
  plain.closeAllConnections();
}

main();
