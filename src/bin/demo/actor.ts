/** One of the two hosts of a story, with the applications that run on it. */

import type { ErrorCode } from '../../base/errors.ts';
import { SimHost } from '../../sim/sim-host.ts';
import type { Connection, ConnectionHandler } from '../../stack/connection.ts';
import type { Settings } from '../../stack/settings-table.ts';
import type { StackTrace } from '../../stack/trace.ts';
import { State, stateName } from '../../tcp/state.ts';
import type { Conversation } from './conversation.ts';
import { WishedIsns } from './isns.ts';
import type { Endpoint } from './options.ts';
import type { EndName } from './record.ts';
import type { Outcome } from './run.ts';
import type { Stage } from './stage.ts';

/** An Ethernet's MTU, for the sake of the numbers everybody knows. */
const USUAL_MTU = 1500;
const HEADERS = { 4: 40, 6: 60 } as const;

export class Actor {
  readonly end: EndName;
  readonly host: SimHost;
  private readonly stage: Stage;
  private readonly window: number | null;
  private readonly talks: Talk[] = [];

  /** @param window receive buffer of its connections, null for the stack's own choice. */
  constructor(stage: Stage, end: EndName, settings: Settings, window: number | null) {
    this.stage = stage;
    this.end = end;
    this.window = window;
    const { world, wire, options } = stage;
    const isn = end === 'client' ? options.clientIsn : options.serverIsn;
    this.host = new SimHost(world, end, {
      settings,
      trace: this.trace(),
      ...(isn === null ? {} : { stack: { isns: new WishedIsns(world.fork(), isn) } }),
    });
    const { address } = this.own;
    const mtu = options.mss === null ? USUAL_MTU : options.mss + HEADERS[address.family];
    this.host.attach(wire, end === 'client' ? 'a' : 'b', {
      name: 'wire',
      mtu,
      medium: 'ip',
      addresses: [`${address}/${address.family === 4 ? 32 : 128}`],
    });
    this.host.afterFrame = () => stage.record.processed(end);
  }

  /** Active OPEN, to the other end's address and port. */
  connect(): Conversation {
    const { own, other, stage } = this;
    stage.happened(this.end, 'connect');
    const talk = new Talk(stage, this.end);
    const connection = this.host.stack.connect(stage.world.now, {
      remote: other.address,
      port: other.port,
      local: own.address,
      localPort: own.port,
      handler: talk.handler,
      options: this.choices,
    });
    return this.begin(talk, connection);
  }

  /** Passive OPEN; `accepted` is called with every connection that is complete. */
  listen(accepted: (conversation: Conversation) => void): void {
    const { stage } = this;
    stage.record.begin(this.end, 'LISTEN');
    this.host.stack.listen({
      address: this.own.address,
      port: this.own.port,
      options: this.choices,
      handler: {
        acceptable: (listener) => {
          for (;;) {
            const connection = listener.accept(stage.world.now);
            if (connection === null) return;
            const talk = new Talk(stage, this.end);
            accepted(this.begin(talk, connection));
            connection.handler = talk.handler;
            talk.accepted();
          }
        },
      },
    });
  }

  /** The machine loses its power: nobody hears a word of it. */
  crash(): void {
    const { record } = this.stage;
    this.stage.happened(this.end, 'crash');
    const state = record.state(this.end);
    if (state !== 'CLOSED') record.stateChanged(this.end, state, 'CLOSED', 'crashes and forgets everything');
    record.flush();
    this.host.crash();
  }

  restart(): void {
    this.stage.happened(this.end, 'restart');
    this.host.restart();
  }

  get outcomes(): Outcome[] {
    return this.talks.map((talk) => talk.outcome);
  }

  private get own(): Endpoint {
    return this.stage.options[this.end];
  }

  private get other(): Endpoint {
    return this.stage.options[this.end === 'client' ? 'server' : 'client'];
  }

  private get choices(): { receiveBuffer?: number } {
    return this.window === null ? {} : { receiveBuffer: this.window };
  }

  private begin(talk: Talk, connection: Connection): Talk {
    talk.connection = connection;
    this.talks.push(talk);
    return talk;
  }

  private trace(): StackTrace {
    return {
      segmentReceived: () => {},
      segmentSent: () => {},
      dropped: () => {},
      stateChanged: (_now, _endpoint, from, to) => this.stateChanged(from, to),
    };
  }

  /**
   * A child of the listener is made in LISTEN and, when it was no more than a stray, ends there: for whoever looks from
   * outside it is the listener that was in LISTEN all along.
   */
  private stateChanged(from: State, to: State): void {
    const made = from === State.CLOSED && to === State.LISTEN;
    const gone = from === State.LISTEN && to === State.CLOSED;
    if (made || gone) return;
    const cause = this.host.activity === 'timeout' ? timeoutCause(from) : 'closed by its application';
    this.stage.record.stateChanged(this.end, stateName(from), stateName(to), cause);
  }
}

function timeoutCause(from: State): string {
  switch (from) {
    case State.TIME_WAIT:
      return '2 MSL are over';
    case State.SYN_SENT:
      return 'no answer to its SYN, it gives up';
    case State.SYN_RECEIVED:
      return 'no answer to its SYN-ACK, it gives up';
    case State.FIN_WAIT_2:
      return 'no FIN came, it waits no longer';
    default:
      return 'no answer for too long, it gives up';
  }
}

const LATIN = new TextDecoder('latin1');
const UTF8 = new TextEncoder();

/** A conversation over one connection of the stack. */
class Talk implements Conversation {
  received = 0;
  onOpened = (): void => {};
  onText = (_text: string): void => {};
  onUrgent = (): void => {};
  onPeerClosed = (): void => {};
  readonly handler: ConnectionHandler;
  private readonly stage: Stage;
  private readonly end: EndName;
  private held: Connection | null = null;
  private paused = false;
  private opened = false;

  constructor(stage: Stage, end: EndName) {
    this.stage = stage;
    this.end = end;
    this.handler = {
      opened: () => {
        this.tell('opened');
        this.onOpened();
      },
      readable: () => this.read(),
      urgent: () => {
        this.tell('urgent');
        this.onUrgent();
      },
      peerClosed: () => {
        this.tell('peer closed');
        this.onPeerClosed();
      },
      closed: (_connection, error) => this.tell('closed', error),
    };
  }

  set connection(connection: Connection) {
    this.held = connection;
  }

  /** It came from a listener, complete. */
  accepted(): void {
    this.tell('opened');
    this.onOpened();
  }

  get outcome(): Outcome {
    const status = this.opened ? this.held!.status() : null;
    return { end: this.end, status, receivedOctets: this.received };
  }

  write(text: string): void {
    this.send(text, false);
  }

  writeUrgent(text: string): void {
    this.send(text, true);
  }

  close(): void {
    if (this.over) return;
    this.stage.happened(this.end, 'close');
    this.held!.shutdown(this.now);
  }

  abort(): void {
    if (this.over) return;
    this.stage.happened(this.end, 'abort');
    this.held!.abort(this.now);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.read();
  }

  keepAlive(): void {
    this.held!.configure(this.now, { keepAlive: true });
  }

  noDelay(): void {
    this.held!.configure(this.now, { noDelay: true });
  }

  private send(text: string, urgent: boolean): void {
    if (this.over) return;
    const bytes = UTF8.encode(text);
    this.held!.write(this.now, bytes, { urgent });
  }

  private read(): void {
    if (this.paused || this.held!.state === 'SYN-SENT') return;
    let text = '';
    for (let bytes = this.held!.read(this.now); bytes !== null; bytes = this.held!.read(this.now)) {
      this.received += bytes.length;
      text += LATIN.decode(bytes);
    }
    if (text !== '') this.onText(text);
  }

  private tell(what: 'opened' | 'urgent' | 'peer closed' | 'closed', error: ErrorCode | null = null): void {
    if (what === 'opened') this.opened = true;
    this.stage.happened(this.end, what, error);
  }

  /** What an application wants to do to a connection that has ended in the meantime is not done. */
  private get over(): boolean {
    return this.held === null || this.held.state === 'CLOSED' || this.held.state === 'TIME-WAIT';
  }

  private get now(): number {
    return this.stage.world.now;
  }
}
