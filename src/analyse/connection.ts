/** A collected flow to a finished report. */

import { roleOf } from './close.ts';
import { type Facts, findFacts } from './facts.ts';
import { connectionFindings } from './findings.ts';
import type { Flow } from './flow.ts';
import { factsOfFolded } from './folded.ts';
import { isUneventful, type Outcome, outcomeOf, uneventfulOutcome } from './outcome.ts';
import type { ConnectionReport, Finding, Role } from './report.ts';
import type { SegmentLog } from './segment-log.ts';
import { sideReports } from './side-report.ts';
import { followStates } from './states.ts';
import { type Side, Trace } from './trace.ts';
import { wiresharkView } from './wireshark.ts';
import { zeekView } from './zeek.ts';

/**
 * How much of a connection is wanted. `whole`: a report with all states; `report`: a report, with states only where
 * something happened; `events`: as `report`, but none at all where nothing happened.
 */
export type Wanted = 'whole' | 'report' | 'events';

export interface Analysed {
  readonly outcome: Outcome;
  /** Null where nothing happened, and nothing else was wanted. */
  readonly report: ConnectionReport | null;
}

/** Analyses one connection; `inspect` sees what its report is made from, which is gone afterwards. */
export function analyseFlow(
  flow: Flow,
  log: SegmentLog,
  wanted: Wanted,
  inspect?: (facts: Facts, report: ConnectionReport) => void,
): Analysed {
  const { folded } = flow;
  const facts = folded === null ? findFacts(new Trace(flow, log)) : factsOfFolded(flow, folded, log);
  const findings = connectionFindings(facts);
  const eventful = !isUneventful(findings);
  const outcome = facts.plain && !eventful ? uneventfulOutcome(facts) : null;
  // Never of a folded connection, whose evidence is released below: its facts are not plain.
  if (wanted === 'events' && outcome !== null) return { outcome, report: null };
  const report = reportOf(facts, findings);
  if (wanted === 'whole' || eventful || outcome === null) {
    report.states = followStates(facts.trace, facts.handshake, facts.close, facts.lost);
  }
  inspect?.(facts, report);
  folded?.evidence.release(log);
  return { outcome: outcome ?? outcomeOf(report), report };
}

function reportOf(f: Facts, findings: Finding[]): ConnectionReport {
  const { trace: t, handshake: h, close: c } = f;
  const client = t.client;
  const server: Side = client === 0 ? 1 : 0;
  const last = t.n - 1;
  const rtt = f.place.handshake === null ? null : Math.round(f.place.handshake * 1e6) / 1000;
  const sides = sideReports(f);
  return {
    id: t.flow.id,
    client: t.flow.endpoint(client),
    server: t.flow.endpoint(server),
    firstFrame: t.frame(0),
    lastFrame: t.frame(last),
    start: t.time(0),
    duration: t.time(last) - t.time(0),
    packets: t.flow.sides[0].packets + t.flow.sides[1].packets,
    handshake: h.kind,
    close: c.kind,
    closing: c.closing,
    firstCloser: roleOf(t, c.firstCloser),
    timeWaitHolder: roleOf(t, c.timeWait),
    capturePoint: placeName(f),
    rtt: { handshake: rtt, client: sides.client.rtt, server: sides.server.rtt },
    options: agreedOptions(f),
    sides,
    counts: f.counts,
    states: [],
    findings,
    wireshark: wiresharkView(t, f.plain),
    zeek: zeekView(t, f.delivery),
  };
}

function placeName(f: Facts): Role | 'middle' | null {
  const { near } = f.place;
  return near === 'middle' || near === null ? near : near === f.trace.client ? 'client' : 'server';
}

function agreedOptions(f: Facts): ConnectionReport['options'] {
  const [a, b] = [f.trace.flow.sides[f.trace.client].syn, f.trace.flow.sides[f.trace.client === 0 ? 1 : 0].syn];
  const both = a !== null && b !== null;
  return {
    mss: both ? { client: a.mss, server: b.mss } : null,
    windowScale: both && a.scale >= 0 && b.scale >= 0,
    sack: both && a.sackPermitted && b.sackPermitted,
    timestamps: both && a.timestamps && b.timestamps,
    ecn: f.handshake.ecn,
    fastOpen: f.handshake.kind === 'fast-open',
    multipath: both && a.multipath && b.multipath,
  };
}
