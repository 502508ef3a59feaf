/** A run: the network, the pages loaded over it one after the other, and the end of every connection. */

import type { Link } from '../../link/link.ts';
import { teeLink } from '../../link/tee.ts';
import { Connecting } from './connecting.ts';
import { type Ending, endingsOf } from './endings.ts';
import type { Ground } from './ground.ts';
import { buildInternet } from './internet.ts';
import { Loader } from './loader.ts';
import type { GetOptions } from './options.ts';
import { openOutside } from './outside.ts';
import { flowKey, Recorder } from './recorder.ts';
import type { ConnectionRecord, PageRecord, Tell } from './records.ts';

export interface Result {
  readonly options: GetOptions;
  readonly ground: Ground;
  readonly pages: readonly PageRecord[];
  readonly connections: readonly ConnectionRecord[];
  /** By {@link flowKey}. */
  readonly endings: ReadonlyMap<string, Ending>;
  readonly packets: number;
  /** On the wires of the embedded network; null where nobody can see that. */
  readonly lost: number | null;
  readonly capture: Uint8Array;
}

/** How long the last FINs are waited for; lost ones are sent again meanwhile. */
const CLOSING_MS = 1500;
const LOOK_MS = 5;

export class Session {
  readonly ground: Ground;
  private readonly options: GetOptions;
  private readonly recorder: Recorder;
  private readonly connecting: Connecting;
  private readonly loader: Loader;

  private constructor(options: GetOptions, recorder: Recorder, ground: Ground, tell: Tell) {
    this.options = options;
    this.recorder = recorder;
    this.ground = ground;
    this.connecting = new Connecting(options, ground, recorder, tell);
    this.loader = new Loader(options, recorder, this.connecting, tell);
  }

  /** @throws EstabError when the TUN device cannot be had (rejects). */
  static async begin(options: GetOptions, tell: Tell): Promise<Session> {
    let recorder = new Recorder();
    const watch = (link: Link): Link =>
      teeLink(link, { frame: (frame, direction) => recorder.frame(frame, direction), end: () => undefined });
    const ground =
      options.tun === null
        ? await buildInternet(options, watch, (_host, event) => recorder.observe(event))
        : await openOutside(options, options.tun, watch);
    // Time counts from when the network stands: making certificates is no part of a request.
    recorder = new Recorder();
    return new Session(options, recorder, ground, tell);
  }

  load(url: URL): Promise<PageRecord> {
    return this.loader.load(url);
  }

  /** Breaks off where it is: whoever is still connected is reset. */
  abort(): void {
    this.ground.close();
  }

  async finish(): Promise<Result> {
    const { options, recorder, ground, connecting, loader } = this;
    loader.close();
    const open = connecting.connections.filter(({ tcp }) => tcp !== null);
    const patience = recorder.now() + CLOSING_MS;
    while (recorder.now() < patience && !open.every((connection) => recorder.tap(connection).over)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    ground.close();
    const capture = recorder.pcapng(ground.device);
    const endings = endingsOf(capture);
    for (const connection of connecting.connections)
      connection.ending = endings.get(flowKey(connection))?.text ?? 'no packet left';
    return {
      options,
      ground,
      pages: loader.pages,
      connections: connecting.connections,
      endings,
      capture,
      packets: recorder.packets,
      lost: options.tun === null ? recorder.lost : null,
    };
  }
}
