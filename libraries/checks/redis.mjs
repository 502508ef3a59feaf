/** node-redis against a real Redis. It makes its own sockets and takes none. */
import assert from 'node:assert/strict';
import { createClient, RESP_TYPES } from 'redis';
import { body, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const { host, cert: ca } = stage;
  const { redis: port, redisTls } = stage.server.ports;
  const connect = async (socket = {}, options = {}) => {
    const client = createClient({ socket: { host, port, ...socket }, password: 'secret', ...options });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const client = await connect();
  await client.flushAll();

  await check('20,000 commands at once, every answer', async () => {
    const answers = await together(20_000, (i) =>
      i % 2 === 0 ? client.set(`key:${i}`, `value ${i}`) : client.get(`key:${i - 1}`),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? 'OK' : `value ${i - 1}`)),
    );
  });

  await check('a value of 48 MB there and back', async () => {
    const bytes = body(48_000_000, 2);
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await client.set('large', bytes);
    assert.equal(hash(await binary.get('large')), hash(bytes));
    await client.del('large');
  });

  await check('5,000 messages from a publisher to a subscriber, in order', async () => {
    const subscriber = await connect();
    const heard = [];
    const last = new Promise((resolve) => {
      void subscriber.pSubscribe('news.*', (text) => heard.push(Number(text)) === 5000 && resolve());
    });
    await subscriber.ping();
    await together(5000, (i) => client.publish('news.today', String(i)));
    await last;
    assert.deepEqual(
      heard,
      Array.from({ length: 5000 }, (_, i) => i),
    );
    subscriber.destroy();
  });

  await check('TLS, the certificate verified, 8 MB through it', async () => {
    const secure = await connect({ port: redisTls, tls: true, ca });
    const text = body(4_000_000, 3).toString('hex');
    await secure.set('sealed', text);
    assert.equal(await secure.get('sealed'), text);
    secure.destroy();
  });

  await check('a client that the server kills comes back and goes on', async () => {
    const victim = await connect({ reconnectStrategy: () => 10 });
    const id = await victim.clientId();
    const back = new Promise((resolve) => victim.once('ready', resolve));
    await client.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
    await back;
    assert.equal(await victim.ping(), 'PONG');
    assert.notEqual(await victim.clientId(), id);
    victim.destroy();
  });
  client.destroy();
}
