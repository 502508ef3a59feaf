/** What both ends of a TLS connection agreed on, and from where it is known: the packets, the key logs, the socket. */

import type { TLSSocket } from 'node:tls';
import { groupName, hellosIn, isRetry } from '../../wire/tls-hello.ts';
import type { Flight, Tap } from './recorder.ts';

export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | null;
  readonly resumed: boolean;
  /** Subjects from the leaf up, as the server sent them, and the root that ours were held against. */
  readonly chain: readonly string[];
  /** By the ServerHello; null when it could not be read from the packets. */
  readonly group: string | null;
  /** The public values as both hellos carried them, hex. */
  readonly clientPublic: string | null;
  readonly serverPublic: string | null;
  /** The server asked for a share of another group first. */
  readonly retried: boolean;
  /** What OpenSSL says of the exchange, beside what the packets say. */
  readonly ephemeral: string | null;
  /** Handshake traffic secrets (made from the exchange) that both ends logged, and that the client did: equal means the same. */
  readonly sharedSecrets: number;
  readonly clientSecrets: number;
  readonly flights: readonly Flight[];
}

const SECRETS = /^(CLIENT|SERVER)_HANDSHAKE_TRAFFIC_SECRET /;
/** ClientHello, the server's answer to it, our Finished; with HelloRetryRequest two more. */
const HANDSHAKE_FLIGHTS = 3;

export function tlsFacts(
  socket: TLSSocket,
  tap: Tap,
  clientKeys: readonly string[],
  serverKeys: ReadonlySet<string>,
): TlsFacts {
  const clientHellos = hellosIn(tap.beginning('client'));
  const serverHellos = hellosIn(tap.beginning('server'));
  const server = serverHellos.find((hello) => !isRetry(hello)) ?? null;
  const share = server?.shares[0] ?? null;
  const offered = clientHellos.flatMap(({ shares }) => shares).filter(({ group }) => group === share?.group);
  const secrets = clientKeys.filter((line) => SECRETS.test(line));
  const retried = serverHellos.some(isRetry);
  const info = socket.getEphemeralKeyInfo() as { type?: string; name?: string; size?: number } | null;
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? null : socket.alpnProtocol,
    resumed: socket.isSessionReused(),
    chain: chainOf(socket),
    group: share === null ? null : groupName(share.group),
    clientPublic: offered.at(-1)?.key ?? null,
    serverPublic: share?.key ?? null,
    retried,
    ephemeral: info?.type === undefined ? null : [info.type, info.name, `${info.size} bit`].filter(Boolean).join(' '),
    sharedSecrets: secrets.filter((line) => serverKeys.has(line)).length,
    clientSecrets: secrets.length,
    flights: tap.flights.slice(0, retried ? HANDSHAKE_FLIGHTS + 2 : HANDSHAKE_FLIGHTS).map((flight) => ({ ...flight })),
  };
}

function chainOf(socket: TLSSocket): string[] {
  const names: string[] = [];
  for (let certificate = socket.getPeerCertificate(true); certificate?.subject !== undefined; ) {
    names.push(certificate.subject.CN ?? '?');
    const { issuerCertificate } = certificate;
    // A root is its own issuer.
    if (issuerCertificate === undefined || issuerCertificate.fingerprint256 === certificate.fingerprint256) break;
    certificate = issuerCertificate;
  }
  return names;
}
