/** express behind Node's http. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import express from 'express';
import { body, collect, hash } from '../data.mjs';

export default async function run(stage, check) {
  const app = express();
  app.use(express.json());
  app.post('/sum/:name', (request, response) => {
    const sum = request.body.numbers.reduce((a, b) => a + b, 0);
    response.json({ name: request.params.name, sum, from: request.ip });
  });
  app.put('/file', express.raw({ limit: '30mb', type: '*/*' }), (request, response) => response.send(request.body));
  app.get('/broken', () => {
    throw new Error('on purpose');
  });
  app.use((error, _request, response, _next) => response.status(error.status ?? 500).json({ error: error.message }));
  const port = await stage.listen(http.createServer(app));
  const ask = async (method, path, content, type = 'application/json') => {
    const hook = stage.hooked ? { createConnection: () => stage.connect(port) } : { agent: false };
    const headers = { 'content-type': type };
    const request = http.request({ ...hook, host: stage.host, port, method, path, headers });
    request.end(content);
    const [response] = await once(request, 'response');
    return { status: response.statusCode, bytes: await collect(response) };
  };

  await check('parameters, a JSON body, and the address of the client', async () => {
    const { status, bytes } = await ask('POST', '/sum/primes', '{"numbers": [2, 3, 5, 7]}');
    assert.equal(status, 200);
    const { name, sum, from } = JSON.parse(bytes);
    assert.deepEqual({ name, sum }, { name: 'primes', sum: 17 });
    assert.match(from, stage.hooked ? /10\.0\.0\.1$/ : /127\.0\.0\.1$/);
  });
  await check('20 MB there and back', async () => {
    const { bytes } = await ask('PUT', '/file', body(20_000_000, 4), 'application/octet-stream');
    assert.equal(hash(bytes), hash(body(20_000_000, 4)));
  });
  await check('bad JSON is 400, no route 404, an error of its own 500', async () => {
    assert.equal((await ask('POST', '/sum/primes', '{"numbers":')).status, 400);
    assert.equal((await ask('GET', '/nowhere')).status, 404);
    assert.deepEqual(await ask('GET', '/broken'), { status: 500, bytes: Buffer.from('{"error":"on purpose"}') });
  });
}
