/**
 * What one side of a TLS connection says in the clear, read from its octets as they come (RFC 8446 section 5.1, RFC
 * 5246): handshake messages, alerts, the change of ciphers, and where the ciphertext begins. Total, and bounded: what
 * is no TLS, or too long, ends the reading.
 */

import { readU16 } from '../base/bytes.ts';
import { type Hello, readHello } from './tls-hello.ts';

export interface TlsMessage {
  /** As the RFCs call it: ClientHello, Certificate, Alert … ApplicationData is the first record that is sealed. */
  readonly name: string;
  /** Octets, header included. */
  readonly length: number;
  readonly hello: Hello | null;
  /** `fatal 40`: of an alert. */
  readonly alert: string | null;
}

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const TYPES: readonly number[] = [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA];
const RECORD_HEADER = 5;
/** RFC 5246 section 6.2.3: what a record may carry. */
const LONGEST_RECORD = 16_384 + 2048;
/** Certificates can be long; nobody needs longer ones. */
const LONGEST_MESSAGE = 32_768;

const HANDSHAKE_NAMES: Readonly<Record<number, string>> = {
  0: 'HelloRequest',
  1: 'ClientHello',
  2: 'ServerHello',
  4: 'NewSessionTicket',
  8: 'EncryptedExtensions',
  11: 'Certificate',
  12: 'ServerKeyExchange',
  13: 'CertificateRequest',
  14: 'ServerHelloDone',
  15: 'CertificateVerify',
  16: 'ClientKeyExchange',
  20: 'Finished',
  22: 'CertificateStatus',
  24: 'KeyUpdate',
};

const ALERT_NAMES: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  22: 'record_overflow',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

export class TlsReader {
  /** Nothing more can be read: the rest is sealed, or was never TLS. */
  done = false;
  private record: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  private handshake: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** After ChangeCipherSpec handshake messages are sealed, up to TLS 1.2. */
  private sealed = false;

  /** The messages that these octets complete. */
  push(bytes: Uint8Array): TlsMessage[] {
    const found: TlsMessage[] = [];
    if (this.done) return found;
    this.record = joined(this.record, bytes);
    let at = 0;
    while (!this.done && this.record.length - at >= RECORD_HEADER) {
      const type = this.record[at];
      const length = readU16(this.record, at + 3);
      if (!TYPES.includes(type) || this.record[at + 1] !== 3 || length > LONGEST_RECORD) {
        this.done = true;
        break;
      }
      // Of what is sealed the header is all there is to see.
      const end = at + RECORD_HEADER + length;
      if (this.record.length < end && type !== APPLICATION_DATA) break;
      this.take(type, this.record.subarray(at + RECORD_HEADER, end), length, found);
      at = end;
    }
    this.record = this.done ? new Uint8Array(0) : this.record.slice(at);
    return found;
  }

  private take(type: number, body: Uint8Array, length: number, found: TlsMessage[]): void {
    const plain = { length: RECORD_HEADER + length, hello: null, alert: null };
    if (type === APPLICATION_DATA) {
      found.push({ ...plain, name: 'ApplicationData' });
      this.done = true;
    } else if (type === CHANGE_CIPHER_SPEC) {
      found.push({ ...plain, name: 'ChangeCipherSpec' });
      this.sealed = true;
    } else if (this.sealed)
      found.push({ ...plain, name: type === ALERT ? 'sealed Alert' : 'sealed handshake message' });
    else if (type === ALERT) found.push({ ...plain, name: 'Alert', alert: alertText(body) });
    else this.takeHandshake(body, found);
  }

  private takeHandshake(body: Uint8Array, found: TlsMessage[]): void {
    this.handshake = joined(this.handshake, body);
    let at = 0;
    while (this.handshake.length - at >= 4) {
      const length = 4 + ((this.handshake[at + 1] << 16) | readU16(this.handshake, at + 2));
      if (length > LONGEST_MESSAGE) {
        this.done = true;
        return;
      }
      if (this.handshake.length - at < length) break;
      const type = this.handshake[at];
      const hello = readHello(this.handshake.subarray(at, at + length));
      found.push({ name: HANDSHAKE_NAMES[type] ?? `handshake message ${type}`, length, hello, alert: null });
      at += length;
    }
    this.handshake = this.handshake.slice(at);
  }
}

function alertText(body: Uint8Array): string {
  const [level = 0, description = 0] = body;
  return `${level === 2 ? 'fatal' : 'warning'} ${ALERT_NAMES[description] ?? description}`;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBufferLike> {
  if (a.length === 0) return b;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
