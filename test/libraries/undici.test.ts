/** undici and its fetch over our stack. */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { Agent, type buildConnector, fetch, Pool } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { body, collect, hash, ROUTES, Wire } from './wire.ts';

describe.each(ROUTES)('over %s', (_route, createNet) => {
  let wire: Wire;
  beforeEach(() => {
    wire = new Wire(createNet);
  });
  afterEach(() => wire.close());

  /** undici's way to be given sockets; TLS is left to it who connects. */
  function connector(port: number): buildConnector.connector {
    return ({ protocol }, callback) => {
      const raw = wire.connect(port);
      const secure = protocol === 'https:';
      const socket: Socket = secure ? tls.connect({ socket: raw, ca: wire.identity.cert, host: wire.address }) : raw;
      socket
        .once(secure ? 'secureConnect' : 'connect', () => callback(null, socket))
        .once('error', (error) => callback(error, null));
    };
  }

  test('fetch: bodies both ways, and one that comes in pieces', async () => {
    const { key, cert } = wire.identity;
    const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      collect(request).then((received) => {
        response.write(`${hash(received)} `);
        response.end(request.url);
      });
    };
    const clear = await wire.serve(http.createServer(answer));
    const sealed = await wire.serve(https.createServer({ key, cert }, answer));
    for (const [scheme, port] of [
      ['http', clear],
      ['https', sealed],
    ] as const) {
      const dispatcher = new Agent({ connect: connector(port) });
      const whole = await fetch(`${scheme}://${wire.address}/whole`, {
        dispatcher,
        method: 'PUT',
        body: body(500_000, 1),
      });
      expect(await whole.text()).toBe(`${hash(body(500_000, 1))} /whole`);
      const pieces = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(body(10_000, i)));
          controller.close();
        },
      });
      const response = await fetch(`${scheme}://${wire.address}/pieces`, {
        dispatcher,
        method: 'POST',
        body: pieces,
        duplex: 'half',
      });
      const all = Buffer.concat(Array.from({ length: 20 }, (_, i) => body(10_000, i)));
      expect(await response.text()).toBe(`${hash(all)} /pieces`);
      await dispatcher.close();
    }
  });

  test('a pool of two connections, four requests in flight on each', async () => {
    let connections = 0;
    const server = http.createServer((request, response) => response.end(body(100_000, Number(request.url?.slice(1)))));
    server.on('connection', () => connections++);
    const port = await wire.serve(server);
    const pool = new Pool(`http://${wire.address}`, { connections: 2, pipelining: 4, connect: connector(port) });
    const ask = async (seed: number): Promise<string> => {
      const { body: stream } = await pool.request({ path: `/${seed}`, method: 'GET' });
      return hash(new Uint8Array(await stream.arrayBuffer()));
    };
    const answers = await Promise.all(Array.from({ length: 30 }, (_, seed) => ask(seed)));
    expect(answers).toEqual(Array.from({ length: 30 }, (_, seed) => hash(body(100_000, seed))));
    expect(connections).toBe(2);
    await pool.close();
  });
});
