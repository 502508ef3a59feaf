/**
 * A capture, packet by packet, to a report. Connections are analysed as soon as they can get no more packets (their
 * ports were used again, or they have long been closed), so memory follows what is open; see docs/explain.md.
 *
 * ```ts
 * const analyser = new Analyser();
 * const reader = new CaptureReader(analyser);
 * reader.push(bytes);
 * const report = analyser.finish('trace.pcapng', reader.end());
 * ```
 */

import type { CaptureHandler, CaptureProblem, CaptureRecord } from '../capture/formats.ts';
import { Kind, type Packet, PacketDecoder } from '../dissect/packet.ts';
import { findAcross } from './across.ts';
import { analyseFlow } from './connection.ts';
import type { Facts } from './facts.ts';
import type { Flow } from './flow.ts';
import { FlowTable, isForward } from './flow-table.ts';
import { FOLD_SIZES, type FoldSizes, fold } from './folded.ts';
import { headlines } from './headline.ts';
import type { Outcome } from './outcome.ts';
import type { CaptureReport, ConnectionReport } from './report.ts';
import { SegmentLog } from './segment-log.ts';
import { TellingConnections } from './telling.ts';

/** Records held before closed connections that have been quiet are analysed ahead of the capture's end. */
const MANY_RECORDS = 1 << 19;
/** Twice two minutes of MSL: nothing of a closed connection comes after that (RFC 9293 section 3.4.2), in seconds. */
const QUIET = 240;
/** Where that leaves too much: a FIN is sent again a few times within the first half minute, mostly within seconds. */
const EARLIER = [30, 4, 1];

export interface AnalyserOptions {
  /** Given each connection's facts while its segments are still at hand; for ladders and graphs. */
  inspect?: (facts: Facts, report: ConnectionReport) => void;
  /**
   * Whose reports the capture's report holds: `all` (if left out), only those a summary tells of, or the one with this
   * number; of the others a tenth is kept, for what shows across connections.
   */
  keep?: 'all' | 'telling' | number;
  /** When a long connection's older parts are cut out; only tests have a reason to. */
  fold?: FoldSizes;
}

export class Analyser implements CaptureHandler {
  packets = 0;
  tcpPackets = 0;
  private readonly decoder = new PacketDecoder();
  private readonly log = new SegmentLog();
  private readonly table: FlowTable;
  private readonly options: AnalyserOptions;
  private readonly connections: ConnectionReport[] = [];
  private readonly telling = new TellingConnections();
  private readonly outcomes: Outcome[] = [];
  private baseSeconds = Number.NaN;
  private baseNanoseconds = 0;
  private now = 0;
  private nextSweep = MANY_RECORDS;

  constructor(options: AnalyserOptions = {}) {
    this.options = options;
    const sizes = options.fold ?? FOLD_SIZES;
    this.table = new FlowTable(
      this.log,
      (flow) => this.retire(flow),
      (flow) => {
        if (!this.inspected(flow)) flow.foldAt = sizes.part + 2 * sizes.margin;
      },
      (flow) => fold(flow, this.log, sizes),
    );
  }

  packet(r: CaptureRecord): void {
    if (this.packets++ === 0) {
      this.baseSeconds = r.seconds;
      this.baseNanoseconds = r.nanoseconds;
    }
    const time = r.seconds - this.baseSeconds + (r.nanoseconds - this.baseNanoseconds) / 1e9;
    this.now = time;
    const kind = this.decoder.decode(r.linkType, r.data, r.offset, r.length);
    if (kind === Kind.TCP) {
      this.tcpPackets++;
      this.table.add(this.decoder.packet, r.frame, time);
      if (this.log.used > this.nextSweep) this.sweep();
    } else if (kind === Kind.ICMP_ERROR) this.icmp(this.decoder.packet, r.frame, time);
  }

  /** The report; `problem` is what the reader found wrong with the file. */
  finish(file: string, problem: CaptureProblem | string | null = null): CaptureReport {
    this.table.finish();
    this.outcomes.sort((a, b) => a.id - b.id);
    const report: CaptureReport = {
      file,
      packets: this.packets,
      tcpPackets: this.tcpPackets,
      duration: this.now,
      start: Number.isNaN(this.baseSeconds) ? null : { seconds: this.baseSeconds, nanoseconds: this.baseNanoseconds },
      connections: this.kept(),
      findings: [],
      problem: problem === null || typeof problem === 'string' ? problem : problem.message,
    };
    const across = findAcross(this.outcomes);
    report.findings = [...across.findings, ...headlines(this.outcomes, across.involved)];
    return report;
  }

  /** Connections found so far that can get no more packets; after {@link finish}, all. */
  get total(): number {
    return this.outcomes.length;
  }

  private kept(): ConnectionReport[] {
    return this.options.keep === 'telling' ? this.telling.kept : this.connections.sort((a, b) => a.id - b.id);
  }

  private icmp(p: Packet, frame: number, time: number): void {
    const flow = this.table.quoted(p);
    if (flow === null) return;
    flow.icmp ??= [];
    const forward = isForward(flow, p);
    flow.icmp.push({
      frame,
      time,
      type: p.icmpType,
      code: p.icmpCode,
      mtu: p.icmpMtu,
      seq: p.seq,
      family: p.family,
      side: forward ? 0 : 1,
      ipLength: p.ipLength,
    });
  }

  private sweep(): void {
    this.table.expire(this.now - QUIET);
    for (const quiet of EARLIER) if (this.log.used > MANY_RECORDS / 2) this.table.bury(this.now - quiet);
    this.nextSweep = Math.max(MANY_RECORDS, 2 * this.log.used);
  }

  /** Ladders and graphs want a connection whole. */
  private inspected(flow: Flow): boolean {
    const { inspect, keep } = this.options;
    return inspect !== undefined && (typeof keep !== 'number' || keep === flow.id);
  }

  private retire(flow: Flow): void {
    const { keep = 'all', inspect } = this.options;
    const whole = keep === 'all' || keep === flow.id;
    const read = inspect !== undefined || (keep === 'telling' && this.telling.wants(flow.id));
    const { outcome, report } = analyseFlow(flow, this.log, whole ? 'whole' : read ? 'report' : 'events', inspect);
    this.log.release(flow.head, flow.tail, flow.count, flow.sackSeen);
    this.outcomes.push(outcome);
    if (report === null) return;
    if (whole) this.connections.push(report);
    else if (keep === 'telling') this.telling.add(report);
  }
}
