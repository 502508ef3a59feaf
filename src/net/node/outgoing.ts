/** One write under way: what the connection has no room for yet waits here, and the rest of it is not copied before. */

/** Taken over at a time: a write of any length costs no more memory than this above the send buffer. */
const PIECE = 131_072;

export class Outgoing {
  /** Bytes of all writes so far, those under way included. */
  total = 0;
  /** Bytes of this write that the connection has not taken. */
  left = 0;
  private parts: readonly Uint8Array[] = [];
  private index = 0;
  private offset = 0;
  private fresh = false;
  private blocked = false;
  private complete: ((result: number) => void) | null = null;

  get busy(): boolean {
    return this.complete !== null;
  }

  /**
   * Begins a write; there is one at a time.
   * @param fresh nobody else will change the parts: they need not be copied.
   * @returns its length.
   */
  start(parts: readonly Uint8Array[], fresh: boolean, complete: (result: number) => void): number {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.parts = parts;
    this.index = 0;
    this.offset = 0;
    this.fresh = fresh;
    this.blocked = false;
    this.complete = complete;
    this.left = bytes;
    this.total += bytes;
    return bytes;
  }

  /**
   * Hands on what there is room for. `write` takes a piece always and says whether there is room for more.
   * @returns whether the write is done: all is taken, and there is room again.
   */
  move(write: (bytes: Uint8Array) => boolean): boolean {
    this.blocked = false;
    while (this.left > 0 && !this.blocked) this.blocked = !write(this.piece());
    return this.left === 0 && !this.blocked;
  }

  /** The write is over: gives back whom to tell. */
  finish(): ((result: number) => void) | null {
    const { complete } = this;
    this.complete = null;
    this.parts = [];
    this.left = 0;
    return complete;
  }

  private piece(): Uint8Array {
    while (this.offset === this.parts[this.index].length) {
      this.index++;
      this.offset = 0;
    }
    const part = this.parts[this.index];
    const from = this.offset;
    const to = Math.min(part.length, from + PIECE);
    this.offset = to;
    this.left -= to - from;
    // subarray and slice of Uint8Array itself: Buffer's slice would not copy.
    return this.fresh ? part.subarray(from, to) : Uint8Array.prototype.slice.call(part, from, to);
  }
}
