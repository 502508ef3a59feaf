/** fastify: schemas, streams, errors. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import Fastify from 'fastify';
import { body, collect, hash, together } from '../data.mjs';

const NUMBERS = {
  type: 'object',
  required: ['numbers'],
  properties: { numbers: { type: 'array', items: { type: 'number' } } },
};

export default async function run(stage, check) {
  const app = Fastify({ bodyLimit: 30_000_000 });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, bytes, done) =>
    done(null, bytes),
  );
  app.post('/sum/:name', { schema: { body: NUMBERS } }, async (request) => ({
    name: request.params.name,
    sum: request.body.numbers.reduce((a, b) => a + b, 0),
    from: request.ip,
  }));
  app.put('/hash', async (request) => hash(request.body));
  app.get('/pieces/:count', async (request, reply) => {
    const pieces = Array.from({ length: Number(request.params.count) }, (_, i) => body(100_000, i));
    return reply.type('application/octet-stream').send(Readable.from(pieces));
  });
  await app.ready();
  const port = await stage.listen(app.server);
  const ask = async (method, path, content, type = 'application/json') => {
    const hook = stage.hooked ? { createConnection: () => stage.connect(port) } : { agent: false };
    const headers = content === undefined ? {} : { 'content-type': type };
    const request = http.request({ ...hook, host: stage.host, port, method, path, headers });
    request.end(content);
    const [response] = await once(request, 'response');
    return { status: response.statusCode, bytes: await collect(response) };
  };

  await check('200 JSON requests, 20 at a time, each with its own answer', async () => {
    for (let round = 0; round < 10; round++) {
      const answers = await together(20, (i) => ask('POST', `/sum/s${i}`, JSON.stringify({ numbers: [round, i] })));
      for (const [i, { status, bytes }] of answers.entries()) {
        assert.equal(status, 200);
        const { name, sum, from } = JSON.parse(bytes);
        assert.deepEqual({ name, sum }, { name: `s${i}`, sum: round + i });
        assert.match(from, stage.hooked ? /10\.0\.0\.1$/ : /127\.0\.0\.1$/);
      }
    }
  });
  await check('20 MB up; a stream of 100 pieces down', async () => {
    const { bytes } = await ask('PUT', '/hash', body(20_000_000, 4), 'application/octet-stream');
    assert.equal(bytes.toString(), hash(body(20_000_000, 4)));
    const pieces = Buffer.concat(Array.from({ length: 100 }, (_, i) => body(100_000, i)));
    assert.equal(hash((await ask('GET', '/pieces/100')).bytes), hash(pieces));
  });
  await check('a body against its schema is 400, one too large 413, no route 404', async () => {
    assert.equal((await ask('POST', '/sum/x', '{"numbers": ["a"]}')).status, 400);
    assert.equal((await ask('GET', '/nowhere')).status, 404);
    const hook = stage.hooked ? { createConnection: () => stage.connect(port) } : { agent: false };
    const headers = { 'content-type': 'application/octet-stream', 'content-length': 40_000_000 };
    const request = http.request({ ...hook, host: stage.host, port, method: 'PUT', path: '/hash', headers });
    request.on('error', () => {});
    request.flushHeaders();
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 413);
    request.destroy();
  });
}
