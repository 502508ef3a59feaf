/**
 * A sink for {@link teeLink} that writes pcapng: every frame with the wall-clock time at which the link carried it and
 * its direction. What is written is a whole capture at any moment, so a run that is cut short leaves a readable file.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { EstabError } from '../base/errors.ts';
import { LinkType } from '../capture/formats.ts';
import { PcapngWriter } from '../capture/pcapng-writer.ts';
import type { Link } from './link.ts';
import type { FrameDirection, FrameSink } from './tee.ts';

/** Bytes gathered before they go to the file, and how long they may wait there. */
const BATCH = 256 * 1024;
const BATCH_MS = 200;

/**
 * Opens (and empties) `path` for the frames of `link`; `name` is the interface name shown by readers.
 * @throws EstabError EINVAL when the file cannot be opened.
 */
export function captureFile(path: string, link: Link, name: string): FrameSink {
  return new CaptureFile(path, link.layer === 'ethernet' ? LinkType.ETHERNET : LinkType.RAW, name);
}

class CaptureFile implements FrameSink {
  private readonly file: number;
  private readonly writer: PcapngWriter;
  private readonly interfaceId: number;
  private blocks: Uint8Array[] = [];
  private waiting = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private failed = false;
  private readonly flushAtExit = (): void => this.flush();

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
    this.flush();
    process.on('exit', this.flushAtExit);
  }

  frame(frame: Uint8Array, direction: FrameDirection): void {
    if (this.failed) return;
    this.writer.packet(this.interfaceId, performance.timeOrigin + performance.now(), frame, { direction });
  }

  end(): void {
    process.off('exit', this.flushAtExit);
    this.flush();
    closeSync(this.file);
  }

  private gather(block: Uint8Array): void {
    this.blocks.push(block);
    this.waiting += block.length;
    if (this.waiting >= BATCH) this.flush();
    else if (this.timer === null) {
      this.timer = setTimeout(() => this.flush(), BATCH_MS);
      this.timer.unref();
    }
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.waiting === 0) return;
    const batch = Buffer.concat(this.blocks);
    this.blocks = [];
    this.waiting = 0;
    try {
      // A full disk must not take the connections down with it: the capture ends there, and says so.
      for (let at = 0; at < batch.length; ) at += writeSync(this.file, batch, at);
    } catch (error) {
      this.failed = true;
      process.emitWarning(`the capture ends here: ${(error as Error).message}`);
    }
  }
}
