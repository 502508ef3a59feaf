/** TLS over web-stream sockets: secureTransport, startTls, and what speaks against it. */

import { once } from 'node:events';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNet } from '../../src/net/index.ts';
import { connect } from '../../src/web/index.ts';
import { nodeTls } from '../../src/web/node-tls.ts';
import { selfSigned } from '../libraries/certificate.ts';
import { type Hosts, SERVER_ADDRESS, twoHosts } from '../net/hosts.ts';

const { key, cert } = selfSigned();
const trusted = nodeTls({ ca: cert });
const HERE = { hostname: SERVER_ADDRESS, port: 443 };

let hosts: Hosts;
beforeEach(() => {
  hosts = twoHosts();
});
afterEach(() => hosts.close());

/** A server of Node's TLS on the other host: echoes, after `STARTTLS` in clear where asked to. */
async function serve(opportunistic = false): Promise<void> {
  const context = { key, cert, ALPNProtocols: ['echo/2', 'echo/1'], isServer: true };
  const server = createNet(hosts.server).createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    const secure = (): void => {
      const session = new tls.TLSSocket(socket, context);
      session.on('error', () => undefined);
      session.pipe(session);
    };
    if (!opportunistic) secure();
    else
      socket.once('data', (asked) => {
        socket.pause();
        expect(asked.toString()).toBe('STARTTLS\r\n');
        socket.write('220 go on\r\n', secure);
      });
  });
  server.listen(443);
  await once(server, 'listening');
}

async function readAll(readable: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  return Buffer.concat(parts);
}

async function send(writable: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

describe('secureTransport on', () => {
  test('a megabyte there and back in TLS, the protocol agreed on, a clean end', async () => {
    await serve();
    const socket = connect(hosts.client, HERE, {
      secureTransport: 'on',
      tls: trusted,
      sni: 'localhost',
      alpn: ['echo/1'],
    });
    expect(await socket.opened).toMatchObject({ remoteAddress: '10.0.0.2:443', alpn: 'echo/1' });
    expect([socket.secureTransport, socket.upgraded]).toEqual(['on', false]);
    const sent = Buffer.alloc(1_000_000, 'all of this is secret. ');
    const [echoed] = await Promise.all([readAll(socket.readable), send(socket.writable, sent)]);
    expect(Buffer.compare(echoed, sent)).toBe(0);
    await socket.closed;
    expect(() => socket.startTls()).toThrow(TypeError);
  });

  test('a certificate that is not trusted, or for another name, rejects `opened`', async () => {
    await serve();
    const stranger = connect(hosts.client, HERE, { secureTransport: 'on', tls: nodeTls(), sni: 'localhost' });
    await expect(stranger.opened).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const other = connect(hosts.client, HERE, { secureTransport: 'on', tls: trusted, sni: 'shop.example' });
    await expect(other.opened).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('a refused connection rejects `opened` as it does without TLS', async () => {
    const socket = connect(hosts.client, `${SERVER_ADDRESS}:444`, { secureTransport: 'on', tls: trusted });
    await expect(socket.opened).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(socket.closed).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('without a TLS it is a misuse, and the words say what to give', () => {
    expect(() => connect(hosts.client, HERE, { secureTransport: 'on' })).toThrow(/nodeTls\(\) of estab\/web\/tls/);
  });
});

describe('secureTransport starttls', () => {
  test('begins in clear and goes on in TLS', async () => {
    await serve(true);
    const clear = connect(hosts.client, HERE, { secureTransport: 'starttls', tls: trusted, sni: 'localhost' });
    const writer = clear.writable.getWriter();
    const reader = clear.readable.getReader();
    await writer.write(text('STARTTLS\r\n'));
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toBe('220 go on\r\n');
    expect(() => clear.startTls()).toThrow(/release the reader and the writer/);
    writer.releaseLock();
    reader.releaseLock();
    const secure = clear.startTls();
    expect(clear.upgraded).toBe(true);
    expect(() => clear.startTls()).toThrow(/upgraded already/);
    await secure.opened;
    const [echoed] = await Promise.all([readAll(secure.readable), send(secure.writable, text('quietly now'))]);
    expect(echoed.toString()).toBe('quietly now');
    await secure.closed;
  });

  test('startTls on a socket that was not opened for it is a misuse', () => {
    const socket = connect(hosts.client, HERE);
    expect(() => socket.startTls()).toThrow(TypeError);
  });
});
