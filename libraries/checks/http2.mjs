/** Node's own http2, both ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import tls from 'node:tls';
import { answer, LENGTH } from '../answer.mjs';
import { body, collect, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const { key, cert, host } = stage;
  const plain = http2.createServer(answer);
  const clear = await stage.listen(plain);
  const sealed = await stage.listen(http2.createSecureServer({ key, cert }, answer));
  const session = (port, secure) => {
    const hook = () => {
      const socket = stage.connect(port);
      return secure ? tls.connect({ socket, ca: cert, host, ALPNProtocols: ['h2'] }) : socket;
    };
    const scheme = secure ? 'https' : 'http';
    return http2.connect(`${scheme}://${host}:${port}`, {
      ca: cert,
      ...(stage.hooked ? { createConnection: hook } : {}),
    });
  };
  const exchange = async (client, seed) => {
    const stream = client.request({ ':method': 'POST', ':path': `/${seed}` });
    stream.end(body(LENGTH, seed + 100));
    const [headers] = await once(stream, 'response');
    assert.equal(headers.received, hash(body(LENGTH, seed + 100)));
    assert.equal(hash(await collect(stream)), hash(body(LENGTH, seed)));
  };

  for (const [port, secure] of [
    [clear, false],
    [sealed, true],
  ]) {
    await check(`10 streams of one connection at once, 700 kB each way${secure ? ', over TLS' : ''}`, async () => {
      const client = session(port, secure);
      await together(10, (seed) => exchange(client, seed));
      client.close();
      await once(client, 'close');
    });
  }

  await check('a stream that nobody reads holds up none of the others', async () => {
    const client = session(clear, false);
    const lazy = client.request({ ':path': '/1' });
    lazy.pause();
    await once(lazy, 'response');
    await exchange(client, 2);
    assert.equal(hash(await collect(lazy)), hash(body(LENGTH, 1)));
    client.close();
  });

  await check('ping, settings, and a GOAWAY after which nothing is lost', async () => {
    const accepted = once(plain, 'session');
    const client = session(clear, false);
    const [serving] = await accepted;
    if (client.connecting) await once(client, 'connect');
    const payload = await new Promise((resolve, reject) => {
      client.ping(Buffer.from('estab.12'), (error, _ms, echoed) => (error ? reject(error) : resolve(echoed)));
    });
    assert.equal(payload.toString(), 'estab.12');
    const stream = client.request({ ':path': '/3' });
    await once(stream, 'response');
    serving.goaway();
    assert.equal(hash(await collect(stream)), hash(body(LENGTH, 3)));
    client.destroy();
  });
}
