/**
 * What of a connection is needed to judge it among others: kept of every connection of a capture, however many there
 * are, so it is a tenth of the report.
 */

import type { ConnectionReport, Endpoint, Finding } from './report.ts';

export interface Outcome {
  readonly id: number;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly start: number;
  readonly duration: number;
  readonly packets: number;
  readonly firstFrame: number;
  readonly lastFrame: number;
  readonly handshake: string;
  readonly lost: number;
  readonly retransmitted: number;
  /** The server said something. */
  readonly answered: boolean;
  /** The client sent no text. */
  readonly mute: boolean;
  /** The client waited longer than half a second for its connection. */
  readonly late: boolean;
  /** Without the one that says that there was nothing. */
  readonly findings: readonly Finding[];
}

const NOTHING: readonly Finding[] = [];
/** Seconds to wait for a connection before people notice. */
const LATE = 0.5;

export function outcomeOf(c: ConnectionReport): Outcome {
  return {
    id: c.id,
    client: c.client,
    server: c.server,
    start: c.start,
    duration: c.duration,
    packets: c.packets,
    firstFrame: c.firstFrame,
    lastFrame: c.lastFrame,
    handshake: c.handshake,
    lost: c.counts.lost,
    retransmitted: c.counts.retransmitted,
    answered: c.sides.server.packets > 0,
    mute: c.sides.client.bytes === 0,
    late: c.states.some((s) => s.client === 'ESTABLISHED' && s.time - c.start > LATE),
    findings: isUneventful(c) ? NOTHING : c.findings,
  };
}

/** Nothing is said of it but that it was clean. */
export function isUneventful(c: ConnectionReport): boolean {
  return c.findings.length === 0 || (c.findings.length === 1 && c.findings[0].kind === 'clean');
}
