/**
 * A connection as the rows of a ladder: each segment with when it left and when it arrived (one of the two is where the
 * capture stood, the other is that plus or minus half a round trip), what it says, what became of it, and the states.
 */

import { tcpFlagsText } from '../dissect/print-tcp.ts';
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import type { Facts } from './facts.ts';
import type { ConnectionReport } from './report.ts';
import { type Side, Verdict } from './trace.ts';

export interface LadderRow {
  frame: number;
  /** Seconds since the capture's beginning when it was seen. */
  time: number;
  /** Estimated: when its sender sent it and its receiver got it. */
  sent: number;
  received: number;
  fromClient: boolean;
  flags: string;
  /** `seq 1:38 ack 1 win 65536`, relative numbers. */
  numbers: string;
  length: number;
  /** '' or why this one is special: retransmission, needless, reordered, lost … */
  mark: string;
  lost: boolean;
  client: string;
  server: string;
  /** Carries only text or an acknowledgment of it: may be folded with its neighbours. */
  plain: boolean;
}

export interface Ladder {
  report: ConnectionReport;
  rows: LadderRow[];
}

const MARKS: Readonly<Record<number, string>> = {
  [Verdict.RETRANSMISSION]: 'retransmission',
  [Verdict.NEEDLESS]: 'needless',
  [Verdict.REORDERED]: 'late',
  [Verdict.NETWORK_DUPLICATE]: 'doubled',
  [Verdict.CAPTURED_TWICE]: 'seen twice',
  [Verdict.WINDOW_PROBE]: 'window probe',
  [Verdict.KEEP_ALIVE]: 'keep-alive',
  [Verdict.FOREIGN]: 'not the peer',
  [Verdict.RESIZED]: 'resized',
  [Verdict.CORRUPT]: 'damaged',
};

export function ladderOf(f: Facts, report: ConnectionReport): Ladder {
  const { trace: t } = f;
  const rows: LadderRow[] = [];
  const delay = (f.place.rtt ?? 0) / 2;
  const tooBig = new Set(
    f.delivery.flatMap((d) => d.retransmissions.filter((r) => r.tooBig && r.original >= 0).map((r) => r.original)),
  );
  let change = 0;
  for (let i = 0; i < t.n; i++) {
    const frame = t.frame(i);
    while (change + 1 < report.states.length && report.states[change + 1].frame <= frame) change++;
    const state = report.states[change] ?? { client: '', server: '' };
    const side = t.side[i] as Side;
    const time = t.time(i);
    const share = f.place.near === side ? 0 : f.place.near === 'middle' ? 0.5 : f.place.near === null ? 0.5 : 1;
    const lost = f.lost.has(i) || tooBig.has(i) || t.verdict[i] === Verdict.CORRUPT;
    rows.push({
      frame,
      time,
      sent: time - share * delay,
      received: time + (1 - share) * delay,
      fromClient: side === t.client,
      flags: tcpFlagsText(t.flags(i)),
      numbers: numbersOf(f, i),
      length: t.length(i),
      mark: tooBig.has(i) ? 'too big' : markOf(f, i, lost),
      lost,
      client: state.client,
      server: state.server,
      plain: t.verdict[i] === Verdict.PLAIN && !lost && (t.flags(i) & (SYN | FIN | RST)) === 0 && saysNothingNew(f, i),
    });
  }
  return { report, rows };
}

/** No window closes, and of SACKs on the same acknowledgment it is not the first, and none reports a copy. */
function saysNothingNew(f: Facts, i: number): boolean {
  const { trace: t } = f;
  if (t.window(i) === 0) return false;
  if (t.sackCount(i) === 0) return true;
  if (t.sackEdge(i, 1) <= t.ack[i]) return false;
  let k = i - 1;
  while (k >= 0 && t.side[k] !== t.side[i]) k--;
  return k >= 0 && t.sackCount(k) > 0 && t.ack[k] === t.ack[i];
}

function markOf(f: Facts, i: number, lost: boolean): string {
  const { trace: t } = f;
  if (!lost || t.verdict[i] === Verdict.CORRUPT) return MARKS[t.verdict[i]] ?? '';
  return t.copyOf[i] >= 0 ? 'again, lost' : 'lost';
}

function numbersOf(f: Facts, i: number): string {
  const { trace: t } = f;
  const parts: string[] = [];
  const flags = t.flags(i);
  if ((flags & SYN) !== 0) parts.push(`seq ${t.log.seq(t.record[i]) >>> 0}`);
  else if (t.size(i) > 0 || (flags & RST) !== 0)
    parts.push(`seq ${t.start[i]}${t.length(i) > 0 ? `:${t.start[i] + t.length(i)}` : ''}`);
  if ((flags & ACK) !== 0) parts.push(`ack ${t.ack[i]}`);
  if (t.window(i) === 0 && (flags & RST) === 0) parts.push('win 0');
  if (t.sackCount(i) > 0) parts.push(`sack ${t.sackEdge(i, 0)}:${t.sackEdge(i, 1)}`);
  if ((flags & FIN) !== 0 && t.length(i) === 0) return parts.join(' ');
  return parts.join(' ');
}

/** A row, or a run of plain ones folded into a line. */
export type LadderLine =
  | { kind: 'row'; row: LadderRow }
  | { kind: 'fold'; from: LadderRow; to: LadderRow; count: number; text: string };

/**
 * Folds runs of plain segments longer than `keep` (0: nothing), leaving their first and last.
 * @param range frames shown whole, whatever the rest.
 */
export function foldLadder(rows: LadderRow[], keep: number, range?: [number, number]): LadderLine[] {
  const lines: LadderLine[] = [];
  for (let i = 0; i < rows.length; ) {
    let end = i;
    const inRange = (row: LadderRow): boolean => range !== undefined && row.frame >= range[0] && row.frame <= range[1];
    while (end < rows.length && rows[end].plain && !inRange(rows[end]) && sameStates(rows[i], rows[end])) end++;
    if (keep === 0 || end - i <= keep) {
      lines.push({ kind: 'row', row: rows[i++] });
      continue;
    }
    lines.push({ kind: 'row', row: rows[i] });
    const folded = rows.slice(i + 1, end - 1);
    const data = folded.filter((row) => row.length > 0);
    const bytes = data.reduce((sum, row) => sum + row.length, 0);
    const text = `… ${data.length} data segments (${bytes.toLocaleString('en')} B), ${folded.length - data.length} acknowledgments …`;
    lines.push({ kind: 'fold', from: folded[0], to: folded[folded.length - 1], count: folded.length, text });
    lines.push({ kind: 'row', row: rows[end - 1] });
    i = end;
  }
  return lines;
}

function sameStates(a: LadderRow, b: LadderRow): boolean {
  return a.client === b.client && a.server === b.server;
}
