/** A simulated world that keeps pace with the real clock: its wires and faults, for hosts whose TLS takes real time. */

import { NEVER } from '../base/time.ts';
import { World } from '../sim/world.ts';

/** Timers are good to a millisecond or so; what is nearer than that is waited for turn by turn. */
const TIMER_GRAIN_MS = 1.5;

export class RealTimeWorld {
  readonly world: World;
  private readonly origin = performance.now();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private turn: ReturnType<typeof setImmediate> | null = null;
  private readonly background: boolean;
  private running = false;
  private closed = false;

  /**
   * @param seed of everything random in it.
   * @param background what is under way in it does not keep the process alive (Node).
   */
  constructor(seed: number, background = false) {
    this.world = new World(seed);
    this.background = background;
  }

  /** Does `action` at the world's now, after all that was due by then. */
  do(action: () => void): void {
    if (this.closed) return;
    this.world.at(performance.now() - this.origin, action);
    this.run();
  }

  close(): void {
    this.closed = true;
    this.stopWaiting();
  }

  private run(): void {
    // Deliveries send: what they schedule is seen by the loop that is already going.
    if (this.running || this.closed) return;
    this.running = true;
    try {
      this.world.runUntil(performance.now() - this.origin);
    } finally {
      this.running = false;
    }
    this.arm();
  }

  private arm(): void {
    this.stopWaiting();
    const next = this.world.nextTime;
    if (next === NEVER || this.closed) return;
    const wait = next + this.origin - performance.now();
    const again = (): void => this.run();
    if (wait < TIMER_GRAIN_MS) this.turn = setImmediate(again);
    else this.timer = setTimeout(again, Math.floor(wait - 1));
    if (this.background) (this.turn ?? this.timer)?.unref();
  }

  private stopWaiting(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.turn !== null) clearImmediate(this.turn);
    this.timer = null;
    this.turn = null;
  }
}
