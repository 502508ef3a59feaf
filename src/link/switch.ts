/**
 * An Ethernet switch in software: links are plugged in, frames go to where their destination was last heard of, and to
 * everybody when it was not, or is a group. Virtual machines, pages and hosts of ours become one network.
 */

import { readU16, readU32 } from '../base/bytes.ts';
import { EstabError } from '../base/errors.ts';
import type { Link } from './link.ts';

/** Addresses remembered; the one heard of longest ago makes room. */
const TABLE_LIMIT = 4096;
const HEADER = 14;

interface Plug {
  readonly link: Link;
}

export class Switch {
  /** Frames that a link had no room for: a switch drops what a port cannot carry, and TCP finds out. */
  dropped = 0;
  private readonly plugs = new Set<Plug>();
  /** Where each address was last heard of, in the order of hearing. */
  private readonly table = new Map<number, Plug>();

  /**
   * Plugs a link in and starts it; a closed link unplugs itself.
   * @throws EstabError EINVAL for a link that carries no Ethernet frames.
   * @returns a function that pulls it out again (the link stays open).
   */
  plug(link: Link): () => void {
    if (link.layer !== 'ethernet')
      throw new EstabError('EINVAL', 'a switch joins Ethernet links; this one carries bare IP');
    const plug: Plug = { link };
    this.plugs.add(plug);
    link.start({
      frame: (frame) => {
        if (this.plugs.has(plug)) this.forward(plug, frame);
      },
      burstEnd: () => {},
      writable: () => {},
      closed: () => this.pull(plug),
    });
    return () => this.pull(plug);
  }

  /** Links plugged in. */
  get size(): number {
    return this.plugs.size;
  }

  private forward(from: Plug, frame: Uint8Array): void {
    if (frame.length < HEADER) return;
    this.learn(address(frame, 6), from);
    const group = (frame[0] & 1) !== 0;
    const known = group ? undefined : this.table.get(address(frame, 0));
    if (known !== undefined) {
      if (known !== from) this.send(known, frame);
      return;
    }
    for (const plug of this.plugs) if (plug !== from) this.send(plug, frame);
  }

  private send(plug: Plug, frame: Uint8Array): void {
    if (!plug.link.send(frame)) this.dropped++;
  }

  private learn(source: number, plug: Plug): void {
    this.table.delete(source);
    this.table.set(source, plug);
    if (this.table.size <= TABLE_LIMIT) return;
    const [oldest] = this.table.keys();
    this.table.delete(oldest);
  }

  private pull(plug: Plug): void {
    this.plugs.delete(plug);
    for (const [known, at] of this.table) if (at === plug) this.table.delete(known);
  }
}

/** A MAC address as a number: 48 bits are exact. */
function address(frame: Uint8Array, at: number): number {
  return readU16(frame, at) * 0x1_0000_0000 + readU32(frame, at + 2);
}
