/** A run: the network, the pages loaded over it one after the other, and the end of every connection. */

import { teeLink } from '../../link/tee.ts';
import { Connecting } from './connecting.ts';
import { type Ending, endingsOf } from './endings.ts';
import { buildInternet, type Internet } from './internet.ts';
import { Loader } from './loader.ts';
import type { GetOptions } from './options.ts';
import { Recorder } from './recorder.ts';
import type { ConnectionRecord, PageRecord, Tell } from './records.ts';

export interface Result {
  readonly options: GetOptions;
  readonly pages: readonly PageRecord[];
  readonly connections: readonly ConnectionRecord[];
  readonly endings: ReadonlyMap<number, Ending>;
  readonly packets: number;
  readonly lost: number;
  readonly capture: Uint8Array;
}

/** How long the last FINs are waited for; lost ones are sent again meanwhile. */
const CLOSING_MS = 1500;
const LOOK_MS = 5;

export class Session {
  private readonly options: GetOptions;
  private readonly recorder: Recorder;
  private readonly internet: Internet;
  private readonly connecting: Connecting;
  private readonly loader: Loader;

  private constructor(options: GetOptions, recorder: Recorder, internet: Internet, tell: Tell) {
    this.options = options;
    this.recorder = recorder;
    this.internet = internet;
    this.connecting = new Connecting(options, internet, recorder, tell);
    this.loader = new Loader(options, recorder, this.connecting, tell);
  }

  static async begin(options: GetOptions, tell: Tell): Promise<Session> {
    let recorder = new Recorder();
    const internet = await buildInternet(
      options,
      (link) => teeLink(link, { frame: (frame, direction) => recorder.frame(frame, direction), end: () => undefined }),
      (_host, event) => recorder.observe(event),
    );
    // Time counts from when the network stands: making certificates is no part of a request.
    recorder = new Recorder();
    return new Session(options, recorder, internet, tell);
  }

  load(url: URL): Promise<PageRecord> {
    return this.loader.load(url);
  }

  async finish(): Promise<Result> {
    const { recorder, connecting, loader } = this;
    loader.close();
    const open = connecting.connections.filter(({ tcp }) => tcp !== null);
    const patience = recorder.now() + CLOSING_MS;
    while (recorder.now() < patience && !open.every(({ localPort }) => recorder.tap(localPort).over)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    this.internet.network.close();
    const capture = recorder.pcapng();
    const endings = endingsOf(capture);
    for (const connection of connecting.connections) connection.ending = endings.get(connection.localPort)?.text ?? '';
    return {
      ...{ options: this.options, pages: loader.pages, connections: connecting.connections, endings, capture },
      ...{ packets: recorder.packets, lost: recorder.lost },
    };
  }
}
