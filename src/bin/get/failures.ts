/** Why a step failed, in words for whoever asked. */

import type { Tap } from './recorder.ts';

type Failure = Error & { readonly code?: string };

export function seconds(ms: number): string {
  return ms === 1000 ? '1 second' : `${Number((ms / 1000).toFixed(1))} seconds`;
}

/** No answer to the SYN. */
export function noAnswer(where: string, { syns, icmp }: Tap, timeoutMs: number): string {
  const sent = syns === 1 ? 'one SYN was sent' : `${syns} SYNs were sent`;
  if (icmp !== null) return `${where} does not answer: ${sent}, and ${icmp} came back`;
  return `${where} does not answer: ${sent}, nothing came back in ${seconds(timeoutMs)}`;
}

export function tcpFailure(where: string, error: Failure): string {
  if (error.code === 'ECONNREFUSED') return `${where} answered the SYN with a RST: nothing listens at this port`;
  if (error.code === 'ECONNRESET') return `${where} reset the connection`;
  if (error.code === 'EHOSTUNREACH') return `${where} cannot be reached: the network says that nobody is there`;
  if (error.code === 'ENETUNREACH') return `${where} cannot be reached: no way leads there from here`;
  return `${where}: ${error.message}`;
}

/** The handshake that did not come to its end. */
export function stalled(tap: Tap, timeoutMs: number): string {
  const sent = tap.flights.find(({ side }) => side === 'client')?.octets ?? 0;
  const came = tap.flights.some(({ side }) => side === 'server');
  const answer = came ? 'the handshake did not come to its end' : 'the server has not said a word';
  return `ClientHello sent (${sent} B), but ${answer} in ${seconds(timeoutMs)}`;
}

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root is not one we trust',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'whoever signed it is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'whoever signed it is not known here',
};

/** OpenSSL's reasons that mean more than they say; an alert came from the server. */
const TLS_FAULTS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/, 'what answers there speaks no TLS; http:// perhaps'],
  [/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/, 'the server speaks no version of TLS that we take'],
  [/ALERT_HANDSHAKE_FAILURE/, 'the server refuses the handshake: it takes none of the ciphers or groups offered'],
  [/CERTIFICATE_REQUIRED/, 'the server wants a certificate of the client, and there is none to show'],
  [/UNRECOGNIZED_NAME/, 'the server knows nothing of this name'],
  [/NO_APPLICATION_PROTOCOL/, 'the server speaks none of the HTTP versions offered'],
];

type CertificateFailure = Failure & {
  readonly cert?: { readonly subject?: { readonly CN?: string }; readonly subjectaltname?: string };
};

export function tlsFailure(host: string, error: CertificateFailure): string {
  const { code = '', cert } = error;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const owner = cert?.subject?.CN ?? cert?.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '') ?? 'another name';
    return `the certificate is not for ${host} but for ${owner}`;
  }
  const fault = CERTIFICATE_FAULTS[code];
  if (fault !== undefined) return `the certificate of ${host} is refused: ${fault} (${code})`;
  const known = TLS_FAULTS.find(([pattern]) => pattern.test(code));
  if (known !== undefined) return `${known[1]} (${code})`;
  if (code === 'ECONNRESET') return 'the server ended the connection in the middle of the handshake';
  return `${error.message.split('\n')[0]}${code === '' ? '' : ` (${code})`}`;
}

/** What went wrong with a request that was sent. */
export function httpFailure(url: string, had: number | null, error: Failure): string {
  const { code = '', message } = error;
  const soFar = had === null ? 'before an answer came' : `after ${had} B of the answer`;
  if (code.startsWith('HPE_')) return `GET ${url}: what came back is no HTTP (${message.replace('Parse Error: ', '')})`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `GET ${url}: the server ended the connection ${soFar}`;
  if (code.startsWith('Z_') || code.startsWith('ERR_BROTLI')) {
    return `GET ${url}: the body cannot be unpacked (${message})`;
  }
  return `GET ${url}: ${message}`;
}
