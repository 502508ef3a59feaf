/**
 * A simulated wire between two ends, `a` and `b`. Each direction has its own delay, rate, queue and faults. A frame
 * goes through them in the order of a real path: the verdict hook and the fault lottery decide what becomes of it, the
 * serialisation queue when it has left (or that the queue was full), the delay when it arrives.
 *
 * Everything that happens to a frame is told to the observers, with the same frame number throughout, so that a
 * drawing, a capture and a test can follow one segment from departure to its end.
 */

import { type RandomSource, randomBelow, randomUnit } from '../base/random.ts';
import type { Time } from '../base/time.ts';
import type { World } from './world.ts';

/** The way a frame goes. */
export type Direction = 'a->b' | 'b->a';
export type End = 'a' | 'b';

/** One frame on the wire. Its bytes are the wire's own copy; do not change them. */
export interface WireFrame {
  /** Its number on this wire, over both directions, from 1. A duplicate has a number of its own. */
  readonly id: number;
  /** Its place among the frames sent in its direction, from 0. A duplicate shares its original's. */
  readonly index: number;
  readonly direction: Direction;
  readonly bytes: Uint8Array;
  readonly sentAt: Time;
  /** The frame this one duplicates, or null. */
  readonly copyOf: number | null;
  /** Put on the wire by {@link Wire.inject}, not sent by the host at the other end. */
  readonly injected: boolean;
}

export type DropReason = 'verdict' | 'blackhole' | 'loss' | 'burst loss' | 'queue full' | 'nobody there';

export type WireEvent =
  | { readonly kind: 'sent'; readonly time: Time; readonly frame: WireFrame }
  | { readonly kind: 'delivered'; readonly time: Time; readonly frame: WireFrame }
  | { readonly kind: 'dropped'; readonly time: Time; readonly frame: WireFrame; readonly reason: DropReason }
  | { readonly kind: 'duplicated'; readonly time: Time; readonly frame: WireFrame; readonly copy: WireFrame }
  | { readonly kind: 'corrupted'; readonly time: Time; readonly frame: WireFrame; readonly offsets: readonly number[] }
  | { readonly kind: 'reordered'; readonly time: Time; readonly frame: WireFrame; readonly extraMs: number };

export type WireObserver = (event: WireEvent) => void;

/**
 * What a test decides for one frame: let it take its chances (`pass`), lose it, deliver it twice, hold it back by so
 * many milliseconds (later frames overtake it), flip these bits, or send this in its place.
 */
export type Verdict =
  | 'pass'
  | 'drop'
  | 'duplicate'
  | { readonly delay: number }
  | { readonly flipBits: readonly number[] }
  | { readonly replace: Uint8Array };

/** Asked once for every frame sent; `index` counts the frames of that direction from 0. */
export type VerdictHook = (index: number, frame: Uint8Array, direction: Direction, time: Time) => Verdict;

/** One direction of a wire. Probabilities are 0 … 1; everything left out is a perfect wire. */
export interface WireOptions {
  /** Propagation delay in milliseconds. */
  readonly delayMs?: number;
  /** Up to this much more, uniform; order is kept. */
  readonly jitterMs?: number;
  /** Serialisation rate in bit/s. */
  readonly rate?: number;
  /** Drop-tail limits of the queue before the rate, the frame being sent included. */
  readonly queueBytes?: number;
  readonly queuePackets?: number;
  readonly loss?: number;
  /** Gilbert-Elliott: two states, entered and left with these probabilities a frame, each with its own loss. */
  readonly burstLoss?: { readonly enter: number; readonly leave: number; readonly lossIn?: number };
  /** Holds a frame back by `extraMs`, so that later ones overtake it. */
  readonly reorder?: { readonly probability: number; readonly extraMs: number };
  readonly duplicate?: number;
  /** Flips one bit, or with `bytes` overwrites 1 … `bytes` neighbouring octets. One bit is always caught by the Internet checksum, more is caught in all but 1 of 65,536. */
  readonly corrupt?: { readonly probability: number; readonly bytes?: number };
  /** Times in which everything sent is lost. */
  readonly blackholes?: readonly { readonly from: Time; readonly until: Time }[];
  readonly verdict?: VerdictHook;
}

export type FrameReceiver = (frame: Uint8Array, now: Time) => void;

/** One way through a wire: its options, its queue and its random stream. */
class OneWay {
  options: WireOptions;
  receiver: FrameReceiver | null = null;
  sent = 0;
  readonly random: RandomSource;
  /** When the last bit of the last accepted frame leaves. */
  busyUntil: Time = 0;
  /** Frames accepted and not yet gone, by the time they will be. */
  readonly queue: { readonly goneAt: Time; readonly bytes: number }[] = [];
  queuedBytes = 0;
  /** The latest arrival so far: jitter never overtakes. */
  lastArrival: Time = 0;
  inBurst = false;

  constructor(options: WireOptions, random: RandomSource) {
    this.options = options;
    this.random = random;
  }

  chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && randomUnit(this.random) < probability;
  }
}

export class Wire {
  private readonly world: World;
  private readonly ways: Record<Direction, OneWay>;
  private readonly observers: WireObserver[] = [];
  private frames = 0;

  /** @param backward the direction b->a; the same as forward when left out. */
  constructor(world: World, forward: WireOptions = {}, backward: WireOptions = forward) {
    this.world = world;
    this.ways = { 'a->b': new OneWay(forward, world.fork()), 'b->a': new OneWay(backward, world.fork()) };
  }

  /** Who gets what arrives at this end; null for nobody (frames are dropped there). */
  attach(end: End, receiver: FrameReceiver | null): void {
    this.ways[end === 'a' ? 'b->a' : 'a->b'].receiver = receiver;
  }

  observe(observer: WireObserver): void {
    this.observers.push(observer);
  }

  /** Changes a direction from now on; what is under way keeps its fate. */
  change(direction: Direction, options: WireOptions): void {
    const way = this.ways[direction];
    way.options = { ...way.options, ...options };
  }

  /** The host at `end` sends a frame; the bytes are copied. */
  send(end: End, bytes: Uint8Array): void {
    const direction = end === 'a' ? 'a->b' : 'b->a';
    const way = this.ways[direction];
    const frame = this.frame(direction, way.sent++, bytes.slice(), null, false);
    this.tell({ kind: 'sent', time: this.world.now, frame });
    const verdict = way.options.verdict?.(frame.index, frame.bytes, direction, this.world.now) ?? 'pass';
    this.decide(way, frame, verdict);
  }

  /**
   * Puts a frame in the middle of the wire that no host sent now: an old duplicate that wandered, a forgery. It meets
   * no fault and no queue and arrives after `delayMs` (this direction's own delay when left out).
   */
  inject(direction: Direction, bytes: Uint8Array, delayMs?: number): void {
    const way = this.ways[direction];
    const frame = this.frame(direction, way.sent, bytes.slice(), null, true);
    this.tell({ kind: 'sent', time: this.world.now, frame });
    this.arriveAt(way, frame, this.world.now + (delayMs ?? way.options.delayMs ?? 0));
  }

  private frame(
    direction: Direction,
    index: number,
    bytes: Uint8Array,
    copyOf: number | null,
    injected: boolean,
  ): WireFrame {
    return { id: ++this.frames, index, direction, bytes, sentAt: this.world.now, copyOf, injected };
  }

  private decide(way: OneWay, frame: WireFrame, verdict: Verdict): void {
    const fate = verdict === 'drop' ? 'verdict' : this.lottery(way);
    if (fate !== null) {
      this.drop(frame, fate);
      return;
    }
    let held = 0;
    let carried = frame;
    if (typeof verdict === 'object') {
      if ('delay' in verdict) held = verdict.delay;
      else if ('flipBits' in verdict) carried = this.corrupted(frame, flipBits(frame.bytes, verdict.flipBits));
      else carried = this.corrupted(frame, { bytes: verdict.replace.slice(), offsets: [] });
    }
    if (way.chance(way.options.corrupt?.probability))
      carried = this.corrupted(carried, randomDamage(way, carried.bytes));
    if (way.chance(way.options.reorder?.probability)) held += way.options.reorder!.extraMs;
    const twice = verdict === 'duplicate' || way.chance(way.options.duplicate);
    this.carry(way, carried, held);
    if (!twice) return;
    const copy = this.frame(frame.direction, frame.index, carried.bytes.slice(), frame.id, false);
    this.tell({ kind: 'duplicated', time: this.world.now, frame, copy });
    this.carry(way, copy, 0);
  }

  /** The faults that lose a frame on the way; each draws its number whether or not another struck first. */
  private lottery(way: OneWay): DropReason | null {
    const { options } = way;
    const lost = way.chance(options.loss);
    const burst = this.burst(way);
    const { now } = this.world;
    if (options.blackholes?.some((hole) => hole.from <= now && now < hole.until)) return 'blackhole';
    if (lost) return 'loss';
    return burst ? 'burst loss' : null;
  }

  private burst(way: OneWay): boolean {
    const burst = way.options.burstLoss;
    if (burst === undefined) return false;
    way.inBurst = way.inBurst ? !way.chance(burst.leave) : way.chance(burst.enter);
    return way.inBurst && way.chance(burst.lossIn ?? 1);
  }

  /** Through the queue and the delay, to the other end. */
  private carry(way: OneWay, frame: WireFrame, heldMs: number): void {
    const gone = this.serialise(way, frame);
    if (gone === null) {
      this.drop(frame, 'queue full');
      return;
    }
    const delay = way.options.delayMs ?? 0;
    const jitter = way.options.jitterMs ?? 0;
    let arrival = gone + delay + (jitter > 0 ? jitter * randomUnit(way.random) : 0);
    // Jitter is a queue somewhere else: it stretches gaps and keeps order. Only a frame held back on purpose is overtaken.
    if (heldMs > 0) {
      arrival += heldMs;
      this.tell({ kind: 'reordered', time: this.world.now, frame, extraMs: heldMs });
    } else {
      arrival = Math.max(arrival, way.lastArrival);
      way.lastArrival = arrival;
    }
    this.arriveAt(way, frame, arrival);
  }

  /** When the frame's last bit has left; null when the queue has no room for it. */
  private serialise(way: OneWay, frame: WireFrame): Time | null {
    const { rate, queueBytes, queuePackets } = way.options;
    const { now } = this.world;
    if (rate === undefined) return now;
    while (way.queue.length > 0 && way.queue[0].goneAt <= now) way.queuedBytes -= way.queue.shift()!.bytes;
    const { length } = frame.bytes;
    if (queuePackets !== undefined && way.queue.length >= queuePackets) return null;
    if (queueBytes !== undefined && way.queuedBytes + length > queueBytes) return null;
    way.busyUntil = Math.max(way.busyUntil, now) + (length * 8000) / rate;
    way.queue.push({ goneAt: way.busyUntil, bytes: length });
    way.queuedBytes += length;
    return way.busyUntil;
  }

  private arriveAt(way: OneWay, frame: WireFrame, time: Time): void {
    this.world.at(time, () => {
      if (way.receiver === null) {
        this.drop(frame, 'nobody there');
        return;
      }
      this.tell({ kind: 'delivered', time: this.world.now, frame });
      // The receiver may keep what it gets; observers keep the frame. So it gets a copy of its own.
      way.receiver(frame.bytes.slice(), this.world.now);
    });
  }

  private corrupted(frame: WireFrame, damage: Damage): WireFrame {
    this.tell({ kind: 'corrupted', time: this.world.now, frame, offsets: damage.offsets });
    return { ...frame, bytes: damage.bytes };
  }

  private drop(frame: WireFrame, reason: DropReason): void {
    this.tell({ kind: 'dropped', time: this.world.now, frame, reason });
  }

  private tell(event: WireEvent): void {
    for (const observer of this.observers) observer(event);
  }
}

interface Damage {
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
}

/** Bit 0 is the lowest bit of the first octet. */
function flipBits(frame: Uint8Array, bits: readonly number[]): Damage {
  const bytes = frame.slice();
  for (const bit of bits) bytes[bit >> 3] ^= 1 << (bit & 7);
  return { bytes, offsets: bits.map((bit) => bit >> 3) };
}

function randomDamage(way: OneWay, frame: Uint8Array): Damage {
  const most = way.options.corrupt?.bytes ?? 0;
  if (frame.length === 0) return { bytes: frame, offsets: [] };
  if (most === 0) return flipBits(frame, [randomBelow(way.random, frame.length * 8)]);
  const bytes = frame.slice();
  const start = randomBelow(way.random, bytes.length);
  const end = Math.min(bytes.length, start + 1 + randomBelow(way.random, most));
  const offsets: number[] = [];
  for (let i = start; i < end; i++) {
    // Never xor with 0: damage that changes nothing would make a test pass for the wrong reason.
    bytes[i] ^= 1 + randomBelow(way.random, 255);
    offsets.push(i);
  }
  return { bytes, offsets };
}
