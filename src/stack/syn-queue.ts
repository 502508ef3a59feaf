/**
 * The two queues of a listener, counted as Linux 6 counts them: half-open connections (SYN queue) and those complete
 * that nobody has accepted yet (accept queue). RFC 4987 is about what happens when the first one is filled on purpose.
 */

import type { Connection } from './connection.ts';

/** A FIFO of connections linked through themselves; a connection stands in one at most. */
export class ConnectionQueue {
  length = 0;
  first: Connection | null = null;
  private last: Connection | null = null;

  push(connection: Connection): void {
    connection.queuePrevious = this.last;
    connection.queueNext = null;
    if (this.last === null) this.first = connection;
    else this.last.queueNext = connection;
    this.last = connection;
    this.length++;
  }

  /** Takes out a connection that stands in this queue. */
  delete(connection: Connection): void {
    const { queuePrevious: previous, queueNext: next } = connection;
    if (previous === null) this.first = next;
    else previous.queueNext = next;
    if (next === null) this.last = previous;
    else next.queuePrevious = previous;
    connection.queuePrevious = null;
    connection.queueNext = null;
    this.length--;
  }
}

/** The half-open ones, and how many of them have not timed out yet. */
export class SynQueue extends ConnectionQueue {
  young = 0;

  override push(connection: Connection): void {
    super.push(connection);
    connection.young = true;
    this.young++;
  }

  override delete(connection: Connection): void {
    super.delete(connection);
    this.age(connection);
  }

  /** The connection's SYN,ACK went unanswered for the first time. */
  age(connection: Connection): void {
    if (!connection.young) return;
    connection.young = false;
    this.young--;
  }
}

/** inet_csk_reqsk_queue_is_full: no room for another half-open connection without a cookie. */
export function isSynQueueFull(halfOpen: number, backlog: number): boolean {
  return halfOpen >= backlog;
}

/** sk_acceptq_is_full: "more than", so that a backlog of 128 holds 129. */
export function isAcceptQueueFull(waiting: number, backlog: number): boolean {
  return waiting > backlog;
}

/**
 * Without cookies, the last quarter of tcp_max_syn_backlog is kept for peers known to exist (tcp_conn_request).
 */
export function isLastQuarter(halfOpen: number, maxSynBacklog: number): boolean {
  return maxSynBacklog - halfOpen < maxSynBacklog >> 2;
}

/**
 * How often a SYN,ACK is sent again (reqsk_timer_handler). In a queue more than half full the old give way to the
 * young: while less than a half, a quarter … of the queue is young, one retransmission less, but two at least.
 */
export function synAckRetries(halfOpen: number, young: number, backlog: number, retries: number): number {
  let limit = retries;
  if (halfOpen * 2 <= Math.max(8, backlog)) return limit;
  for (let twice = young * 2; limit > 2 && halfOpen >= twice; twice *= 2) limit--;
  return limit;
}
