/** fetch: Node's own by preload, undici's over sockets that its connector is given. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { Agent, Pool, fetch as undiciFetch } from 'undici';
import { body, collect, hash, together } from '../data.mjs';

async function answer(request, response) {
  const received = await collect(request);
  response.write(`${hash(received)} `);
  response.end(request.url);
}

export default async function run(stage, check) {
  const { key, cert, host } = stage;
  const fetch = stage.hooked ? undiciFetch : globalThis.fetch;
  const connector =
    (port) =>
    ({ protocol }, callback) => {
      const raw = stage.connect(port);
      const secure = protocol === 'https:';
      const socket = secure ? tls.connect({ socket: raw, ca: cert, host }) : raw;
      socket.once(secure ? 'secureConnect' : 'connect', () => callback(null, socket));
      socket.once('error', (error) => callback(error, null));
    };
  const clear = await stage.listen(http.createServer(answer));
  const sealed = await stage.listen(https.createServer({ key, cert }, answer), { allowHalfOpen: true });

  for (const [scheme, port] of [
    ['http', clear],
    ['https', sealed],
  ]) {
    const dispatcher = new Agent({ connect: stage.hooked ? connector(port) : { ca: cert } });
    // Node's own fetch takes its trust from the environment; undici's Agent works with both.
    const ask = (path, init) =>
      (scheme === 'https' && !stage.hooked ? undiciFetch : fetch)(
        `${scheme}://${host}:${port}${path}`,
        stage.hooked || scheme === 'https' ? { dispatcher, ...init } : init,
      );

    await check(`${scheme}: 500 kB whole, and 20 pieces of a stream`, async () => {
      const whole = await ask('/whole', { method: 'PUT', body: body(500_000, 1) });
      assert.equal(await whole.text(), `${hash(body(500_000, 1))} /whole`);
      const pieces = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(body(10_000, i)));
          controller.close();
        },
      });
      const response = await ask('/pieces', { method: 'POST', body: pieces, duplex: 'half' });
      const all = Buffer.concat(Array.from({ length: 20 }, (_, i) => body(10_000, i)));
      assert.equal(await response.text(), `${hash(all)} /pieces`);
    });
    await dispatcher.close();
  }

  await check('30 requests on a pool of 2 connections, 4 in flight on each', async () => {
    let connections = 0;
    const server = http.createServer((request, response) => response.end(body(100_000, Number(request.url.slice(1)))));
    server.on('connection', () => connections++);
    const port = await stage.listen(server);
    const hook = stage.hooked ? { connect: connector(port) } : {};
    const pool = new Pool(`http://${host}:${port}`, { connections: 2, pipelining: 4, ...hook });
    const answers = await together(30, async (seed) => {
      const { body: stream } = await pool.request({ path: `/${seed}`, method: 'GET' });
      return hash(new Uint8Array(await stream.arrayBuffer()));
    });
    assert.deepEqual(
      answers,
      Array.from({ length: 30 }, (_, seed) => hash(body(100_000, seed))),
    );
    assert.equal(connections, 2);
    await pool.close();
  });

  await check('an abort in the middle of a body reaches the server', async () => {
    const server = http.createServer((_request, response) => {
      const more = () => response.writable && response.write(body(50_000, 3), () => setImmediate(more));
      more();
    });
    const closed = new Promise((resolve) =>
      server.on('request', (_request, response) => response.once('close', resolve)),
    );
    const port = await stage.listen(server);
    const dispatcher = new Agent(stage.hooked ? { connect: connector(port) } : {});
    const controller = new AbortController();
    const response = await undiciFetch(`http://${host}:${port}/`, { dispatcher, signal: controller.signal });
    const reader = response.body.getReader();
    await reader.read();
    controller.abort();
    await assert.rejects(
      async () => {
        for (;;) await reader.read();
      },
      { name: 'AbortError' },
    );
    await closed;
    await dispatcher.destroy();
  });

  await check('keep-alive ends when the server says close', async () => {
    let connections = 0;
    const server = http.createServer((_request, response) => response.setHeader('connection', 'close').end('bye'));
    server.on('connection', () => connections++);
    const port = await stage.listen(server);
    const dispatcher = new Agent(stage.hooked ? { connect: connector(port) } : {});
    for (let i = 0; i < 3; i++) {
      const { body: stream } = await dispatcher.request({ origin: `http://${host}:${port}`, path: '/', method: 'GET' });
      assert.equal(await stream.text(), 'bye');
    }
    assert.equal(connections, 3);
    await dispatcher.close();
    await once(server.close(), 'close');
  });
}
