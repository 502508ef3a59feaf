/**
 * One origin: its connections and the requests over them. HTTP/1.1 keeps connections alive and opens a few side by side;
 * HTTP/2, where the server agrees to it, puts all requests on one.
 */

import http from 'node:http';
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Connecting, Opened } from './connecting.ts';
import { httpFailure, seconds } from './failures.ts';
import type { GetOptions } from './options.ts';
import type { Recorder } from './recorder.ts';
import { type ConnectionRecord, type RequestRecord, StepError } from './records.ts';
import { ACCEPTED, type Unpacker as Taker, unpackerFor } from './unpacking.ts';

/** Takes the body as it comes. */
export type Body = (bytes: Uint8Array) => void;

const AGENT = 'estab';
/** Of a request that a server refuses, each on another connection. */
const MOST_TRIES = 5;
const NOT_MODIFIED = 304;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export class Origin {
  private readonly options: GetOptions;
  private readonly recorder: Recorder;
  private readonly connecting: Connecting;
  private readonly url: URL;
  private readonly agent: http.Agent;
  private readonly records = new Map<Duplex, ConnectionRecord>();
  private readonly turns: Turns;
  /** Opened before it was known which HTTP is spoken; the first request of HTTP/1.1 takes it over. */
  private spare: Opened | null = null;
  private session: Promise<http2.ClientHttp2Session | null> | null = null;
  private openSession: http2.ClientHttp2Session | null = null;
  private sessionRecord: ConnectionRecord | null = null;

  constructor(url: URL, options: GetOptions, recorder: Recorder, connecting: Connecting) {
    this.options = options;
    this.recorder = recorder;
    this.connecting = connecting;
    this.url = url;
    // An agent does not count connections that are being opened, so it is given no more requests than it may have.
    this.agent = new http.Agent({ keepAlive: true });
    this.turns = new Turns(options.connections);
    const createConnection = (_options: unknown, done: (error: Error | null, socket?: Duplex) => void): void => {
      this.nextConnection().then(
        ({ record, socket }) => {
          this.records.set(socket, record);
          done(null, socket);
        },
        (error: Error) => done(error),
      );
    };
    Object.assign(this.agent, { createConnection });
  }

  /** Sends a GET and gives the body to `body`; the record tells the rest. @throws StepError (rejects). */
  async get(request: RequestRecord, body: Body): Promise<void> {
    const negotiates = this.url.protocol === 'https:' && !this.options.http1;
    if (negotiates && (await this.again(request, () => this.overSession(request, body)))) return;
    await this.turns.take();
    try {
      await this.again(request, () => this.getOne(request, body));
    } finally {
      this.turns.give();
    }
  }

  /** False where the server speaks HTTP/1.1 alone. */
  private async overSession(request: RequestRecord, body: Body): Promise<boolean> {
    this.session ??= this.negotiate();
    const session = await this.session;
    if (session === null) return false;
    if (session.closed || session.destroyed) this.session = null;
    await this.getTwo(session, request, body);
    return true;
  }

  /** Asks until a connection takes the request; each refusal is one connection less. */
  private async again<Result>(request: RequestRecord, ask: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (request.connection !== null) request.connection.requests--;
        request.connection = null;
        if (tries === MOST_TRIES) throw this.failure(request, error);
      }
    }
  }

  /** Ends all connections: what was not asked for any more is not waited for. */
  close(): void {
    this.openSession?.close();
    this.agent.destroy = () => this.agent;
    for (const socket of this.records.keys()) socket.end();
    this.spare?.socket.end();
  }

  private async negotiate(): Promise<http2.ClientHttp2Session | null> {
    const opened = await this.connecting.open(this.url);
    if (opened.record.protocol !== 'h2') {
      this.spare = opened;
      return null;
    }
    const session = http2.connect(this.url, { createConnection: () => opened.socket });
    // What goes wrong is told by the streams.
    session.on('error', () => undefined);
    const over = (): void => {
      if (this.openSession === session) this.session = null;
    };
    // The server takes no more requests here (GOAWAY): the next one opens another connection.
    session.once('goaway', over);
    session.once('close', over);
    this.records.set(opened.socket, opened.record);
    this.openSession = session;
    this.sessionRecord = opened.record;
    return session;
  }

  private async nextConnection(): Promise<Opened> {
    const { spare } = this;
    this.spare = null;
    return spare ?? this.connecting.open(this.url);
  }

  private getOne(request: RequestRecord, body: Body): Promise<void> {
    const { hostname, port, pathname, search, host } = new URL(request.url);
    return new Promise((resolve, reject) => {
      const sent = http.request({
        agent: this.agent,
        method: 'GET',
        host: hostname,
        port: port || 1,
        path: pathname + search,
        headers: { host, 'user-agent': AGENT, accept: '*/*', 'accept-encoding': ACCEPTED },
      });
      const watch = new Watch(this.options.timeoutMs, () => sent.destroy(this.silent(request)));
      const fail = (error: Error & { code?: string }): void => {
        watch.stop();
        // A connection that was kept alive may be closed just when it is used (RFC 9112 section 9.5).
        const stale = sent.reusedSocket && request.status === null && error.code === 'ECONNRESET';
        reject(stale ? new Refused() : this.failure(request, error));
      };
      sent.on('socket', (socket) => this.begin(request, this.records.get(socket) ?? null, watch));
      sent.on('error', fail);
      sent.on('response', (response) => {
        const taker = this.head(request, response.statusCode ?? 0, response.headers, body);
        response.on('data', (bytes: Uint8Array) => this.take(request, bytes, taker, watch));
        response.on('error', fail);
        response.on('end', () => {
          watch.stop();
          this.finish(request, taker).then(resolve, fail);
        });
      });
      sent.end();
    });
  }

  private getTwo(session: http2.ClientHttp2Session, request: RequestRecord, body: Body): Promise<void> {
    const { pathname, search } = new URL(request.url);
    return new Promise((resolve, reject) => {
      const stream = requestOn(session, {
        ':path': pathname + search,
        'user-agent': AGENT,
        accept: '*/*',
        'accept-encoding': ACCEPTED,
      });
      const watch = new Watch(this.options.timeoutMs, () => stream.destroy(this.silent(request)));
      let taker = asItIs(body);
      const fail = (error: Error): void => {
        watch.stop();
        const refused = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM && request.status === null;
        if (refused && this.openSession === session) this.session = null;
        reject(refused ? new Refused() : this.failure(request, error));
      };
      this.begin(request, this.sessionRecord, watch);
      stream.on('response', (headers) => {
        taker = this.head(request, headers[':status'] ?? 0, headers, body);
        // Only now: text may be handed up in the very turn in which the head is announced.
        stream.on('data', (bytes: Uint8Array) => this.take(request, bytes, taker, watch));
      });
      stream.on('error', fail);
      let whole = false;
      stream.on('end', () => {
        // A stream that its connection takes along ends like any other, but for its code.
        whole = request.status !== null && !stream.aborted && !stream.rstCode && this.isAllThere(request);
        watch.stop();
        if (whole) this.finish(request, taker).then(resolve, fail);
      });
      // Where the connection breaks, streams may end without a word of why.
      stream.on('close', () => {
        if (!whole) fail(Object.assign(new Error('the stream was closed'), { code: 'ECONNRESET' }));
      });
    });
  }

  private begin(request: RequestRecord, record: ConnectionRecord | null, watch: Watch): void {
    request.sentAt = this.recorder.now();
    request.connection = record;
    request.reused = (record?.requests ?? 0) > 0;
    if (record !== null) record.requests++;
    watch.restart();
  }

  /** The head of an answer; who takes its body. */
  private head(request: RequestRecord, status: number, headers: http.IncomingHttpHeaders, body: Body): Taker {
    request.firstByteAt = this.recorder.now();
    request.status = status;
    request.type = headers['content-type'] ?? 'unknown';
    request.location = REDIRECTS.has(status) ? (headers.location ?? null) : null;
    request.encoding = headers['content-encoding'] ?? null;
    const announced = headers['content-length'];
    request.announced = announced === undefined ? null : Number(announced);
    const unpacked = (bytes: Uint8Array): void => {
      request.unpacked += bytes.length;
      body(bytes);
    };
    return unpackerFor(headers['content-encoding'], unpacked) ?? asItIs(body);
  }

  /** As much as was announced, where that was; a 304 tells the length of what it does not bring (RFC 9110 15.4.5). */
  private isAllThere({ announced, octets, status }: RequestRecord): boolean {
    return announced === null || announced === octets || status === NOT_MODIFIED;
  }

  private take(request: RequestRecord, bytes: Uint8Array, taker: Taker, watch: Watch): void {
    request.octets += bytes.length;
    watch.restart();
    taker.push(bytes);
  }

  private async finish(request: RequestRecord, taker: Taker): Promise<void> {
    const endedAt = this.recorder.now();
    await taker.end();
    request.endedAt = endedAt;
  }

  private silent(request: RequestRecord): StepError {
    const { octets } = request;
    const had = request.firstByteAt === null ? 'no answer' : `nothing more after ${octets} B`;
    const text = `GET ${request.url} was sent, but ${had} came in ${seconds(this.options.timeoutMs)}`;
    return new StepError('HTTP', request.sentAt ?? request.queuedAt, 'ETIMEDOUT', text);
  }

  private failure(request: RequestRecord, error: Error & { code?: string }): StepError {
    if (error instanceof StepError) return error;
    const text = httpFailure(request.url, request.firstByteAt === null ? null : request.octets, error);
    return new StepError('HTTP', request.sentAt ?? request.queuedAt, error.code ?? '', text);
  }
}

/** The server has not begun to do what it was asked for on this connection. */
class Refused extends Error {
  readonly code = 'EREFUSED';

  constructor() {
    super('the server takes no more requests, however often the connection is made anew');
  }
}

/** @throws Refused on a session that has just been ended. */
function requestOn(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders): http2.ClientHttp2Stream {
  if (session.closed || session.destroyed) throw new Refused();
  return session.request(headers);
}

/** Fires when nothing has happened for a while. */
class Watch {
  private readonly ms: number;
  private readonly fire: () => void;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(ms: number, fire: () => void) {
    this.ms = ms;
    this.fire = fire;
  }

  restart(): void {
    this.stop();
    this.timer = setTimeout(this.fire, this.ms);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }
}

/** So many at a time; the rest waits in line. */
class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(free: number) {
    this.free = free;
  }

  async take(): Promise<void> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** In the next turn of the event loop: by then the agent has its connection back and gives it to whoever comes. */
  give(): void {
    setImmediate(() => {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    });
  }
}

/** A body that came unpacked. */
function asItIs(body: Body): Taker {
  return { push: body, end: () => Promise.resolve() };
}
