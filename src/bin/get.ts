/** `estab get URL…`: the life of a request, from the name to the last FIN, over the embedded network. */

import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Misuse } from './demo/options.ts';
import { count, outputWidth, painter, wantsColour, wrap } from './demo/paint.ts';
import type { RawGetOptions } from './get/options.ts';
import type { View } from './get/report.ts';
import { complain, Output } from './output.ts';

interface CommandOptions extends RawGetOptions {
  readonly list?: boolean;
}

export function registerGet(program: Command): void {
  program
    .command('get')
    .description('the life of a request over an embedded network: DNS, TCP, TLS, HTTP, and the waterfall of a page')
    .argument('[urls...]', 'what to get, one after the other: https://shop.example/')
    .option('--list', 'what there is to get, one line each')
    .option('--html <file>', "the waterfall as one page that stands alone, each connection's ladder behind a click")
    .option('--pcap <file>', 'every packet and the TLS secrets, as pcapng: Wireshark shows it decrypted')
    .option('--json', 'one object with all times instead of the lines')
    .option('--no-tls', 'http instead of https')
    .option('--http1', 'HTTP/1.1 also where the server speaks HTTP/2')
    .option('--dhe <group>', 'the Diffie-Hellman group both ends are held to: X25519, P-256, ffdhe2048, …')
    .option('--seed <n>', 'of the losses; keys, ports and sequence numbers are new every time (1)')
    .option('--loss <p>', 'lose packets at random, on the wire of each server, each way: 0.05 or 5%')
    .option('--delay <ms>', 'one way, to each server (10)')
    .option('--timeout <s>', 'a step without an answer for so long is given up (5)')
    .option('--connections <n>', 'to one origin side by side, HTTP/1.1 (2)')
    .action(get);
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
    if (!(error instanceof Misuse)) throw error;
    complain(`get: ${error.message}`);
    process.exitCode = 2;
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
  if (!options.json) print([...wrap(headline(options), view.width), '']);
  const session = await Session.begin(options, (line) => {
    if (!options.json) print(report.stepLines(line, view));
  });
  for (const url of options.urls) await session.load(url);
  const result = await session.finish();
  if (options.json) out.write(`${JSON.stringify(jsonReport(result), null, 1)}\n`);
  else {
    for (const page of result.pages) if (page.firstByteAt !== null) print(report.pageReport(page, view));
    print(report.connectionLines(result.connections, view));
    const lost = result.lost === 0 ? 'none lost' : `${count(result.lost, 'packet')} lost on the way`;
    print(['', `${count(result.packets, 'packet')} at the client's end, ${lost}`]);
  }
  const saved = [save(options.pcap, result.capture), save(options.html, htmlPage(result))].filter(
    (text) => text !== null,
  );
  if (!options.json && saved.length > 0) print([`Written: ${saved.join(', ')}`]);
  if (result.pages.some((page) => page.requests.some(({ failure }) => failure !== null))) {
    if (!options.json) print(failureLines(result.pages));
    process.exitCode = 1;
  }
}

function headline({ delayMs, loss, seed }: { delayMs: number; loss: number; seed: number }): string {
  const lossy = loss === 0 ? '' : `  ·  ${Number((loss * 100).toFixed(2))} % loss each way  ·  seed ${seed}`;
  return `estab get  ·  over an embedded network  ·  ${delayMs} ms each way${lossy}`;
}

/** What went wrong, once more and last: that is where one looks. */
function failureLines(pages: readonly import('./get/records.ts').PageRecord[]): string[] {
  const failures = pages.flatMap(({ requests }) =>
    requests.flatMap(({ failure }) => (failure === null ? [] : [failure])),
  );
  const named = failures.some(({ step }) => step === 'DNS');
  const lines = failures.map(({ step, message }) => `Failed at ${step}: ${message}`);
  if (named) lines.push('The embedded network has only a few names: estab get --list');
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
