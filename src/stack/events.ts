/**
 * What waits to be told to the application. Nothing is told from within a call of the application's own, or from the
 * middle of a segment's processing: sources queue up here, and `deliver` tells them when the host has nothing else on
 * its hands.
 */

/** A connection, listener or socket with something to tell. */
export interface EventSource {
  /** The queue's own. */
  inEventQueue: boolean;
  eventNext: EventSource | null;
  /** Tells all there is to tell. */
  deliver(): void;
}

export class EventQueue {
  private first: EventSource | null = null;
  private last: EventSource | null = null;

  get busy(): boolean {
    return this.first !== null;
  }

  push(source: EventSource): void {
    if (source.inEventQueue) return;
    source.inEventQueue = true;
    source.eventNext = null;
    if (this.last === null) this.first = source;
    else this.last.eventNext = source;
    this.last = source;
  }

  /**
   * Lets those tell that stand in the queue now; who joins meanwhile waits for the next call, so that an application
   * which answers each event with another one cannot keep the host here for ever.
   * @returns whether there was anything to tell.
   */
  deliver(): boolean {
    const end = this.last;
    if (end === null) return false;
    for (let source = this.first; source !== null; source = this.first) {
      this.first = source.eventNext;
      if (this.first === null) this.last = null;
      source.inEventQueue = false;
      source.eventNext = null;
      source.deliver();
      if (source === end) return true;
    }
    return true;
  }
}
