/**
 * Questions and replies as the resolver and the server speak of them. The coding is dns-packet's; what goes into it has
 * been checked (check.ts, `checkName`), so that neither a peer's bytes nor a caller's name can surprise it.
 */

import * as packet from 'dns-packet';
import { readU16 } from '../base/bytes.ts';
import { messageProblem } from './check.ts';

/** Of a question: a type of records, or all there are. */
export type QuestionType = RecordType | 'ANY';

export type RecordType = 'A' | 'AAAA' | 'CAA' | 'CNAME' | 'MX' | 'NAPTR' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT';

export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface MxData {
  readonly preference: number;
  readonly exchange: string;
}

export interface CaaData {
  /** 128: who does not understand the tag must not go on. */
  readonly flags: number;
  readonly tag: string;
  readonly value: string;
}

export interface NaptrData {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly services: string;
  readonly regexp: string;
  readonly replacement: string;
}

export interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** For how long "there is no such name" may be remembered, seconds (RFC 2308). */
  readonly minimum: number;
}

/** One record. `data`: an address or a name as text; the strings of a TXT; the fields of the others. */
export interface DnsRecord {
  readonly name: string;
  readonly type: RecordType;
  /** Seconds. */
  readonly ttl: number;
  readonly data: string | readonly string[] | SrvData | SoaData | MxData | CaaData | NaptrData;
}

export interface Question {
  readonly name: string;
  readonly type: QuestionType;
}

export interface Message {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly rcode: number;
  readonly truncated: boolean;
  readonly authoritative: boolean;
  readonly recursionDesired: boolean;
  readonly questions: readonly { readonly name: string; readonly type: string; readonly class: string }[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  /** The sender's UDP payload size by EDNS (RFC 6891); null when it speaks none. */
  readonly udpPayloadSize: number | null;
}

export const Rcode = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** What everybody takes by UDP (RFC 1035 section 4.2.1). */
const PLAIN_UDP = 512;
const RESPONSE = 0x8000;
const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const TYPES = new Set<string>(['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NAPTR', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']);
/** RFC 2181 section 8: a TTL with the high bit set counts as 0; a week is as long as anybody means. */
const LONGEST_TTL = 7 * 24 * 3600;

export function isQuestionType(text: unknown): text is QuestionType {
  return text === 'ANY' || TYPES.has(text as string);
}

/** The name without its final dot, in lower case; null when it can be none. */
export function checkName(text: string): string | null {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length === 0 || name.length > 253) return null;
  const labels = name.split('.');
  if (!labels.every((label) => /^[\x21-\x7e]{1,63}$/.test(label))) return null;
  return name.toLowerCase();
}

/** A query with one question, recursion desired, and EDNS that offers `udpPayloadSize`; with 512 or less without EDNS. */
export function encodeQuery(id: number, question: Question, udpPayloadSize: number): Uint8Array {
  return packet.encode({
    id,
    type: 'query',
    flags: RECURSION_DESIRED,
    questions: [{ name: question.name, type: question.type as RecordType, class: 'IN' }],
    additionals: udpPayloadSize <= PLAIN_UDP ? [] : [optRecord(udpPayloadSize)],
  });
}

export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated?: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
}

export function encodeReply(query: Message, reply: Reply, udpPayloadSize: number | null): Uint8Array {
  const flags =
    (query.opcode << 11) |
    (reply.authoritative ? AUTHORITATIVE : 0) |
    (reply.truncated === true ? TRUNCATED : 0) |
    (query.recursionDesired ? RECURSION_DESIRED : 0) |
    reply.rcode;
  const bytes = packet.encode({
    id: query.id,
    type: 'response',
    flags,
    questions: query.questions.map((question) => question as packet.Question),
    answers: reply.answers.map((record) => record as unknown as packet.Answer),
    authorities: reply.authorities.map((record) => record as unknown as packet.Answer),
    additionals: udpPayloadSize === null ? [] : [optRecord(udpPayloadSize)],
  });
  return bytes;
}

/** The message in these bytes, or in words why there is none. Total: never throws. */
export function decodeMessage(bytes: Uint8Array): Message | string {
  const problem = messageProblem(bytes);
  if (problem !== null) return problem;
  try {
    const decoded = packet.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const flags = readU16(bytes, 2);
    const opt = (decoded.additionals ?? []).find((record) => record.type === 'OPT');
    return {
      id: readU16(bytes, 0),
      response: (flags & RESPONSE) !== 0,
      opcode: (flags >> 11) & 15,
      rcode: flags & 15,
      truncated: (flags & TRUNCATED) !== 0,
      authoritative: (flags & AUTHORITATIVE) !== 0,
      recursionDesired: (flags & RECURSION_DESIRED) !== 0,
      questions: (decoded.questions ?? []).map(({ name, type, class: cls }) => ({ name, type, class: cls ?? 'IN' })),
      answers: recordsOf(decoded.answers),
      authorities: recordsOf(decoded.authorities),
      udpPayloadSize: opt === undefined ? null : ((opt as { udpPayloadSize?: number }).udpPayloadSize ?? null),
    };
  } catch (error) {
    // What the coder does not understand of the rest (an option, an odd record) is the sender's fault, never ours.
    return (error as Error).message;
  }
}

/** The records of types we know, of class IN, tidied. */
function recordsOf(records: readonly packet.Answer[] | undefined): DnsRecord[] {
  const found: DnsRecord[] = [];
  for (const record of records ?? []) {
    if (!TYPES.has(record.type)) continue;
    const { name, type, ttl = 0, class: cls, data } = record as packet.StringAnswer & { class?: string };
    if (cls !== undefined && cls !== 'IN') continue;
    const seconds = ttl >= 0x8000_0000 ? 0 : Math.min(ttl, LONGEST_TTL);
    const text = (part: unknown): string => (part instanceof Uint8Array ? Buffer.from(part).toString() : String(part));
    const tidy = (type as RecordType) === 'TXT' ? [data].flat().map(text) : data;
    found.push({ name, type: type as RecordType, ttl: seconds, data: tidy as DnsRecord['data'] });
  }
  return found;
}

function optRecord(udpPayloadSize: number): packet.OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}
