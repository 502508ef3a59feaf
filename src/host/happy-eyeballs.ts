/**
 * Happy Eyeballs, version 2 (RFC 8305): both families are asked for at once, the addresses are sorted and mixed, and
 * attempts to connect follow one another without waiting for the slow ones; the first that opens wins, the others are
 * given up.
 */

import { EstabError } from '../base/errors.ts';
import { orderDestinations } from '../ip/destination-order.ts';
import { IpAddress } from '../wire/address.ts';
import type { SocketHost } from './host.ts';

/** Who knows the addresses of names: a `Resolver` of `estab/dns`, or one of `node:dns/promises`. */
export interface NameResolver {
  resolve4(hostname: string): Promise<readonly string[]>;
  resolve6(hostname: string): Promise<readonly string[]>;
}

/** How long to wait for what, milliseconds; RFC 8305 section 8. */
export interface EyeballsDelays {
  /** For AAAA when A was answered first; 50 if left out. */
  readonly resolutionDelayMs?: number;
  /** Between two attempts to connect, 100 … 2000; 250 if left out. */
  readonly attemptDelayMs?: number;
}

export interface NamedDestination extends EyeballsDelays {
  readonly hostname: string;
  /** 4 or 6: that family alone. 0 for both. */
  readonly family: 0 | 4 | 6;
  readonly resolver: NameResolver | null;
  /** Whether the resolver is asked for localhost as well, which everybody knows (RFC 6761 section 6.3). */
  readonly asksLocalhost?: boolean;
}

/** Why it did not open: at an address, or (null) already at the name server. */
export interface FailedAttempt {
  readonly address: IpAddress | null;
  readonly error: Error;
}

export interface RaceHandler {
  /**
   * Begins to connect; `done` is told once how it ended. What is returned gives the attempt up. What is thrown counts
   * as its end.
   */
  attempt(address: IpAddress, done: (error: Error | null) => void): () => void;
  /** An attempt is open: all others have been given up. */
  opened(address: IpAddress): void;
  /** There is nothing left to try. */
  failed(failures: readonly FailedAttempt[]): void;
}

const RESOLUTION_DELAY_MS = 50;
export const ATTEMPT_DELAY_MS = 250;
export const LEAST_ATTEMPT_DELAY_MS = 100;
export const MOST_ATTEMPT_DELAY_MS = 2000;

type Timer = ReturnType<typeof setTimeout>;

/** One opening by name. Begins with its making. */
export class Race {
  private readonly host: SocketHost;
  private readonly handler: RaceHandler;
  private readonly resolutionDelayMs: number;
  private readonly attemptDelayMs: number;
  /** Families not answered yet. */
  private readonly asking = new Set<4 | 6>();
  private candidates: IpAddress[] = [];
  private lastFamily: 4 | 6 | null = null;
  private readonly running = new Set<() => void>();
  private readonly failures: FailedAttempt[] = [];
  private started = false;
  private over = false;
  private resolutionTimer: Timer | null = null;
  private attemptTimer: Timer | null = null;

  /** @throws EstabError EINVAL when there is nobody to ask for the name, or a delay makes no sense. */
  constructor(host: SocketHost, destination: NamedDestination, handler: RaceHandler) {
    this.host = host;
    this.handler = handler;
    this.resolutionDelayMs = destination.resolutionDelayMs ?? RESOLUTION_DELAY_MS;
    this.attemptDelayMs = destination.attemptDelayMs ?? ATTEMPT_DELAY_MS;
    if (!(this.attemptDelayMs >= LEAST_ATTEMPT_DELAY_MS && this.attemptDelayMs <= MOST_ATTEMPT_DELAY_MS)) {
      const range = `${LEAST_ATTEMPT_DELAY_MS} … ${MOST_ATTEMPT_DELAY_MS} ms`;
      throw new EstabError('EINVAL', `attemptDelayMs ${this.attemptDelayMs} is not in ${range}`);
    }
    const { hostname, family, asksLocalhost = false } = destination;
    const resolver = isLocalhost(hostname) && !asksLocalhost ? LOCALHOST : destination.resolver;
    if (resolver === null) {
      const way = 'give a resolver: new Resolver(host, { servers }) of estab/dns, as option or as host.resolver';
      throw new EstabError('EINVAL', `"${hostname}" is a name and nobody is there to ask; ${way}`);
    }
    // AAAA first (section 3).
    for (const wanted of [6, 4] as const) if (family === 0 || family === wanted) this.asking.add(wanted);
    for (const wanted of [...this.asking]) {
      const asked = wanted === 6 ? resolver.resolve6(hostname) : resolver.resolve4(hostname);
      asked.then(
        (addresses) => this.answered(wanted, addresses),
        (error: Error) => this.unanswered(wanted, error),
      );
    }
  }

  /** Gives everything up; nothing is told any more. */
  cancel(): void {
    this.end();
  }

  // -- names

  private answered(family: 4 | 6, texts: readonly string[]): void {
    if (this.over) return;
    this.asking.delete(family);
    const addresses = texts.map((text) => IpAddress.tryParse(text)).filter((address) => address !== null);
    this.candidates = this.inOrder([...this.candidates, ...addresses]);
    this.proceed(family);
  }

  private unanswered(family: 4 | 6, error: Error): void {
    if (this.over) return;
    this.asking.delete(family);
    this.failures.push({ address: null, error });
    this.proceed(family);
  }

  /** Section 3: AAAA, or the last answer, starts it; A alone waits a little for AAAA. */
  private proceed(family: 4 | 6): void {
    if (this.started) {
      // Nobody is on the way, or for long enough already: what has just come is tried at once.
      if (this.running.size === 0 || this.attemptTimer === null) this.next();
    } else if (this.asking.size === 0 || (family === 6 && this.candidates.length > 0)) this.start();
    else if (family === 4 && this.candidates.length > 0) {
      this.resolutionTimer = setTimeout(() => this.start(), this.resolutionDelayMs);
    }
  }

  private start(): void {
    this.started = true;
    if (this.resolutionTimer !== null) clearTimeout(this.resolutionTimer);
    this.next();
  }

  /** Section 4: by RFC 6724, then one of each family in turn, the family not tried last in front. */
  private inOrder(addresses: readonly IpAddress[]): IpAddress[] {
    const sorted = orderDestinations(addresses, (to) => this.host.stack.sourceFor(to));
    const first = this.lastFamily === null ? sorted[0]?.family : this.lastFamily === 6 ? 4 : 6;
    const [leading, following] = [true, false].map((leads) => sorted.filter((a) => (a.family === first) === leads));
    const mixed: IpAddress[] = [];
    for (let i = 0; i < Math.max(leading.length, following.length); i++) {
      mixed.push(...leading.slice(i, i + 1), ...following.slice(i, i + 1));
    }
    return mixed;
  }

  // -- attempts

  /** Section 5: the next attempt, and the clock for the one after it. */
  private next(): void {
    if (this.attemptTimer !== null) clearTimeout(this.attemptTimer);
    this.attemptTimer = null;
    for (let address = this.candidates.shift(); address !== undefined; address = this.candidates.shift()) {
      this.lastFamily = address.family;
      if (this.attempt(address)) {
        this.attemptTimer = setTimeout(() => this.next(), this.attemptDelayMs);
        return;
      }
      if (this.over) return;
    }
    if (this.running.size > 0 || this.asking.size > 0) return;
    const { failures } = this;
    this.end();
    this.handler.failed(failures);
  }

  /** Whether it is on its way. */
  private attempt(address: IpAddress): boolean {
    let ended = false;
    let giveUp = (): void => {};
    try {
      giveUp = this.handler.attempt(address, (error) => {
        if (ended || this.over) return;
        ended = true;
        this.running.delete(giveUp);
        if (error === null) this.won(address);
        else {
          this.failures.push({ address, error });
          // It need not be waited for: the next goes at once.
          this.next();
        }
      });
    } catch (error) {
      this.failures.push({ address, error: error as Error });
      return false;
    }
    if (!ended) this.running.add(giveUp);
    return true;
  }

  private won(address: IpAddress): void {
    this.end();
    this.handler.opened(address);
  }

  private end(): void {
    this.over = true;
    if (this.resolutionTimer !== null) clearTimeout(this.resolutionTimer);
    if (this.attemptTimer !== null) clearTimeout(this.attemptTimer);
    for (const giveUp of this.running) giveUp();
    this.running.clear();
  }
}

/** RFC 6761 section 6.3: known without asking. */
const LOCALHOST: NameResolver = {
  resolve4: () => Promise.resolve(['127.0.0.1']),
  resolve6: () => Promise.resolve(['::1']),
};

/** `localhost`, and all names below it. */
export function isLocalhost(hostname: string): boolean {
  return /^(.*\.)?localhost\.?$/i.test(hostname);
}

/** What to tell of failures: rather why addresses did not answer than that a family has none. */
export function tellingFailures(failures: readonly FailedAttempt[]): readonly FailedAttempt[] {
  const atAddresses = failures.filter(({ address }) => address !== null);
  if (atAddresses.length > 0) return atAddresses;
  const telling = failures.filter(({ error }) => (error as { code?: string }).code !== 'ENODATA');
  return [telling[0] ?? failures[0]];
}
