/** What both ends of a TLS connection agreed on, and from where it is known: the packets, the key logs, the socket. */

import type { TLSSocket } from 'node:tls';
import { groupName, hellosIn, isRetry } from '../../wire/tls-hello.ts';
import type { Flight, Tap } from './recorder.ts';
import { type KeyExchange, keyExchangeIn } from './tls12-exchange.ts';

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
  /** Why the certificate should not have been taken; null when it is good. */
  readonly distrust: string | null;
  /**
   * Handshake traffic secrets (made from the exchange) that both ends logged, and that the client did: equal means the
   * same. Null where the server's log is not to be had.
   */
  readonly sharedSecrets: number | null;
  readonly clientSecrets: number;
  readonly flights: readonly Flight[];
}

const SECRETS = /^(CLIENT|SERVER)_HANDSHAKE_TRAFFIC_SECRET /;
/** ClientHello, the server's answer to it, our Finished; two more with HelloRetryRequest, one more in TLS 1.2. */
const MOST_FLIGHTS = 5;

export function tlsFacts(
  socket: TLSSocket,
  tap: Tap,
  clientKeys: readonly string[],
  serverKeys: ReadonlySet<string> | null,
): TlsFacts {
  const retried = hellosIn(tap.beginning('server')).some(isRetry);
  const exchange = exchangeSeen(tap.beginning('client'), tap.beginning('server'), socket.getProtocol());
  const secrets = clientKeys.filter((line) => SECRETS.test(line));
  const info = socket.getEphemeralKeyInfo() as { type?: string; name?: string; size?: number } | null;
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? null : socket.alpnProtocol,
    resumed: socket.isSessionReused(),
    chain: chainOf(socket),
    group: exchange.group === null ? null : groupName(exchange.group),
    clientPublic: exchange.clientPublic,
    serverPublic: exchange.serverPublic,
    retried,
    ephemeral: info?.type === undefined ? null : [info.type, info.name, `${info.size} bit`].filter(Boolean).join(' '),
    distrust: socket.authorized ? null : distrustOf(socket),
    sharedSecrets: serverKeys === null ? null : secrets.filter((line) => serverKeys.has(line)).length,
    clientSecrets: secrets.length,
    flights: tap.flights.slice(0, handshakeFlights(socket, retried)).map((flight) => ({ ...flight })),
  };
}

function handshakeFlights(socket: TLSSocket, retried: boolean): number {
  if (retried) return MOST_FLIGHTS;
  return socket.getProtocol() === 'TLSv1.3' || socket.isSessionReused() ? MOST_FLIGHTS - 2 : MOST_FLIGHTS - 1;
}

/** Where both sides' octets say what was exchanged: TLS 1.3 in the hellos, TLS 1.2 in messages of its own. */
function exchangeSeen(client: Uint8Array, server: Uint8Array, version: string | null): KeyExchange {
  if (version === 'TLSv1.2') return keyExchangeIn(client, server);
  const share = hellosIn(server).find((hello) => !isRetry(hello))?.shares[0] ?? null;
  const offered = hellosIn(client).flatMap(({ shares }) => shares);
  const own = offered.filter(({ group }) => group === share?.group).at(-1);
  return { group: share?.group ?? null, clientPublic: own?.key ?? null, serverPublic: share?.key ?? null };
}

/** An Error, whatever its declaration says. */
function distrustOf(socket: TLSSocket): string {
  const error = socket.authorizationError as unknown as string | { code?: string; message?: string } | null;
  if (error === null || typeof error === 'string') return error ?? 'the reason is not known';
  return error.code ?? error.message ?? 'the reason is not known';
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
