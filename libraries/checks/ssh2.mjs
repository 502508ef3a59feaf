/** ssh2 at both ends: shells, many channels, a forwarded port, wrong keys. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import ssh2 from 'ssh2';
import { body, collect, hash, together } from '../data.mjs';

/** A private key in PEM. By Node: the keys that ssh2 makes itself cannot all be read by it. */
const newKey = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' });
const SIZE = 20_000_000;

function serve(client, allowed) {
  client.on('error', () => {});
  client.on('authentication', (context) => {
    if (context.method === 'password' && context.password === 'secret') context.accept();
    else if (context.method !== 'publickey' || !context.key.data.equals(allowed.getPublicSSH()))
      context.reject(['password', 'publickey']);
    else if (!context.signature || allowed.verify(context.blob, context.signature, context.hashAlgo) === true)
      context.accept();
    else context.reject();
  });
  client.on('session', (accept) => {
    accept().on('exec', async (acceptExec, _reject, { command }) => {
      const stream = acceptExec();
      const [name, argument] = command.split(' ');
      if (name === 'hash') stream.write(hash(await collect(stream)));
      else if (name === 'bytes') stream.write(body(SIZE, Number(argument)));
      else stream.stderr.write(`${name}: not found`);
      stream.exit(name === 'hash' || name === 'bytes' ? 0 : 127);
      stream.end();
    });
  });
  client.on('tcpip', (accept, _reject, { destIP, destPort }) => {
    const stream = accept();
    stream.write(`to ${destIP}:${destPort} `);
    stream.pipe(stream);
  });
}

export default async function run(stage, check) {
  const own = newKey();
  const allowed = ssh2.utils.parseKey(own);
  const server = new ssh2.Server({ hostKeys: [newKey()] }, (client) => serve(client, allowed));
  const port = await stage.listen(stage.hooked ? (socket) => server.injectSocket(socket) : server);
  const connect = async (credentials) => {
    const client = new ssh2.Client();
    const where = stage.hooked ? { sock: stage.connect(port) } : { host: stage.host, port };
    client.connect({ ...where, username: 'a', ...credentials });
    await once(client, 'ready');
    return client;
  };
  const exec = (client, command, input) =>
    new Promise((resolve, reject) => {
      client.exec(command, async (error, stream) => {
        if (error) return reject(error);
        stream.end(input);
        const exit = once(stream, 'exit');
        const [output, errors] = await Promise.all([collect(stream), collect(stream.stderr)]);
        resolve({ output, errors: errors.toString(), code: (await exit)[0] });
      });
    });

  await check('20 MB each way through commands, by public key', async () => {
    const client = await connect({ privateKey: own });
    const up = await exec(client, 'hash', body(SIZE, 3));
    assert.deepEqual({ ...up, output: up.output.toString() }, { output: hash(body(SIZE, 3)), errors: '', code: 0 });
    const down = await exec(client, 'bytes 4');
    assert.equal(hash(down.output), hash(body(SIZE, 4)));
    client.end();
    await once(client, 'close');
  });

  await check('8 channels of one connection at once; an unknown command is 127 with its text on stderr', async () => {
    const client = await connect({ password: 'secret' });
    const answers = await together(8, (i) => exec(client, 'hash', body(500_000, i)));
    assert.deepEqual(
      answers.map(({ output }) => output.toString()),
      Array.from({ length: 8 }, (_, i) => hash(body(500_000, i))),
    );
    assert.deepEqual(await exec(client, 'nothing'), {
      output: Buffer.alloc(0),
      errors: 'nothing: not found',
      code: 127,
    });
    client.end();
  });

  await check('a forwarded port carries both directions and closes', async () => {
    const client = await connect({ password: 'secret' });
    const stream = await new Promise((resolve, reject) => {
      client.forwardOut('127.0.0.1', 1, '192.0.2.1', 80, (error, channel) =>
        error ? reject(error) : resolve(channel),
      );
    });
    stream.end(body(300_000, 2));
    const echoed = await collect(stream);
    assert.equal(echoed.subarray(0, 16).toString(), 'to 192.0.2.1:80 ');
    assert.equal(hash(echoed.subarray(16)), hash(body(300_000, 2)));
    client.end();
  });

  await check('a wrong password and a wrong key are refused', async () => {
    await assert.rejects(connect({ password: 'guess' }), { level: 'client-authentication' });
    await assert.rejects(connect({ privateKey: newKey() }), { level: 'client-authentication' });
  });
}
