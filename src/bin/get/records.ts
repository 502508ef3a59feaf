/** What a run leaves: its steps, connections and requests. The lines, the page and the JSON are all made from these. */

import type { RecordType } from '../../dns/index.ts';
import type { TlsFacts } from './tls-facts.ts';

/** A span in milliseconds of the run. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

export interface DnsStep extends Span {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly aliases: readonly string[];
  readonly types: readonly RecordType[];
  readonly ttl: number;
  /** Null where `--resolve` gives the addresses. */
  readonly server: string | null;
  readonly cached: boolean;
  /** Questions sent, those asked again included. */
  readonly asked: number;
}

export interface TcpStep extends Span {
  readonly segments: number;
  readonly syns: number;
  readonly mss: number | null;
}

export interface ConnectionRecord {
  readonly id: number;
  readonly host: string;
  /** As RFC 5952 writes it. */
  readonly address: string;
  readonly port: number;
  localPort: number;
  dns: DnsStep | null;
  tcp: TcpStep | null;
  tls: (Span & TlsFacts) | null;
  protocol: 'http/1.1' | 'h2';
  requests: number;
  /** How it ended, in words. */
  ending: string;
}

export interface RequestRecord {
  readonly id: number;
  readonly url: string;
  readonly kind: 'document' | 'style' | 'script' | 'image';
  /** The page or style sheet that asked for it, or what was redirected to it. */
  readonly initiator: string | null;
  /** The request that was answered with a redirect to this one. */
  readonly redirectedFrom: number | null;
  readonly queuedAt: number;
  connection: ConnectionRecord | null;
  /** Whether the connection was there already. */
  reused: boolean;
  sentAt: number | null;
  firstByteAt: number | null;
  endedAt: number | null;
  status: number | null;
  type: string;
  /** Of the body, as it came. */
  octets: number;
  /** The body's octets by the answer's head; null when it does not say. */
  announced: number | null;
  /** How the body was packed, and its octets unpacked; null when it came as it is. */
  encoding: string | null;
  unpacked: number;
  /** Where a redirect leads, as the server said it. */
  location: string | null;
  failure: StepError | null;
}

/** `10.7.0.1:80`, `[fd00::1]:80` */
export function endpointText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Where a run broke off, and why. */
export class StepError extends Error {
  readonly step: 'DNS' | 'TCP' | 'TLS' | 'HTTP';
  readonly from: number;
  readonly code: string;

  constructor(step: StepError['step'], from: number, code: string, message: string) {
    super(message);
    this.step = step;
    this.from = from;
    this.code = code;
  }
}

export interface PageRecord {
  readonly url: string;
  readonly startedAt: number;
  readonly requests: RequestRecord[];
  firstByteAt: number | null;
  domAt: number | null;
  loadAt: number | null;
}

/** `kind` leads the line; `ms` is how long it took. */
export interface StepLine {
  readonly kind: 'DNS' | 'TCP' | 'TLS' | 'HTTP' | 'HTML' | 'CSS';
  readonly from: number;
  readonly text: readonly string[];
  readonly ms: number | null;
  readonly tone: 'plain' | 'bad' | 'needless';
}
export type Tell = (line: StepLine) => void;
