/**
 * A sink for {@link teeLink} that writes pcapng: every frame with the wall-clock time at which the link carried it and
 * its direction. What is written is a whole capture at any moment, so a run that is cut short leaves a readable file.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { EstabError } from '../base/errors.ts';
import { LinkType, TLS_KEY_LOG } from '../capture/formats.ts';
import { PcapngWriter } from '../capture/pcapng-writer.ts';
import type { Link } from './link.ts';
import type { FrameDirection, FrameSink } from './tee.ts';

/** Bytes gathered before they go to the file, and how long they may wait there. */
const BATCH = 256 * 1024;
const BATCH_MS = 200;
/** Above this nothing waits any longer. */
const MOST = 16 * 1024 * 1024;
/** Packets wait so long at least: TLS tells its secrets a little after the packet that they open has come. */
const HELD_MS = 50;

/** The sink of a capture file. */
export interface CaptureSink extends FrameSink {
  /** A line of a TLS key log, put before the packets of the last moments: readers decrypt what follows it. */
  secret(line: Uint8Array): void;
}

interface Gathered {
  readonly at: number;
  readonly block: Uint8Array;
}

/**
 * Opens (and empties) `path` for the frames of `link`; `name` is the interface name shown by readers.
 * @throws EstabError EINVAL when the file cannot be opened.
 */
export function captureFile(path: string, link: Link, name: string): CaptureSink {
  return new CaptureFile(path, link.layer === 'ethernet' ? LinkType.ETHERNET : LinkType.RAW, name);
}

class CaptureFile implements CaptureSink {
  private readonly file: number;
  private readonly writer: PcapngWriter;
  private readonly interfaceId: number;
  private gathered: Gathered[] = [];
  private waiting = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private failed = false;
  private ended = false;
  private readonly flushAtExit = (): void => this.write(this.gathered.length);

  constructor(path: string, linkType: number, name: string) {
    try {
      this.file = openSync(path, 'w');
    } catch (error) {
      throw new EstabError(
        'EINVAL',
        `cannot write a capture to ${path} (${(error as Error).message}); name another file`,
      );
    }
    this.writer = new PcapngWriter((block) => this.gather(block));
    this.interfaceId = this.writer.addInterface({ linkType, name });
    this.write(this.gathered.length);
    process.on('exit', this.flushAtExit);
  }

  frame(frame: Uint8Array, direction: FrameDirection): void {
    if (this.failed) return;
    this.writer.packet(this.interfaceId, performance.timeOrigin + performance.now(), frame, { direction });
  }

  secret(line: Uint8Array): void {
    if (this.failed || this.ended) return;
    this.writer.secrets(TLS_KEY_LOG, line);
    // What the writer has just made goes to the front of all that still waits.
    const last = this.gathered.pop();
    if (last !== undefined) this.gathered.unshift({ at: this.gathered[0]?.at ?? last.at, block: last.block });
  }

  end(): void {
    this.ended = true;
    if (this.timer !== null) clearTimeout(this.timer);
    process.off('exit', this.flushAtExit);
    this.write(this.gathered.length);
    closeSync(this.file);
  }

  private gather(block: Uint8Array): void {
    this.gathered.push({ at: performance.now(), block });
    this.waiting += block.length;
    if (this.waiting >= MOST) this.write(this.gathered.length);
    else if (this.timer === null) this.plan(BATCH_MS);
    else if (this.waiting >= BATCH && this.waiting - block.length < BATCH) this.plan(HELD_MS);
  }

  private plan(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), ms);
    this.timer.unref();
  }

  /** Writes what has waited long enough. */
  private flush(): void {
    this.timer = null;
    const ripe = performance.now() - HELD_MS;
    const young = this.gathered.findIndex(({ at }) => at > ripe);
    this.write(young < 0 ? this.gathered.length : young);
    if (this.gathered.length > 0) this.plan(HELD_MS);
  }

  private write(count: number): void {
    if (count === 0) return;
    const batch = Buffer.concat(this.gathered.splice(0, count).map(({ block }) => block));
    this.waiting -= batch.length;
    try {
      // A full disk must not take the connections down with it: the capture ends there, and says so.
      for (let at = 0; at < batch.length; ) at += writeSync(this.file, batch, at);
    } catch (error) {
      this.failed = true;
      process.emitWarning(`the capture ends here: ${(error as Error).message}`);
    }
  }
}
