/**
 * Every kind of segment, call and timeout that the table of transitions tries in every state. Numbers are made from
 * what the connection expects (SND.UNA, SND.NXT, RCV.NXT), so that one list fits all states.
 */

import { seqAdd } from '../src/base/seq.ts';
import { NEVER } from '../src/base/time.ts';
import {
  deadline,
  icmpUnreachable,
  openActive,
  openPassive,
  receive,
  State,
  setKeepAlive,
  type Tcb,
  timeouts,
} from '../src/tcp/index.ts';
import { ISS, type Scenario, type SegmentSpec } from '../src/testing/index.ts';

/** What a connection expects, counted from the initial sequence numbers. */
export interface Expected {
  readonly una: number;
  readonly nxt: number;
  readonly rcvNxt: number;
  /** LISTEN, SYN-SENT, CLOSED: the peer's numbers are not known yet. */
  readonly fresh: boolean;
}

export interface TransitionEvent {
  /** As the table names it. */
  readonly name: string;
  /** As the diagram names it: events with the same effect share one; '' for one that takes an arrow others take too. */
  readonly short: string;
  /** Timeouts, resets, aborts and errors go into a diagram of their own. */
  readonly violent?: boolean;
  /** The connection has timestamps on. */
  readonly timestamps?: boolean;
  /** The application has set a limit of five seconds (MUST-21). */
  readonly userTimeout?: boolean;
  /** Brings the connection to where the event can happen. Nothing it provokes is shown. */
  readonly before?: (t: Scenario, at: Expected) => void;
  readonly segment?: (at: Expected) => SegmentSpec;
  /** A call or a timeout. Returns false where there is nothing of the kind, say no timer. */
  readonly act?: (t: Scenario, at: Expected) => boolean;
}

const FAR = 100_000;

const segment = (
  name: string,
  short: string,
  make: (at: Expected) => SegmentSpec,
  extra: Partial<TransitionEvent> = {},
): TransitionEvent => ({ name, short, segment: make, ...extra });

const violent = { violent: true };
const old = { timestamps: true };

const SEGMENTS: readonly TransitionEvent[] = [
  segment('SYN, new number', 'SYN', (at) => ({ flags: 'S', seq: at.fresh ? 0 : at.rcvNxt + 500, mss: 1460 })),
  segment('SYN, the first one again', 'SYN', () => ({ flags: 'S', seq: 0, mss: 1460 })),
  segment('SYN, beyond the window', 'SYN', (at) => ({ flags: 'S', seq: at.rcvNxt + FAR })),
  segment('SYN with text', 'SYN', (at) => ({ flags: 'S', seq: at.fresh ? 0 : at.rcvNxt, text: 'text' })),
  segment('SYN,FIN', 'SYN', (at) => ({ flags: 'SF', seq: at.fresh ? 0 : at.rcvNxt })),
  segment('SYN,ACK of our SYN', 'SYN,ACK', () => ({ flags: 'SA', seq: 0, ack: 1, mss: 1460 })),
  segment('SYN,ACK of our SYN, with text', '', () => ({ flags: 'SPA', seq: 0, ack: 1, text: 'text' })),
  segment('SYN,ACK of our SYN, with FIN', 'SYN,ACK,FIN', () => ({ flags: 'SFA', seq: 0, ack: 1 })),
  segment('SYN,ACK of nothing we sent', 'SYN,ACK', (at) => ({ flags: 'SA', seq: 0, ack: at.nxt + 1 })),

  segment('ACK of everything sent', 'ACK', (at) => ({ seq: at.rcvNxt, ack: at.nxt })),
  segment('ACK of nothing new', 'ACK', (at) => ({ seq: at.rcvNxt, ack: at.una })),
  segment('ACK older than any window', 'ACK', (at) => ({ seq: at.rcvNxt, ack: at.una - FAR })),
  segment('ACK of what was never sent', 'ACK', (at) => ({ seq: at.rcvNxt, ack: at.nxt + 1 })),
  segment('ACK of everything, old number', '', (at) => ({ seq: at.rcvNxt - 1, ack: at.nxt })),
  segment('ACK of everything, beyond the window', 'ACK', (at) => ({ seq: at.rcvNxt + FAR, ack: at.nxt })),
  segment('window probe or keep-alive', 'ACK', (at) => ({ seq: at.rcvNxt - 1, ack: at.una })),

  segment('text in order', 'text', (at) => ({ flags: 'PA', seq: at.rcvNxt, ack: at.una, text: 'text' })),
  segment('text in order, two full segments of it', 'text', (at) => ({ seq: at.rcvNxt, ack: at.una, length: 2920 })),
  segment('text in order, ACK of everything', '', (at) => ({ seq: at.rcvNxt, ack: at.nxt, text: 'text' })),
  segment('text out of order', 'text', (at) => ({ flags: 'PA', seq: at.rcvNxt + 10, ack: at.una, text: 'text' })),
  segment('text received before', 'text', (at) => ({ flags: 'PA', seq: at.rcvNxt - 4, ack: at.una, text: 'text' })),
  segment('text beyond the window', 'text', (at) => ({ flags: 'PA', seq: at.rcvNxt + FAR, ack: at.una, text: 'text' })),
  segment('text, ACK of what was never sent', 'text', (at) => ({ seq: at.rcvNxt, ack: at.nxt + 1, text: 'text' })),
  segment('text, ACK older than any window', 'text', (at) => ({ seq: at.rcvNxt, ack: at.una - FAR, text: 'text' })),
  segment('text without ACK', 'text', (at) => ({ flags: 'P', seq: at.rcvNxt, text: 'text' })),
  segment('text, orphaned connection', 'text to an orphan', (at) => ({ seq: at.rcvNxt, ack: at.una, text: 'text' }), {
    violent: true,
    before: (t) => t.orphan(),
  }),
  segment('URG', 'URG', (at) => ({ flags: 'UA', seq: at.rcvNxt, ack: at.una, urgentPointer: 5 })),

  segment('FIN', 'FIN', (at) => ({ flags: 'FA', seq: at.rcvNxt, ack: at.una })),
  segment('FIN, ACK of everything', 'FIN,ACK', (at) => ({ flags: 'FA', seq: at.rcvNxt, ack: at.nxt })),
  segment('FIN behind text', 'FIN', (at) => ({ flags: 'FPA', seq: at.rcvNxt, ack: at.una, text: 'text' })),
  segment('FIN out of order', 'FIN', (at) => ({ flags: 'FA', seq: at.rcvNxt + 10, ack: at.una })),
  segment('FIN, its text still missing, then that', 'FIN', (at) => ({ seq: at.rcvNxt, ack: at.una, text: 'text' }), {
    before: (t, at) => t.arrives({ flags: 'FA', seq: at.rcvNxt + 4, ack: at.una }),
  }),
  segment('FIN received before', '', (at) => ({ flags: 'FA', seq: at.rcvNxt - 1, ack: at.una })),
  segment('FIN received before, ACK of everything', '', (at) => ({ flags: 'FA', seq: at.rcvNxt - 1, ack: at.nxt })),
  segment('FIN without ACK', 'FIN', (at) => ({ flags: 'F', seq: at.rcvNxt })),

  segment('RST, exact', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt }), violent),
  segment('RST, exact, with text', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt, text: 'text' }), violent),
  segment('RST, in the window', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt + 1 }), violent),
  segment('RST, old number', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt - 1 }), violent),
  segment('RST, beyond the window', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt + FAR }), violent),
  segment('RST,ACK of everything', 'RST', (at) => ({ flags: 'RA', seq: at.rcvNxt, ack: at.nxt }), violent),
  segment('RST,ACK of nothing we sent', 'RST', (at) => ({ flags: 'RA', seq: at.rcvNxt, ack: at.nxt + 1 }), violent),
  segment('RST,SYN', 'RST', (at) => ({ flags: 'RS', seq: at.rcvNxt }), violent),

  segment('no flags at all', 'no flags', (at) => ({ flags: '', seq: at.rcvNxt })),
  segment('FIN,PSH,URG (christmas tree)', 'FIN', (at) => ({ flags: 'FPU', seq: at.rcvNxt, urgentPointer: 9 })),
  segment('all flags', 'RST', (at) => ({ flags: 'SFRPAU', seq: at.rcvNxt, ack: at.nxt }), violent),

  segment('timestamps: text with an older one', 'text', textStamped(1), old),
  segment('timestamps: text with a newer one', 'text', textStamped(3), old),
  segment('timestamps: text without one', 'text', (at) => ({ seq: at.rcvNxt, ack: at.una, text: 'text' }), old),
  segment('timestamps: FIN with an older one', 'FIN', (at) => ({ ...finStamped(at), timestamps: [1, 0] }), old),
  segment('timestamps: RST with an older one', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt, timestamps: [1, 0] }), {
    ...old,
    violent: true,
  }),
  segment('timestamps: RST without one', 'RST', (at) => ({ flags: 'R', seq: at.rcvNxt }), { ...old, violent: true }),
  segment('timestamps: SYN with a newer one', 'SYN', (at) => ({ flags: 'S', seq: at.rcvNxt, timestamps: [9, 0] }), old),
];

function textStamped(value: number): (at: Expected) => SegmentSpec {
  return (at) => ({ seq: at.rcvNxt, ack: at.una, text: 'text', timestamps: [value, 0] });
}

function finStamped(at: Expected): SegmentSpec {
  return { flags: 'FA', seq: at.rcvNxt, ack: at.una };
}

const call = (name: string, act: (t: Scenario) => unknown, extra: Partial<TransitionEvent> = {}): TransitionEvent => ({
  name,
  short: name.replace(/,.*/, ''),
  act: (t) => {
    act(t);
    return true;
  },
  ...extra,
});

const CALLS: readonly TransitionEvent[] = [
  call('OPEN, passive', (t) => t.call((tcb) => openPassive(tcb, ISS, 0)), { short: 'passive OPEN' }),
  call('OPEN, active', (t) => t.call((tcb, now) => openActive(tcb, now, ISS, 0)), { short: 'active OPEN' }),
  call('SEND', (t) => t.send('text')),
  call('SEND, urgent', (t) => t.send('text', { urgent: true })),
  call('RECEIVE, nothing there', (t) => receive(t.tcb, t.now)),
  call('CLOSE', (t) => t.close()),
  call('CLOSE, text queued before it', (t) => t.close(), { before: (t) => void attempt(() => t.send('text')) }),
  call('ABORT', (t) => t.abort(), violent),
  call('application lets go', (t) => t.orphan(), { short: 'CLOSE' }),
  {
    name: 'application lets go, text unread',
    short: 'CLOSE with text unread',
    violent: true,
    before: (t, at) => t.arrives({ seq: at.rcvNxt, ack: at.una, text: 'text' }),
    act: (t) => {
      if (t.tcb.receiveBuffer.readable === 0) return false;
      t.orphan();
      return true;
    },
  },
];

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Refused in this state: the event that follows shows what it does without.
  }
}

/** Lets the timer that `deadlineOf` names fire, alone. */
function timeout(
  name: string,
  deadlineOf: (tcb: Tcb) => number,
  before?: (t: Scenario, at: Expected) => void,
): TransitionEvent {
  return {
    name: `${name} timeout`,
    short: `${name} timeout`,
    violent: true,
    ...(before === undefined ? {} : { before }),
    act: (t) => {
      const due = deadlineOf(t.tcb);
      if (due === NEVER) return false;
      // Only what this timer does is to be seen: the others wait.
      if (deadline(t.tcb) < due) return false;
      t.now = due;
      t.call((tcb, now) => timeouts(tcb, now));
      return true;
    },
  };
}

const sendText = (t: Scenario): void => attempt(() => t.send('text'));

/** Everything unanswered until the connection gives up. */
const giveUp: TransitionEvent = {
  name: 'R2: no answer for too long',
  short: 'R2',
  violent: true,
  before: sendText,
  act: (t) => {
    if (t.tcb.rtxDeadline === NEVER) return false;
    const { state } = t.tcb;
    for (let i = 0; i < 100 && t.tcb.state === state; i++) {
      t.takeSent();
      t.tcb.events = 0;
      t.advance(deadline(t.tcb) - t.now);
    }
    return true;
  },
};

const TIMEOUTS: readonly TransitionEvent[] = [
  { ...timeout('retransmission', (tcb) => tcb.rtxDeadline), violent: false },
  { ...timeout('retransmission', (tcb) => tcb.rtxDeadline, sendText), name: 'retransmission timeout, text queued' },
  giveUp,
  timeout(
    'delayed ACK',
    (tcb) => tcb.ackDeadline,
    (t, at) => t.arrives({ seq: at.rcvNxt, ack: at.una, text: 'text' }),
  ),
  timeout(
    'persist',
    (tcb) => tcb.persistDeadline,
    (t, at) => {
      if (at.fresh || t.tcb.state === State.SYN_RECEIVED) return;
      t.arrives({ seq: at.rcvNxt, ack: at.una, window: 0 });
      sendText(t);
    },
  ),
  timeout(
    'keep-alive',
    (tcb) => tcb.keepAliveDeadline,
    (t) => t.call((tcb, now) => setKeepAlive(tcb, now, true)),
  ),
  {
    name: 'keep-alive: no answer to the last probe',
    short: 'keep-alive timeout',
    violent: true,
    before: (t) => t.call((tcb, now) => setKeepAlive(tcb, now, true)),
    act: (t) => {
      if (t.tcb.keepAliveDeadline === NEVER || !(deadline(t.tcb) >= t.tcb.keepAliveDeadline)) {
        return false;
      }
      for (let i = 0; i < 9; i++) t.advance(t.tcb.keepAliveDeadline - t.now);
      t.takeSent();
      t.advance(t.tcb.keepAliveDeadline - t.now);
      return true;
    },
  },
  {
    name: 'user timeout',
    short: 'user timeout',
    violent: true,
    userTimeout: true,
    before: sendText,
    act: (t) => {
      if (t.tcb.userDeadline === NEVER) return false;
      t.now = t.tcb.userDeadline;
      t.call((tcb, now) => timeouts(tcb, now));
      return true;
    },
  },
  { ...timeout('2 MSL', (tcb) => tcb.lifeDeadline), violent: false },
  {
    ...timeout(
      'orphan',
      (tcb) => (tcb.state === State.FIN_WAIT_2 ? tcb.lifeDeadline : NEVER),
      (t) => t.orphan(),
    ),
    name: "an orphan's wait for a FIN ends",
  },
  icmp('ICMP: soft error', false),
  icmp('ICMP: hard error', true),
];

function icmp(name: string, hard: boolean): TransitionEvent {
  return {
    name,
    short: name,
    violent: true,
    before: sendText,
    act: (t, at) => {
      t.call((tcb) => icmpUnreachable(tcb, seqAdd(tcb.iss, at.una), hard ? 'ECONNREFUSED' : 'EHOSTUNREACH', hard));
      return true;
    },
  };
}

export const EVENTS: readonly TransitionEvent[] = [...SEGMENTS, ...CALLS, ...TIMEOUTS];
