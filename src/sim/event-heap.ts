/**
 * The simulation's agenda: a binary heap of things to do, ordered by time and, at the same time, by the order in which
 * they were scheduled. That second key is what makes a run repeatable: no two entries are ever equal.
 */

import { NEVER, type Time } from '../base/time.ts';

/** One entry of the agenda. Hold on to it only to cancel it. */
export class Scheduled {
  readonly time: Time;
  readonly order: number;
  readonly action: () => void;
  cancelled = false;

  constructor(time: Time, order: number, action: () => void) {
    this.time = time;
    this.order = order;
    this.action = action;
  }

  /** The action will not run. Harmless when it has run already. */
  cancel(): void {
    this.cancelled = true;
  }
}

export class EventHeap {
  private readonly entries: Scheduled[] = [];
  private scheduled = 0;

  /** When the next entry is due; NEVER when there is none. */
  get nextTime(): Time {
    this.dropCancelled();
    return this.entries.length === 0 ? NEVER : this.entries[0].time;
  }

  schedule(time: Time, action: () => void): Scheduled {
    const entry = new Scheduled(time, this.scheduled++, action);
    this.entries.push(entry);
    this.siftUp(this.entries.length - 1);
    return entry;
  }

  /** Takes the next entry off the agenda; null when there is none. */
  pop(): Scheduled | null {
    this.dropCancelled();
    return this.entries.length === 0 ? null : this.removeFirst();
  }

  private dropCancelled(): void {
    while (this.entries.length > 0 && this.entries[0].cancelled) this.removeFirst();
  }

  private removeFirst(): Scheduled {
    const first = this.entries[0];
    const last = this.entries.pop()!;
    if (this.entries.length > 0) {
      this.entries[0] = last;
      this.siftDown();
    }
    return first;
  }

  private siftUp(index: number): void {
    let child = index;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(this.entries[child], this.entries[parent])) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  private siftDown(): void {
    const { length } = this.entries;
    let parent = 0;
    for (;;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      let least = parent;
      if (left < length && before(this.entries[left], this.entries[least])) least = left;
      if (right < length && before(this.entries[right], this.entries[least])) least = right;
      if (least === parent) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private swap(a: number, b: number): void {
    const entry = this.entries[a];
    this.entries[a] = this.entries[b];
    this.entries[b] = entry;
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
