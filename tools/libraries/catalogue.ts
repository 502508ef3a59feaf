/** The libraries that are run over the stack, what stands at their other end, and by which routes they can be reached. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const FOLDER = path.join(ROOT, 'libraries');

export type Route = 'duplex' | 'handles' | 'preload';
/** As people read them. */
export const ROUTES: Readonly<Record<Route, string>> = { duplex: 'Duplex', handles: 'estab/net', preload: 'preload' };

/** A real server of Debian's, which the kernel serves. */
export type ServerName = 'postgres' | 'redis' | 'mariadb' | 'sshd';

export interface Library {
  /** checks/NAME.mjs */
  readonly name: string;
  /** Its npm packages; none for what is Node's own. */
  readonly packages: readonly string[];
  /** Null: both ends are the library's, or the ecosystem's, and both are on our stack. */
  readonly server: ServerName | null;
  /** What is at the other end. */
  readonly against: string;
  /** Where streams of ours are put in; null: it takes none, and only the preload reaches it. */
  readonly hook: string | null;
}

const own = (name: string, packages: readonly string[], against: string, hook: string | null): Library => ({
  name,
  packages,
  server: null,
  against,
  hook,
});

export const LIBRARIES: readonly Library[] = [
  own('http', [], "Node's http server", "createConnection, 'connection'"),
  own('https', [], "Node's https server", "tls.connect({ socket }), 'connection'"),
  own('http2', [], "Node's http2 server", "createConnection, 'connection'"),
  own('undici', ['undici'], "Node's http and https servers; by preload Node's own fetch", 'connect'),
  own('ws', ['ws'], "ws's server", "createConnection, 'connection'"),
  own('express', ['express'], "Node's http client", "'connection'"),
  own('fastify', ['fastify'], "Node's http client", "'connection'"),
  own('nodemailer', ['nodemailer', 'smtp-server'], 'smtp-server', "getSocket, 'connection'"),
  own('ssh2', ['ssh2'], "ssh2's server", 'sock, injectSocket'),
  own('mqtt', ['mqtt', 'aedes'], 'the aedes broker', 'the stream builder, handle'),
  own('grpc-js', ['@grpc/grpc-js', '@grpc/proto-loader'], "grpc-js's server", 'createConnectionInjector (the server)'),
  own('socket.io', ['socket.io', 'socket.io-client'], "socket.io's server", "agent, 'connection'"),
  own('mongodb', ['mongodb', 'bson'], "a stub of MongoDB's wire (Debian has no MongoDB)", null),
  { name: 'pg', packages: ['pg', 'pg-copy-streams'], server: 'postgres', against: 'PostgreSQL', hook: 'stream' },
  { name: 'ioredis', packages: ['ioredis'], server: 'redis', against: 'Redis', hook: 'Connector' },
  { name: 'redis', packages: ['redis'], server: 'redis', against: 'Redis', hook: null },
  { name: 'mysql2', packages: ['mysql2'], server: 'mariadb', against: 'MariaDB', hook: 'stream' },
  { name: 'openssh', packages: ['ssh2'], server: 'sshd', against: "OpenSSH's sshd", hook: 'sock' },
];

export function routesOf(library: Library): Route[] {
  return library.hook === null ? ['preload'] : ['duplex', 'handles', 'preload'];
}

/** `pg 8.23.1`, as pinned; `Node's own` where there is no package. */
export function versionsOf({ packages }: Library): string {
  if (packages.length === 0) return "Node's own";
  const pins = [path.join(ROOT, 'package.json'), path.join(FOLDER, 'package.json')].map((file) => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>;
    return { ...devDependencies, ...dependencies } as Record<string, string>;
  });
  const known = Object.assign({}, ...pins) as Record<string, string>;
  return packages.map((name) => `${name} ${known[name]}`).join(', ');
}
