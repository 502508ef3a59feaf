/** Accepting connections: an async iterable of sockets. No standard has one; this is ours. */

import type { SocketHost } from '../host/host.ts';
import type { ConnectionOptions } from '../stack/connection-options.ts';
import type { Listener } from '../stack/listener.ts';
import { IpAddress } from '../wire/address.ts';
import { Socket } from './socket.ts';

export interface ListenOptions {
  /** 0 chooses one. */
  readonly port: number;
  readonly hostname?: string;
  readonly backlog?: number;
  /** True: a connection's writable side stays open when its peer has ended; false (the default): it ends too. */
  readonly allowHalfOpen?: boolean;
  /** For all its connections. */
  readonly options?: ConnectionOptions;
}

/** What {@link listen} gives: iterate it to accept, close it to stop. */
export interface WebListener extends AsyncIterable<Socket> {
  readonly port: number;
  close(): void;
}

/** Listens on a port of the host; 0 chooses one. */
export function listen(host: SocketHost, options: ListenOptions): WebListener {
  const { allowHalfOpen = false } = options;
  const socketOptions = { allowHalfOpen, secureTransport: 'off' } as const;
  const accepted: Socket[] = [];
  let waiting: (() => void) | null = null;
  let closed = false;
  const take = (listener: Listener): void => {
    for (let next = listener.accept(host.now()); next !== null; next = listener.accept(host.now())) {
      accepted.push(new Socket(host, socketOptions).adopt(next, true));
    }
    waiting?.();
    waiting = null;
  };
  const listener = host.stack.listen({
    port: options.port,
    ...(options.hostname === undefined ? {} : { address: IpAddress.parse(options.hostname) }),
    ...(options.backlog === undefined ? {} : { backlog: options.backlog }),
    ...(options.options === undefined ? {} : { options: options.options }),
    handler: { acceptable: take },
  });
  return {
    port: listener.localPort,
    close(): void {
      closed = true;
      listener.close(host.now());
      host.wake();
      waiting?.();
      waiting = null;
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Socket> {
      for (;;) {
        const next = accepted.shift();
        if (next !== undefined) yield next;
        else if (closed) return;
        else
          await new Promise<void>((resolve) => {
            waiting = resolve;
          });
      }
    },
  };
}
