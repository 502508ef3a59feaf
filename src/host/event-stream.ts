/** The events of a host as an async stream, with a bounded buffer between the host and whoever iterates. */

import { EstabError } from '../base/errors.ts';
import { EVENT_KINDS, type EventKind, type EventOf } from './events.ts';

export interface EventsOptions<K extends EventKind = EventKind> {
  /** The kinds wanted; all if left out. */
  readonly kinds?: readonly K[];
  /** Most events that wait to be taken; then the oldest give way, and {@link EventStream.dropped} counts them. 1024. */
  readonly capacity?: number;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
}

const CAPACITY = 1024;

/** Listens from its making on, until it is closed, its iteration is left, or the host closes. */
export class EventStream<K extends EventKind = EventKind> implements AsyncIterableIterator<EventOf<K>> {
  /** Events that were lost because nobody took them in time. */
  dropped = 0;
  readonly kinds: ReadonlySet<EventKind>;
  private readonly capacity: number;
  /** What nobody has taken yet, from `head` on. */
  private waiting: (EventOf<K> | undefined)[] = [];
  private head = 0;
  private readonly takers: ((result: IteratorResult<EventOf<K>, undefined>) => void)[] = [];
  private ended = false;
  private readonly onEnd: (stream: EventStream<K>) => void;

  /** @throws EstabError EINVAL for a kind there is not, or a capacity that is none. */
  constructor({ kinds, capacity = CAPACITY, signal }: EventsOptions<K>, onEnd: (stream: EventStream<K>) => void) {
    const unknown = kinds?.find((kind) => !EVENT_KINDS.includes(kind));
    if (unknown !== undefined) {
      throw new EstabError('EINVAL', `there are no events of kind "${unknown}"; known are ${EVENT_KINDS.join(', ')}`);
    }
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new EstabError('EINVAL', `capacity ${capacity} is no number of events; give 1 or more`);
    }
    this.kinds = new Set<EventKind>(kinds ?? EVENT_KINDS);
    this.capacity = capacity;
    this.onEnd = onEnd;
    if (signal?.aborted === true) this.close();
    else signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  /** The host's own: one more event. */
  push(event: EventOf<K>): void {
    if (this.ended) return;
    const taker = this.takers.shift();
    if (taker !== undefined) {
      taker({ done: false, value: event });
      return;
    }
    this.waiting.push(event);
    if (this.waiting.length - this.head <= this.capacity) return;
    this.take();
    this.dropped++;
  }

  /** Ends the stream; what waits can still be taken. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    for (const taker of this.takers.splice(0)) taker({ done: true, value: undefined });
    this.onEnd(this);
  }

  get isEnded(): boolean {
    return this.ended;
  }

  next(): Promise<IteratorResult<EventOf<K>, undefined>> {
    const value = this.take();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.takers.push(resolve));
  }

  /** Leaving a `for await` ends the stream, and what waits is let go. */
  return(): Promise<IteratorResult<EventOf<K>, undefined>> {
    this.waiting = [];
    this.head = 0;
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private take(): EventOf<K> | undefined {
    const { waiting } = this;
    if (this.head === waiting.length) return undefined;
    const event = waiting[this.head];
    waiting[this.head++] = undefined;
    // Half of it is gone: the rest moves to the front, so that each event is moved once or twice in its life.
    if (this.head * 2 >= waiting.length) {
      waiting.splice(0, this.head);
      this.head = 0;
    }
    return event;
  }
}
