/**
 * A link that shows every frame passing through another one to a sink: a capture file, a live ladder, a counter.
 */
import type { Link, LinkHandlers } from './link.ts';

/** Which way a frame goes, seen from the stack: as the pcapng packet flags name it. */
export type FrameDirection = 'inbound' | 'outbound';

export interface FrameSink {
  /** One frame, in the order in which the link carried them; `frame` is valid during the call only. */
  frame(frame: Uint8Array, direction: FrameDirection): void;
  /** The link has closed: nothing more comes. */
  end(): void;
}

/**
 * Wraps `link`: the same link to its user, but `sink` sees each frame first. A frame that the link refuses (full) is
 * not shown; it is shown when it is taken.
 */
export function teeLink(link: Link, sink: FrameSink): Link {
  return new TeeLink(link, sink);
}

class TeeLink implements Link {
  readonly mtu: number;
  readonly layer: 'ip' | 'ethernet';
  readonly mac: Uint8Array | null;
  readonly checksum: { readonly tx: boolean; readonly rx: boolean };
  readonly segmentation: number;
  private readonly link: Link;
  private readonly sink: FrameSink;
  private ended = false;

  constructor(link: Link, sink: FrameSink) {
    this.link = link;
    this.sink = sink;
    this.mtu = link.mtu;
    this.layer = link.layer;
    this.mac = link.mac;
    this.checksum = link.checksum;
    this.segmentation = link.segmentation;
  }

  start(handlers: LinkHandlers): void {
    this.link.start({
      frame: (frame, owned) => {
        if (!this.ended) this.sink.frame(frame, 'inbound');
        handlers.frame(frame, owned);
      },
      burstEnd: () => handlers.burstEnd(),
      writable: () => handlers.writable(),
      closed: (error) => {
        this.end();
        handlers.closed(error);
      },
    });
  }

  send(frame: Uint8Array): boolean {
    const taken = this.link.send(frame);
    if (taken && !this.ended) this.sink.frame(frame, 'outbound');
    return taken;
  }

  close(): void {
    this.link.close();
    this.end();
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.sink.end();
  }
}
