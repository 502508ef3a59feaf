/** ssh2's client to Debian's sshd. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { body, collect, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const { ports, folder } = stage.server;
  const privateKey = readFileSync(`${folder}/user`);
  const connect = async (options = {}) => {
    const client = new ssh2.Client();
    const where = stage.hooked ? { sock: stage.connect(ports.ssh) } : { host: stage.host, port: ports.ssh };
    client.connect({ ...where, username: 'root', privateKey, ...options });
    await once(client, 'ready');
    return client;
  };
  const exec = (client, command, input) =>
    new Promise((resolve, reject) => {
      client.exec(command, async (error, stream) => {
        if (error) return reject(error);
        const exit = once(stream, 'exit');
        stream.end(input);
        const [output, errors] = await Promise.all([collect(stream), collect(stream.stderr)]);
        resolve({ output, errors: errors.toString(), code: (await exit)[0] });
      });
    });
  const client = await connect();

  await check('32 MB through `cat`, there and back, and its hash by sha256sum', async () => {
    const bytes = body(32_000_000, 1);
    const { output, code } = await exec(client, 'cat', bytes);
    assert.deepEqual([hash(output), code], [hash(bytes), 0]);
    assert.match((await exec(client, 'sha256sum', bytes)).output.toString(), new RegExp(`^${hash(bytes)} `));
  });

  await check('8 commands at once on one connection; exit codes and stderr', async () => {
    const answers = await together(8, (i) => exec(client, `echo ${i}; echo no >&2; exit ${i}`));
    for (const [i, { output, errors, code }] of answers.entries()) {
      assert.deepEqual([output.toString(), code], [`${i}\n`, i]);
      // What the user's shell says at its start comes before.
      assert.match(errors, /no\n$/);
    }
  });

  await check('SFTP: 16 MB put and got, a folder listed', async () => {
    const sftp = await new Promise((resolve, reject) =>
      client.sftp((error, opened) => (error ? reject(error) : resolve(opened))),
    );
    const bytes = body(16_000_000, 2);
    const call = (name, ...args) =>
      new Promise((resolve, reject) => sftp[name](...args, (error, value) => (error ? reject(error) : resolve(value))));
    await call('writeFile', `${folder}/put`, bytes);
    assert.equal(hash(await call('readFile', `${folder}/put`)), hash(bytes));
    assert.ok((await call('readdir', folder)).some(({ filename }) => filename === 'put'));
    await call('unlink', `${folder}/put`);
    await assert.rejects(call('stat', `${folder}/put`), { code: 2 });
  });

  await check('a port forwarded through sshd to itself: its banner', async () => {
    const stream = await new Promise((resolve, reject) => {
      client.forwardOut('127.0.0.1', 1, '127.0.0.1', ports.ssh, (error, channel) =>
        error ? reject(error) : resolve(channel),
      );
    });
    const [banner] = await once(stream, 'data');
    assert.match(banner.toString(), /^SSH-2\.0-OpenSSH_/);
    stream.destroy();
  });

  await check('a wrong key is refused', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const privateKey = stranger.export({ type: 'pkcs1', format: 'pem' });
    await assert.rejects(connect({ privateKey }), { level: 'client-authentication' });
  });
  client.end();
  await once(client, 'close');
}
