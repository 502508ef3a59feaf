/** Errors in the shape in which node's dgram gives them: code, errno, syscall, address, port. */

/** Linux's numbers, negative as libuv has them. */
const ERRNO: Readonly<Record<string, number>> = {
  EBADF: -9,
  EINVAL: -22,
  EMSGSIZE: -90,
  ENOTSUP: -95,
  EADDRINUSE: -98,
  EADDRNOTAVAIL: -99,
  ENETUNREACH: -101,
  ENOBUFS: -105,
  ECONNREFUSED: -111,
  EHOSTUNREACH: -113,
  ENOTFOUND: -3008,
};

/** `bind EADDRINUSE 0.0.0.0:53` with its fields. */
export function udpError(code: string, syscall: string, address?: string, port?: number): Error {
  const where = address === undefined ? '' : ` ${address}${port === undefined ? '' : `:${port}`}`;
  const fields: Record<string, unknown> = { errno: ERRNO[code] ?? -1, code, syscall };
  if (address !== undefined) fields.address = address;
  if (port !== undefined) fields.port = port;
  return Object.assign(new Error(`${syscall} ${code}${where}`), fields);
}

export function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

export function typeError(code: string, message: string): Error {
  return Object.assign(new TypeError(message), { code });
}
