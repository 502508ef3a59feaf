/**
 * The Diffie-Hellman exchange of TLS 1.2, which has messages of its own in the clear (RFC 5246 section 7.4.3 and 7.4.7,
 * RFC 8422 section 5.4 and 5.7). Total: what cannot be read is null.
 */

import { handshakeOctets, messagesIn, Reader } from '../../wire/tls-hello.ts';

export interface KeyExchange {
  /** As TLS numbers it; null without one, or where it could not be seen. */
  readonly group: number | null;
  /** Hex. */
  readonly clientPublic: string | null;
  readonly serverPublic: string | null;
}

const SERVER_KEY_EXCHANGE = 12;
const CLIENT_KEY_EXCHANGE = 16;
const NAMED_CURVE = 3;
const HEADER = 4;
/** With this RFC 7919's primes begin; a server sends the prime itself, and may have one of its own. */
const PRIME_BEGINS = 'ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1';
/** RFC 7919's groups by the length of their prime. */
const FINITE_FIELDS: Readonly<Record<number, number>> = { 256: 256, 384: 257, 512: 258, 768: 259, 1024: 260 };

const NONE: KeyExchange = { group: null, clientPublic: null, serverPublic: null };

/** From the first octets of both sides. */
export function keyExchangeIn(client: Uint8Array, server: Uint8Array): KeyExchange {
  const theirs = messageOf(server, SERVER_KEY_EXCHANGE);
  const ours = messageOf(client, CLIENT_KEY_EXCHANGE);
  if (theirs === null || ours === null) return NONE;
  const reader = new Reader(theirs, HEADER);
  if (theirs[HEADER] === NAMED_CURVE) {
    reader.u8();
    const group = reader.u16();
    const serverPublic = hex(reader.take(reader.u8()));
    const own = new Reader(ours, HEADER);
    return { group, clientPublic: hex(own.take(own.u8())), serverPublic };
  }
  // Prime, generator, public value, each with its length before it.
  const prime = reader.take(reader.u16());
  reader.take(reader.u16());
  const serverPublic = hex(reader.take(reader.u16()));
  const own = new Reader(ours, HEADER);
  const known = hex(prime).startsWith(PRIME_BEGINS) ? FINITE_FIELDS[prime.length] : undefined;
  return { group: known ?? null, clientPublic: hex(own.take(own.u16())), serverPublic };
}

function messageOf(stream: Uint8Array, wanted: number): Uint8Array | null {
  for (const { type, message } of messagesIn(handshakeOctets(stream, true))) if (type === wanted) return message;
  return null;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
