/** Answers kept for as long as their TTL says, "there is none" included (RFC 2308). Bounded: the oldest goes first. */

import type { Time } from '../base/time.ts';

interface Entry<T> {
  readonly value: T;
  readonly storedAt: Time;
  readonly expires: Time;
}

export class TtlCache<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly capacity: number;

  /** @param capacity most entries; 0 remembers nothing. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.entries.size;
  }

  /** The value and its age in seconds; null when there is none, or it has expired. */
  get(now: Time, key: string): { readonly value: T; readonly age: number } | null {
    const entry = this.entries.get(key);
    if (entry === undefined) return null;
    if (entry.expires <= now) {
      this.entries.delete(key);
      return null;
    }
    return { value: entry.value, age: (now - entry.storedAt) / 1000 };
  }

  /** @param ttl seconds; 0 is not kept at all. */
  set(now: Time, key: string, value: T, ttl: number): void {
    this.entries.delete(key);
    if (ttl <= 0 || this.capacity === 0) return;
    if (this.entries.size >= this.capacity) {
      const [oldest] = this.entries.keys();
      this.entries.delete(oldest);
    }
    this.entries.set(key, { value, storedAt: now, expires: now + ttl * 1000 });
  }

  clear(): void {
    this.entries.clear();
  }
}
