/** Node's own https and tls, both ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import tls from 'node:tls';
import { answer, LENGTH } from '../answer.mjs';
import { body, collect, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const { key, cert, host } = stage;
  const port = await stage.listen(https.createServer({ key, cert }, answer), { allowHalfOpen: true });
  const where = { host, port, ca: cert };
  const secured = (options) =>
    tls.connect({ ...where, ...options, ...(stage.hooked ? { socket: stage.connect(port) } : {}) });

  await check('the certificate verified, 700 kB each way on 4 connections at once', () =>
    together(4, async (seed) => {
      const hook = stage.hooked ? { createConnection: () => secured({}) } : { agent: false };
      const request = https.request({ ...where, ...hook, method: 'POST', path: `/${seed}` });
      request.end(body(LENGTH, seed + 100));
      const [response] = await once(request, 'response');
      assert.equal(hash(await collect(response)), hash(body(LENGTH, seed)));
      assert.equal(response.headers.received, hash(body(LENGTH, seed + 100)));
      assert.equal(response.socket.authorized, true);
    }),
  );

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    await check(`${version}: a session is resumed by its ticket`, async () => {
      const settings = { minVersion: version, maxVersion: version };
      const first = secured(settings);
      const [session] = await once(first, 'session');
      assert.equal(first.isSessionReused(), false);
      first.destroy();
      const again = secured({ ...settings, session });
      await once(again, 'secureConnect');
      assert.equal(again.isSessionReused(), true);
      again.destroy();
    });
  }

  await check('a certificate nobody vouches for is refused', async () => {
    const [error] = await once(secured({ ca: undefined }), 'error');
    assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  await check('text instead of a ClientHello: the server says so and serves on', async () => {
    const server = https.createServer({ key, cert }, answer);
    const robust = await stage.listen(server, { allowHalfOpen: true });
    const raw = stage.connect(robust);
    raw.on('error', () => {});
    raw.write('GET / HTTP/1.1\r\n\r\n');
    const [error] = await once(server, 'tlsClientError');
    assert.equal(error.code, 'ERR_SSL_HTTP_REQUEST');
    raw.destroy();
    const next = tls.connect({
      host,
      ca: cert,
      port: robust,
      ...(stage.hooked ? { socket: stage.connect(robust) } : {}),
    });
    await once(next, 'secureConnect');
    next.destroy();
  });
}
