/**
 * Neighbours on an Ethernet link: which MAC address a next hop has, and whether it still answers. One state machine for
 * both families, RFC 4861 section 7.3: ARP is given the same states, as Linux does. How a question looks on the wire is
 * not known here: see arp.ts and nd.ts.
 *
 *              packet, no entry            answer                    reachable time is up
 *   (nothing) ----------------> INCOMPLETE ------> REACHABLE ---------------------------> STALE
 *                                    |                 ^  ^ answer                          | packet
 *                    three questions |                 |  +------- PROBE <----- DELAY <-----+
 *                     without answer v                 answer        |    5 s
 *                                 gone <-----------------------------+ three questions without answer
 */

import { type RandomSource, randomUnit } from '../base/random.ts';
import { SECOND, type Time } from '../base/time.ts';
import { type TimerNode, TimerWheel } from '../base/timer-wheel.ts';
import { IpAddress } from '../wire/address.ts';
import { AddressCache, AddressEntry } from './address-cache.ts';
import type { KeyedHash } from './keyed-hash.ts';

export const NeighbourState = { INCOMPLETE: 0, REACHABLE: 1, STALE: 2, DELAY: 3, PROBE: 4 } as const;
export type NeighbourState = (typeof NeighbourState)[keyof typeof NeighbourState];

const RETRANS_TIMER = SECOND;
const DELAY_FIRST_PROBE_TIME = 5 * SECOND;
const REACHABLE_TIME = 30 * SECOND;
/** RFC 4861's MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT. */
const MAX_SOLICIT = 3;
/** As Linux's gc_thresh3. */
const CAPACITY = 1024;
/** Unanswered questions take at most half the table, so that a scan of empty addresses leaves the living alone. */
const MAX_INCOMPLETE = CAPACITY / 2;
/** As Linux's unres_qlen_bytes: packets kept for one neighbour while it is being found. */
const MAX_HELD_BYTES = 212_992;
/** And for all together: a flood from made-up neighbours must not be answered with all our memory. */
const MAX_HELD_TOTAL = 4_194_304;
/** What a held packet costs beside its bytes. */
const HELD_COST = 128;
/** An answer that contradicts the last one within this time is not believed: two hosts claim the address. */
const LOCK_TIME = SECOND;

export class Neighbour extends AddressEntry implements TimerNode {
  state: NeighbourState = NeighbourState.INCOMPLETE;
  readonly mac = new Uint8Array(6);
  isRouter = false;
  /** No longer in the table: who remembers this object must look the address up again. */
  dead = false;
  reachableUntil: Time = 0;
  /** When the MAC address was last set. */
  updatedAt: Time = 0;
  solicitations = 0;
  /** IP packets that wait for the MAC address. */
  held: Uint8Array[] = [];
  heldBytes = 0;
  timerNext: TimerNode | null = null;
  timerPrevious: TimerNode | null = null;
  timerDeadline: Time = Number.POSITIVE_INFINITY;

  /** Whether its MAC address is known, fresh or not. */
  get found(): boolean {
    return this.state !== NeighbourState.INCOMPLETE;
  }
}

/** What the table asks of whoever can send. */
export interface NeighbourActions {
  /** Ask for the neighbour's MAC address: of everybody, or of the neighbour itself. */
  solicit(now: Time, neighbour: Neighbour, unicast: boolean): void;
  /** Packets held for a neighbour that can be sent now. */
  resolved(now: Time, neighbour: Neighbour, packets: readonly Uint8Array[]): void;
  /** Nobody answered: the packets held cannot be delivered. */
  unreachable(now: Time, neighbour: Neighbour, packets: readonly Uint8Array[]): void;
}

export class Neighbours {
  private readonly cache: AddressCache<Neighbour>;
  private readonly wheel = new TimerWheel<Neighbour>();
  private readonly random: RandomSource;
  private readonly actions: NeighbourActions;
  private incomplete = 0;
  private heldTotal = 0;

  constructor(keyed: KeyedHash, random: RandomSource, actions: NeighbourActions) {
    this.cache = new AddressCache(CAPACITY, keyed);
    this.random = random;
    this.actions = actions;
  }

  get size(): number {
    return this.cache.size;
  }

  /** The neighbour with an address if there is one, without beginning to look for it. */
  find(address: IpAddress): Neighbour | null {
    return this.cache.get(address);
  }

  /** The neighbour to send to; begins to look for it when it is new. */
  lookup(now: Time, address: IpAddress): Neighbour {
    const found = this.cache.get(address);
    if (found !== null) {
      this.cache.touch(found);
      return found;
    }
    if (this.incomplete >= MAX_INCOMPLETE) this.evictIncomplete(now);
    const neighbour = new Neighbour(address);
    this.insert(now, neighbour);
    this.incomplete++;
    this.ask(now, neighbour, false);
    return neighbour;
  }

  /** Whether a packet may go to its MAC address now. Sending is what wakes the checks of a stale one. */
  ready(now: Time, neighbour: Neighbour): boolean {
    switch (neighbour.state) {
      case NeighbourState.INCOMPLETE:
        return false;
      case NeighbourState.REACHABLE:
        if (now < neighbour.reachableUntil) return true;
        break;
      case NeighbourState.STALE:
        break;
      default:
        return true;
    }
    neighbour.state = NeighbourState.DELAY;
    neighbour.solicitations = 0;
    this.wheel.schedule(neighbour, now + DELAY_FIRST_PROBE_TIME);
    return true;
  }

  /** Keeps a copy of an IP packet until the neighbour is found; false when too many wait already. */
  hold(neighbour: Neighbour, bytes: Uint8Array, offset: number, length: number): boolean {
    const cost = length + HELD_COST;
    if (neighbour.heldBytes + cost > MAX_HELD_BYTES || this.heldTotal + cost > MAX_HELD_TOTAL) return false;
    neighbour.held.push(bytes.slice(offset, offset + length));
    neighbour.heldBytes += cost;
    this.heldTotal += cost;
    return true;
  }

  /**
   * An answer: an ARP reply or a neighbour advertisement, RFC 4861 section 7.2.5. Without an entry there was no
   * question, and nothing is learnt.
   * @param mac six bytes from `macOffset` on.
   * @param solicited it answers a question of ours, so the neighbour is reachable this very moment.
   * @param override it may replace another MAC address.
   * @returns false when it contradicts what is known and was not believed.
   */
  answer(
    now: Time,
    neighbour: Neighbour,
    mac: Uint8Array,
    macOffset: number,
    solicited: boolean,
    override: boolean,
  ): boolean {
    const first = neighbour.state === NeighbourState.INCOMPLETE;
    const differs = first || !sameMac(neighbour.mac, mac, macOffset);
    if (!first && differs && (!override || now - neighbour.updatedAt < LOCK_TIME)) {
      // Not believed; but if in doubt, find out: the next packet starts a probe.
      if (neighbour.state === NeighbourState.REACHABLE) neighbour.state = NeighbourState.STALE;
      return false;
    }
    if (differs) this.setMac(now, neighbour, mac, macOffset);
    if (solicited) {
      this.settle(neighbour, NeighbourState.REACHABLE);
      neighbour.reachableUntil = now + REACHABLE_TIME * (0.5 + randomUnit(this.random));
    } else if (differs) {
      this.settle(neighbour, NeighbourState.STALE);
    }
    if (first) this.release(now, neighbour);
    return true;
  }

  /**
   * Someone who asks for us tells its own address by the way (RFC 826, RFC 4861 section 7.2.3): worth keeping, since we
   * are about to answer it, but no proof that it is reachable.
   */
  hear(now: Time, w0: number, w1: number, w2: number, w3: number, mac: Uint8Array, macOffset: number): void {
    const found = this.cache.find(w0, w1, w2, w3);
    if (found !== null) {
      this.answer(now, found, mac, macOffset, false, true);
      return;
    }
    const neighbour = new Neighbour(new IpAddress(w0, w1, w2, w3));
    neighbour.state = NeighbourState.STALE;
    this.setMac(now, neighbour, mac, macOffset);
    this.insert(now, neighbour);
  }

  nextDeadline(): Time {
    return this.wheel.nextDeadline();
  }

  timeouts(now: Time): void {
    for (let due = this.wheel.popDue(now); due !== null; due = this.wheel.popDue(now)) {
      if (due.state === NeighbourState.DELAY) due.state = NeighbourState.PROBE;
      if (due.solicitations >= MAX_SOLICIT) this.giveUp(now, due);
      else this.ask(now, due, due.state === NeighbourState.PROBE);
    }
  }

  private ask(now: Time, neighbour: Neighbour, unicast: boolean): void {
    neighbour.solicitations++;
    this.wheel.schedule(neighbour, now + RETRANS_TIMER);
    this.actions.solicit(now, neighbour, unicast);
  }

  private setMac(now: Time, neighbour: Neighbour, mac: Uint8Array, macOffset: number): void {
    for (let i = 0; i < 6; i++) neighbour.mac[i] = mac[macOffset + i];
    neighbour.updatedAt = now;
  }

  private settle(neighbour: Neighbour, state: NeighbourState): void {
    if (neighbour.state === NeighbourState.INCOMPLETE) this.incomplete--;
    neighbour.state = state;
    neighbour.solicitations = 0;
    this.wheel.cancel(neighbour);
  }

  private release(now: Time, neighbour: Neighbour): void {
    const packets = this.takeHeld(neighbour);
    if (packets.length > 0) this.actions.resolved(now, neighbour, packets);
  }

  private insert(now: Time, neighbour: Neighbour): void {
    const evicted = this.cache.add(neighbour);
    if (evicted !== null) this.retire(now, evicted);
  }

  /** An oldest unanswered question makes room for the next. */
  private evictIncomplete(now: Time): void {
    for (let n = this.cache.oldest(); n !== null; n = n.newer as Neighbour | null) {
      if (n.state === NeighbourState.INCOMPLETE) {
        this.giveUp(now, n);
        return;
      }
    }
  }

  private giveUp(now: Time, neighbour: Neighbour): void {
    this.cache.delete(neighbour);
    this.retire(now, neighbour);
  }

  private retire(now: Time, neighbour: Neighbour): void {
    if (neighbour.state === NeighbourState.INCOMPLETE) this.incomplete--;
    this.wheel.cancel(neighbour);
    neighbour.dead = true;
    this.actions.unreachable(now, neighbour, this.takeHeld(neighbour));
  }

  private takeHeld(neighbour: Neighbour): readonly Uint8Array[] {
    const packets = neighbour.held;
    this.heldTotal -= neighbour.heldBytes;
    neighbour.held = [];
    neighbour.heldBytes = 0;
    return packets;
  }
}

function sameMac(known: Uint8Array, mac: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 6; i++) if (known[i] !== mac[offset + i]) return false;
  return true;
}
