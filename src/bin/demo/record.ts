/**
 * What happened, as it happened: segments on the wire, what became of them, and the state changes of both ends, each
 * attributed to what caused it. The drawing, the JSON lines and the summary are all made from this one record, so that
 * they cannot tell different stories.
 */

import type { Time } from '../../base/time.ts';
import type { Direction, DropReason, WireEvent, WireFrame } from '../../sim/wire.ts';
import type { StateName } from '../../tcp/state.ts';
import { type SegmentFacts, segmentFacts } from './segment-facts.ts';

export type EndName = 'client' | 'server';

export function otherEnd(end: EndName): EndName {
  return end === 'client' ? 'server' : 'client';
}

/** A state before and the state after; equal when nothing changed. */
export interface Transition {
  readonly before: StateName;
  readonly after: StateName;
}

export interface Arrival extends Transition {
  readonly order: number;
  readonly time: Time;
}

/** A segment that was put on the wire. */
export interface Sent {
  readonly kind: 'sent';
  /** Its place among everything that happened. */
  readonly order: number;
  readonly time: Time;
  readonly from: EndName;
  readonly facts: SegmentFacts;
  readonly frame: Uint8Array;
  /** The sender's state before and after the event that made it send this. */
  readonly sender: Transition;
  /** No host sent it: what it is instead, an old duplicate or a forgery; null for a host's own word. */
  readonly stray: string | null;
  /** The wire made this copy. */
  readonly copy: boolean;
  /** Octets were changed on the way. */
  damaged: boolean;
  lost: DropReason | null;
  /** Null while it is under way, and for ever when it was lost. */
  arrival: Arrival | null;
}

/** A state change no segment was sent or received for: a timer, a crash, a call without anything to send. */
export interface Change extends Transition {
  readonly kind: 'change';
  readonly order: number;
  readonly time: Time;
  readonly end: EndName;
  readonly cause: string;
}

/** A remark of the story that changes no state; a title begins a new act. */
export interface Note {
  readonly kind: 'note';
  readonly order: number;
  readonly time: Time;
  readonly text: string;
  readonly title: boolean;
}

export type Entry = Sent | Change | Note;

interface EndRecord {
  state: StateName;
  initial: StateName;
  /** The segment that is being processed at this end. */
  arriving: Sent | null;
  /** Changes not explained yet: the next segment sent at this instant will be, if there is one. */
  pending: Change[];
}

export class Record {
  readonly entries: Entry[] = [];
  /** What the frames are that {@link Wire.inject} puts on the wire from now on. */
  injecting = 'stray';
  private order = 0;
  private readonly now: () => Time;
  private readonly ends: { readonly [end in EndName]: EndRecord };
  private readonly byFrame = new Map<number, Sent>();

  constructor(now: () => Time) {
    this.now = now;
    this.ends = { client: emptyEnd(), server: emptyEnd() };
  }

  /** Where an end stands before the story begins. */
  begin(end: EndName, state: StateName): void {
    this.ends[end].initial = state;
    this.ends[end].state = state;
  }

  initial(end: EndName): StateName {
    return this.ends[end].initial;
  }

  state(end: EndName): StateName {
    return this.ends[end].state;
  }

  get segments(): Sent[] {
    return this.entries.filter((entry) => entry.kind === 'sent');
  }

  note(text: string, title = false): void {
    this.flush();
    this.entries.push({ kind: 'note', order: this.order++, time: this.now(), text, title });
  }

  /** A change of an end's state; `cause` is said when no segment explains it. */
  stateChanged(end: EndName, before: StateName, after: StateName, cause: string): void {
    const record = this.ends[end];
    if (record.arriving !== null) {
      const arrival = record.arriving.arrival!;
      // The first change says where it began: a new connection's LISTEN is not where the last one ended.
      const first = arrival.before === arrival.after;
      record.arriving.arrival = { ...arrival, before: first ? before : arrival.before, after };
    } else {
      if (record.pending.length > 0 && record.pending[0].time !== this.now()) this.flushEnd(end);
      record.pending.push({ kind: 'change', order: this.order++, time: this.now(), end, before, after, cause });
    }
    record.state = after;
  }

  /** For {@link Wire.observe}. The client is the wire's end a. */
  onWire(event: WireEvent): void {
    switch (event.kind) {
      case 'sent':
        this.sent(event.frame, false);
        return;
      case 'duplicated':
        this.sent(event.copy, true);
        return;
      case 'dropped':
        this.find(event.frame, (sent) => {
          sent.lost = event.reason;
        });
        return;
      case 'corrupted':
        this.find(event.frame, (sent) => {
          sent.damaged = true;
        });
        return;
      case 'delivered':
        this.find(event.frame, (sent) => this.delivered(sent));
        return;
      case 'reordered':
        return;
    }
  }

  /** The end has dealt with what arrived; changes from here on have other causes. */
  processed(end: EndName): void {
    this.ends[end].arriving = null;
  }

  /** Changes that nothing was sent for become entries of their own. */
  flush(): void {
    this.flushEnd('client');
    this.flushEnd('server');
  }

  private find(frame: WireFrame, found: (sent: Sent) => void): void {
    const sent = this.byFrame.get(frame.id);
    if (sent !== undefined) found(sent);
  }

  private sent(frame: WireFrame, copy: boolean): void {
    const facts = segmentFacts(frame.bytes);
    if (facts === null) return;
    const from = senderOf(frame.direction);
    const ownWord = !copy && !frame.injected;
    const sender = ownWord ? this.senderTransition(from) : this.unchanged(from);
    const sent: Sent = {
      kind: 'sent',
      order: this.order++,
      time: this.now(),
      from,
      facts,
      frame: frame.bytes,
      sender,
      stray: frame.injected ? this.injecting : null,
      copy,
      damaged: false,
      lost: null,
      arrival: null,
    };
    this.entries.push(sent);
    this.byFrame.set(frame.id, sent);
  }

  /** Takes the changes that led to this segment: a call or a timer at this very instant. */
  private senderTransition(end: EndName): Transition {
    const { pending, state } = this.ends[end];
    if (pending.length > 0 && pending[0].time !== this.now()) this.flushEnd(end);
    const [first] = pending;
    if (first === undefined) return { before: state, after: state };
    pending.length = 0;
    return { before: first.before, after: state };
  }

  private unchanged(end: EndName): Transition {
    const { state } = this.ends[end];
    return { before: state, after: state };
  }

  private delivered(sent: Sent): void {
    const end = otherEnd(sent.from);
    this.flushEnd(end);
    const record = this.ends[end];
    sent.arrival = { order: this.order++, time: this.now(), ...this.unchanged(end) };
    record.arriving = sent;
  }

  private flushEnd(end: EndName): void {
    const { pending } = this.ends[end];
    this.entries.push(...pending);
    pending.length = 0;
  }
}

function emptyEnd(): EndRecord {
  return { state: 'CLOSED', initial: 'CLOSED', arriving: null, pending: [] };
}

function senderOf(direction: Direction): EndName {
  return direction === 'a->b' ? 'client' : 'server';
}
