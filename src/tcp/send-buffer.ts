/**
 * Text the application has sent and the peer has not acknowledged yet. Large writes are held by reference (the caller
 * must leave them alone until they are acknowledged, as with any asynchronous write); small ones are gathered, so that
 * a thousand one-byte writes do not make a thousand objects (MAY-16).
 */

/** Writes up to this size are copied together. */
const GATHER_MAX = 512;
const GATHER_CHUNK = 4096;
const GATHER_LEAST = 256;
/** Dead entries at the front of the list that are tolerated before it is compacted. */
const COMPACT_AT = 64;

export class SendBuffer {
  /** Bytes held. */
  length = 0;
  private chunks: Uint8Array[] = [];
  private head = 0;
  /** Acknowledged bytes of the first chunk. */
  private headOffset = 0;
  /** Room left at the end of the last chunk, when that is a gathering one of ours. */
  private gatherRoom = 0;
  private gather: Uint8Array | null = null;
  /** Where the last copy ended: the chunk, and its first byte's offset from the front of the buffer. */
  private cursorChunk = 0;
  private cursorStart = 0;

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.length += bytes.length;
    if (bytes.length > GATHER_MAX) {
      this.chunks.push(bytes);
      this.gather = null;
      this.gatherRoom = 0;
      return;
    }
    if (this.gather === null || this.gatherRoom < bytes.length) {
      this.gather = new Uint8Array(this.gatherSize(bytes.length));
      this.gatherRoom = this.gather.length;
      this.chunks.push(this.gather.subarray(0, 0));
    }
    const used = this.gather.length - this.gatherRoom;
    this.gather.set(bytes, used);
    this.gatherRoom -= bytes.length;
    const last = this.chunks.length - 1;
    const start = this.chunks[last].byteOffset - this.gather.byteOffset;
    this.chunks[last] = this.gather.subarray(start, used + bytes.length);
  }

  /** A first small write is often the only one until it is acknowledged; whoever writes on gets more room. */
  private gatherSize(bytes: number): number {
    if (this.length > GATHER_MAX) return GATHER_CHUNK;
    return bytes > GATHER_LEAST / 4 ? GATHER_MAX : GATHER_LEAST;
  }

  /** Drops `count` acknowledged bytes from the front; at most {@link length}. */
  drop(count: number): void {
    this.length -= count;
    if (this.length === 0) {
      this.clear();
      return;
    }
    this.cursorStart -= count;
    let left = count + this.headOffset;
    while (left >= this.chunks[this.head].length) {
      left -= this.chunks[this.head].length;
      this.head++;
    }
    this.headOffset = left;
    if (this.cursorChunk < this.head) {
      this.cursorChunk = this.head;
      this.cursorStart = -left;
    }
    if (this.head > COMPACT_AT && this.head * 2 > this.chunks.length) {
      this.chunks = this.chunks.slice(this.head);
      this.cursorChunk -= this.head;
      this.head = 0;
    }
  }

  /** Copies `length` bytes that begin `offset` bytes from the front into `dest` at `at`. */
  copyTo(offset: number, length: number, dest: Uint8Array, at: number): void {
    let index = this.cursorChunk;
    let start = this.cursorStart;
    if (offset < start) {
      index = this.head;
      start = -this.headOffset;
    }
    while (offset >= start + this.chunks[index].length) {
      start += this.chunks[index].length;
      index++;
    }
    this.cursorChunk = index;
    this.cursorStart = start;
    let from = offset - start;
    let left = length;
    let to = at;
    while (left > 0) {
      const chunk = this.chunks[index];
      const take = Math.min(left, chunk.length - from);
      dest.set(from === 0 && take === chunk.length ? chunk : chunk.subarray(from, from + take), to);
      to += take;
      left -= take;
      from = 0;
      index++;
    }
  }

  clear(): void {
    this.length = 0;
    this.chunks = [];
    this.head = 0;
    this.headOffset = 0;
    this.gather = null;
    this.gatherRoom = 0;
    this.cursorChunk = 0;
    this.cursorStart = 0;
  }
}
