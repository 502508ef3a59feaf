/** An unmodified program of Node's under `estab/register` on a TUN, against the kernel's programs. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FAMILIES, makeTun, TUN } from './command.ts';
import { Namespace, needs, ROOT, type Running } from './namespace.ts';

const REGISTER = pathToFileURL(path.join(ROOT, 'src', 'register.ts')).href;
const MEGABYTES = 8;
const SERVER = `
  const body = Buffer.alloc(${MEGABYTES} << 20);
  for (let i = 0; i < body.length; i++) body[i] = (i * 31 + (i >> 12)) & 255;
  require('node:http').createServer((request, response) => {
    if (request.method === 'PUT') {
      const hash = require('node:crypto').createHash('sha256');
      request.on('data', (part) => hash.update(part)).on('end', () => response.end(hash.digest('hex')));
    } else response.end(request.url === '/big' ? body : request.socket.remoteAddress);
  }).listen(8080, () => console.log('listening'));`;
const CLIENT = `
  const from = process.env.FROM;
  (async () => {
    console.log(await (await fetch(from + '/who')).text());
    const body = Buffer.from(await (await fetch(from + '/big')).arrayBuffer());
    console.log(body.length, require('node:crypto').createHash('sha256').update(body).digest('hex'));
    console.log(await (await fetch(from, { method: 'PUT', body })).text());
  })();`;

function hashOfBody(): string {
  const body = Buffer.alloc(MEGABYTES << 20);
  for (let i = 0; i < body.length; i++) body[i] = (i * 31 + (i >> 12)) & 255;
  return createHash('sha256').update(body).digest('hex');
}

let ns: Namespace;
beforeEach(needs('curl', 'ss'));
beforeEach(() => {
  ns = new Namespace();
  makeTun(ns);
});
afterEach(async () => {
  await ns?.close();
});

function registered(program: string, environment: Record<string, string>): Running {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const preload = ['--import', 'tsx', '--import', REGISTER];
  return ns.start('env', [...variables, process.execPath, ...preload, '-e', program]);
}

for (const family of FAMILIES) {
  const tun = { ESTAB_TUN: TUN, ESTAB_ADDRESS: family.prefixed, ESTAB_PEER: family.peer };

  test(`http server on our stack, curl of the kernel's side, over ${family.name}`, async () => {
    const server = registered(SERVER, tun);
    await server.seen(/listening/);
    const big = await ns.run('curl', ['-sg', `http://${family.host}:8080/big`]);
    expect(createHash('sha256').update(big.stdout).digest('hex')).toBe(hashOfBody());
    const put = ['-sg', '-T', '-', `http://${family.host}:8080/`];
    expect((await ns.run('curl', put, { input: big.stdout })).stdout.toString()).toBe(hashOfBody());
    const who = await ns.run('curl', ['-sg', `http://${family.host}:8080/who`]);
    expect(who.stdout.toString()).toBe(family.name === 'IPv4' ? `::ffff:${family.peer}` : family.peer);
    expect(ns.runNow('ss', ['-Htln']).includes(':8080')).toBe(false);
  });

  test(`fetch on our stack, http server of the kernel's side, over ${family.name}`, async () => {
    const server = ns.start(process.execPath, ['-e', SERVER]);
    await server.seen(/listening/);
    const from = family.name === 'IPv4' ? `http://${family.peer}:8080` : `http://[${family.peer}]:8080`;
    const client = registered(CLIENT, { ...tun, FROM: from });
    const { code, stdout, stderr } = await client.done();
    const who = family.name === 'IPv4' ? `::ffff:${family.local}` : family.local;
    const hash = hashOfBody();
    expect({ code, stderr, stdout: stdout.toString() }).toEqual({
      code: 0,
      stderr: '',
      stdout: `${who}\n${MEGABYTES << 20} ${hash}\n${hash}\n`,
    });
  });
}

test('only chosen destinations go over the TUN', async () => {
  const server = ns.start(process.execPath, ['-e', SERVER]);
  await server.seen(/listening/);
  const environment = { ESTAB_TUN: TUN, ESTAB_ADDRESS: '10.7.0.2/24', ESTAB_ONLY: '10.7.0.0/24' };
  const program = `(async () => {
    for (const to of ['10.7.0.1', '127.0.0.1']) console.log(await (await fetch('http://' + to + ':8080/who')).text());
  })();`;
  const { stdout } = await registered(program, environment).done();
  expect(stdout.toString()).toBe('::ffff:10.7.0.2\n::ffff:127.0.0.1\n');
});

test('names and datagrams over the TUN: a name server, an echo and a web server of the kernel’s side', async () => {
  const server = ns.start(process.execPath, [
    '-e',
    `
    const packet = require(${JSON.stringify(path.join(ROOT, 'node_modules', 'dns-packet'))});
    const dgram = require('node:dgram');
    const names = dgram.createSocket('udp4', (bytes, from) => {
      const { id, questions } = packet.decode(bytes);
      const [{ name, type }] = questions;
      const answers = type === 'A' ? [{ name, type, ttl: 60, data: '10.7.0.1' }] : [];
      names.send(packet.encode({ type: 'response', id, questions, answers }), from.port, from.address);
    });
    const echo = dgram.createSocket('udp4', (bytes, from) => echo.send(bytes, from.port, from.address));
    require('node:http').createServer((request, response) => response.end(request.headers.host)).listen(8080);
    names.bind(53, () => echo.bind(7, () => console.log('listening')));`,
  ]);
  await server.seen(/listening/);
  const environment = { ESTAB_TUN: TUN, ESTAB_ADDRESS: '10.7.0.2/24', ESTAB_DNS: '10.7.0.1' };
  const program = `(async () => {
    console.log(await (await fetch('http://shop.example:8080/')).text());
    console.log(await require('node:dns/promises').resolve4('other.example'));
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (bytes, from) => {
      console.log(String(bytes), from.address, from.port);
      socket.close();
    });
    socket.send('hello', 7, 'echo.example');
  })();`;
  const { code, stdout, stderr } = await registered(program, environment).done();
  expect({ code, stderr, stdout: stdout.toString() }).toEqual({
    code: 0,
    stderr: '',
    stdout: "shop.example:8080\n[ '10.7.0.1' ]\nhello 10.7.0.1 7\n",
  });
});

test('what a program has written leaves, also where it ends right behind it', async () => {
  const server = ns.start(process.execPath, [
    '-e',
    `
    require('node:net').createServer((socket) => socket.on('data', (text) => console.log(String(text)))).listen(8080);
    console.log('listening');`,
  ]);
  await server.seen(/listening/);
  const environment = { ESTAB_TUN: TUN, ESTAB_ADDRESS: '10.7.0.2/24' };
  const program = `const socket = require('node:net').connect(8080, '10.7.0.1', () => {
    socket.write('last words', () => process.exit(7));
  });`;
  expect((await registered(program, environment).done()).code).toBe(7);
  await server.seen(/last words/, 5000);
});

test('a TUN that cannot be had ends the program with the reason', async () => {
  const environment = { ESTAB_TUN: 'lo', ESTAB_ADDRESS: '10.7.0.2/24' };
  const { code, stderr } = await registered("require('node:net').connect(1, '10.7.0.1')", environment).done();
  expect(code).toBe(1);
  expect(stderr).toBe('estab/register: lo is an interface of another kind, no TUN device; choose another name\n');
});
