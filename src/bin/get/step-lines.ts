/** The steps of a request as lines: what was seen, in a few words. */

import { duration, thousands, times } from '../demo/paint.ts';
import {
  type ConnectionRecord,
  type DnsStep,
  endpointText,
  type RequestRecord,
  type Span,
  type StepError,
  type StepLine,
  type TcpStep,
} from './records.ts';
import type { TlsFacts } from './tls-facts.ts';

export function dnsLine(step: DnsStep): StepLine {
  const { name, types, aliases, addresses, ttl, server, asked, from } = step;
  if (server === null) {
    const text = `${name} → ${addresses.join(', ')}, as --resolve says`;
    return { kind: 'DNS', from, text: [text], ms: null, tone: 'plain' };
  }
  const by = aliases.length === 0 ? '' : ` by way of ${aliases.join(', ')}`;
  const again = asked > types.length ? `; asked ${times(asked)}, answered once` : '';
  const text = `${name} ${types.join('? ')}?  → ${addresses.join(', ')}${by} (ttl ${ttl}) from ${server}${again}`;
  return { kind: 'DNS', from, text: [text], ms: step.until - from, tone: again === '' ? 'plain' : 'needless' };
}

export function tcpLine(record: ConnectionRecord, step: TcpStep): StepLine {
  const extra = step.segments > 3;
  const segments = extra ? `${step.segments} segments instead of three` : 'three segments';
  const mss = step.mss === null ? '' : `, mss ${step.mss}`;
  const where = endpointText(record.address, record.port);
  const text = `c${record.id} · ${segments} to ${where} from port ${record.localPort}${mss}`;
  return { kind: 'TCP', from: step.from, text: [text], ms: step.until - step.from, tone: extra ? 'needless' : 'plain' };
}

/** @param known whether another connection to this host has been told of: then in one line. */
export function tlsLine(record: ConnectionRecord, step: Span & TlsFacts, known: boolean): StepLine {
  const group = step.group ?? (step.resumed ? 'no new exchange' : 'group not seen');
  const agreed = [step.version.replace('TLSv', ''), group, cipherName(step.cipher), step.alpn];
  const head = `c${record.id} · ${agreed.filter((part) => part !== null).join(' · ')}`;
  const same = sameSecrets(step);
  const secret = same ? 'the same secrets on both ends' : 'secrets NOT the same on both ends';
  const how = step.resumed ? 'resumed, no certificates' : 'in full';
  const text = known ? [`${head} · ${how} · ${secret}`] : [head, `certificates ${step.chain.join(' ← ')}`];
  if (step.distrust !== null) text.push(`NOT trusted, taken all the same: ${step.distrust}`);
  if (!known && step.clientPublic !== null && step.serverPublic !== null) {
    text.push(`public values: client ${short(step.clientPublic)}, server ${short(step.serverPublic)}`);
    text.push(`→ ${secret}: ${secretsText(step)}`);
  }
  if (!known) text.push(flightsText(step));
  const odd = step.retried || step.distrust !== null;
  return { kind: 'TLS', from: step.from, text, ms: step.until - step.from, tone: odd ? 'needless' : 'plain' };
}

/** Whoever has made other secrets of the exchange cannot make a Finished that we take. */
function sameSecrets({ sharedSecrets, clientSecrets }: TlsFacts): boolean {
  return sharedSecrets === null || (sharedSecrets > 0 && sharedSecrets === clientSecrets);
}

/** How it is known that both ends have the same secrets. */
export function secretsText({ sharedSecrets, clientSecrets }: TlsFacts): string {
  if (sharedSecrets === null) return "the server's Finished, made with them, was right";
  return `${sharedSecrets} of ${clientSecrets} handshake secrets stand in both key logs`;
}

/** `7d3f…a1 (32 B)` */
export function short(hex: string): string {
  return `${hex.slice(0, 8)}…${hex.slice(-4)} (${thousands(hex.length / 2)} B)`;
}

/** `→ 330 B ClientHello  ← 1,734 B ServerHello … Finished  → 74 B Finished` */
function flightsText(step: TlsFacts): string {
  const names = flightNames(step);
  const flights = step.flights
    .slice(0, names.length)
    .map(({ side, octets }, i) => `${side === 'client' ? '→' : '←'} ${thousands(octets)} B ${names[i]}`);
  return flights.join('  ');
}

function flightNames({ version, resumed, retried }: TlsFacts): string[] {
  if (version === 'TLSv1.3') {
    const again = retried ? ['HelloRetryRequest', 'ClientHello again'] : [];
    return ['ClientHello', ...again, 'ServerHello … Finished', 'Finished'];
  }
  if (resumed) return ['ClientHello', 'ServerHello … Finished', 'Finished'];
  return ['ClientHello', 'ServerHello … ServerHelloDone', 'ClientKeyExchange … Finished', 'Finished'];
}

/** TLS_AES_128_GCM_SHA256 → AES-128-GCM-SHA256 */
function cipherName(name: string): string {
  return name.replace(/^TLS_/, '').replaceAll('_', '-');
}

export function httpLine(request: RequestRecord): StepLine {
  const { sentAt, firstByteAt, endedAt, status, type, octets, connection, location } = request;
  const from = sentAt ?? request.queuedAt;
  const name = pathOf(request);
  const waited = firstByteAt === null || sentAt === null ? '' : `, first byte after ${duration(firstByteAt - sentAt)}`;
  const on = connection === null ? '' : `c${connection.id}${request.reused ? ' again' : ''} · `;
  const what =
    location === null ? `${type.replace(/;.*/, '')} ${sizeText(octets)}${packed(request)}` : `on to ${location}`;
  const text = `${on}GET ${name} → ${status} ${what}${waited}`;
  const ok = status !== null && status < 400;
  return { kind: 'HTTP', from, text: [text], ms: endedAt === null ? null : endedAt - from, tone: ok ? 'plain' : 'bad' };
}

/** ` gzip of 9.0 kB` */
function packed({ encoding, unpacked }: RequestRecord): string {
  if (encoding === null) return '';
  return ` ${encoding}${unpacked === 0 ? '' : ` of ${sizeText(unpacked)}`}`;
}

/** @param then what is done about it. */
export function failureLine(error: StepError, now: number, then = ''): StepLine {
  const text = then === '' ? error.message : `${error.message}; ${then}`;
  return { kind: error.step, from: error.from, text: [text], ms: now - error.from, tone: 'bad' };
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
