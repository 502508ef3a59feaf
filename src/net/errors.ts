/** Errors in the shape libuv gives them: code, errno, syscall, address and port, and the message made of those. */

import type { ErrorCode } from '../base/errors.ts';

/** Linux numbers; node negates them. */
const ERRNO: Readonly<Record<ErrorCode, number>> = {
  EPERM: 1,
  EIO: 5,
  EBUSY: 16,
  ENODEV: 19,
  ENOTSUP: 95,
  EPIPE: 32,
  EINVAL: 22,
  EMSGSIZE: 90,
  EPROTO: 71,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
};

/** The errno of a code, as Linux counts. */
export function errnoOf(code: ErrorCode): number {
  return ERRNO[code];
}

export interface SocketError extends Error {
  code: string;
  errno: number;
  syscall: string;
  address?: string;
  port?: number;
}

/** What libuv says of a code; Node's listen repeats it. */
const MEANING: Partial<Record<ErrorCode, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available',
  EINVAL: 'invalid argument',
};

/** `connect ECONNREFUSED 10.0.0.2:80`, with the fields that programs look at. */
export function socketError(code: ErrorCode, syscall: string, address?: string, port?: number): SocketError {
  const where = address === undefined ? '' : ` ${address}${port ? `:${port}` : ''}`;
  const meaning = syscall === 'listen' ? MEANING[code] : undefined;
  const what = meaning === undefined ? code : `${code}: ${meaning}`;
  const error = new Error(`${syscall} ${what}${where}`) as SocketError;
  error.code = code;
  error.errno = -errnoOf(code);
  error.syscall = syscall;
  if (address !== undefined) error.address = address;
  if (port) error.port = port;
  return error;
}
