/**
 * The timer wheel: every timer of a stack, 100,000 and more, at a cost that does not grow with their number.
 *
 * A hierarchy of 64-slot levels with occupancy bitmaps, addressed by the deadline's digits in base 64. It differs from
 * the classic wheel (Varghese and Lauck) in three ways, all for the sake of an exact next deadline:
 *
 * - Levels are not rings that turn with time but blocks of a sparse tree, made where timers crowd and dropped when
 *   empty. A deadline's place does not depend on what time it is, so a jump of hours (a frozen tab) costs nothing, a
 *   deadline in the past is no special case, and there is no cascade in which thousands of timers move at once.
 * - A slot holds a short sorted list and becomes a block of its own only when the list grows past {@link CROWD}. So the
 *   earliest timer is the head of the first occupied slot: a few bitmap scans, never a search.
 * - The lowest level is finer than the usual 1 ms tick, so that a crowd within one millisecond parts as well.
 *
 * Lists are intrusive and circular: the head's `timerPrevious` is the tail, and a node is scheduled exactly when its
 * links are not null. Equal deadlines always share a list, in the order they were scheduled: runs are deterministic.
 */

import { EstabError } from './errors.ts';
import { NEVER, type Time } from './time.ts';

/** What the wheel needs of an object it keeps. Set all three in the constructor: null, null, NEVER. */
export interface TimerNode {
  /** The next node of the same slot; null when not scheduled. The wheel's own. */
  timerNext: TimerNode | null;
  /** The previous node of the same slot; null when not scheduled. The wheel's own. */
  timerPrevious: TimerNode | null;
  /** When it is due, NEVER when not scheduled. For reading; set through {@link TimerWheel.schedule}. */
  timerDeadline: Time;
}

const SLOTS = 64;
const DIGIT_BITS = 6;
/** 4096 units a millisecond in nine digits, all the integers a double holds: 69 years, whatever the clock's origin. */
const UNITS_PER_MS = 4096;
const TOP_LEVEL = 8;
const LAST_UNIT = Number.MAX_SAFE_INTEGER;
/** The low four digits lie in the low 24 bits of a deadline, the five above in the other 29. */
const LOW_LEVELS = 4;
const LOW_RANGE = 2 ** 24;

/** A slot whose list has this many nodes becomes a block, if their deadlines differ. */
const CROWD = 16;

/** Empty blocks kept for the next crowd. */
const SPARE_BLOCKS = 64;

/** One level's 64 slots, each empty, a list, or a block of the level below. */
class Block {
  level = 0;
  parent: Block | null = null;
  /** Which of the parent's slots this is. */
  slot = 0;
  /** Occupied slots 0 … 31 and 32 … 63. */
  low = 0;
  high = 0;
  readonly heads: (TimerNode | null)[] = new Array(SLOTS).fill(null);
  readonly blocks: (Block | null)[] = new Array(SLOTS).fill(null);
  readonly sizes: number[] = new Array(SLOTS).fill(0);

  occupy(slot: number): void {
    if (slot < 32) this.low |= 1 << slot;
    else this.high |= 1 << (slot - 32);
  }

  vacate(slot: number): void {
    if (slot < 32) this.low &= ~(1 << slot);
    else this.high &= ~(1 << (slot - 32));
  }

  firstOccupied(): number {
    return this.low !== 0 ? lowestBit(this.low) : 32 + lowestBit(this.high);
  }
}

/** A set of timers with an exact earliest deadline. `T` is what is scheduled: a connection, a queue entry. */
export class TimerWheel<T extends TimerNode> {
  private readonly root = new Block();
  private readonly spare: Block[] = [];
  private count = 0;
  /** The node with the earliest deadline, or null when that has to be looked up (or nothing is scheduled). */
  private earliest: TimerNode | null = null;

  constructor() {
    this.root.level = TOP_LEVEL;
  }

  /** How many nodes are scheduled. */
  get size(): number {
    return this.count;
  }

  /**
   * Schedules `node`, or moves it when it already is. A deadline in the past is due at once; NEVER cancels. A node
   * moved to the very deadline it has keeps its place among equals, else it goes behind them.
   * @throws EstabError EINVAL when the deadline is not a number.
   */
  schedule(node: T, deadline: Time): void {
    if (node.timerNext !== null) {
      if (node.timerDeadline === deadline) return;
      this.cancel(node);
    }
    if (!(deadline < NEVER)) {
      if (deadline === NEVER) return;
      throw new EstabError('EINVAL', 'a timer deadline must be a number of milliseconds; this one is NaN');
    }
    node.timerDeadline = deadline;
    this.insert(node);
    this.count++;
    if (this.earliest !== null && deadline < this.earliest.timerDeadline) this.earliest = node;
  }

  /** Takes `node` out; nothing happens when it is not scheduled. */
  cancel(node: T): void {
    if (node.timerNext === null) return;
    if (node === this.earliest) this.earliest = null;
    const units = toUnits(node.timerDeadline);
    const block = this.blockOf(units);
    unlink(block, digit(units, block.level), node);
    if ((block.low | block.high) === 0) this.release(block);
    node.timerDeadline = NEVER;
    this.count--;
  }

  /** The earliest deadline of all, to the fraction of a millisecond; NEVER when nothing is scheduled. */
  nextDeadline(): Time {
    const first = this.first();
    return first === null ? NEVER : first.timerDeadline;
  }

  /**
   * Takes out and returns the earliest node whose deadline is at or before `now`, or null when none is due. Call until
   * null; a node scheduled at or before `now` in between is returned as well.
   */
  popDue(now: Time): T | null {
    const first = this.first();
    if (first === null || first.timerDeadline > now) return null;
    this.cancel(first);
    return first;
  }

  private first(): T | null {
    if (this.earliest === null && this.count > 0) {
      let block = this.root;
      let slot = block.firstOccupied();
      for (let below = block.blocks[slot]; below !== null; below = block.blocks[slot]) {
        block = below;
        slot = block.firstOccupied();
      }
      this.earliest = block.heads[slot];
    }
    return this.earliest as T | null;
  }

  /** The lowest block on the way to these units: the one that holds their list. */
  private blockOf(units: number): Block {
    let block = this.root;
    for (;;) {
      const below = block.blocks[digit(units, block.level)];
      if (below === null) return block;
      block = below;
    }
  }

  private insert(node: TimerNode): void {
    const units = toUnits(node.timerDeadline);
    let block = this.blockOf(units);
    let slot = digit(units, block.level);
    while (block.sizes[slot] >= CROWD && !allAt(block.heads[slot] as TimerNode, units)) {
      block = this.divide(block, slot);
      slot = digit(units, block.level);
    }
    linkSorted(block, slot, node);
  }

  /**
   * Makes a block of a crowded slot and deals its list out in order. A list whose ends fall into one slot goes there
   * whole: only lists of equal deadlines grow past the crowd, so no division touches more nodes than that.
   */
  private divide(parent: Block, slot: number): Block {
    const block = this.spare.pop() ?? new Block();
    block.level = parent.level - 1;
    block.parent = parent;
    block.slot = slot;
    const head = parent.heads[slot] as TimerNode;
    const first = digit(toUnits(head.timerDeadline), block.level);
    if (first === digit(toUnits((head.timerPrevious as TimerNode).timerDeadline), block.level)) {
      block.heads[first] = head;
      block.sizes[first] = parent.sizes[slot];
      block.occupy(first);
    } else {
      let node = head;
      do {
        const next = node.timerNext as TimerNode;
        append(block, digit(toUnits(node.timerDeadline), block.level), node);
        node = next;
      } while (node !== head);
    }
    parent.heads[slot] = null;
    parent.sizes[slot] = 0;
    parent.blocks[slot] = block;
    return block;
  }

  /** Drops an empty block, and the blocks above it that fall empty with it. The root stays. */
  private release(empty: Block): void {
    let block = empty;
    for (let parent = block.parent; parent !== null && (block.low | block.high) === 0; parent = block.parent) {
      parent.blocks[block.slot] = null;
      parent.vacate(block.slot);
      block.parent = null;
      if (this.spare.length < SPARE_BLOCKS) this.spare.push(block);
      block = parent;
    }
  }
}

/** Index of the lowest set bit of a nonzero word. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** A deadline in whole units. What lies outside the wheel's reach keeps its order in the first or last slot. */
function toUnits(deadline: Time): number {
  const units = Math.floor(deadline * UNITS_PER_MS);
  return Math.min(Math.max(units, 0), LAST_UNIT);
}

/** The digit of `units` that chooses a slot at `level`. */
function digit(units: number, level: number): number {
  if (level < LOW_LEVELS) return ((units | 0) >>> (DIGIT_BITS * level)) & (SLOTS - 1);
  return ((units / LOW_RANGE) >>> (DIGIT_BITS * (level - LOW_LEVELS))) & (SLOTS - 1);
}

/** Whether a whole sorted list lies at these units, so that no block could part it. */
function allAt(head: TimerNode, units: number): boolean {
  const tail = head.timerPrevious as TimerNode;
  return toUnits(head.timerDeadline) === units && toUnits(tail.timerDeadline) === units;
}

/** Links `node` in behind the last one that is not later. */
function linkSorted(block: Block, slot: number, node: TimerNode): void {
  const head = block.heads[slot];
  if (head === null || (head.timerPrevious as TimerNode).timerDeadline <= node.timerDeadline) {
    append(block, slot, node);
    return;
  }
  let later = head.timerPrevious as TimerNode;
  while (later !== head && (later.timerPrevious as TimerNode).timerDeadline > node.timerDeadline) {
    later = later.timerPrevious as TimerNode;
  }
  linkBefore(later, node);
  if (later === head) block.heads[slot] = node;
  block.sizes[slot]++;
}

function append(block: Block, slot: number, node: TimerNode): void {
  const head = block.heads[slot];
  if (head === null) {
    node.timerNext = node;
    node.timerPrevious = node;
    block.heads[slot] = node;
    block.occupy(slot);
  } else {
    linkBefore(head, node);
  }
  block.sizes[slot]++;
}

/** Links `node` in before `place`; before the head is behind the tail, the list being a ring. */
function linkBefore(place: TimerNode, node: TimerNode): void {
  const previous = place.timerPrevious as TimerNode;
  node.timerNext = place;
  node.timerPrevious = previous;
  previous.timerNext = node;
  place.timerPrevious = node;
}

function unlink(block: Block, slot: number, node: TimerNode): void {
  const next = node.timerNext as TimerNode;
  if (next === node) {
    block.heads[slot] = null;
    block.vacate(slot);
  } else {
    const previous = node.timerPrevious as TimerNode;
    previous.timerNext = next;
    next.timerPrevious = previous;
    if (block.heads[slot] === node) block.heads[slot] = next;
  }
  node.timerNext = null;
  node.timerPrevious = null;
  block.sizes[slot]--;
}
