/** Node's own http, https and http2 over our stack, and express on top. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import tls from 'node:tls';
import express from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { body, collect, hash, ROUTES, Wire } from './wire.ts';

const LENGTH = 700_000;

/** Answers with a body of the seed in the URL, and with the hash of what it was sent. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  collect(request).then((received) => {
    response.setHeader('received', hash(received));
    response.end(body(LENGTH, Number(request.url?.slice(1))));
  });
}

describe.each(ROUTES)('over %s', (_route, createNet) => {
  let wire: Wire;
  beforeEach(() => {
    wire = new Wire(createNet);
  });
  afterEach(() => wire.close());

  /** One exchange: our body is received whole, and theirs. */
  async function exchange(request: http.ClientRequest, seed: number): Promise<http.IncomingMessage> {
    request.end(body(LENGTH, seed + 100));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const received = await collect(response);
    expect(response.headers.received).toBe(hash(body(LENGTH, seed + 100)));
    expect(hash(received)).toBe(hash(body(LENGTH, seed)));
    return response;
  }

  test('http: a kept-alive agent with three connections for twelve requests', async () => {
    const port = await wire.serve(http.createServer(answer));
    let opened = 0;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 3 });
    Object.assign(agent, {
      createConnection: () => {
        opened++;
        return wire.connect(port);
      },
    });
    const ask = (seed: number) =>
      exchange(http.request({ agent, method: 'PUT', path: `/${seed}`, host: wire.address }), seed);
    await Promise.all(Array.from({ length: 12 }, (_, seed) => ask(seed)));
    expect(opened).toBe(3);
    agent.destroy();
  });

  test('https: a certificate of its own, verified', async () => {
    const { key, cert } = wire.identity;
    const port = await wire.serve(https.createServer({ key, cert }, answer), { allowHalfOpen: true });
    const secure = tls.connect({ socket: wire.connect(port), ca: cert, host: wire.address });
    const request = https.request({ method: 'POST', path: '/5', host: wire.address, createConnection: () => secure });
    await exchange(request, 5);
    expect(secure.authorized).toBe(true);
  });

  test('https: a stranger is refused', async () => {
    const { key, cert } = wire.identity;
    const port = await wire.serve(https.createServer({ key, cert }, answer));
    const [error] = await once(tls.connect({ socket: wire.connect(port), host: wire.address }), 'error');
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  test('http2: ten streams of one connection at once, with TLS and without', async () => {
    const { key, cert } = wire.identity;
    const clear = await wire.serve(http2.createServer(answer as never));
    const sealed = await wire.serve(http2.createSecureServer({ key, cert }, answer as never) as never);
    const sessions = [
      http2.connect(`http://${wire.address}`, { createConnection: () => wire.connect(clear) }),
      http2.connect(`https://${wire.address}`, {
        createConnection: () =>
          tls.connect({ socket: wire.connect(sealed), ca: cert, host: wire.address, ALPNProtocols: ['h2'] }),
      }),
    ];
    for (const session of sessions) {
      const one = async (seed: number): Promise<void> => {
        const stream = session.request({ ':method': 'POST', ':path': `/${seed}` });
        stream.end(body(LENGTH, seed + 100));
        const [headers] = await once(stream, 'response');
        expect(headers.received).toBe(hash(body(LENGTH, seed + 100)));
        expect(hash(await collect(stream))).toBe(hash(body(LENGTH, seed)));
      };
      await Promise.all(Array.from({ length: 10 }, (_, seed) => one(seed)));
      session.close();
    }
  });

  test('express: parameters, a JSON body and an error of its own', async () => {
    const app = express();
    app.use(express.json());
    app.post('/sum/:name', (request, response) => {
      const { numbers } = request.body as { numbers: number[] };
      response.json({ name: request.params.name, sum: numbers.reduce((a, b) => a + b, 0), from: request.ip });
    });
    const port = await wire.serve(http.createServer(app));
    const ask = async (path: string, content: string): Promise<[number | undefined, string]> => {
      const headers = { 'content-type': 'application/json' };
      const how = { method: 'POST', path, headers, host: wire.address, createConnection: () => wire.connect(port) };
      const request = http.request(how);
      request.end(content);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      return [response.statusCode, (await collect(response)).toString()];
    };
    const [status, text] = await ask('/sum/primes', '{"numbers": [2, 3, 5, 7]}');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ name: 'primes', sum: 17, from: expect.stringMatching(/10\.0\.0\.1$/) });
    expect((await ask('/sum/primes', '{"numbers":'))[0]).toBe(400);
    expect((await ask('/nowhere', '{}'))[0]).toBe(404);
  });
});
