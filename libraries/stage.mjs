/**
 * Where a library's two ends meet, by one of three routes:
 *
 * - `duplex`: the library's own stream hook is given plain Duplex sockets (`estab/net` as it is in browsers);
 * - `handles`: the same hook is given `estab/net`'s sockets, Node's own on handles of ours;
 * - `preload`: nothing is given. The program is unmodified and runs under `node -r estab/register`.
 *
 * Without a server of its own, both ends live in this process on our stack. With one, its other end is the kernel's,
 * across a TUN of the network namespace that this process runs in.
 */
import { once } from 'node:events';
import net from 'node:net';
import { Host, memoryPair } from '../dist/index.js';
import { openTun } from '../dist/link/tun.js';
import { configureTun } from '../dist/link/tun-configure.js';
import { createNet as createHandleNet } from '../dist/net/index.js';
import { createNet as createDuplexNet } from '../dist/net/portable.js';

export class Stage {
  /** Whether the library's hook is to be used. */
  hooked;
  /** Where clients connect to. */
  host;
  /** Of the server, PEM: a key, and a certificate that is its own authority and valid for `host`. */
  key;
  cert;
  /** Of the server outside: its ports by name, and what else is to be known of it. */
  server;
  #client = net;
  #server = net;
  #hosts = [];
  #listening = new Set();

  constructor(route, { key, cert, outside, server }) {
    this.hooked = route !== 'preload';
    this.host = outside?.peer ?? (this.hooked ? '10.0.0.2' : '127.0.0.1');
    Object.assign(this, { key, cert, server });
  }

  /**
   * @param given `{ key, cert }`, and with a real server `outside: { tun, local: '10.7.1.2/24', peer: '10.7.1.1' }` and
   * `server`, what is to be known of it.
   */
  static async open(route, given) {
    const stage = new Stage(route, given);
    const { outside } = given;
    if (route === 'preload') return stage;
    const createNet = route === 'duplex' ? createDuplexNet : createHandleNet;
    const client = new Host();
    stage.#hosts.push(client);
    stage.#client = createNet(client);
    if (outside !== undefined) {
      const link = await openTun({ name: outside.tun });
      configureTun(link.name, [{ local: outside.local, peer: outside.peer }]);
      client.attach(link, { name: link.name, addresses: [outside.local] });
      return stage;
    }
    const { a, b } = memoryPair();
    client.attach(a, { name: 'link', addresses: ['10.0.0.1/24'] });
    const server = new Host();
    server.attach(b, { name: 'link', addresses: ['10.0.0.2/24'] });
    stage.#hosts.push(server);
    stage.#server = createNet(server);
    return stage;
  }

  /** A socket that connects; for the library's hook. */
  connect(port, options = {}) {
    return this.#client.connect({ host: this.host, port, noDelay: true, ...options });
  }

  /** A socket that will connect when it is told to. */
  socket() {
    return new this.#client.Socket();
  }

  /**
   * Lets a server hear connections: by its own `listen` where nothing is hooked, else by the connections of ours that
   * it is handed. @param server of node:net's kind, or what is to be done with each connection. @returns the port.
   */
  async listen(server, options = {}) {
    const accept = typeof server === 'function' ? server : (socket) => server.emit('connection', socket);
    const own = !this.hooked && typeof server !== 'function';
    const listening = own ? server : this.#server.createServer({ noDelay: true, ...options }, accept);
    this.#listening.add(listening);
    listening.listen(0);
    await once(listening, 'listening');
    return listening.address().port;
  }

  close() {
    for (const server of this.#listening) server.close();
    for (const host of this.#hosts) host.close();
  }
}
