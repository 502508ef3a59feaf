/** Attempts to connect by name, told as node tells them. */

import { EstabError } from '../base/errors.ts';
import {
  ATTEMPT_DELAY_MS,
  type FailedAttempt,
  LEAST_ATTEMPT_DELAY_MS,
  MOST_ATTEMPT_DELAY_MS,
  tellingFailures,
} from '../host/happy-eyeballs.ts';
import type { IpAddress } from '../wire/address.ts';
import { socketError } from './errors.ts';

/** RFC 8305's bounds; Node's own option may be lower. */
export function attemptDelay(wanted = ATTEMPT_DELAY_MS): number {
  return Math.min(Math.max(wanted, LEAST_ATTEMPT_DELAY_MS), MOST_ATTEMPT_DELAY_MS);
}

export function attemptError(address: IpAddress, error: Error, port: number): Error {
  return error instanceof EstabError ? socketError(error.code, 'connect', address.toString(), port) : error;
}

/** As node tells it: one failure as it is, several in an AggregateError with the code of the first. */
export function failureOf(failures: readonly FailedAttempt[], port: number): Error {
  const errors = tellingFailures(failures).map(({ address, error }) => {
    return address === null ? error : attemptError(address, error, port);
  });
  if (errors.length === 1) return errors[0];
  return Object.assign(new AggregateError(errors), { code: (errors[0] as { code?: string }).code });
}
