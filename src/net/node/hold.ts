/**
 * What keeps the process alive: libuv counts a handle while it reads, connects, writes or listens, unless it is
 * unref'd. Our handles are no libuv handles, so one timer stands for all of them.
 */

const FAR_MS = 2 ** 31 - 1;

let holders = 0;
let timer: NodeJS.Timeout | null = null;

/** One more handle is active. */
export function hold(): void {
  holders++;
  timer ??= setInterval(() => {}, FAR_MS);
  if (holders === 1) timer.ref();
}

/** One less. */
export function release(): void {
  holders--;
  if (holders === 0) timer?.unref();
}

/** A handle's share in it: active and referenced holds, anything else does not. */
export class Hold {
  private active = false;
  private referenced = true;
  private holding = false;

  /** @param active whether the handle does anything that libuv would wait for. */
  set(active: boolean): void {
    this.active = active;
    this.update();
  }

  ref(referenced: boolean): void {
    this.referenced = referenced;
    this.update();
  }

  get isReferenced(): boolean {
    return this.referenced;
  }

  private update(): void {
    const wanted = this.active && this.referenced;
    if (wanted === this.holding) return;
    this.holding = wanted;
    if (wanted) hold();
    else release();
  }
}
