/** The ws library, both ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import WebSocket, { WebSocketServer } from 'ws';
import { body, hash } from '../data.mjs';

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 20_000_000];

export default async function run(stage, check) {
  const server = http.createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: true });
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  const port = await stage.listen(server);
  const open = async (options = {}) => {
    const hook = stage.hooked ? { createConnection: () => stage.connect(port) } : {};
    const client = new WebSocket(`ws://${stage.host}:${port}/`, { ...hook, ...options });
    await once(client, 'open');
    return client;
  };

  for (const perMessageDeflate of [false, true]) {
    await check(
      `messages of 0 B to 20 MB echoed whole and in order${perMessageDeflate ? ', compressed' : ''}`,
      async () => {
        const client = await open({ perMessageDeflate });
        const received = [];
        client.on('message', (data) => received.push(hash(data)));
        for (const [seed, size] of SIZES.entries()) client.send(body(size, seed));
        while (received.length < SIZES.length) await once(client, 'message');
        assert.deepEqual(
          received,
          SIZES.map((size, seed) => hash(body(size, seed))),
        );
        client.close(4321, 'goodbye');
        const [code] = await once(client, 'close');
        assert.equal(code, 4321);
      },
    );
  }

  await check('5,000 small messages in order, ping and pong between them', async () => {
    const client = await open();
    const received = [];
    client.on('message', (data) => received.push(Number(data)));
    let pongs = 0;
    client.on('pong', () => pongs++);
    for (let i = 0; i < 5000; i++) {
      client.send(String(i));
      if (i % 100 === 0) client.ping();
    }
    while (received.length < 5000) await once(client, 'message');
    assert.deepEqual(
      received,
      Array.from({ length: 5000 }, (_, i) => i),
    );
    while (pongs < 50) await once(client, 'pong');
    client.close();
  });

  await check('a server that hangs up: the client hears 1006', async () => {
    const accepted = once(sockets, 'connection');
    const client = await open();
    const [serving] = await accepted;
    serving.terminate();
    const [code] = await once(client, 'close');
    assert.equal(code, 1006);
  });
}
