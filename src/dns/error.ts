/** What a lookup ends with when it has no answer, in the shape and with the codes of `node:dns`. */

export type DnsCode =
  | 'EBADNAME'
  | 'EBADRESP'
  | 'ECONNREFUSED'
  | 'ENODATA'
  | 'ENOTFOUND'
  | 'EREFUSED'
  | 'ESERVFAIL'
  | 'ETIMEOUT';

const MEANING: Readonly<Record<DnsCode, string>> = {
  EBADNAME: 'this can be no name: labels have 1 to 63 octets, all together at most 253',
  EBADRESP: 'the answer was no good DNS message',
  ECONNREFUSED: 'the name server could not be reached: nothing answers at its port',
  ENODATA: 'the name exists, but has no record of this type',
  ENOTFOUND: 'there is no such name',
  EREFUSED: 'the name server does not answer for this name',
  ESERVFAIL: 'the name server failed',
  ETIMEOUT: 'no name server answered in time',
};

export class DnsError extends Error {
  readonly code: DnsCode;
  readonly hostname: string;
  /** `queryA`, `queryAaaa`, … as node says it. */
  readonly syscall: string;
  /** The server that said so; null when none did. */
  readonly server: string | null;

  constructor(code: DnsCode, type: string, hostname: string, server: string | null = null) {
    const syscall = `query${type.charAt(0)}${type.slice(1).toLowerCase()}`;
    super(`${syscall} ${code} ${hostname}: ${MEANING[code]}`);
    this.name = 'DnsError';
    this.code = code;
    this.hostname = hostname;
    this.syscall = syscall;
    this.server = server;
  }
}
