/** Output of the commands: gathered into large writes, calm when the reader has gone away, errors in one line. */

import { writeSync } from 'node:fs';

const LARGE = 1 << 16;

/** Standard output. A reader that closes its end (`| head`) ends the process quietly. */
export class Output {
  private text = '';
  private readonly encoder: 'utf8' | 'latin1';

  /** @param encoder `latin1` where the text is known to be plain ASCII: it is several times faster. */
  constructor(encoder: 'utf8' | 'latin1' = 'utf8') {
    this.encoder = encoder;
  }

  write(text: string): void {
    this.text += text;
    if (this.text.length > LARGE) this.flush();
  }

  flush(): void {
    const bytes = Buffer.from(this.text, this.encoder);
    this.text = '';
    writeAll(1, bytes);
  }
}

/** Writes all of `bytes` to a file descriptor that may be a pipe in non-blocking mode. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') cannotWrite(descriptor, code ?? String(error));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

/** A full disk, say. The end of the process: what was to be printed is all it was for. */
function cannotWrite(descriptor: number, reason: string): never {
  if (descriptor !== 2) complain(`cannot write the output (${reason}); make room for it, or send it elsewhere`);
  process.exit(1);
}

/** Commander's complaint about how the command was called, in our form: one line that says what to do. */
export function misuse(path: readonly string[], text: string): string {
  const [complaint, ...hint] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const meant = hint.length === 0 ? '' : ` ${hint.join(' ')}`;
  const help = ['estab', ...path, '--help'].join(' ');
  const names = path.length === 0 ? 'names all commands' : 'names all options';
  return `${['estab', ...path].join(': ')}: ${complaint.replace(/\.$/, '')}${meant}; "${help}" ${names}\n`;
}

/** One line on standard error. */
export function complain(text: string): void {
  writeAll(2, Buffer.from(`estab: ${text}\n`));
}
