/** A collected flow to a finished report. */

import { RST, SYN } from '../wire/tcp.ts';
import { roleOf } from './close.ts';
import { type Facts, findFacts } from './facts.ts';
import { connectionFindings } from './findings.ts';
import type { Flow } from './flow.ts';
import type { ConnectionReport, Role, SideReport } from './report.ts';
import type { SegmentLog } from './segment-log.ts';
import { followStates } from './states.ts';
import { roundTrips } from './timing.ts';
import { type Side, Trace, Verdict } from './trace.ts';
import { wiresharkView } from './wireshark.ts';
import { zeekView } from './zeek.ts';

/** Analyses one connection; `lean` leaves out the states of an uneventful one, `inspect` sees what it is made from, which is gone afterwards. */
export function analyseFlow(
  flow: Flow,
  log: SegmentLog,
  inspect?: (facts: Facts, report: ConnectionReport) => void,
  lean = false,
): ConnectionReport {
  const facts = findFacts(new Trace(flow, log));
  const report = reportOf(facts);
  const uneventful = lean && report.findings.every((finding) => finding.kind === 'clean');
  if (!uneventful) report.states = followStates(facts.trace, facts.handshake, facts.close, facts.lost);
  inspect?.(facts, report);
  return report;
}

function reportOf(f: Facts): ConnectionReport {
  const { trace: t, handshake: h, close: c } = f;
  const client = t.client;
  const server: Side = client === 0 ? 1 : 0;
  const last = t.n - 1;
  const rtt = f.place.fromHandshake && f.place.rtt !== null ? Math.round(f.place.rtt * 1e6) / 1000 : null;
  const sides = { client: sideReport(f, client), server: sideReport(f, server) };
  return {
    id: t.flow.id,
    client: { address: t.flow.address(client), port: t.flow.ports[client] },
    server: { address: t.flow.address(server), port: t.flow.ports[server] },
    firstFrame: t.frame(0),
    lastFrame: t.frame(last),
    start: t.time(0),
    duration: t.time(last) - t.time(0),
    packets: t.n,
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
    findings: connectionFindings(f),
    wireshark: wiresharkView(t),
    zeek: zeekView(t, f.delivery),
  };
}

function placeName(f: Facts): Role | 'middle' | null {
  const { near } = f.place;
  return near === 'middle' || near === null ? near : near === f.trace.client ? 'client' : 'server';
}

function agreedOptions(f: Facts): ConnectionReport['options'] {
  const [a, b] = [f.trace.flow.syn[f.trace.client], f.trace.flow.syn[f.trace.client === 0 ? 1 : 0]];
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

function sideReport(f: Facts, side: Side): SideReport {
  const { trace: t } = f;
  const syn = t.flow.syn[side];
  let maxWindow = 0;
  let ttl = 0;
  for (let i = 0; i < t.n; i++) {
    if (t.side[i] !== side || t.verdict[i] === Verdict.FOREIGN) continue;
    ttl = t.ttl(i);
    const window = t.window(i);
    if (window > maxWindow && (t.flags(i) & RST) === 0) maxWindow = window;
  }
  return {
    packets: t.flow.packets[side],
    bytes: uniqueBytes(f, side),
    mss: syn === null ? null : syn.mss,
    windowScale: syn === null ? null : syn.scale < 0 ? null : syn.scale,
    sackPermitted: syn?.sackPermitted ?? null,
    timestamps: syn?.timestamps ?? null,
    initialSequence: t.flow.synSeen[side] ? t.flow.synSeq[side] >>> 0 : null,
    rtt: roundTrips(t, side),
    maxWindow,
    ttl,
  };
}

/** Octets of text, whatever was sent twice counted once, what the capture missed counted too. */
function uniqueBytes(f: Facts, side: Side): number {
  const { trace: t } = f;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let i = 0; i < t.n; i++) {
    if (t.side[i] !== side || t.length(i) === 0 || t.verdict[i] === Verdict.FOREIGN || (t.flags(i) & RST) !== 0)
      continue;
    const start = t.start[i] + ((t.flags(i) & SYN) !== 0 ? 1 : 0);
    low = Math.min(low, start);
    high = Math.max(high, start + t.length(i));
  }
  const gap = f.delivery[side].gaps.at(-1);
  if (gap !== undefined && gap.end > high) high = gap.end - (f.close.inferred[side] ? 1 : 0);
  if (!Number.isFinite(low)) low = gap?.start ?? high;
  return Math.max(0, high - (f.trace.flow.synSeen[side] ? Math.min(low, 1) : low));
}
