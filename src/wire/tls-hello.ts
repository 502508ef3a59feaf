/**
 * Handshake messages in the clear, read from the octets on the wire: both hellos (RFC 8446 section 4.1) and in them the
 * two public values of the Diffie-Hellman exchange, and the means to read the others of TLS 1.2 (RFC 5246). Total: what
 * cannot be read is null, zero or empty.
 */

import { readU16 } from '../base/bytes.ts';

export interface Hello {
  /** Octets of the handshake message. */
  readonly length: number;
  /** 32 octets, hex: by it a key log names the connection. */
  readonly random: string;
  /** A ServerHello's choice; in a ClientHello 0. */
  readonly cipher: number;
  /** By `supported_versions`; 0x0304 for TLS 1.3. */
  readonly versions: readonly number[];
  readonly shares: readonly KeyShare[];
  readonly serverName: string | null;
  /** A ClientHello's offers, a ServerHello's choice (in the clear up to TLS 1.2 only). */
  readonly alpn: readonly string[];
}

export interface KeyShare {
  readonly group: number;
  /** The public value as it was sent, hex; empty where a server only names the group it wants (HelloRetryRequest). */
  readonly key: string;
}

const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const KEY_SHARE = 51;
const SUPPORTED_VERSIONS = 43;
const SERVER_NAME = 0;
const ALPN = 16;
/** SHA-256 of "HelloRetryRequest", in place of a random (RFC 8446 section 4.1.3). */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

const GROUP_NAMES: Readonly<Record<number, string>> = {
  23: 'P-256',
  24: 'P-384',
  25: 'P-521',
  29: 'X25519',
  30: 'X448',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  258: 'ffdhe4096',
  259: 'ffdhe6144',
  260: 'ffdhe8192',
  4588: 'X25519MLKEM768',
};

export function groupName(group: number): string {
  return GROUP_NAMES[group] ?? `group ${group}`;
}

export function isRetry(hello: Hello): boolean {
  return hello.random === RETRY_RANDOM;
}

/** The hellos at the beginning of one side's octets: one, or two where the server asked for another group. */
export function hellosIn(stream: Uint8Array): Hello[] {
  return [...messagesIn(handshakeOctets(stream))].flatMap(({ message }) => readHello(message) ?? []);
}

/** Handshake messages, header included, as far as they are whole. */
export function* messagesIn(octets: Uint8Array): Generator<{ readonly type: number; readonly message: Uint8Array }> {
  for (let at = 0; at + 4 <= octets.length; ) {
    const end = at + 4 + ((octets[at + 1] << 16) | readU16(octets, at + 2));
    if (end > octets.length) return;
    yield { type: octets[at], message: octets.subarray(at, end) };
    at = end;
  }
}

/**
 * What the records of type handshake carry, put together; in TLS 1.3 those after the hellos are encrypted and of another
 * type, in TLS 1.2 a ChangeCipherSpec says that from here on nothing can be read.
 * @param untilChange stops at one, as TLS 1.2 needs it.
 */
export function handshakeOctets(stream: Uint8Array, untilChange = false): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 5 <= stream.length; ) {
    if (untilChange && stream[at] === CHANGE_CIPHER_SPEC) break;
    const end = at + 5 + readU16(stream, at + 3);
    if (stream[at] === HANDSHAKE) parts.push(stream.subarray(at + 5, Math.min(end, stream.length)));
    at = end;
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Reads in order; beyond the end every number is 0 and every part is empty. */
export class Reader {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  u8(): number {
    return this.bytes[this.at++] ?? 0;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  take(length: number): Uint8Array {
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }
}

/** A whole handshake message as a hello; null for one of another type. */
export function readHello(message: Uint8Array): Hello | null {
  const type = message[0];
  if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return null;
  const reader = new Reader(message, 4);
  reader.u16(); // legacy_version
  const random = hex(reader.take(32));
  reader.take(reader.u8()); // session id
  let cipher = 0;
  if (type === CLIENT_HELLO) {
    reader.take(reader.u16()); // what it offers
    reader.take(reader.u8()); // compression methods
  } else {
    cipher = reader.u16();
    reader.u8();
  }
  const extensions = new Reader(reader.take(reader.u16()));
  let versions: number[] = [];
  let shares: KeyShare[] = [];
  let serverName: string | null = null;
  let alpn: string[] = [];
  while (!extensions.done) {
    const kind = extensions.u16();
    const body = extensions.take(extensions.u16());
    if (kind === KEY_SHARE) shares = sharesOf(body, type);
    else if (kind === SUPPORTED_VERSIONS) versions = versionsOf(body, type);
    else if (kind === SERVER_NAME && type === CLIENT_HELLO) serverName = latin1(body.subarray(5));
    else if (kind === ALPN) alpn = protocolsOf(body);
  }
  return { length: message.length, random, cipher, versions, shares, serverName, alpn };
}

function sharesOf(body: Uint8Array, type: number): KeyShare[] {
  const reader = new Reader(body);
  if (type === CLIENT_HELLO) reader.u16();
  const shares: KeyShare[] = [];
  while (!reader.done) {
    const group = reader.u16();
    shares.push({ group, key: reader.done ? '' : hex(reader.take(reader.u16())) });
  }
  return shares;
}

function versionsOf(body: Uint8Array, type: number): number[] {
  const reader = new Reader(body);
  if (type === CLIENT_HELLO) reader.u8();
  const versions: number[] = [];
  while (!reader.done) versions.push(reader.u16());
  return versions;
}

function protocolsOf(body: Uint8Array): string[] {
  const reader = new Reader(body, 2);
  const protocols: string[] = [];
  while (!reader.done) protocols.push(latin1(reader.take(reader.u8())));
  return protocols;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
