/** mqtt.js to the aedes broker. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { body, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const broker = await Aedes.createBroker();
  const port = await stage.listen(stage.hooked ? broker.handle : net.createServer(broker.handle));
  const opened = [];
  const connect = async (options = {}) => {
    const settings = { protocolVersion: 4, reconnectPeriod: 0, ...options };
    const client = stage.hooked
      ? new mqtt.MqttClient(() => {
          const socket = stage.connect(port);
          opened.push(socket);
          return socket;
        }, settings)
      : mqtt.connect({ host: stage.host, port, ...settings });
    await once(client, 'connect');
    return client;
  };
  /** The next `count` messages that a client gets. */
  const messages = (client, count) =>
    new Promise((resolve) => {
      const all = [];
      client.on('message', (topic, payload) => {
        if (all.push({ topic, payload }) === count) resolve(all);
      });
    });

  await check('2,000 messages at QoS 0, 1 and 2, each once and in order', async () => {
    const [from, to] = [await connect(), await connect()];
    for (const qos of [0, 1, 2]) {
      const topic = `count/${qos}`;
      await to.subscribeAsync(topic, { qos });
      const coming = messages(to, 2000);
      // aedes takes a thousand of one client's at once.
      for (let at = 0; at < 2000; at += 500)
        await together(500, (i) => from.publishAsync(topic, String(at + i), { qos }));
      const numbers = (await coming).map(({ payload }) => Number(payload));
      assert.deepEqual(
        numbers,
        Array.from({ length: 2000 }, (_, i) => i),
      );
      to.removeAllListeners('message');
      await to.unsubscribeAsync(topic);
    }
    await Promise.all([from.endAsync(), to.endAsync()]);
  });

  await check('a message of 10 MB, one retained for those who come later, wildcards', async () => {
    const from = await connect();
    await from.publishAsync('files/big/one', body(10_000_000, 8), { qos: 1, retain: true });
    const to = await connect();
    const coming = messages(to, 1);
    await to.subscribeAsync('files/+/#');
    const [{ topic, payload }] = await coming;
    assert.equal(topic, 'files/big/one');
    assert.equal(hash(payload), hash(body(10_000_000, 8)));
    await Promise.all([from.endAsync(), to.endAsync()]);
  });

  await check('a client that vanishes: the broker sends its will', async () => {
    const to = await connect();
    await to.subscribeAsync('wills/#');
    const coming = messages(to, 1);
    const gone = await connect({ will: { topic: 'wills/a', payload: 'gone', qos: 1 } });
    gone.stream.destroy();
    const [{ topic, payload }] = await coming;
    assert.deepEqual([topic, payload.toString()], ['wills/a', 'gone']);
    await to.endAsync();
  });

  await check('what a session missed while it was away arrives when it is back', async () => {
    const settings = { clientId: 'sleeper', clean: false };
    const before = await connect(settings);
    await before.subscribeAsync('missed', { qos: 1 });
    await before.endAsync();
    const from = await connect();
    for (let i = 0; i < 20; i++) await from.publishAsync('missed', String(i), { qos: 1 });
    const after = stage.hooked
      ? new mqtt.MqttClient(() => stage.connect(port), { protocolVersion: 4, ...settings })
      : mqtt.connect({ host: stage.host, port, protocolVersion: 4, ...settings });
    const numbers = (await messages(after, 20)).map(({ payload }) => Number(payload));
    assert.deepEqual(
      numbers,
      Array.from({ length: 20 }, (_, i) => i),
    );
    await Promise.all([from.endAsync(), after.endAsync()]);
  });
  broker.close();
}
