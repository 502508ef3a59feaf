/**
 * Which connections an account of many tells of: all of a few; of many, the first in which something happened. They can
 * be chosen while the capture is read, so that the reports of all others need not be kept.
 */

import type { CaptureReport, ConnectionReport } from './report.ts';

/** Connections told of one by one. */
const FEW = 12;
const COMMONPLACE = new Set(['clean', 'mid-stream', 'idle']);
/** What every connection of a flood or scan does. */
const OF_MANY = new Set(['half-open', 'unanswered', 'refused', 'abort']);

/** The connections to tell of; `total`: how many the capture has, of which the report may hold only some. */
export function tellingOf(report: CaptureReport, total = report.connections.length): ConnectionReport[] {
  if (total <= FEW) return report.connections;
  const massive = report.findings.some((f) => f.kind === 'syn-flood' || f.kind === 'port-scan');
  return report.connections.filter(massive ? isTellingAmongMany : isTelling).slice(0, FEW);
}

function isTelling(c: ConnectionReport): boolean {
  return c.findings.some((f) => !COMMONPLACE.has(f.kind));
}

function isTellingAmongMany(c: ConnectionReport): boolean {
  const findings = c.findings.filter((f) => !COMMONPLACE.has(f.kind));
  return findings.some((f) => !OF_MANY.has(f.kind));
}

/** Keeps those that {@link tellingOf} can choose, whatever the capture as a whole turns out to be. */
export class TellingConnections {
  private readonly first: ConnectionReport[] = [];
  private readonly telling: ConnectionReport[] = [];
  private readonly tellingAmongMany: ConnectionReport[] = [];

  /** Whether a connection would be kept although nothing happened in it. */
  wants(id: number): boolean {
    return this.first.length < FEW || id < this.first[FEW - 1].id;
  }

  add(c: ConnectionReport): void {
    keepFirst(this.first, c);
    if (isTelling(c)) keepFirst(this.telling, c);
    if (isTellingAmongMany(c)) keepFirst(this.tellingAmongMany, c);
  }

  /** In the order of their numbers. */
  get kept(): ConnectionReport[] {
    return [...new Set([...this.first, ...this.telling, ...this.tellingAmongMany])].sort((a, b) => a.id - b.id);
  }
}

/** Connections come in the order in which they end; the lowest numbers are kept. */
function keepFirst(list: ConnectionReport[], c: ConnectionReport): void {
  if (list.length === FEW && list[FEW - 1].id < c.id) return;
  let at = list.length;
  while (at > 0 && list[at - 1].id > c.id) at--;
  list.splice(at, 0, c);
  if (list.length > FEW) list.pop();
}
