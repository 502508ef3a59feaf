/**
 * What of a connection is needed to judge it among others: kept of every connection of a capture, however many there
 * are, so it is a tenth of the report.
 */

import type { Facts } from './facts.ts';
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

/**
 * Of a connection in which nothing happened, without a report that nobody would read.
 * @param f whose first look was `plain`: what its packets say is all there is.
 */
export function uneventfulOutcome(f: Facts): Outcome {
  const { trace: t, handshake } = f;
  const { flow, client } = t;
  const server = client === 0 ? 1 : 0;
  return {
    id: flow.id,
    client: flow.endpoint(client),
    server: flow.endpoint(server),
    start: t.time(0),
    duration: t.time(t.n - 1) - t.time(0),
    packets: flow.sides[0].packets + flow.sides[1].packets,
    firstFrame: t.frame(0),
    lastFrame: t.frame(t.n - 1),
    handshake: handshake.kind,
    lost: f.counts.lost,
    retransmitted: f.counts.retransmitted,
    answered: flow.sides[server].packets > 0,
    mute: !t.writes(client),
    late: handshake.synAcks.length > 0 && t.time(handshake.synAcks[0]) - t.time(0) > LATE,
    findings: NOTHING,
  };
}

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
    findings: isUneventful(c.findings) ? NOTHING : c.findings,
  };
}

/** Nothing is said of it but that it was clean. */
export function isUneventful(findings: readonly Finding[]): boolean {
  return findings.length === 0 || (findings.length === 1 && findings[0].kind === 'clean');
}
