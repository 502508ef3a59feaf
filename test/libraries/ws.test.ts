/** The ws library over our stack: messages of all sizes both ways, ping, and the closing handshake. */
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { body, hash, ROUTES, Wire } from './wire.ts';

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000];

describe.each(ROUTES)('over %s', (_route, createNet) => {
  let wire: Wire;
  beforeEach(() => {
    wire = new Wire(createNet);
  });
  afterEach(() => wire.close());

  test('echoes every message whole and in order, compressed or not, and says goodbye', async () => {
    for (const perMessageDeflate of [false, true]) {
      const server = http.createServer();
      const sockets = new WebSocketServer({ server, perMessageDeflate });
      sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
      const port = await wire.serve(server);
      const createConnection = (() => wire.connect(port)) as never;
      const client = new WebSocket(`ws://${wire.address}/`, { createConnection, perMessageDeflate });
      const received: string[] = [];
      client.on('message', (data) => received.push(hash(data as Buffer)));
      await once(client, 'open');
      for (const [seed, size] of SIZES.entries()) client.send(body(size, seed));
      client.ping();
      await once(client, 'pong');
      while (received.length < SIZES.length) await once(client, 'message');
      expect(received).toEqual(SIZES.map((size, seed) => hash(body(size, seed))));
      client.close(4321, 'goodbye');
      expect((await once(client, 'close'))[0]).toBe(4321);
    }
  });
});
