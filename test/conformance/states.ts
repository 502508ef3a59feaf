/** How to bring a fresh TCB into each of the eleven states, with nothing left to send: one list for all who need it. */

import type { Seq } from '../../src/base/seq.ts';
import { close, openActive, openPassive, type StateName, type Tcb } from '../../src/tcp/index.ts';
import type { SegmentSpec } from '../../src/testing/index.ts';

/** What a story is told to: a Scenario is one. */
export interface Player {
  call(action: (tcb: Tcb, now: number) => void): void;
  arrives(spec: SegmentSpec): void;
}

export const STATES: readonly StateName[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

/** Options of the peer's segments in a story, timestamps above all. */
export interface StoryOptions {
  readonly iss: Seq;
  /** SYN-RECEIVED is reached by crossing SYNs instead of from LISTEN. */
  readonly active?: boolean;
  /** The peer's timestamps: 1 on its SYN, 2 on what follows. */
  readonly timestamps?: boolean;
}

/**
 * Plays the story that leads from CLOSED to `state`. Numbers are the handshake's and a FIN's on either side: no text is
 * exchanged. In FIN-WAIT-1, CLOSING and LAST-ACK our FIN (number 1) is outstanding.
 */
export function playTo(state: StateName, player: Player, options: StoryOptions): void {
  const stamp = (value: number): SegmentSpec => (options.timestamps === true ? { timestamps: [value, 0] } : {});
  const arrives = (spec: SegmentSpec): void => player.arrives({ ...stamp(2), ...spec });
  const open = (): void => {
    player.call((tcb) => openPassive(tcb, options.iss, 0));
    if (state === 'LISTEN') return;
    arrives({ flags: 'S', seq: 0, mss: 1460, ...stamp(1) });
    if (state !== 'SYN-RECEIVED') arrives({ seq: 1, ack: 1 });
  };
  switch (state) {
    case 'CLOSED':
      return;
    case 'SYN-SENT':
      player.call((tcb, now) => openActive(tcb, now, options.iss, 0));
      return;
    case 'SYN-RECEIVED':
      if (options.active !== true) break;
      player.call((tcb, now) => openActive(tcb, now, options.iss, 0));
      arrives({ flags: 'S', seq: 0, mss: 1460, ...stamp(1) });
      return;
    default:
      break;
  }
  open();
  switch (state) {
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
    case 'CLOSING':
    case 'TIME-WAIT':
      player.call(close);
      if (state === 'FIN-WAIT-2' || state === 'TIME-WAIT') arrives({ seq: 1, ack: 2 });
      if (state === 'CLOSING') arrives({ flags: 'FA', seq: 1, ack: 1 });
      if (state === 'TIME-WAIT') arrives({ flags: 'FA', seq: 1, ack: 2 });
      return;
    case 'CLOSE-WAIT':
    case 'LAST-ACK':
      arrives({ flags: 'FA', seq: 1, ack: 1 });
      if (state === 'LAST-ACK') player.call(close);
      return;
    default:
      return;
  }
}
