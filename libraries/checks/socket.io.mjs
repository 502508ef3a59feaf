/** socket.io and its client: polling, the upgrade to a WebSocket, rooms, coming back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { body, hash, together } from '../data.mjs';

/** Waits for one event; socket.io's own emitter is not Node's. */
const next = (socket, name) => new Promise((resolve) => socket.once(name, (...values) => resolve(values)));

export default async function run(stage, check) {
  const web = http.createServer();
  const server = new Server(web, { maxHttpBufferSize: 20_000_000, cleanupEmptyChildNamespaces: true });
  server.on('connection', (socket) => {
    socket.on('echo', (...values) => values.pop()(...values));
    socket.on('join', async (room, done) => {
      await socket.join(room);
      done();
    });
    socket.on('to', (room, text) => server.to(room).emit('said', text));
  });
  const port = await stage.listen(web);
  const agent = new http.Agent({ keepAlive: true });
  if (stage.hooked) agent.createConnection = () => stage.connect(port);
  const connect = async (options = {}) => {
    const client = io(`http://${stage.host}:${port}`, {
      forceNew: true,
      ...(stage.hooked ? { agent } : {}),
      ...options,
    });
    await next(client, 'connect');
    return client;
  };

  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    await check(`${transports.join(' → ')}: 500 events answered in order, 5 MB of bytes there and back`, async () => {
      const client = await connect({ transports });
      const answers = await together(500, (i) => client.emitWithAck('echo', i));
      assert.deepEqual(
        answers,
        Array.from({ length: 500 }, (_, i) => i),
      );
      const bytes = await client.emitWithAck('echo', body(5_000_000, 6));
      assert.equal(hash(bytes), hash(body(5_000_000, 6)));
      const { engine } = client.io;
      if (transports.length === 2 && engine.transport.name !== 'websocket') await next(engine, 'upgrade');
      assert.equal(engine.transport.name, transports.at(-1));
      client.disconnect();
    });
  }

  await check('10 clients in 2 rooms: each hears its own room alone', async () => {
    const clients = await together(10, () => connect({ transports: ['websocket'] }));
    const heard = clients.map(() => []);
    for (const [i, client] of clients.entries()) {
      client.on('said', (text) => heard[i].push(text));
      await client.emitWithAck('join', `room ${i % 2}`);
    }
    for (let i = 0; i < 100; i++) clients[i % 10].emit('to', `room ${i % 2}`, i);
    while (heard.some((texts) => texts.length < 50)) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const [i, texts] of heard.entries()) {
      assert.deepEqual(
        texts.toSorted((a, b) => a - b),
        Array.from({ length: 50 }, (_, k) => 2 * k + (i % 2)),
      );
    }
    for (const client of clients) client.disconnect();
  });

  await check('a client that the server cuts off comes back by itself', async () => {
    const client = await connect({ transports: ['websocket'], reconnectionDelay: 10 });
    const first = client.id;
    for (const socket of await server.fetchSockets())
      if (socket.id === first) server.sockets.sockets.get(first).conn.transport.socket.terminate();
    const [reason] = await next(client, 'disconnect');
    assert.equal(reason, 'transport close');
    await next(client, 'connect');
    assert.notEqual(client.id, first);
    assert.equal(await client.emitWithAck('echo', 'again'), 'again');
    client.disconnect();
  });
  agent.destroy();
  await server.close();
  if (web.listening) await once(web.close(), 'close');
}
