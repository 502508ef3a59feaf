/** The findings of single connections that belong at the head of the capture's account, the gravest first. */

import type { Outcome } from './outcome.ts';
import type { Finding } from './report.ts';

/** The order in which things matter to somebody who asks what is wrong. */
const GRAVITY: readonly string[] = [
  ...[
    'injected-reset',
    'overlap',
    'injected-syn',
    'injected-data',
    'challenge-ack',
    'half-open',
    'keepalive-dead',
    'outage',
    'rto-backoff',
  ],
  ...[
    'unanswered',
    'synack-lost',
    'loss',
    'corruption',
    'zero-window',
    'unread-data-reset',
    'abort',
    'path-mtu',
    'reordering',
  ],
  ...['needless-retransmission', 'ack-loss', 'network-duplicate', 'nagle-delayed-ack', 'ecn', 'split-handshake'],
  ...['simultaneous-open', 'simultaneous-close', 'half-close', 'fast-open', 'urgent', 'capture-gap', 'captured-twice'],
  'mid-stream',
];

/** Where a finding stands among others: 0 is the gravest. */
export function gravityOf(kind: string): number {
  const at = GRAVITY.indexOf(kind);
  return at < 0 ? GRAVITY.length : at;
}

/** At most eight, each of a kind of its own. */
export function headlines(connections: Outcome[], involved: Set<Outcome>): Finding[] {
  const chosen = new Map<string, { finding: Finding; connection: number; count: number }>();
  for (const c of connections) {
    if (involved.has(c)) continue;
    for (const finding of c.findings) {
      if (gravityOf(finding.kind) === GRAVITY.length) continue;
      if (finding.kind === 'half-open' && c.handshake === 'half-open') continue;
      if (finding.kind === 'unanswered') continue;
      const known = chosen.get(finding.kind);
      if (known !== undefined) known.count++;
      else chosen.set(finding.kind, { finding, connection: c.id, count: 1 });
    }
  }
  const many = connections.length > 1;
  return [...chosen.values()]
    .sort((a, b) => gravityOf(a.finding.kind) - gravityOf(b.finding.kind))
    .slice(0, 8)
    .map(({ finding, connection, count }) => {
      const others = count > 1 ? `, and ${count - 1} more of the kind` : '';
      return many ? { ...finding, text: `Connection ${connection}${others}: ${finding.text}` } : finding;
    });
}
