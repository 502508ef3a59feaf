/** What `estab/net` offers beside Node's own net, and the errors it gives: the same, field by field. */
import { once } from 'node:events';
import nodeNet, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import net, * as named from '../../src/net/index.ts';

async function serving(onConnection: (socket: nodeNet.Socket) => void = () => {}, options = {}) {
  const server = net.createServer(options, onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function errorOf(socket: nodeNet.Socket | nodeNet.Server): Promise<Record<string, unknown>> {
  const [error] = (await once(socket, 'error')) as [Error];
  return { ...error, message: error.message };
}

test('every name of node:net is there, on the module and on what it makes', () => {
  expect(Object.keys(net).sort()).toEqual(Object.keys(nodeNet).sort());
  for (const name of ['Socket', 'Server', 'connect', 'createServer', 'BlockList', 'SocketAddress', 'isIP'] as const) {
    expect(named[name]).toBe(net[name]);
  }
  const members = (target: object): string[] => {
    const names = new Set<string>();
    for (let at = target; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    }
    return [...names].sort();
  };
  // Ours beside Node's: options under their Linux names.
  const own = ['getOption', 'setOption'];
  expect(members(net.Socket.prototype)).toEqual([...members(nodeNet.Socket.prototype), ...own].sort());
  expect(members(net.Server.prototype)).toEqual(members(nodeNet.Server.prototype));
  expect(Object.keys(new net.Socket()).sort()).toEqual(Object.keys(new nodeNet.Socket()).sort());
});

test('constructors may be called without new, and inherited from in both ways', async () => {
  const call = net.Socket as unknown as (options?: object) => nodeNet.Socket;
  expect(call()).toBeInstanceOf(net.Socket);
  class Own extends net.Socket {
    mark = 'own';
  }
  const { server, port } = await serving((socket) => {
    expect(socket).toBeInstanceOf(net.Socket);
    socket.end('hello');
  });
  const socket = new Own().connect(port, '127.0.0.1');
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
  expect(socket.mark).toBe('own');
  server.close();
});

test('ECONNREFUSED, EADDRINUSE and EADDRNOTAVAIL', async () => {
  expect(await errorOf(net.connect(9, '127.0.0.1'))).toEqual({
    message: 'connect ECONNREFUSED 127.0.0.1:9',
    errno: -111,
    code: 'ECONNREFUSED',
    syscall: 'connect',
    address: '127.0.0.1',
    port: 9,
  });
  const { server, port } = await serving();
  expect(await errorOf(net.createServer().listen(port, '127.0.0.1'))).toEqual({
    message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    errno: -98,
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: '127.0.0.1',
    port,
  });
  server.close();
  expect(await errorOf(net.createServer().listen(0, '192.0.2.77'))).toEqual({
    message: 'listen EADDRNOTAVAIL: address not available 192.0.2.77',
    errno: -99,
    code: 'EADDRNOTAVAIL',
    syscall: 'listen',
    address: '192.0.2.77',
  });
  expect(await errorOf(net.connect({ port: 9, host: '127.0.0.1', localAddress: '192.0.2.77' }))).toMatchObject({
    message: 'bind EADDRNOTAVAIL 192.0.2.77',
    syscall: 'bind',
  });
  expect(await errorOf(net.connect(9, '192.0.2.77'))).toMatchObject({ code: 'ENETUNREACH', syscall: 'connect' });
});

test('a reset: read ECONNRESET to the reader; write EPIPE to one who had read the end', async () => {
  const { server, port } = await serving((socket) => socket.resetAndDestroy());
  expect(await errorOf(net.connect(port, '127.0.0.1'))).toEqual({
    message: 'read ECONNRESET',
    errno: -104,
    code: 'ECONNRESET',
    syscall: 'read',
  });
  server.close();
  const ending = await serving((socket) => {
    socket.on('error', () => {});
    socket.end('bye');
    setTimeout(() => socket.destroy(), 20);
  });
  const socket = net.connect({ port: ending.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.resume();
  await once(socket, 'end');
  const timer = setInterval(() => socket.write('more'), 20);
  expect(await errorOf(socket)).toEqual({ message: 'write EPIPE', errno: -32, code: 'EPIPE', syscall: 'write' });
  clearInterval(timer);
  ending.server.close();
});

test('above maxConnections: drop, with both ends', async () => {
  const { server, port } = await serving();
  server.maxConnections = 1;
  const first = net.connect(port, '127.0.0.1');
  await once(server, 'connection');
  const second = net.connect(port, '127.0.0.1');
  const [[dropped]] = await Promise.all([once(server, 'drop'), once(second, 'close')]);
  expect(dropped).toEqual({
    localAddress: '127.0.0.1',
    localPort: port,
    localFamily: 'IPv4',
    remoteAddress: '127.0.0.1',
    remotePort: expect.any(Number),
    remoteFamily: 'IPv4',
  });
  first.destroy();
  server.close();
});

test('misuse throws at once', async () => {
  const { server } = await serving();
  expect(() => server.listen(0)).toThrow('Listen method has been called more than once without closing.');
  expect(() => net.connect(70_000)).toThrow(/should be >= 0 and < 65536/);
  expect(() => net.connect({} as never)).toThrow(/"options" or "port" or "path" argument/);
  expect(() => net.connect({ port: 1, localAddress: 'nowhere' })).toThrow('Invalid IP address: nowhere');
  const controller = new AbortController();
  const socket = new net.Socket({ signal: controller.signal });
  controller.abort();
  expect(await errorOf(socket)).toMatchObject({ message: 'The operation was aborted', code: 'ABORT_ERR' });
  server.close();
});
