/**
 * A bounded FIFO of finished frames: what a host sends that is no connection's segment (ARP, ICMP, resets, cookies,
 * datagrams). One byte ring holds them all, so that a flood that must be answered costs no allocation, and its bound is
 * in bytes, which is what memory is counted in.
 */

const RECORD_HEADER = 4;
const FIRST_SIZE = 4096;
/** In place of a length: the rest of the ring is unused, go on at its start. */
const SKIP = 0xffff_ffff;

export class PacketQueue {
  /** Frames waiting. */
  count = 0;
  private buffer = new Uint8Array(0);
  private head = 0;
  private tail = 0;
  private readonly maxBytes: number;

  /** @param maxBytes the ring grows up to this, by doubling. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Copies a frame in; false when there is no room, and the frame is lost. */
  push(bytes: Uint8Array, offset: number, length: number): boolean {
    const need = RECORD_HEADER + length;
    while (!this.makeRoom(need)) {
      if (!this.grow()) return false;
    }
    this.writeLength(this.tail, length);
    this.copy(this.tail + RECORD_HEADER, bytes, offset, length);
    this.tail += need;
    this.count++;
    return true;
  }

  /** Moves the oldest frame into `out` and returns its length; 0 when there is none. A frame too long for `out` is lost. */
  pop(out: Uint8Array): number {
    if (this.count === 0) return 0;
    let length = this.lengthAtHead();
    if (length === SKIP) {
      this.head = 0;
      length = this.lengthAtHead();
    }
    const start = this.head + RECORD_HEADER;
    this.head = start + length;
    this.count--;
    if (this.count === 0) {
      this.head = 0;
      this.tail = 0;
    }
    if (length > out.length) return 0;
    if (length <= SHORT) for (let i = 0; i < length; i++) out[i] = this.buffer[start + i];
    else out.set(this.buffer.subarray(start, start + length));
    return length;
  }

  /** Puts `tail` where `need` contiguous bytes are free; false when there is no such place. */
  private makeRoom(need: number): boolean {
    const size = this.buffer.length;
    if (this.tail < this.head || (this.tail === this.head && this.count > 0)) return this.head - this.tail >= need;
    if (size - this.tail >= need) return true;
    if (this.head < need) return false;
    if (size - this.tail >= RECORD_HEADER) this.writeLength(this.tail, SKIP);
    this.tail = 0;
    return true;
  }

  private grow(): boolean {
    const size = Math.min(Math.max(FIRST_SIZE, this.buffer.length * 2), this.maxBytes);
    if (size <= this.buffer.length) return false;
    const old = this.buffer;
    const fresh = new Uint8Array(size);
    let at = 0;
    let from = this.head;
    for (let i = 0; i < this.count; i++) {
      this.head = from;
      let length = this.lengthAtHead();
      if (length === SKIP) {
        from = 0;
        this.head = 0;
        length = this.lengthAtHead();
      }
      fresh.set(old.subarray(from, from + RECORD_HEADER + length), at);
      at += RECORD_HEADER + length;
      from += RECORD_HEADER + length;
    }
    this.buffer = fresh;
    this.head = 0;
    this.tail = at;
    return true;
  }

  /** Frames of the kind this queue is for are short, and a loop copies those faster than making a view does. */
  private copy(to: number, bytes: Uint8Array, offset: number, length: number): void {
    const buffer = this.buffer;
    if (length <= SHORT) for (let i = 0; i < length; i++) buffer[to + i] = bytes[offset + i];
    else buffer.set(bytes.subarray(offset, offset + length), to);
  }

  private writeLength(at: number, length: number): void {
    const b = this.buffer;
    b[at] = length >>> 24;
    b[at + 1] = length >>> 16;
    b[at + 2] = length >>> 8;
    b[at + 3] = length;
  }

  /** The length at `head`; fewer than four bytes left before the end mean {@link SKIP} too. */
  private lengthAtHead(): number {
    const b = this.buffer;
    const at = this.head;
    if (b.length - at < RECORD_HEADER) return SKIP;
    return ((b[at] << 24) | (b[at + 1] << 16) | (b[at + 2] << 8) | b[at + 3]) >>> 0;
  }
}

const SHORT = 128;
