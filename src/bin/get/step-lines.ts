/** The steps of a request as lines: what was seen, in a few words. */

import { duration, thousands, times } from '../demo/paint.ts';
import type { ConnectionRecord, DnsStep, RequestRecord, Span, StepError, StepLine, TcpStep } from './records.ts';
import type { TlsFacts } from './tls-facts.ts';

export function dnsLine(step: DnsStep): StepLine {
  const { name, aliases, addresses, ttl, server, asked } = step;
  const by = aliases.length === 0 ? '' : ` by way of ${aliases.join(', ')}`;
  const again = asked > 1 ? `; asked ${times(asked)}, answered once` : '';
  const text = `${name} A?  → ${addresses.join(', ')}${by} (ttl ${ttl}) from ${server}${again}`;
  return {
    kind: 'DNS',
    from: step.from,
    text: [text],
    ms: step.until - step.from,
    tone: again === '' ? 'plain' : 'needless',
  };
}

export function tcpLine(record: ConnectionRecord, step: TcpStep): StepLine {
  const extra = step.segments > 3;
  const segments = extra ? `${step.segments} segments instead of three` : 'three segments';
  const mss = step.mss === null ? '' : `, mss ${step.mss}`;
  const text = `c${record.id} · ${segments} to ${record.address}:${record.port} from port ${record.localPort}${mss}`;
  return { kind: 'TCP', from: step.from, text: [text], ms: step.until - step.from, tone: extra ? 'needless' : 'plain' };
}

/** @param known whether another connection to this host has been told of: then in one line. */
export function tlsLine(record: ConnectionRecord, step: Span & TlsFacts, known: boolean): StepLine {
  const agreed = [step.version.replace('TLSv', ''), step.group ?? 'group not seen', cipherName(step.cipher), step.alpn];
  const head = `c${record.id} · ${agreed.filter((part) => part !== null).join(' · ')}`;
  const { sharedSecrets, clientSecrets } = step;
  const same = sharedSecrets > 0 && sharedSecrets === clientSecrets;
  const secret = same ? 'the same secrets on both ends' : 'secrets NOT the same on both ends';
  const how = step.resumed ? 'resumed, no certificates' : 'in full';
  const text = known ? [`${head} · ${how} · ${secret}`] : [head, `certificates ${step.chain.join(' ← ')}`];
  if (!known && step.clientPublic !== null && step.serverPublic !== null) {
    text.push(`public values: client ${short(step.clientPublic)}, server ${short(step.serverPublic)}`);
    text.push(`→ ${secret}: ${sharedSecrets} of ${clientSecrets} handshake secrets stand in both key logs`);
  }
  if (!known) text.push(flightsText(step));
  return { kind: 'TLS', from: step.from, text, ms: step.until - step.from, tone: step.retried ? 'needless' : 'plain' };
}

/** `7d3f…a1 (32 B)` */
export function short(hex: string): string {
  return `${hex.slice(0, 8)}…${hex.slice(-4)} (${thousands(hex.length / 2)} B)`;
}

/** `→ 330 B ClientHello  ← 1,734 B ServerHello … Finished  → 74 B Finished` */
function flightsText(step: TlsFacts): string {
  const names = step.retried
    ? ['ClientHello', 'HelloRetryRequest', 'ClientHello again', 'ServerHello … Finished', 'Finished']
    : ['ClientHello', 'ServerHello … Finished', 'Finished'];
  const flights = step.flights.map(
    ({ side, octets }, i) => `${side === 'client' ? '→' : '←'} ${thousands(octets)} B ${names[i]}`,
  );
  return flights.join('  ');
}

/** TLS_AES_128_GCM_SHA256 → AES-128-GCM-SHA256 */
function cipherName(name: string): string {
  return name.replace(/^TLS_/, '').replaceAll('_', '-');
}

export function httpLine(request: RequestRecord): StepLine {
  const { sentAt, firstByteAt, endedAt, status, type, octets, connection } = request;
  const from = sentAt ?? request.queuedAt;
  const url = new URL(request.url);
  const name = request.kind === 'document' ? url.pathname + url.search : pathOf(request);
  const waited = firstByteAt === null || sentAt === null ? '' : `, first byte after ${duration(firstByteAt - sentAt)}`;
  const on = connection === null ? '' : `c${connection.id}${request.reused ? ' again' : ''} · `;
  const text = `${on}GET ${name} → ${status} ${type.replace(/;.*/, '')} ${sizeText(octets)}${waited}`;
  const ok = status !== null && status < 400;
  return { kind: 'HTTP', from, text: [text], ms: endedAt === null ? null : endedAt - from, tone: ok ? 'plain' : 'bad' };
}

export function failureLine(error: StepError, now: number): StepLine {
  return { kind: error.step, from: error.from, text: [error.message], ms: now - error.from, tone: 'bad' };
}

/** What a request is called: its path, with the host where that is not the page's own. */
export function pathOf({ url, initiator }: { readonly url: string; readonly initiator: string | null }): string {
  const { host, pathname, search } = new URL(url);
  const own = initiator === null || new URL(initiator).host === host;
  return `${own ? '' : host}${pathname}${search}`;
}

export function sizeText(octets: number): string {
  return octets < 1000 ? `${octets} B` : `${(octets / 1000).toFixed(1)} kB`;
}
