/**
 * The table of transitions: every state × every kind of segment, call and timeout (tools/transition-events.ts), as the
 * engine really answers them. And from the same run the state diagram, in which nothing stands that did not happen.
 *
 *   npm run transitions
 *
 * writes test/conformance/transitions.txt and docs/state-diagram.md. A test compares both with the engine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EstabError } from '../src/base/errors.ts';
import { seq, seqDiff } from '../src/base/seq.ts';
import { NEVER } from '../src/base/time.ts';
import { replyToClosed, State, type StateName, stateName } from '../src/tcp/index.ts';
import { IRS, ISS, Scenario, type SegmentSpec } from '../src/testing/index.ts';
import { buildSegment, describeSegment } from '../src/testing/segments.ts';
import { Segment } from '../src/wire/tcp.ts';
import { playTo, STATES } from '../test/conformance/states.ts';
import { drawDiagram } from './state-diagram.ts';
import { EVENTS, type Expected, type TransitionEvent } from './transition-events.ts';

export const TABLE_FILE = 'test/conformance/transitions.txt';
export const DIAGRAM_FILE = 'docs/state-diagram.md';

/** Where a row begins; SYN-RECEIVED is two places (MUST-11). */
interface Place {
  readonly name: string;
  readonly state: StateName;
  readonly active: boolean;
}

export interface Transition {
  readonly place: string;
  readonly from: StateName;
  readonly event: TransitionEvent;
  /** Segments sent in answer, `-` for none. */
  readonly reply: string;
  /** Control bits of the answer, for the diagram. */
  readonly controls: string;
  readonly to: StateName;
  /** Events raised, why it closed, what the call threw. */
  readonly told: string;
  /** There is no such timer in this state. */
  readonly impossible: boolean;
}

const PLACES: readonly Place[] = STATES.flatMap((state): Place[] =>
  state === 'SYN-RECEIVED'
    ? [
        { name: 'SYN-RECEIVED, passive', state, active: false },
        { name: 'SYN-RECEIVED, active', state, active: true },
      ]
    : [{ name: state, state, active: false }],
);

const FLAG_NAMES: Readonly<Record<string, string>> = {
  S: 'SYN',
  F: 'FIN',
  R: 'RST',
  P: 'PSH',
  A: 'ACK',
  U: 'URG',
};

const controlsOf = (spec: Required<SegmentSpec>): string =>
  [...spec.flags].map((letter) => FLAG_NAMES[letter] ?? letter).join(',');

/** `ACK 1,5`: control bits, SEG.SEQ, and SEG.ACK where there is one; `+4` for text. */
function written(spec: Required<SegmentSpec>): string {
  const ack = spec.flags.includes('A') ? `,${spec.ack}` : '';
  return `${controlsOf(spec)} ${spec.seq}${ack}${spec.length > 0 ? ` +${spec.length}` : ''}`;
}

function expectedBy(t: Scenario): Expected {
  const { tcb } = t;
  const fresh = tcb.state === State.CLOSED || tcb.state === State.LISTEN || tcb.state === State.SYN_SENT;
  const from = tcb.state === State.CLOSED ? tcb.sndUna : ISS;
  return {
    una: seqDiff(tcb.sndUna, from),
    nxt: seqDiff(tcb.sndNxt, from),
    rcvNxt: fresh ? 1 : seqDiff(tcb.rcvNxt, IRS),
    fresh,
  };
}

/** Does the event; returns what it threw, or null where nothing of the kind exists. */
function happen(t: Scenario, event: TransitionEvent, at: Expected): string | null {
  if (event.segment !== undefined) {
    t.arrives(event.segment(at));
    return '';
  }
  try {
    return event.act?.(t, at) === true ? '' : null;
  } catch (error) {
    if (error instanceof EstabError) return `error ${error.code}`;
    throw error;
  }
}

/** CLOSED has no TCB to ask: what the stack answers for it. */
function answersOfClosed(event: TransitionEvent, at: Expected): Array<Required<SegmentSpec>> {
  if (event.segment === undefined) return [];
  const reply = new Segment();
  if (!replyToClosed(buildSegment(event.segment(at), seq(0), seq(0)), reply)) return [];
  return [describeSegment(reply, new Uint8Array(0), seq(0), seq(0))];
}

/** The connection in its place, a second after it got there, with what the event needs. */
function bring(place: Place, event: TransitionEvent): { t: Scenario; at: Expected } {
  const t = new Scenario();
  if (event.userTimeout === true) t.tcb.userTimeoutMs = 5000;
  playTo(place.state, t, { iss: ISS, active: place.active, timestamps: event.timestamps === true });
  // Out of the reach of the limit on answers to unacceptable segments. The story's timers begin anew.
  t.now = 1000;
  if (t.tcb.rtxDeadline !== NEVER) t.tcb.rtxDeadline = t.now + t.tcb.rtoMs;
  if (t.tcb.lifeDeadline !== NEVER) t.tcb.lifeDeadline = t.now + t.tcb.config.timeWaitMs;
  const at = expectedBy(t);
  if (event.before !== undefined && place.state !== 'CLOSED') event.before(t, at);
  t.takeSent();
  t.takeEvents();
  t.now += 1;
  return { t, at };
}

function tryOut(place: Place, event: TransitionEvent): Transition {
  const { t, at } = bring(place, event);
  const { tcb } = t;
  const from = stateName(tcb.state);
  const { ackDeadline, lifeDeadline } = tcb;
  const thrown = happen(t, event, at);
  const sent = place.state === 'CLOSED' && event.segment !== undefined ? answersOfClosed(event, at) : t.takeSent();
  const later = ackDeadline === NEVER && tcb.ackDeadline !== NEVER ? ['ACK later'] : [];
  const anew = tcb.state === State.TIME_WAIT && tcb.lifeDeadline !== lifeDeadline ? '2MSL' : '';
  const why = tcb.state === State.CLOSED ? (tcb.error ?? '') : '';
  return {
    place: place.name,
    from,
    event,
    reply: [...sent.map(written), ...later].join('; ') || '-',
    controls: [...new Set(sent.map(controlsOf))].join('; '),
    to: stateName(tcb.state),
    told: [thrown ?? 'cannot happen', ...t.takeEvents(), why, anew].filter((word) => word !== '').join(' '),
    impossible: thrown === null,
  };
}

/** All of them, in the table's order. */
export function allTransitions(): Transition[] {
  return PLACES.flatMap((place) => EVENTS.map((event) => tryOut(place, event)));
}

const LEGEND = `What one connection does in every state with every kind of segment, call and timeout; written by
\`npm run transitions\` from the engine itself, checked by test/conformance/transitions.test.ts.

Numbers count from the initial sequence numbers: a SYN is 0, the first octet of text 1. In SYN-SENT and SYN-RECEIVED our
SYN is outstanding, in FIN-WAIT-1, CLOSING and LAST-ACK our FIN (1). The window is 65,535 octets both ways.
Replies: control bits, SEG.SEQ,SEG.ACK, +octets of text. "ACK later": a delayed ACK. Told: events raised for the
application, why the connection closed, what a call threw; "2MSL": TIME-WAIT's timer starts, or starts again. "Cannot
happen": no such timer runs, no text is unread. In CLOSED there is no connection: the reply is the stack's. In TIME-WAIT
the stack first asks whether a SYN may open a new connection (reopensTimeWait); here is what happens when it may not.
`;

export function writeTable(transitions: readonly Transition[]): string {
  const header = ['state', 'event', 'reply', 'next state', 'told'];
  const rows = transitions.map((row) => [
    row.place,
    row.event.name,
    row.reply,
    row.to === row.from ? '.' : row.to,
    row.told,
  ]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  const lines = [LEGEND, line(header), line(widths.map((width) => '-'.repeat(width)))];
  rows.forEach((row, i) => {
    if (i > 0 && rows[i - 1][0] !== row[0]) lines.push('');
    lines.push(line(row));
  });
  return `${lines.join('\n')}\n`;
}

function main(): void {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  const transitions = allTransitions();
  mkdirSync(path.join(root, 'docs'), { recursive: true });
  writeFileSync(path.join(root, TABLE_FILE), writeTable(transitions));
  writeFileSync(path.join(root, DIAGRAM_FILE), drawDiagram(transitions));
  process.stdout.write(`${transitions.length} transitions: ${TABLE_FILE}, ${DIAGRAM_FILE}\n`);
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main();
