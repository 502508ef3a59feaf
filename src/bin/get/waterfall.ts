/** The waterfall in text: a line a request, a column so many milliseconds, a letter or a shade for what took them. */

import { duration, type Paint } from '../demo/paint.ts';
import type { PageRecord, RequestRecord } from './records.ts';
import { pathOf, sizeText } from './step-lines.ts';

/** Where a request's time went, in order; empty ones are left out. */
export interface Phase {
  readonly kind: 'queued' | 'dns' | 'tcp' | 'tls' | 'waiting' | 'receiving';
  readonly from: number;
  readonly until: number;
}

const SIGNS: Readonly<Record<Phase['kind'], string>> = {
  queued: '·',
  dns: 'd',
  tcp: 't',
  tls: 's',
  waiting: '░',
  receiving: '█',
};
const LEGEND = '· queued  d DNS  t TCP  s TLS  ░ until the first byte  █ receiving';

export function phasesOf(request: RequestRecord): Phase[] {
  const { connection, queuedAt, sentAt, firstByteAt, endedAt } = request;
  const phases: Phase[] = [];
  let at = queuedAt;
  const add = (kind: Phase['kind'], from: number | undefined, until: number | null | undefined): void => {
    if (from === undefined || until === undefined || until === null || until <= at) return;
    if (from > at) phases.push({ kind: 'queued', from: at, until: from });
    phases.push({ kind, from: Math.max(from, at), until });
    at = until;
  };
  if (!request.reused && connection !== null) {
    const { dns, tcp, tls } = connection;
    if (dns !== null && !dns.cached) add('dns', dns.from, dns.until);
    add('tcp', tcp?.from, tcp?.until);
    add('tls', tls?.from, tls?.until);
  }
  if (sentAt !== null) {
    add('waiting', sentAt, firstByteAt ?? endedAt);
    if (firstByteAt !== null) add('receiving', firstByteAt, endedAt);
  }
  return phases;
}

export function waterfall(page: PageRecord, width: number, paint: Paint): string[] {
  const requests = page.requests.filter(({ endedAt }) => endedAt !== null);
  if (requests.length === 0) return [];
  const names = requests.map(pathOf);
  const nameWidth = Math.min(Math.max(...names.map((name) => name.length)), Math.floor(width * 0.3));
  const columns = width - nameWidth - 24;
  const begin = page.startedAt;
  const end = Math.max(...requests.map(({ endedAt }) => endedAt ?? 0));
  const scale = columns / Math.max(1, end - begin);
  const lines = [`${' '.repeat(nameWidth + 2)}${ruler(columns, end - begin)}`];
  for (const [i, request] of requests.entries()) {
    const bar = barOf(request, begin, scale, columns);
    const name = names[i].length > nameWidth ? `…${names[i].slice(1 - nameWidth)}` : names[i];
    const total = duration(Math.round((request.endedAt ?? 0) - request.queuedAt));
    const facts = `${sizeText(request.octets).padStart(8)} ${total.padStart(8)}`;
    const bad = request.status === null || request.status >= 400;
    lines.push(
      `${paint(bad ? 'bad' : 'plain', name.padEnd(nameWidth))}  ${paintBar(bar, paint)} ${facts} ${`c${request.connection?.id ?? '-'}`}`,
    );
  }
  const room = width - nameWidth - 2;
  const legend = LEGEND.length <= room ? `${' '.repeat(nameWidth + 2)}${LEGEND}` : LEGEND;
  return [...lines, paint('dim', legend)];
}

function barOf(request: RequestRecord, begin: number, scale: number, columns: number): string {
  const cells = new Array<string>(columns).fill(' ');
  for (const { kind, from, until } of phasesOf(request)) {
    const first = Math.min(columns - 1, Math.floor((from - begin) * scale));
    // What happened is seen, however short it was.
    const last = Math.max(first, Math.min(columns - 1, Math.ceil((until - begin) * scale) - 1));
    for (let i = first; i <= last; i++) cells[i] = SIGNS[kind];
  }
  return cells.join('');
}

function paintBar(bar: string, paint: Paint): string {
  return bar.replace(/[dts]+|·+|█+/g, (run) =>
    paint(run.startsWith('█') ? 'good' : run.startsWith('·') ? 'dim' : 'needless', run),
  );
}

/** Marks at round numbers, some 16 columns apart. */
function ruler(columns: number, totalMs: number): string {
  const wanted = (totalMs * 16) / columns;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, wanted)));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= wanted) ?? 10) * power;
  let line = '';
  for (let ms = 0; ms <= totalMs; ms += step) {
    const at = Math.floor((ms * columns) / totalMs);
    const label = `|${ms}${ms === 0 ? ' ms' : ''}`;
    if (at >= line.length && at + label.length <= columns) line = line.padEnd(at) + label;
  }
  return line;
}
