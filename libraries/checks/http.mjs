/** Node's own http, both ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { answer, LENGTH } from '../answer.mjs';
import { body, collect, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const port = await stage.listen(http.createServer(answer));
  const where = { host: stage.host, port };
  const hook = stage.hooked ? { createConnection: () => stage.connect(port) } : {};

  await check('12 PUTs of 700 kB each way over 3 kept-alive connections', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 3 });
    const sockets = new Set();
    if (stage.hooked) agent.createConnection = hook.createConnection;
    await together(12, async (seed) => {
      const request = http.request({ ...where, agent, method: 'PUT', path: `/${seed}` });
      request.on('socket', (socket) => sockets.add(socket));
      request.end(body(LENGTH, seed + 100));
      const [response] = await once(request, 'response');
      assert.equal(hash(await collect(response)), hash(body(LENGTH, seed)));
      assert.equal(response.headers.received, hash(body(LENGTH, seed + 100)));
    });
    assert.equal(sockets.size, 3);
    agent.destroy();
  });

  await check('100-continue, a body in pieces, trailers', async () => {
    const server = http.createServer();
    server.on('checkContinue', async (request, response) => {
      response.writeContinue();
      const received = await collect(request);
      response.writeHead(200, { trailer: 'sum' });
      for (let at = 0; at < received.length; at += 10_000) response.write(received.subarray(at, at + 10_000));
      response.addTrailers({ sum: hash(received) });
      response.end();
    });
    const expecting = await stage.listen(server);
    const own = stage.hooked ? { createConnection: () => stage.connect(expecting) } : {};
    const request = http.request({
      ...own,
      host: stage.host,
      port: expecting,
      method: 'POST',
      headers: { expect: '100-continue' },
    });
    request.flushHeaders();
    await once(request, 'continue');
    request.end(body(LENGTH, 7));
    const [response] = await once(request, 'response');
    assert.equal(hash(await collect(response)), hash(body(LENGTH, 7)));
    assert.equal(response.trailers.sum, hash(body(LENGTH, 7)));
  });

  await check('an upgrade to a protocol of its own, both directions at once', async () => {
    const server = http.createServer();
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const upgrading = await stage.listen(server, { allowHalfOpen: true });
    const own = stage.hooked ? { createConnection: () => stage.connect(upgrading) } : {};
    const headers = { connection: 'upgrade', upgrade: 'echo' };
    const request = http.get({ ...own, host: stage.host, port: upgrading, headers });
    const [, socket] = await once(request, 'upgrade');
    socket.end(body(LENGTH, 9));
    assert.equal(hash(await collect(socket)), hash(body(LENGTH, 9)));
  });

  await check('a server that breaks off in the middle: aborted, and ECONNRESET', async () => {
    const server = http.createServer((request, response) => {
      response.writeHead(200, { 'content-length': LENGTH });
      response.write(body(1000, 1));
      request.once('data', () => response.socket.resetAndDestroy());
    });
    const breaking = await stage.listen(server);
    const own = stage.hooked ? { createConnection: () => stage.connect(breaking) } : {};
    const request = http.request({ ...own, host: stage.host, port: breaking, method: 'POST' }).on('error', () => {});
    request.flushHeaders();
    const [response] = await once(request, 'response');
    request.write('break off');
    await assert.rejects(collect(response), { code: 'ECONNRESET' });
  });

  await check('nobody listens: connect ECONNREFUSED, with address and port', async () => {
    const own = stage.hooked ? { createConnection: () => stage.connect(9) } : {};
    const [error] = await once(http.get({ ...own, host: stage.host, port: 9 }), 'error');
    assert.equal(error.message, `connect ECONNREFUSED ${stage.host}:9`);
    assert.equal(error.port, 9);
  });
}
