/** Connections of a host to a name: the attempts of Happy Eyeballs, and how their failure is told. */

import { type ErrorCode, EstabError } from '../base/errors.ts';
import type { Connection } from '../stack/connection.ts';
import type { ConnectOptions } from '../stack/opening.ts';
import type { IpAddress } from '../wire/address.ts';
import { endText } from './events.ts';
import { type FailedAttempt, type NamedDestination, Race } from './happy-eyeballs.ts';
import type { SocketHost } from './host.ts';

export interface ByNameHandler {
  /** One address is being tried. */
  trying?(address: IpAddress): void;
  /** It did not open. */
  tried?(address: IpAddress, error: EstabError): void;
  /** This one is open; it needs a handler at once. */
  opened(connection: Connection): void;
  failed(failures: readonly FailedAttempt[]): void;
}

/** @throws EstabError EINVAL when there is nobody to ask for the name, or an option makes no sense. */
export function connectByName(
  host: SocketHost,
  destination: NamedDestination,
  options: Omit<ConnectOptions, 'remote' | 'handler'>,
  handler: ByNameHandler,
): Race {
  const attempts = new Map<IpAddress, Connection>();
  return new Race(host, destination, {
    attempt(remote, done) {
      handler.trying?.(remote);
      const failed = (code: ErrorCode | null): void => {
        const why = code ?? 'ECONNRESET';
        const error = new EstabError(why, `${endText(remote, options.port)} ${why}`);
        handler.tried?.(remote, error);
        done(error);
      };
      const connection = host.stack.connect(host.now(), {
        ...options,
        remote,
        handler: { opened: () => done(null), closed: (_connection, code) => failed(code) },
      });
      attempts.set(remote, connection);
      host.wake();
      return () => {
        connection.handler = {};
        connection.abort(host.now());
        host.wake();
      };
    },
    opened: (address) => handler.opened(attempts.get(address)!),
    failed: (failures) => handler.failed(failures),
  });
}

/** Several failures as one error, with the code of the first and all of them in `errors`. */
export function connectError(where: string, failures: readonly FailedAttempt[]): Error & { code?: string } {
  const [first, ...more] = failures;
  // What the name server said is an error in itself.
  if (first.address === null) return first.error;
  const code = first.error instanceof EstabError ? first.error.code : 'ECONNREFUSED';
  const error = new EstabError(
    code,
    `no connection to ${where}: ${failures.map((one) => one.error.message).join(', ')}`,
  );
  return more.length === 0 ? error : Object.assign(error, { errors: failures.map((one) => one.error) });
}
