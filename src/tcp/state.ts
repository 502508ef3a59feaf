/** The eleven states of RFC 9293 section 3.3.2, as small integers: comparing them is what the engine does most. */

export const State = {
  CLOSED: 0,
  LISTEN: 1,
  SYN_SENT: 2,
  SYN_RECEIVED: 3,
  ESTABLISHED: 4,
  FIN_WAIT_1: 5,
  FIN_WAIT_2: 6,
  CLOSE_WAIT: 7,
  CLOSING: 8,
  LAST_ACK: 9,
  TIME_WAIT: 10,
} as const;

export type State = (typeof State)[keyof typeof State];

const NAMES = [
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
] as const;

/** A state as the RFC spells it. */
export type StateName = (typeof NAMES)[number];

/** The RFC's spelling: `SYN-RECEIVED`, `FIN-WAIT-1`. */
export function stateName(state: State): StateName {
  return NAMES[state];
}

/** Both SYNs are acknowledged: RFC 9293 calls ESTABLISHED and everything after it a synchronized state. */
export function isSynchronized(state: State): boolean {
  return state >= State.ESTABLISHED;
}

/** The peer may still send text: its FIN has not been processed. */
export function mayReceive(state: State): boolean {
  return state === State.ESTABLISHED || state === State.FIN_WAIT_1 || state === State.FIN_WAIT_2;
}

/** Text or a FIN of ours may still have to be (re)sent. */
export function mayTransmit(state: State): boolean {
  return (
    state === State.ESTABLISHED ||
    state === State.FIN_WAIT_1 ||
    state === State.CLOSE_WAIT ||
    state === State.CLOSING ||
    state === State.LAST_ACK
  );
}
