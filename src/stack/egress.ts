/**
 * What waits to leave by one interface: connections that have something to send, and finished frames that belong to no
 * connection. Both are FIFOs and take turns; among connections each has a few segments' turn and goes to the end of the
 * line, so that one bulk transfer does not hold up a thousand small requests, nor a flood of resets all of them.
 */

import type { Interface } from '../ip/interface.ts';
import { PacketQueue } from '../ip/packet-queue.ts';
import type { Connection } from './connection.ts';

/** Segments a connection may send before the next one's turn. */
const BURST = 8;
/** Finished frames that may wait, in bytes. */
const QUEUE_BYTES = 1_048_576;

export class Egress {
  readonly iface: Interface;
  /** Finished frames. */
  readonly queue = new PacketQueue(QUEUE_BYTES);
  private head: Connection | null = null;
  private tail: Connection | null = null;
  private burst = BURST;
  private queueTurn = true;

  constructor(iface: Interface) {
    this.iface = iface;
  }

  /** Whether anything waits. */
  get busy(): boolean {
    return this.head !== null || this.queue.count > 0;
  }

  /** The connection whose turn it is. */
  get first(): Connection | null {
    return this.head;
  }

  /** Whether the next frame is to come from the queue of finished ones. */
  takeTurn(): boolean {
    if (this.queue.count === 0) return false;
    if (this.head === null) return true;
    this.queueTurn = !this.queueTurn;
    return !this.queueTurn;
  }

  /** Puts a connection at the end of the line; it must stand in none. */
  enqueue(connection: Connection): void {
    connection.egress = this;
    connection.readyNext = null;
    if (this.tail === null) this.head = connection;
    else this.tail.readyNext = connection;
    this.tail = connection;
  }

  /** Takes the first connection out of the line. */
  dequeue(): void {
    const first = this.head;
    if (first === null) return;
    this.head = first.readyNext;
    if (this.head === null) this.tail = null;
    first.readyNext = null;
    first.egress = null;
    this.burst = BURST;
  }

  /** The first connection has sent a segment: after a burst it goes to the end of the line. */
  countSegment(): void {
    this.burst--;
    const first = this.head;
    if (this.burst > 0 || first === null) return;
    this.dequeue();
    this.enqueue(first);
  }
}
