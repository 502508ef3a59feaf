/** ioredis against a real Redis. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import { body, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const { host, cert: ca } = stage;
  const { redis: port, redisTls } = stage.server.ports;
  /** ioredis asks its connector for a stream. */
  class Connector extends AbstractConnector {
    constructor(options) {
      super(options.disconnectTimeout);
      this.options = options;
    }

    async connect() {
      this.connecting = true;
      const socket = stage.connect(this.options.port);
      this.stream = this.options.tls ? tls.connect({ socket, host, ca }) : socket;
      return this.stream;
    }
  }
  const connect = (options = {}) =>
    new Redis({ host, port, password: 'secret', ...(stage.hooked ? { Connector } : {}), ...options });
  const client = connect();
  await client.flushall();

  await check('20,000 commands in a pipeline, every answer', async () => {
    const pipeline = client.pipeline();
    for (let i = 0; i < 10_000; i++) pipeline.set(`key:${i}`, `value ${i}`).get(`key:${i}`);
    const answers = await pipeline.exec();
    assert.deepEqual(
      answers,
      Array.from({ length: 20_000 }, (_, i) => [null, i % 2 === 0 ? 'OK' : `value ${i >> 1}`]),
    );
  });

  await check('a value of 48 MB there and back', async () => {
    const bytes = body(48_000_000, 2);
    await client.set('large', bytes);
    assert.equal(hash(await client.getBuffer('large')), hash(bytes));
    await client.del('large');
  });

  await check('5,000 messages from a publisher to two subscribers, in order', async () => {
    const subscribers = [connect(), connect()];
    const all = subscribers.map(async (subscriber) => {
      const heard = [];
      const last = new Promise((resolve) => {
        subscriber.on('pmessage', (_pattern, _channel, text) => heard.push(Number(text)) === 5000 && resolve());
      });
      await subscriber.psubscribe('news.*');
      return async () => {
        await last;
        return heard;
      };
    });
    const ready = await Promise.all(all);
    await together(5000, (i) => client.publish('news.today', i));
    for (const heard of ready)
      assert.deepEqual(
        await heard(),
        Array.from({ length: 5000 }, (_, i) => i),
      );
    for (const subscriber of subscribers) subscriber.disconnect();
  });

  await check('MULTI, a script, a stream of entries, a list waited for', async () => {
    assert.deepEqual(await client.multi().set('n', 1).incr('n').exec(), [
      [null, 'OK'],
      [null, 2],
    ]);
    client.defineCommand('addUp', {
      numberOfKeys: 0,
      lua: 'local s = 0 for _, v in ipairs(ARGV) do s = s + v end return s',
    });
    assert.equal(await client.addUp(...Array.from({ length: 1000 }, (_, i) => i)), 499_500);
    for (let i = 0; i < 100; i++) await client.xadd('log', '*', 'n', i);
    const entries = await client.xrange('log', '-', '+');
    assert.deepEqual(
      entries.map(([, [, n]]) => Number(n)),
      Array.from({ length: 100 }, (_, i) => i),
    );
    const waiter = connect();
    const popped = waiter.blpop('queue', 30);
    await client.rpush('queue', 'work');
    assert.deepEqual(await popped, ['queue', 'work']);
    waiter.disconnect();
  });

  await check('TLS, the certificate verified, 8 MB through it', async () => {
    const secure = connect({ port: redisTls, tls: { ca } });
    await secure.set('sealed', body(8_000_000, 3));
    assert.equal(hash(await secure.getBuffer('sealed')), hash(body(8_000_000, 3)));
    secure.disconnect();
  });

  await check('a client that the server kills comes back and goes on', async () => {
    const victim = connect({ retryStrategy: () => 10 });
    const id = await victim.client('ID');
    const closed = once(victim, 'close');
    await client.client('KILL', 'ID', id);
    await closed;
    assert.equal(await victim.ping(), 'PONG');
    assert.notEqual(await victim.client('ID'), id);
    victim.disconnect();
  });

  await check('an error of one command, and a wrong password, are told', async () => {
    await client.set('text', 'x');
    await assert.rejects(client.incr('text'), /not an integer/);
    const wrong = connect({ password: 'guess', lazyConnect: true, retryStrategy: null });
    wrong.on('error', () => {});
    await assert.rejects(wrong.ping(), /WRONGPASS|NOAUTH|Connection is closed/);
    wrong.disconnect();
  });
  await client.quit();
}
