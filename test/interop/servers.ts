/** Other people's servers for the tests: nginx, openssl, dnsmasq, in a namespace, with certificates made on the spot. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { Authority, type LeafOptions } from '../../src/bin/get/certificates.ts';
import { TUN } from './command.ts';
import type { Namespace, Running } from './namespace.ts';
import type { Capture } from './packets.ts';
import { byConnection, problems, tell } from './stories.ts';

/** Where the servers listen: the kernel's end of the TUN. */
export const KERNEL = { v4: '10.7.0.1', v6: 'fd00:7::1' };
/** The stack's, with prefix lengths. */
export const STACK = { v4: '10.7.0.2/24', v6: 'fd00:7::2/64' };

/** Gives the kernel its addresses beforehand, so that servers can listen there. */
export function addKernelAddresses(namespace: Namespace): void {
  namespace.runNow('ip', ['address', 'add', `${KERNEL.v4}/24`, 'dev', TUN]);
  namespace.runNow('ip', ['address', 'add', `${KERNEL.v6}/64`, 'dev', TUN, 'nodad']);
}

/** An authority, and identities signed by it, as files of the namespace's folder. */
export class Certificates {
  readonly rootFile: string;
  private readonly authority: Authority;
  private readonly folder: string;

  private constructor(authority: Authority, folder: string) {
    this.authority = authority;
    this.folder = folder;
    this.rootFile = path.join(folder, 'root.pem');
    writeFileSync(this.rootFile, authority.root);
  }

  static async create(namespace: Namespace): Promise<Certificates> {
    return new Certificates(await Authority.create('interop'), namespace.folder);
  }

  /** Files with the key and the chain. */
  async issue(label: string, options: LeafOptions): Promise<{ key: string; chain: string }> {
    const identity = await this.authority.issue(options);
    const key = path.join(this.folder, `${label}.key`);
    const chain = path.join(this.folder, `${label}.pem`);
    writeFileSync(key, identity.key);
    writeFileSync(chain, identity.chain);
    return { key, chain };
  }
}

/** Starts nginx in one process and waits until it listens at `port`; `http` is what stands in its http block. */
export async function nginx(namespace: Namespace, port: number, http: string): Promise<Running> {
  const { folder } = namespace;
  // nginx as root still opens files as its user's: the folder is the test's alone.
  chmodSync(folder, 0o755);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((name) => `${name}_temp_path ${path.join(folder, `tmp-${name}`)};`).join('\n');
  const types = 'types { text/html html; text/css css; text/javascript js; image/svg+xml svg; }';
  const head = `daemon off; master_process off; user root; pid ${path.join(folder, 'nginx.pid')};`;
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${head}\nerror_log stderr warn;\nevents { worker_connections 1024; }\nhttp {\naccess_log off;\n${types}\n${paths}\n${http}\n}\n`,
  );
  const running = namespace.start('nginx', ['-p', folder, '-e', 'stderr', '-c', file]);
  await listening(namespace, port, running);
  return running;
}

/** Waits until something of the kernel's listens at the port. */
export async function listening(namespace: Namespace, port: number, running: Running): Promise<void> {
  const deadline = Date.now() + 20_000;
  const there = (): boolean => new RegExp(`:${port}\\s`).test(namespace.runNow('ss', ['-Htuln']));
  while (!there()) {
    if (Date.now() > deadline || running.child.exitCode !== null) {
      throw new Error(`nothing listens at port ${port}: ${running.stdout.toString()}${running.stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** A name server for the zone `test`; each record as dnsmasq's command line has it. */
export async function dnsmasq(namespace: Namespace, records: readonly string[]): Promise<Running> {
  const own = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root', '--local=/test/'];
  const bound = ['--bind-interfaces', `--listen-address=${KERNEL.v4}`, '--no-ping', '--local-ttl=60'];
  const running = namespace.start('dnsmasq', [...own, ...bound, ...records]);
  await listening(namespace, 53, running);
  return running;
}

/** Writes a small site: a page with a style sheet that names a picture, a script, and a large file. */
export function writeSite(namespace: Namespace): string {
  const site = path.join(namespace.folder, 'site');
  mkdirSync(site);
  const head = '<meta charset="utf-8"><title>Tea</title><link rel="stylesheet" href="app.css">';
  const lines = Array.from({ length: 200 }, (_, i) => `<p>Line ${i} of the page.</p>`).join('\n');
  writeFileSync(
    path.join(site, 'index.html'),
    `<!doctype html><html><head>${head}<script src="/app.js"></script></head><body><img src="logo.svg">${lines}</body></html>\n`,
  );
  writeFileSync(path.join(site, 'app.css'), `body{background:url(paper.svg)}\n${'.a{margin:1px}\n'.repeat(300)}`);
  writeFileSync(path.join(site, 'app.js'), `console.log('tea');\n${'// and so on\n'.repeat(500)}`);
  for (const name of ['logo.svg', 'paper.svg']) {
    writeFileSync(path.join(site, name), `<svg xmlns="http://www.w3.org/2000/svg">${'<g/>'.repeat(400)}</svg>\n`);
  }
  return site;
}

/**
 * What each of the connections must show, by tcpdump's account.
 * @param hasty the program is done when it has what it wants: Linux resets a connection that is closed with text unread
 * or that still receives some (RFC 9293 section 3.6.1), as TLS's goodbyes often are. We never do.
 */
export async function orderly(seen: Capture, { whole = true, hasty = false } = {}): Promise<number> {
  const connections = byConnection(await seen.segments());
  for (const connection of connections) {
    const ipv6 = connection[0].from.includes(':');
    const found = problems(tell(connection), ipv6 ? 1440 : 1460, whole);
    const reset = connection.find(({ flags }) => flags.includes('R'));
    const excused = hasty && reset?.from === (ipv6 ? KERNEL.v6 : KERNEL.v4);
    expect(found.filter((problem) => !excused || !/ FIN\b|^a RST in an orderly/.test(problem))).toEqual([]);
  }
  return connections.length;
}
