/**
 * A stub resolver over a host of ours: RFC 1034 section 5.3.1, with EDNS (RFC 6891), TCP where the answer does not fit
 * a datagram (RFC 7766), and a cache that also remembers that there is nothing (RFC 2308). Each question has a random
 * id and leaves from a random port (RFC 5452); what does not repeat both, and the question, is not the answer.
 */

import { argumentValue, checkString } from '../base/checks.ts';
import { EstabError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { IpAddress } from '../wire/address.ts';
import { TtlCache } from './cache.ts';
import { type DnsCode, DnsError } from './error.ts';
import { type Accept, exchangeTcp, exchangeUdp, type Failure, type NameServer } from './exchange.ts';
import {
  checkName,
  type DnsRecord,
  decodeMessage,
  encodeQuery,
  isQuestionType,
  type Message,
  type QuestionType,
  Rcode,
  type SoaData,
} from './message.ts';

export interface ResolverOptions {
  /** `10.0.0.53`, `10.0.0.53:5353`, `[fd00::53]:53`: asked in this order. */
  readonly servers: readonly string[];
  /** Domains tried behind names with fewer than `ndots` dots, and after all else. */
  readonly search?: readonly string[];
  readonly ndots?: number;
  /** For the first try, milliseconds; each round of the servers doubles it. 2000 if left out. */
  readonly timeoutMs?: number;
  /** Rounds of the servers; 3 if left out. */
  readonly attempts?: number;
  /** What we take by UDP, bytes, 512 (without EDNS) … 65535; 1232 if left out: fits everywhere without fragments. */
  readonly udpPayloadSize?: number;
  /** Answers remembered; 1000 if left out. */
  readonly cacheSize?: number;
  /** Told what happens, as it happens. */
  readonly trace?: (event: DnsEvent) => void;
}

export type DnsEvent =
  | {
      readonly kind: 'asked';
      readonly name: string;
      readonly type: QuestionType;
      readonly server: string;
      readonly over: 'udp' | 'tcp';
      readonly id: number;
    }
  | {
      readonly kind: 'answered';
      readonly name: string;
      readonly type: QuestionType;
      readonly server: string;
      readonly over: 'udp' | 'tcp';
      readonly message: Message;
    }
  | { readonly kind: 'refused'; readonly name: string; readonly server: string; readonly reason: string }
  | { readonly kind: 'unanswered'; readonly name: string; readonly server: string; readonly failure: Failure };

export interface Answer {
  /** The name the records belong to: at the end of the aliases. */
  readonly name: string;
  readonly type: QuestionType;
  readonly records: readonly DnsRecord[];
  /** The aliases gone through, as they were found. */
  readonly aliases: readonly string[];
  /** Seconds for which it still holds. */
  readonly ttl: number;
  readonly server: string;
  readonly cached: boolean;
}

type Outcome = { readonly answer: Answer } | { readonly code: DnsCode; readonly server: string | null };

const MOST_ALIASES = 8;
const LONGEST_NEGATIVE_TTL = 3 * 3600;
const MOST_SERVERS = 8;

export class Resolver {
  private readonly host: Host;
  private readonly options: ResolverOptions;
  private readonly servers: readonly NameServer[];
  private readonly cache: TtlCache<Outcome>;
  private readonly underWay = new Map<string, Promise<Outcome>>();

  /** @throws EstabError EINVAL without servers, or for one that is no address. */
  constructor(host: Host, options: ResolverOptions) {
    this.host = host;
    this.options = options;
    if (options.servers.length === 0)
      throw new EstabError('EINVAL', 'a resolver needs servers; give at least one address');
    this.servers = options.servers.slice(0, MOST_SERVERS).map(parseServer);
    this.cache = new TtlCache(options.cacheSize ?? 1000);
  }

  /**
   * The records of a name, through aliases and the search list.
   * @throws DnsError ENOTFOUND, ENODATA, ETIMEOUT, … (rejects)
   */
  async resolve(hostname: string, type: QuestionType = 'A'): Promise<Answer> {
    checkString('name', hostname);
    if (!isQuestionType(type)) throw argumentValue('rrtype', type);
    let last: Outcome = { code: 'EBADNAME', server: null };
    for (const candidate of this.candidates(hostname)) {
      const outcome = await this.outcome(candidate, type);
      if ('answer' in outcome) return outcome.answer;
      // What the name itself says outweighs what a longer guess says.
      if ('code' in last && (last.code === 'EBADNAME' || outcome.code === 'ENODATA')) last = outcome;
      if (outcome.code !== 'ENOTFOUND' && outcome.code !== 'ENODATA') break;
    }
    const { code, server } = last as { code: DnsCode; server: string | null };
    throw new DnsError(code, type, hostname, server);
  }

  async resolve4(hostname: string): Promise<string[]> {
    return (await this.resolve(hostname, 'A')).records.map(({ data }) => data as string);
  }

  async resolve6(hostname: string): Promise<string[]> {
    return (await this.resolve(hostname, 'AAAA')).records.map(({ data }) => data as string);
  }

  /** The names that an address points back to. @throws EstabError EINVAL when it is no address. */
  async reverse(address: string): Promise<string[]> {
    const name = reverseName(IpAddress.parse(address));
    return (await this.resolve(`${name}.`, 'PTR')).records.map(({ data }) => data as string);
  }

  /** Forgets all answers. */
  clearCache(): void {
    this.cache.clear();
  }

  /** The names to try, in order (resolv.conf's `search` and `ndots`); none when it can be no name. */
  private candidates(hostname: string): string[] {
    const name = checkName(hostname);
    if (name === null) return [];
    if (hostname.endsWith('.')) return [name];
    const { search = [], ndots = 1 } = this.options;
    const longer = search.map((domain) => checkName(`${name}.${domain}`)).filter((candidate) => candidate !== null);
    return name.split('.').length - 1 >= ndots ? [name, ...longer] : [...longer, name];
  }

  /** From the cache, from a question under way for the same, or from the servers. */
  private outcome(name: string, type: QuestionType): Promise<Outcome> {
    const key = `${type} ${name}`;
    const known = this.cache.get(this.host.now(), key);
    if (known !== null) {
      const { value, age } = known;
      if (!('answer' in value)) return Promise.resolve(value);
      const ttl = Math.max(0, Math.floor(value.answer.ttl - age));
      return Promise.resolve({ answer: { ...value.answer, ttl, cached: true } });
    }
    let asking = this.underWay.get(key);
    if (asking === undefined) {
      asking = this.chase(name, type, key).finally(() => this.underWay.delete(key));
      this.underWay.set(key, asking);
    }
    return asking;
  }

  /** Asks, and asks again where an alias leads out of what the server answered. */
  private async chase(question: string, type: QuestionType, key: string): Promise<Outcome> {
    const aliases: string[] = [];
    let name = question;
    let ttl = Number.POSITIVE_INFINITY;
    for (let asked = 0; asked <= MOST_ALIASES; asked++) {
      const reply = await this.ask(name, type);
      if ('code' in reply) return reply;
      const { message, server } = reply;
      const found = follow(message, name, type, aliases);
      if (found === null) break;
      ttl = Math.min(ttl, found.ttl);
      if (found.records.length > 0) {
        const answer: Answer = { name: found.name, type, records: found.records, aliases, ttl, server, cached: false };
        this.cache.set(this.host.now(), key, { answer }, ttl);
        return { answer };
      }
      if (found.name === name) {
        const code = message.rcode === Rcode.NXDOMAIN ? 'ENOTFOUND' : 'ENODATA';
        return this.nothing(key, { code, server }, message, ttl);
      }
      if (message.rcode === Rcode.NXDOMAIN) return this.nothing(key, { code: 'ENOTFOUND', server }, message, ttl);
      name = found.name;
    }
    // Aliases that lead in a circle, or nowhere in reasonable time.
    return { code: 'ESERVFAIL', server: null };
  }

  private nothing(key: string, outcome: Outcome, message: Message, aliasTtl: number): Outcome {
    const soa = message.authorities.find(({ type }) => type === 'SOA');
    const negative = soa === undefined ? 0 : Math.min(soa.ttl, (soa.data as SoaData).minimum, LONGEST_NEGATIVE_TTL);
    this.cache.set(this.host.now(), key, outcome, Math.min(negative, aliasTtl));
    return outcome;
  }

  /** Goes round the servers until one has a word that settles it. */
  private async ask(
    name: string,
    type: QuestionType,
  ): Promise<{ message: Message; server: string } | { code: DnsCode; server: string | null }> {
    const { timeoutMs = 2000, attempts = 3 } = this.options;
    let failure: { code: DnsCode; server: string | null } = { code: 'ETIMEOUT', server: null };
    for (let round = 0; round < attempts; round++) {
      for (const server of this.servers) {
        const text = serverText(server);
        const reply = await this.askOne(server, text, name, type, timeoutMs * 2 ** round);
        if (reply === 'timeout') continue;
        if (reply === 'unreachable') failure = { code: 'ECONNREFUSED', server: text };
        else if (reply.rcode === Rcode.NOERROR || reply.rcode === Rcode.NXDOMAIN)
          return { message: reply, server: text };
        else failure = { code: CODES[reply.rcode] ?? 'EBADRESP', server: text };
      }
      // Whoever answered that it cannot help says the same again.
      if (failure.code !== 'ETIMEOUT' && failure.code !== 'ECONNREFUSED') break;
    }
    return failure;
  }

  private async askOne(
    server: NameServer,
    text: string,
    name: string,
    type: QuestionType,
    timeoutMs: number,
  ): Promise<Message | Failure> {
    const id = crypto.getRandomValues(new Uint16Array(1))[0];
    const query = encodeQuery(id, { name, type }, this.options.udpPayloadSize ?? 1232);
    const accept: Accept<Message> = (bytes) => this.accept(bytes, id, name, type, text);
    for (const over of ['udp', 'tcp'] as const) {
      this.tell({ kind: 'asked', name, type, server: text, over, id });
      const exchange = over === 'udp' ? exchangeUdp : exchangeTcp;
      const reply = await exchange(this.host, server, query, accept, timeoutMs);
      if (typeof reply === 'string') {
        this.tell({ kind: 'unanswered', name, server: text, failure: reply });
        return reply;
      }
      this.tell({ kind: 'answered', name, type, server: text, over, message: reply });
      if (!reply.truncated || over === 'tcp') return reply;
    }
    return 'timeout';
  }

  /** Whether this is the reply to our question: id, direction and question must match (RFC 5452 section 9.1). */
  private accept(bytes: Uint8Array, id: number, name: string, type: QuestionType, server: string): Message | null {
    const message = decodeMessage(bytes);
    let reason: string | null = null;
    if (typeof message === 'string') reason = message;
    else if (message.id !== id || !message.response) reason = 'it is no reply to this question: its id is another';
    else if (message.opcode !== 0) reason = 'it is no reply to a query';
    else if (!repeats(message, name, type)) reason = 'it answers another question';
    if (reason === null) return message as Message;
    this.tell({ kind: 'refused', name, server, reason });
    return null;
  }

  private tell(event: DnsEvent): void {
    this.options.trace?.(event);
    this.host.reportDns(hostEvent(event));
  }
}

/** The same in the terms of a host's events. */
function hostEvent(event: DnsEvent): Parameters<Host['reportDns']>[0] {
  const none = { type: null, over: null, rcode: null, records: [], reason: null };
  const { kind: what, name, server } = event;
  switch (event.kind) {
    case 'asked':
      return { ...none, what, name, server, type: event.type, over: event.over };
    case 'answered': {
      const { answers, rcode } = event.message;
      const code = Object.entries(Rcode).find(([, value]) => value === rcode)?.[0] ?? `RCODE ${rcode}`;
      const records = answers.map(recordText);
      return { ...none, what, name, server, type: event.type, over: event.over, rcode: code, records };
    }
    case 'refused':
      return { ...none, what, name, server, reason: event.reason };
    case 'unanswered':
      return { ...none, what, name, server, reason: event.failure };
  }
}

function recordText({ type, ttl, data }: DnsRecord): string {
  const text = typeof data === 'string' ? data : Array.isArray(data) ? data.join('') : Object.values(data).join(' ');
  return `${type} ${text} (ttl ${ttl})`;
}

const CODES: Readonly<Record<number, DnsCode>> = { [Rcode.SERVFAIL]: 'ESERVFAIL', [Rcode.REFUSED]: 'EREFUSED' };

function repeats(message: Message, name: string, type: QuestionType): boolean {
  const [question] = message.questions;
  if (message.questions.length !== 1) return false;
  return question.name.toLowerCase() === name && question.type === type && question.class === 'IN';
}

/**
 * From the question's name through the aliases in the answer to the records asked for. Records that belong to no name
 * on the way are none of our business. Null when the aliases go in a circle.
 */
function follow(
  message: Message,
  question: string,
  type: QuestionType,
  aliases: string[],
): { name: string; records: DnsRecord[]; ttl: number } | null {
  let name = question;
  let ttl = Number.POSITIVE_INFINITY;
  for (;;) {
    const own = message.answers.filter((record) => record.name.toLowerCase() === name);
    const records = own.filter((record) => type === 'ANY' || record.type === type);
    for (const record of records) ttl = Math.min(ttl, record.ttl);
    const alias = records.length > 0 ? undefined : own.find((record) => record.type === 'CNAME');
    if (alias === undefined) return { name, records, ttl };
    const target = checkName(alias.data as string);
    if (target === null || target === question || aliases.includes(target) || aliases.length >= MOST_ALIASES)
      return null;
    ttl = Math.min(ttl, alias.ttl);
    aliases.push(target);
    name = target;
  }
}

/** `1.2.0.192.in-addr.arpa` for 192.0.2.1 (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: IpAddress): string {
  if (address.family === 4) return `${address.toString().split('.').reverse().join('.')}.in-addr.arpa`;
  const words = [address.w0, address.w1, address.w2, address.w3];
  const nibbles = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`;
}

function serverText({ address, port }: NameServer): string {
  if (port === 53) return address.toString();
  return address.family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

function parseServer(text: string): NameServer {
  const plain = IpAddress.tryParse(text);
  if (plain !== null) return { address: plain, port: 53 };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match === null ? null : IpAddress.tryParse(match[1] ?? match[2]);
  const port = Number(match?.[3]);
  if (address !== null && port >= 1 && port <= 65_535) return { address, port };
  throw new EstabError('EINVAL', `"${text}" is no name server; write 10.0.0.53, 10.0.0.53:5353 or [fd00::53]:53`);
}
