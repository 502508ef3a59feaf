/** One connection, from the name to where a request can be sent: DNS, TCP, TLS, each told and each able to fail. */

import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { DnsError, Resolver } from '../../dns/index.ts';
import { Socket } from '../../net/socket.ts';
import { IpAddress } from '../../wire/address.ts';
import { type Internet, NAME_SERVER } from './internet.ts';
import type { GetOptions } from './options.ts';
import type { Recorder, Tap } from './recorder.ts';
import { type ConnectionRecord, type DnsStep, StepError, type Tell } from './records.ts';
import { dnsLine, tcpLine, tlsLine } from './step-lines.ts';
import { type TlsFacts, tlsFacts } from './tls-facts.ts';

export interface Opened {
  readonly record: ConnectionRecord;
  readonly socket: Duplex;
}

export class Connecting {
  readonly connections: ConnectionRecord[] = [];
  private readonly options: GetOptions;
  private readonly internet: Internet;
  private readonly recorder: Recorder;
  private readonly tell: Tell;
  private readonly resolver: Resolver;
  private asked = 0;
  private readonly resolving = new Set<string>();
  /** Tickets by host, each for one use (RFC 8446 appendix C.4). */
  private readonly tickets = new Map<string, Buffer[]>();

  constructor(options: GetOptions, internet: Internet, recorder: Recorder, tell: Tell) {
    this.options = options;
    this.internet = internet;
    this.recorder = recorder;
    this.tell = tell;
    this.resolver = new Resolver(internet.network.host('client'), {
      servers: [NAME_SERVER],
      timeoutMs: Math.max(200, 6 * options.delayMs),
      attempts: 4,
      trace: ({ kind }) => {
        if (kind === 'asked') this.asked++;
      },
    });
  }

  /** @throws StepError that says at which step it ended (rejects). */
  async open(url: URL): Promise<Opened> {
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port) || (secure ? 443 : 80);
    const dns = await this.resolve(host);
    const record: ConnectionRecord = {
      ...{ id: this.connections.length + 1, host, address: dns?.addresses[0] ?? host, port, localPort: 0 },
      ...{ dns, tcp: null, tls: null, protocol: 'http/1.1', requests: 0, ending: '' },
    };
    this.connections.push(record);
    const socket = await this.openTcp(record);
    if (!secure) return { record, socket };
    return { record, socket: await this.openTls(record, socket) };
  }

  private async resolve(name: string): Promise<DnsStep | null> {
    if (IpAddress.tryParse(name) !== null) return null;
    const from = this.recorder.now();
    const before = this.asked;
    // Two connections may wait for one answer; it is told once.
    const first = !this.resolving.has(name);
    this.resolving.add(name);
    try {
      const answer = await this.resolver.resolve(name, 'A');
      const step: DnsStep = {
        ...{ from, until: this.recorder.now(), name, aliases: answer.aliases, ttl: answer.ttl, server: answer.server },
        ...{
          addresses: answer.records.map(({ data }) => data as string),
          cached: answer.cached,
          asked: this.asked - before,
        },
      };
      if (!step.cached && first) this.tell(dnsLine(step));
      return step;
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      throw new StepError('DNS', from, error.code, dnsFailure(error));
    } finally {
      this.resolving.delete(name);
    }
  }

  private openTcp(record: ConnectionRecord): Promise<Socket> {
    const { recorder, options } = this;
    const from = recorder.now();
    const where = `${record.address}:${record.port}`;
    const socket = new Socket(this.internet.network.host('client'), { allowHalfOpen: true });
    return new Promise((resolve, reject) => {
      const fail = (code: string, message: string): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(new StepError('TCP', from, code, message));
      };
      const timer = setTimeout(() => {
        const { syns } = recorder.tap(record.localPort);
        const sent = syns === 1 ? 'one SYN was sent' : `${syns} SYNs were sent`;
        fail('ETIMEDOUT', `${where} does not answer: ${sent}, nothing came back in ${seconds(options.timeoutMs)}`);
      }, options.timeoutMs);
      socket.once('error', (error: Error & { code?: string }) => fail(error.code ?? '', tcpFailure(where, error)));
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        // Whoever uses the connection hears of its end by its own means.
        socket.on('error', () => undefined);
        // The ACK that completes the opening leaves at the end of this turn.
        setImmediate(() => {
          const tap = recorder.tap(record.localPort);
          const segments = tap.syns + tap.synAcks + 1;
          record.tcp = { from, until: tap.openedAt ?? recorder.now(), segments, syns: tap.syns, mss: tap.mss };
          this.tell(tcpLine(record, record.tcp));
          resolve(socket);
        });
      });
      socket.connect({ host: record.address, port: record.port, noDelay: true });
      record.localPort = socket.localPort ?? 0;
    });
  }

  private openTls(record: ConnectionRecord, raw: Socket): Promise<Duplex> {
    const { recorder, options } = this;
    const from = recorder.now();
    const keys: string[] = [];
    const tap = recorder.tap(record.localPort);
    const tickets = this.tickets.get(record.host) ?? [];
    this.tickets.set(record.host, tickets);
    const ticket = tickets.shift();
    const socket = tls.connect({
      ...{
        socket: raw,
        servername: IpAddress.tryParse(record.host) === null ? record.host : '',
        ca: this.internet.root,
      },
      ...{ minVersion: 'TLSv1.3', ALPNProtocols: options.http1 ? ['http/1.1'] : ['h2', 'http/1.1'] },
      ...(options.group === null ? {} : { ecdhCurve: options.group }),
      ...(ticket === undefined ? {} : { session: ticket }),
    });
    socket.on('session', (session) => tickets.push(session));
    socket.on('keylog', (line) => {
      const text = line.toString('latin1').trim();
      keys.push(text);
      recorder.keys.push(text);
    });
    return new Promise((resolve, reject) => {
      const fail = (code: string, message: string): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(new StepError('TLS', from, code, message));
      };
      const timer = setTimeout(() => fail('ETIMEDOUT', stalled(tap, options.timeoutMs)), options.timeoutMs);
      socket.once('error', (error: Error & { code?: string }) =>
        fail(error.code ?? '', tlsFailure(record.host, error)),
      );
      socket.once('secureConnect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        socket.on('error', () => undefined);
        const until = recorder.now();
        // Our Finished leaves at the end of this turn.
        setImmediate(() => {
          const facts: TlsFacts = tlsFacts(socket, tap, keys, this.internet.serverKeys);
          record.tls = { from, until, ...facts };
          if (facts.alpn === 'h2') record.protocol = 'h2';
          const known = this.connections.some(
            (other) => other !== record && other.host === record.host && other.tls !== null,
          );
          this.tell(tlsLine(record, record.tls, known));
          resolve(socket);
        });
      });
    });
  }
}

export function seconds(ms: number): string {
  return ms === 1000 ? '1 second' : `${Number((ms / 1000).toFixed(1))} seconds`;
}

function dnsFailure({ code, hostname, server }: DnsError): string {
  const from = server === null ? '' : ` (${server} says so)`;
  if (code === 'ENOTFOUND') return `${hostname}: there is no such name${from}`;
  if (code === 'ENODATA') return `${hostname}: the name exists, but has no IPv4 address${from}`;
  if (code === 'EREFUSED') return `${hostname}: the name server does not answer for this name${from}`;
  if (code === 'EBADNAME') return `${hostname}: this can be no name, its labels have 1 to 63 characters`;
  if (code === 'ETIMEOUT') return `${hostname}: no name server answered in time`;
  return `${hostname}: ${code}${from}`;
}

function tcpFailure(where: string, error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return `${where} answered the SYN with a RST: nothing listens at this port`;
  if (error.code === 'ECONNRESET') return `${where} reset the connection`;
  if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return `${where} cannot be reached`;
  return `${where}: ${error.message}`;
}

function stalled(tap: Tap, timeoutMs: number): string {
  const sent = tap.flights.find(({ side }) => side === 'client')?.octets ?? 0;
  const came = tap.flights.some(({ side }) => side === 'server');
  const answer = came ? 'the handshake did not come to its end' : 'the server has not said a word';
  return `ClientHello sent (${sent} B), but ${answer} in ${seconds(timeoutMs)}`;
}

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root is not one we trust',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'whoever signed it is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'whoever signed it is not known here',
};

function tlsFailure(host: string, error: Error & { code?: string; cert?: { subject?: { CN?: string } } }): string {
  const { code = '' } = error;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate is not for ${host} but for ${error.cert?.subject?.CN ?? 'another name'}`;
  }
  const fault = CERTIFICATE_FAULTS[code];
  if (fault !== undefined) return `the certificate of ${host} is refused: ${fault} (${code})`;
  return `${error.message.split('\n')[0]}${code === '' ? '' : ` (${code})`}`;
}
