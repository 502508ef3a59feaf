/** One connection, from the name to where a request can be sent: DNS, TCP, TLS, each told and each able to fail. */

import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { type NameResolver, Race } from '../../host/happy-eyeballs.ts';
import { Socket } from '../../net/socket.ts';
import { IpAddress } from '../../wire/address.ts';
import { noAnswer, stalled, tcpFailure, tlsFailure } from './failures.ts';
import type { Ground } from './ground.ts';
import { Naming } from './naming.ts';
import type { GetOptions } from './options.ts';
import type { Recorder } from './recorder.ts';
import { type ConnectionRecord, type DnsStep, endpointText, StepError, type StepLine, type Tell } from './records.ts';
import { failureLine, tcpLine, tlsLine } from './step-lines.ts';
import { tlsFacts } from './tls-facts.ts';

export interface Opened {
  readonly record: ConnectionRecord;
  readonly socket: Duplex;
}

/** Addresses of one name that are tried. */
const MOST_ADDRESSES = 6;

/** A connection that is being opened. */
interface Attempt {
  readonly record: ConnectionRecord;
  readonly from: number;
  /** Rejects with a StepError. */
  readonly opened: Promise<Socket>;
  readonly giveUp: () => void;
}

/** For Happy Eyeballs: what is known already. */
function giving(addresses: readonly string[]): NameResolver {
  const ofFamily = (family: 4 | 6) => async (): Promise<string[]> =>
    addresses.filter((address) => address.includes(':') === (family === 6));
  return { resolve4: ofFamily(4), resolve6: ofFamily(6) };
}

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

  /** The addresses of a name, one after the other without waiting for slow ones (RFC 8305); the first that opens. */
  private openAny(
    host: string,
    port: number,
    dns: DnsStep | null,
  ): Promise<{ record: ConnectionRecord; socket: Socket }> {
    const addresses = (dns?.addresses ?? [host]).slice(0, MOST_ADDRESSES);
    const attempts = new Map<string, Attempt>();
    // The last failure is the whole's when nothing opens; those before it are told as they are followed by another try.
    let failure: StepError | null = null;
    const tellFailure = (): void => {
      if (failure !== null) this.tell(failureLine(failure, this.recorder.now(), `${host} has another address`));
      failure = null;
    };
    return new Promise((resolve, reject) => {
      new Race(
        this.ground.host,
        { hostname: host, family: 0, resolver: giving(addresses), asksLocalhost: true },
        {
          attempt: (remote, done) => {
            tellFailure();
            const attempt = this.openTcp(this.newRecord(host, remote.toString(), port, dns));
            attempts.set(remote.toString(), attempt);
            attempt.opened.then(
              () => done(null),
              (error: StepError) => {
                tellFailure();
                failure = error;
                attempts.delete(remote.toString());
                done(error);
              },
            );
            return attempt.giveUp;
          },
          opened: (address) => {
            tellFailure();
            const { record, opened } = attempts.get(address.toString())!;
            for (const other of attempts.values())
              if (other.record !== record) this.tell(this.slowerLine(other, record));
            resolve(opened.then((socket) => ({ record, socket })));
          },
          failed: () => reject(failure),
        },
      );
    });
  }

  private slowerLine({ record, from }: Attempt, winner: ConnectionRecord): StepLine {
    const [slow, fast] = [record, winner].map(({ address, port }) => endpointText(address, port));
    const text = `c${record.id} · ${slow} had not answered when ${fast} did; given up`;
    return { kind: 'TCP', from, text: [text], ms: this.recorder.now() - from, tone: 'needless' };
  }

  private newRecord(host: string, address: string, port: number, dns: DnsStep | null): ConnectionRecord {
    const record: ConnectionRecord = {
      id: this.connections.length + 1,
      host,
      address,
      port,
      localPort: 0,
      dns,
      tcp: null,
      tls: null,
      protocol: 'http/1.1',
      requests: 0,
      ending: '',
    };
    this.connections.push(record);
    return record;
  }

  private openTcp(record: ConnectionRecord): Attempt {
    const { recorder, options } = this;
    const from = recorder.now();
    const where = endpointText(record.address, record.port);
    const socket = new Socket(this.ground.host);
    let timer: ReturnType<typeof setTimeout>;
    const giveUp = (): void => {
      clearTimeout(timer);
      socket.destroy();
    };
    const opened = new Promise<Socket>((resolve, reject) => {
      const fail = (code: string, message: string): void => {
        giveUp();
        reject(new StepError('TCP', from, code, message));
      };
      timer = setTimeout(() => {
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
    });
    socket.connect({ host: record.address, port: record.port, noDelay: true });
    record.localPort = socket.localPort ?? 0;
    return { record, from, opened, giveUp };
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
      socket: raw,
      host: record.host,
      servername: named ? record.host : '',
      ...(authorities === null ? {} : { ca: authorities }),
      minVersion: this.ground.leastTls,
      rejectUnauthorized: !options.insecure,
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
