/**
 * A small world with a clock of its own: hosts, wires between them, and one seed from which everything random is
 * drawn. Time jumps from event to event, so an hour of TIME-WAIT costs nothing, and the same seed with the same calls
 * gives the same run, byte for byte.
 */

import { EstabError } from '../base/errors.ts';
import { type RandomSource, SeededRandom } from '../base/random.ts';
import { NEVER, type Time } from '../base/time.ts';
import { EventHeap, type Scheduled } from './event-heap.ts';

/** What lives in a world beside its agenda: a host with timers of its own. */
export interface Participant {
  /** When it next wants {@link handleTimeout}; NEVER for not at all. */
  nextDeadline(): Time;
  handleTimeout(now: Time): void;
  /** Does what became possible: sends what is ready, tells applications. Returns whether there was anything to do. */
  settle(now: Time): boolean;
}

/** More rounds than this at one instant is a livelock in what is being simulated, and is reported instead of hanging. */
const MOST_ROUNDS_AT_AN_INSTANT = 100_000;

export class World {
  readonly seed: number;
  /** The world's own random stream. Take a {@link fork} for anything that should not disturb its neighbours. */
  readonly random: RandomSource;
  /** Called after every event: invariants are checked here. */
  onStep: (() => void) | null = null;
  private clock: Time = 0;
  private readonly agenda = new EventHeap();
  private readonly participants: Participant[] = [];
  private atThisInstant = 0;
  private steps = 0;

  /** @param seed any integer; the whole run follows from it. */
  constructor(seed: number) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
  }

  /** Milliseconds since the world began. */
  get now(): Time {
    return this.clock;
  }

  /** How many events have happened. */
  get stepCount(): number {
    return this.steps;
  }

  /** A random stream of its own, itself drawn from the seed: who draws from it changes nobody else's numbers. */
  fork(): SeededRandom {
    return new SeededRandom(this.random.nextUint32());
  }

  add(participant: Participant): void {
    this.participants.push(participant);
  }

  /** Runs `action` at `time`; a time already past means now, after what is under way. */
  at(time: Time, action: () => void): Scheduled {
    return this.agenda.schedule(Math.max(time, this.clock), action);
  }

  /** Runs `action` in `delay` milliseconds. */
  after(delay: Time, action: () => void): Scheduled {
    return this.at(this.clock + delay, action);
  }

  /** When something happens next; NEVER when the world is idle. */
  get nextTime(): Time {
    return Math.min(this.agenda.nextTime, this.nextDeadline());
  }

  /**
   * The next event: settles what was begun since the last one, goes to the next time and does the one thing due there
   * (the agenda first, then hosts' timers in the order they were added).
   * @returns false when nothing will ever happen again.
   */
  step(): boolean {
    this.settle();
    const agendaTime = this.agenda.nextTime;
    const deadline = this.nextDeadline();
    const time = Math.min(agendaTime, deadline);
    if (time === NEVER) return false;
    this.advance(Math.max(time, this.clock));
    if (agendaTime <= deadline) this.agenda.pop()!.action();
    else this.runTimers();
    this.settle();
    this.steps++;
    this.onStep?.();
    return true;
  }

  /**
   * Steps until the time is reached or the condition holds.
   * @param until a time (everything due up to and including it happens, and the clock ends there) or a condition.
   * @param limit for a condition: give up at this time.
   * @returns whether it was reached; a condition is not when the world went idle or the limit came first.
   */
  runUntil(until: Time | (() => boolean), limit: Time = NEVER): boolean {
    this.settle();
    if (typeof until === 'number') {
      while (this.nextTime <= until) this.step();
      if (until !== NEVER) this.advance(Math.max(until, this.clock));
      return true;
    }
    while (!until()) {
      if (this.nextTime > limit || !this.step()) return false;
    }
    return true;
  }

  /** Runs until nothing is left to happen. @returns false when the limit came first. */
  runUntilIdle(limit: Time = NEVER): boolean {
    this.settle();
    while (this.nextTime <= limit) {
      if (!this.step()) return true;
    }
    return this.nextTime === NEVER;
  }

  /** Lets every host send and deliver what is ready, until none has anything left to do at this instant. */
  settle(): void {
    let busy = true;
    while (busy) {
      busy = false;
      for (const participant of this.participants) {
        if (participant.settle(this.clock)) busy = true;
      }
      if (busy) this.countRound();
    }
  }

  private nextDeadline(): Time {
    let earliest = NEVER;
    for (const participant of this.participants) earliest = Math.min(earliest, participant.nextDeadline());
    return earliest;
  }

  private runTimers(): void {
    this.countRound();
    for (const participant of this.participants) {
      if (participant.nextDeadline() > this.clock) continue;
      participant.handleTimeout(this.clock);
      return;
    }
  }

  private advance(time: Time): void {
    if (time > this.clock) this.atThisInstant = 0;
    this.clock = time;
  }

  private countRound(): void {
    this.atThisInstant++;
    if (this.atThisInstant <= MOST_ROUNDS_AT_AN_INSTANT) return;
    throw new EstabError(
      'EPROTO',
      `seed ${this.seed}: the clock stands still at ${this.clock} ms; a host asks again and again for the same instant`,
    );
  }
}
