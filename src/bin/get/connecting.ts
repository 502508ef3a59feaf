/** One connection, from the name to where a request can be sent: DNS, TCP, TLS, each told and each able to fail. */

import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { Socket } from '../../net/socket.ts';
import { IpAddress } from '../../wire/address.ts';
import { noAnswer, stalled, tcpFailure, tlsFailure } from './failures.ts';
import type { Ground } from './ground.ts';
import { Naming } from './naming.ts';
import type { GetOptions } from './options.ts';
import type { Recorder } from './recorder.ts';
import { type ConnectionRecord, type DnsStep, endpointText, StepError, type Tell } from './records.ts';
import { failureLine, tcpLine, tlsLine } from './step-lines.ts';
import { tlsFacts } from './tls-facts.ts';

export interface Opened {
  readonly record: ConnectionRecord;
  readonly socket: Duplex;
}

/** Addresses of one name that are tried. */
const MOST_ADDRESSES = 6;

export class Connecting {
  readonly connections: ConnectionRecord[] = [];
  private readonly options: GetOptions;
  private readonly ground: Ground;
  private readonly recorder: Recorder;
  private readonly tell: Tell;
  private readonly naming: Naming;
  /** Tickets by host, each for one use (RFC 8446 appendix C.4). */
  private readonly tickets = new Map<string, Buffer[]>();

  constructor(options: GetOptions, ground: Ground, recorder: Recorder, tell: Tell) {
    this.options = options;
    this.ground = ground;
    this.recorder = recorder;
    this.tell = tell;
    this.naming = new Naming(options, ground, recorder, tell);
  }

  /** @throws StepError that says at which step it ended (rejects). */
  async open(url: URL): Promise<Opened> {
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port) || (secure ? 443 : 80);
    const dns = await this.naming.resolve(host, port);
    const { record, socket } = await this.openAny(host, port, dns);
    if (!secure) return { record, socket };
    return { record, socket: await this.openTls(record, socket) };
  }

  /** One address of the name after the other, until one answers. */
  private async openAny(
    host: string,
    port: number,
    dns: DnsStep | null,
  ): Promise<{ record: ConnectionRecord; socket: Socket }> {
    const addresses = (dns?.addresses ?? [host]).slice(0, MOST_ADDRESSES);
    for (let i = 0; ; i++) {
      const record: ConnectionRecord = {
        ...{ id: this.connections.length + 1, host, address: addresses[i], port, localPort: 0 },
        ...{ dns, tcp: null, tls: null, protocol: 'http/1.1', requests: 0, ending: '' },
      };
      this.connections.push(record);
      try {
        return { record, socket: await this.openTcp(record) };
      } catch (error) {
        if (!(error instanceof StepError) || i + 1 === addresses.length) throw error;
        this.tell(failureLine(error, this.recorder.now(), `${host} has another address`));
      }
    }
  }

  private openTcp(record: ConnectionRecord): Promise<Socket> {
    const { recorder, options } = this;
    const from = recorder.now();
    const where = endpointText(record.address, record.port);
    const socket = new Socket(this.ground.host, { allowHalfOpen: true });
    return new Promise((resolve, reject) => {
      const fail = (code: string, message: string): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(new StepError('TCP', from, code, message));
      };
      const timer = setTimeout(() => {
        fail('ETIMEDOUT', noAnswer(where, recorder.tap(record), options.timeoutMs));
      }, options.timeoutMs);
      socket.once('error', (error: Error & { code?: string }) => fail(error.code ?? '', tcpFailure(where, error)));
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        // Whoever uses the connection hears of its end by its own means.
        socket.on('error', () => undefined);
        // The ACK that completes the opening leaves at the end of this turn.
        setImmediate(() => {
          const tap = recorder.tap(record);
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
    const tap = recorder.tap(record);
    const tickets = this.tickets.get(record.host) ?? [];
    this.tickets.set(record.host, tickets);
    const ticket = tickets.shift();
    const named = IpAddress.tryParse(record.host) === null;
    const authorities = options.authorities ?? this.ground.authorities;
    const socket = tls.connect({
      // The certificate is held against the name or the address that was asked for; only names are sent (RFC 6066).
      ...{ socket: raw, host: record.host, servername: named ? record.host : '' },
      ...(authorities === null ? {} : { ca: authorities }),
      ...{ minVersion: this.ground.leastTls, rejectUnauthorized: !options.insecure },
      ALPNProtocols: options.http1 ? ['http/1.1'] : ['h2', 'http/1.1'],
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
          const facts = tlsFacts(socket, tap, keys, this.ground.serverKeys);
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
