/**
 * Packet filters in the common words of pcap-filter(7), `tcp port 80 and tcp[tcpflags] & tcp-syn != 0`, and the commonest
 * display-filter fields of Wireshark, `tcp.flags.syn==1 && ip.addr==10.0.0.1`. One small grammar takes both.
 */

import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';
import {
  comparer,
  type Direction,
  FIELDS,
  type FrameFacts,
  hasAddress,
  hasPort,
  padded,
  SERVICES,
  startsHttp,
} from './filter-fields.ts';
import { Kind, type Packet } from './packet.ts';

/** Says whether a packet passes. */
export type Filter = (p: Packet, frame: FrameFacts) => boolean;

const FLAG_BITS: Readonly<Record<string, number>> = {
  'tcp-fin': 1,
  'tcp-syn': 2,
  'tcp-rst': 4,
  'tcp-push': 8,
  'tcp-ack': 16,
  'tcp-urg': 32,
  'tcp-ece': 64,
  'tcp-cwr': 128,
};

/**
 * Compiles a filter.
 * @throws EstabError EINVAL with the word that is not understood.
 */
export function compileFilter(text: string): Filter {
  const words = text.match(/[(){},]|\[[^\]]*\]|&&|\|\||==|!=|>=|<=|[!<>=&|]|[^\s()[\]{},&|!<>=]+/g) ?? [];
  const parser = new Parser(words);
  const filter = parser.or();
  parser.end();
  return filter;
}

class Parser {
  private readonly words: string[];
  private at = 0;

  constructor(words: string[]) {
    this.words = words;
  }

  or(): Filter {
    let left = this.and();
    while (this.take('or', '||')) {
      const [a, b] = [left, this.and()];
      left = (p, f) => a(p, f) || b(p, f);
    }
    return left;
  }

  end(): void {
    if (this.at < this.words.length) this.refuse(this.words[this.at]);
  }

  private and(): Filter {
    let left = this.not();
    for (;;) {
      const joined = this.take('and', '&&');
      if (!joined && (this.at >= this.words.length || ['or', '||', ')'].includes(this.words[this.at]))) return left;
      const [a, b] = [left, this.not()];
      left = (p, f) => a(p, f) && b(p, f);
    }
  }

  private not(): Filter {
    if (this.take('not', '!')) {
      const inner = this.not();
      return (p, f) => !inner(p, f);
    }
    if (this.take('(')) {
      const inner = this.or();
      if (!this.take(')')) this.refuse('a missing )');
      return inner;
    }
    return this.primitive();
  }

  private primitive(): Filter {
    const word = this.next();
    if (word.includes('.') && FIELDS[word] !== undefined) return this.comparison(word);
    switch (word) {
      case 'ip':
        if (this.words[this.at]?.startsWith('[')) return this.octet('ip');
        return (p) => p.kind !== Kind.NONE && p.family === 4;
      case 'ip6':
      case 'ipv6':
        return (p) => p.kind !== Kind.NONE && p.family === 6;
      case 'tcp':
        if (this.words[this.at]?.startsWith('[')) return this.octet('tcp');
        return this.narrowed((p) => p.kind === Kind.TCP);
      case 'udp':
        return this.narrowed((p) => p.kind === Kind.UDP);
      case 'icmp':
      case 'icmp6':
      case 'icmpv6': {
        const protocol = word === 'icmp' ? 1 : 58;
        return (p) => (p.kind === Kind.ICMP_ERROR || p.kind === Kind.OTHER) && p.protocol === protocol;
      }
      case 'arp':
        return (p) => p.etherType === 0x0806;
      case 'vlan':
        return this.vlan();
      case 'http':
        return (p) => p.kind === Kind.TCP && p.payloadLength > 0 && [80, 8080].some((n) => hasPort(p, n, 'either'));
      case 'http.request':
        return (p) => startsHttp(p, true, false);
      case 'http.response':
        return (p) => startsHttp(p, false, true);
      case 'src':
      case 'dst':
        return this.directed(word);
      case 'host':
      case 'net':
      case 'port':
      case 'portrange':
        return this.object(word, 'either');
      case 'less':
      case 'greater': {
        const n = this.number();
        return (_, frame) => (word === 'less' ? frame.length <= n : frame.length >= n);
      }
      case 'len':
      case 'frame.len':
        return this.comparison('frame.len');
      default:
        if (IpAddress.tryParse(word) !== null) {
          this.at--;
          return this.object('host', 'either');
        }
        return this.refuse(word);
    }
  }

  /** `tcp port 80`: the protocol, and what follows it if something does. */
  private narrowed(protocol: Filter): Filter {
    const word = this.words[this.at];
    if (word === 'src' || word === 'dst') {
      this.at++;
      const rest = this.directed(word);
      return (p, f) => protocol(p, f) && rest(p, f);
    }
    if (word !== 'port' && word !== 'portrange' && word !== 'host') return protocol;
    this.at++;
    const rest = this.object(word, 'either');
    return (p, f) => protocol(p, f) && rest(p, f);
  }

  private vlan(): Filter {
    const word = this.words[this.at];
    if (word === undefined || !/^\d+$/.test(word)) return (p) => p.vlan >= 0;
    const id = this.number();
    return (p) => p.vlan === id;
  }

  private directed(side: 'src' | 'dst'): Filter {
    const word = this.words[this.at];
    const kind = word === 'host' || word === 'net' || word === 'port' || word === 'portrange' ? this.next() : 'host';
    return this.object(kind, side);
  }

  private object(kind: string, side: Direction): Filter {
    if (kind === 'port') {
      const n = this.port();
      return (p) => hasPort(p, n, side);
    }
    if (kind === 'portrange') {
      const [low, high] = this.next().split('-').map(Number);
      if (!(low <= high)) this.refuse('portrange');
      return (p) =>
        (side !== 'dst' && p.sourcePort >= low && p.sourcePort <= high) ||
        (side !== 'src' && p.destinationPort >= low && p.destinationPort <= high);
    }
    const word = this.next();
    const [text, bits] = word.split('/');
    const address = IpAddress.tryParse(kind === 'net' ? padded(text) : text);
    if (address === null) return this.refuse(word);
    const length =
      bits === undefined
        ? kind === 'net'
          ? 8 * text.split('.').length
          : address.family === 4
            ? 32
            : 128
        : Number(bits);
    return (p) => hasAddress(p, address, length, side);
  }

  /** `tcp[13] & 2 != 0`, `tcp[tcpflags] & (tcp-syn|tcp-fin) != 0`, `ip[8] < 10`, `tcp[20:4] = 0x47455420`. */
  private octet(header: 'ip' | 'tcp'): Filter {
    const index = this.next().slice(1, -1).trim();
    const [first, count] = (header === 'tcp' && index === 'tcpflags' ? '13' : index).split(':').map(Number);
    const size = count ?? 1;
    if (!Number.isInteger(first) || first < 0 || ![1, 2, 4].includes(size)) this.refuse(`${header}[${index}]`);
    let mask = 0xffffffff;
    if (this.take('&')) mask = this.mask();
    const operator = this.next();
    const value = this.mask();
    const test = comparer(operator) ?? this.refuse(operator);
    return (p) => {
      if (header === 'tcp' ? p.kind !== Kind.TCP : p.kind === Kind.NONE || p.family !== 4 || p.ipOffset < 0)
        return false;
      const at = (header === 'tcp' ? p.transportOffset : p.ipOffset) + first;
      if (at + size > p.end) return false;
      let read = 0;
      for (let i = 0; i < size; i++) read = (read << 8) | p.data[at + i];
      return test((read & mask) >>> 0, value >>> 0);
    };
  }

  private mask(): number {
    if (this.take('(')) {
      let value = this.flag(this.next());
      while (this.take('|', '||')) value |= this.flag(this.next());
      if (!this.take(')')) this.refuse('a missing )');
      return value;
    }
    let value = this.flag(this.next());
    while (this.take('|')) value |= this.flag(this.next());
    return value;
  }

  private flag(word: string): number {
    const value = FLAG_BITS[word] ?? Number(word);
    return Number.isInteger(value) ? value : this.refuse(word);
  }

  private comparison(name: string): Filter {
    const read = FIELDS[name];
    const address = /^ip(v6)?\.(addr|src|dst)$/.exec(name);
    if (this.take('in')) return this.among(name, address !== null);
    const operator = this.words[this.at];
    const test = operator === undefined ? null : comparer(operator);
    if (test === null) return (p, f) => (address !== null ? p.kind !== Kind.NONE : read(p, f).some((v) => v !== 0));
    this.at++;
    if (address !== null) {
      const has = this.address(address[2]);
      const equal = comparer(operator)?.(1, 1) === true;
      return (p) => has(p) === equal;
    }
    const value = this.value();
    return (p, f) => read(p, f).some((v) => test(v, value));
  }

  /** `tcp.port in {80, 443, 8000..8080}`, `ip.src in {10.0.0.0/8}`. */
  private among(name: string, address: boolean): Filter {
    if (!this.take('{')) this.refuse('a missing {');
    const parts: Filter[] = [];
    while (!this.take('}')) {
      this.take(',');
      if (address) {
        const has = this.address(name.split('.')[1]);
        parts.push(has);
        continue;
      }
      const [low, high] = this.next().split('..').map(Number);
      if (Number.isNaN(low) || (high !== undefined && Number.isNaN(high))) this.refuse(this.words[this.at - 1]);
      parts.push((p, f) => FIELDS[name](p, f).some((v) => v >= low && v <= (high ?? low)));
    }
    return (p, f) => parts.some((part) => part(p, f));
  }

  /** An address, or a prefix, after `ip.src` and its like. */
  private address(which: string): (p: Packet) => boolean {
    const word = this.next();
    const [text, bits] = word.split('/');
    const wanted = IpAddress.tryParse(text) ?? this.refuse(word);
    const all = wanted.family === 4 ? 32 : 128;
    const length = bits === undefined ? all : Number(bits);
    if (!(length >= 0 && length <= all)) this.refuse(word);
    const side: Direction = which === 'addr' ? 'either' : which === 'src' ? 'src' : 'dst';
    return (p) => hasAddress(p, wanted, length, side);
  }

  private value(): number {
    const word = this.next();
    const value = { true: 1, false: 0 }[word.toLowerCase()] ?? Number(word);
    return Number.isNaN(value) ? this.refuse(word) : value;
  }

  private port(): number {
    const named = SERVICES[this.words[this.at]];
    if (named === undefined) return this.number();
    this.at++;
    return named;
  }

  private number(): number {
    const word = this.next();
    const n = Number(word);
    return Number.isInteger(n) && n >= 0 ? n : this.refuse(word);
  }

  private next(): string {
    if (this.at >= this.words.length) this.refuse('the end');
    return this.words[this.at++];
  }

  private take(...candidates: string[]): boolean {
    if (!candidates.includes(this.words[this.at])) return false;
    this.at++;
    return true;
  }

  private refuse(word: string): never {
    if (word === 'tcp.stream' || word.startsWith('tcp.analysis.')) {
      throw new EstabError(
        'EINVAL',
        `a filter looks at one packet, ${word} at a whole connection: see estab explain, and estab extract -n N`,
      );
    }
    throw new EstabError(
      'EINVAL',
      `the filter is not understood at "${word}"; write for example: tcp port 80 and host 10.0.0.1, or tcp.flags.syn==1`,
    );
  }
}
