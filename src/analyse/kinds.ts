/** Every kind of finding; docs/explain.schema.json lists the same. */
export const FINDING_KINDS = [
  ...(['clean', 'simultaneous-open', 'split-handshake', 'half-close', 'simultaneous-close', 'refused'] as const),
  ...(['unanswered', 'synack-lost', 'loss', 'ack-loss', 'reordering', 'network-duplicate', 'captured-twice'] as const),
  ...(['corruption', 'needless-retransmission', 'rto-backoff', 'outage', 'zero-window', 'window-full'] as const),
  ...(['keepalive', 'keepalive-dead', 'half-open', 'abort', 'unread-data-reset', 'reset-after-close'] as const),
  ...(['injected-reset', 'injected-syn', 'injected-data', 'challenge-ack', 'old-duplicate-syn', 'syn-flood'] as const),
  ...(['port-scan', 'host-sweep', 'retry-storm', 'port-reuse', 'fast-open', 'urgent', 'overlap', 'ecn'] as const),
  ...(['path-mtu', 'nagle-delayed-ack', 'mid-stream', 'capture-gap', 'fin-in-gap', 'one-sided', 'idle'] as const),
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];
