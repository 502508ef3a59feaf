/** `estab get URL…`: the life of a request, from the name to the last FIN, over the embedded network or a TUN device. */

import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EstabError } from '../base/errors.ts';
import { Misuse } from './demo/options.ts';
import { outputWidth, painter, wantsColour, wrap } from './demo/paint.ts';
import type { RawGetOptions } from './get/options.ts';
import type { View } from './get/report.ts';
import { complain, Output } from './output.ts';
import { collect, deviceOptions } from './serve/network.ts';

interface CommandOptions extends RawGetOptions {
  readonly list?: boolean;
}

export function registerGet(program: Command): void {
  const command = program
    .command('get')
    .description('the life of a request: DNS, TCP, TLS, HTTP, and the waterfall of a page')
    .argument('[urls...]', 'what to get, one after the other: https://shop.example/')
    .option('--list', 'what there is to get on the embedded network, one line each')
    .option('--html <file>', "the waterfall as one page that stands alone, each connection's ladder behind a click")
    .option('--pcap <file>', 'every packet and the TLS secrets, as pcapng: Wireshark shows it decrypted')
    .option('--json', 'one object with all times instead of the lines')
    .option('--no-tls', 'http instead of https')
    .option('--http1', 'HTTP/1.1 also where the server speaks HTTP/2')
    .option('--dhe <group>', 'the Diffie-Hellman group to agree in: X25519, P-256, ffdhe2048, …')
    .option('--timeout <s>', 'a step without an answer for so long is given up (5)')
    .option('--connections <n>', 'to one origin side by side, HTTP/1.1 (2)')
    .option('--redirects <n>', 'followed one after the other (10)')
    .option('--resolve <name:port:a>', 'an address for a name, no server is asked; may be repeated', collect, [])
    .option('--cacert <file>', 'the authorities to trust, PEM')
    .option('--insecure', 'take certificates that are no good, and say so')
    .optionsGroup('Embedded network (without --tun):')
    .option('--ipv6', 'IPv6 instead of IPv4')
    .option('--seed <n>', 'of the losses; keys, ports and sequence numbers are new every time (1)')
    .option('--loss <p>', 'lose packets at random, on the wire of each server, each way: 0.05 or 5%')
    .option('--delay <ms>', 'one way, to each server (10)')
    .optionsGroup('Real servers, through a TUN device (root, or a device made ready):')
    .option('--tun <name>', 'the TUN device; made when it is not there')
    .option('--dns <server>', "a name server's address; may be repeated (those of /etc/resolv.conf)", collect, []);
  deviceOptions(command).action(get);
}

async function get(urls: string[], raw: CommandOptions): Promise<void> {
  const out = new Output();
  try {
    // TLS, certificates and HTML are loaded only by those who need them.
    const [{ readGetOptions }, { PLACES }] = await Promise.all([
      import('./get/options.ts'),
      import('./get/internet.ts'),
    ]);
    if (raw.list === true) {
      const width = Math.max(...PLACES.map(([url]) => url.length));
      for (const [url, what] of PLACES) out.write(`${url.padEnd(width)}  ${what}\n`);
    } else {
      if (urls.length === 0)
        throw new Misuse('nothing to get; write estab get https://shop.example/, or see estab get --list');
      await run(out, readGetOptions(urls, raw));
    }
  } catch (error) {
    if (!(error instanceof Misuse) && !(error instanceof EstabError)) throw error;
    complain(`get: ${error.message}`);
    process.exitCode = error instanceof Misuse || error.code === 'EINVAL' ? 2 : 1;
  }
  out.flush();
}

async function run(
  out: Output,
  options: ReturnType<typeof import('./get/options.ts')['readGetOptions']>,
): Promise<void> {
  const [{ Session }, report, { htmlPage }, { jsonReport }] = await Promise.all([
    import('./get/session.ts'),
    import('./get/report.ts'),
    import('./get/page.ts'),
    import('./get/json.ts'),
  ]);
  const { stdout, env } = process;
  const view: View = { width: outputWidth(stdout, env), paint: painter(wantsColour(stdout, env)) };
  const print = (lines: readonly string[]): void => {
    for (const line of lines) out.write(`${line}\n`);
    // As it happens, not when all is over.
    out.flush();
  };
  const session = await Session.begin(options, (line) => {
    if (!options.json) print(report.stepLines(line, view));
  });
  breakOffOnSignal(session);
  const headline = `estab get  ·  over ${report.groundText(options, session.ground, '  ·  ')}`;
  if (!options.json) print([...wrap(headline, view.width), '']);
  for (const url of options.urls) await session.load(url);
  const result = await session.finish();
  if (options.json) out.write(`${JSON.stringify(jsonReport(result), null, 1)}\n`);
  else {
    for (const page of result.pages) if (page.firstByteAt !== null) print(report.pageReport(page, view));
    print(report.connectionLines(result.connections, view));
    print(['', report.packetsText(result)]);
  }
  const saved = [save(options.pcap, result.capture), save(options.html, htmlPage(result))].filter(
    (text) => text !== null,
  );
  if (!options.json && saved.length > 0) print([`Written: ${saved.join(', ')}`]);
  if (result.pages.some((page) => page.requests.some(({ failure }) => failure !== null))) {
    if (!options.json) print(failureLines(result.pages, options.tun === null));
    process.exitCode = 1;
  }
}

/** No kernel cleans up after this process: servers are told before it goes. */
function breakOffOnSignal(session: import('./get/session.ts').Session): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      session.abort();
      process.exit(status);
    });
  }
}

/** What went wrong, once more and last: that is where one looks. */
function failureLines(pages: readonly import('./get/records.ts').PageRecord[], embedded: boolean): string[] {
  const failures = pages.flatMap(({ requests }) =>
    requests.flatMap(({ failure }) => (failure === null ? [] : [failure])),
  );
  const named = failures.some(({ step }) => step === 'DNS');
  const lines = failures.map(({ step, message }) => `Failed at ${step}: ${message}`);
  if (named && embedded) lines.push('The embedded network has only a few names: estab get --list');
  return ['', ...new Set(lines)];
}

/** The file's name when it was asked for and written. */
function save(file: string | null, content: Uint8Array | string): string | null {
  if (file === null) return null;
  try {
    writeFileSync(file, content);
    return file;
  } catch (error) {
    const reason = (error as { code?: string }).code ?? String(error);
    complain(`get: cannot write ${file} (${reason}); name a file in a directory that exists and may be written to`);
    process.exitCode = 1;
    return null;
  }
}
