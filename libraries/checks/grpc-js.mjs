/**
 * grpc-js: its server takes streams, its client connects by itself. So where streams are hooked in, the calls are made
 * over Node's http2 by hand.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { body, collect, hash, together } from '../data.mjs';

const definition = loader.loadSync(path.join(import.meta.dirname, '..', 'echo.proto'));
const { Echo } = grpc.loadPackageDefinition(definition).estab;

const SERVICE = {
  Say: ({ request }, done) =>
    request.number === 13 ? done({ code: grpc.status.INVALID_ARGUMENT, details: 'not 13' }) : done(null, request),
  Down(call) {
    for (let i = 0; i < call.request.number; i++) call.write({ number: i, bytes: body(10_000, i) });
    call.end();
  },
  async Up(call, done) {
    const parts = [];
    for await (const { bytes } of call) parts.push(bytes);
    done(null, { number: parts.length, bytes: Buffer.from(hash(Buffer.concat(parts))) });
  },
  Both: (call) => call.on('data', (piece) => call.write(piece)).on('end', () => call.end()),
};

/** One unary call, framed by hand: a zero, the length, the message. */
async function callByHand(session, name, message) {
  const method = Echo.service[name];
  const content = method.requestSerialize(message);
  const frame = Buffer.alloc(5 + content.length);
  frame.writeUInt32BE(content.length, 1);
  content.copy(frame, 5);
  const headers = { ':method': 'POST', ':path': method.path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  const trailers = once(stream, 'trailers').catch(() => [{}]);
  const response = once(stream, 'response');
  stream.end(frame);
  const bytes = await collect(stream);
  const status = (await response)[0]['grpc-status'] ?? (await trailers)[0]['grpc-status'];
  return { status: Number(status), message: bytes.length > 5 ? method.responseDeserialize(bytes.subarray(5)) : null };
}

async function hookedChecks(stage, check, server) {
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const port = await stage.listen((socket) => injector.injectConnection(socket));
  const session = http2.connect('http://estab.test', { createConnection: () => stage.connect(port) });
  await check(
    'the server alone: 200 calls on one connection, 3 MB there and back, an error with its code',
    async () => {
      const answers = await together(200, (i) => callByHand(session, 'Say', { number: i + 100, bytes: body(1000, i) }));
      for (const [i, { status, message }] of answers.entries()) {
        assert.deepEqual([status, message.number, hash(message.bytes)], [0, i + 100, hash(body(1000, i))]);
      }
      const { message } = await callByHand(session, 'Say', { number: 1, bytes: body(3_000_000, 1) });
      assert.equal(hash(message.bytes), hash(body(3_000_000, 1)));
      assert.equal((await callByHand(session, 'Say', { number: 13 })).status, grpc.status.INVALID_ARGUMENT);
    },
  );
  session.destroy();
}

async function clientChecks(stage, check, server, secure) {
  const pair = { private_key: Buffer.from(stage.key), cert_chain: Buffer.from(stage.cert) };
  const credentials = secure ? grpc.ServerCredentials.createSsl(null, [pair]) : grpc.ServerCredentials.createInsecure();
  const port = await new Promise((resolve, reject) => {
    server.bindAsync(`${stage.host}:0`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const trust = secure ? grpc.credentials.createSsl(Buffer.from(stage.cert)) : grpc.credentials.createInsecure();
  const client = new Echo(`${stage.host}:${port}`, trust);
  const say = (message) =>
    new Promise((resolve, reject) => client.Say(message, (error, answer) => (error ? reject(error) : resolve(answer))));
  const over = secure ? ', over TLS' : '';

  await check(`200 calls at once, 3 MB there and back, an error with its code${over}`, async () => {
    const answers = await together(200, (i) => say({ number: i + 100, bytes: body(1000, i) }));
    for (const [i, { number, bytes }] of answers.entries()) {
      assert.deepEqual([number, hash(bytes)], [i + 100, hash(body(1000, i))]);
    }
    assert.equal(hash((await say({ bytes: body(3_000_000, 1) })).bytes), hash(body(3_000_000, 1)));
    await assert.rejects(say({ number: 13 }), { code: grpc.status.INVALID_ARGUMENT, details: 'not 13' });
  });
  await check(`streams of 1,000 messages down, up, and both ways${over}`, async () => {
    const all = Buffer.concat(Array.from({ length: 1000 }, (_, i) => body(10_000, i)));
    const down = [];
    for await (const { bytes } of client.Down({ number: 1000 })) down.push(bytes);
    assert.equal(hash(Buffer.concat(down)), hash(all));
    const summed = new Promise((resolve, reject) => {
      const up = client.Up((error, answer) => (error ? reject(error) : resolve(answer)));
      for (let i = 0; i < 1000; i++) up.write({ number: i, bytes: body(10_000, i) });
      up.end();
    });
    assert.equal((await summed).bytes.toString(), hash(all));
    const both = client.Both();
    for (let i = 0; i < 1000; i++) both.write({ number: i, bytes: body(10_000, i) });
    both.end();
    const back = [];
    for await (const { bytes } of both) back.push(bytes);
    assert.equal(hash(Buffer.concat(back)), hash(all));
  });
  await check(`a deadline ends a call that hangs${over}`, async () => {
    const call = client.Both({ deadline: Date.now() + 300 });
    const [error] = await once(call, 'error');
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
  });
  client.close();
}

export default async function run(stage, check) {
  const server = new grpc.Server();
  server.addService(Echo.service, SERVICE);
  if (stage.hooked) await hookedChecks(stage, check, server);
  else for (const secure of [false, true]) await clientChecks(stage, check, server, secure);
  server.forceShutdown();
}
