/**
 * Packet filters in the common words of pcap-filter(7), `tcp port 80 and tcp[tcpflags] & tcp-syn != 0`, and the commonest
 * display-filter fields of Wireshark, `tcp.flags.syn==1 && ip.addr==10.0.0.1`. One small grammar takes both.
 */

import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';
import { Kind, type Packet } from './packet.ts';

/** Says whether a packet passes. */
export type Filter = (p: Packet) => boolean;

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
  const words = text.match(/[()]|\[[^\]]*\]|&&|\|\||==|!=|>=|<=|[!<>=&|]|[^\s()[\]&|!<>=]+/g) ?? [];
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
      left = (p) => a(p) || b(p);
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
      left = (p) => a(p) && b(p);
    }
  }

  private not(): Filter {
    if (this.take('not', '!')) {
      const inner = this.not();
      return (p) => !inner(p);
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
        return (p) => p.kind !== Kind.NONE && p.family === 4;
      case 'ip6':
      case 'ipv6':
        return (p) => p.kind !== Kind.NONE && p.family === 6;
      case 'tcp':
        if (this.words[this.at]?.startsWith('[')) return this.octet();
        return this.narrowed((p) => p.kind === Kind.TCP);
      case 'udp':
        return this.narrowed((p) => p.kind === Kind.UDP);
      case 'icmp':
      case 'icmp6':
        return (p) => p.kind === Kind.ICMP_ERROR || p.kind === Kind.OTHER;
      case 'http':
        return (p) => p.kind === Kind.TCP && p.payloadLength > 0 && [80, 8080].some((n) => hasPort(p, n, 'either'));
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
        return (p) => (word === 'less' ? p.ipLength <= n : p.ipLength >= n);
      }
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
      return (p) => protocol(p) && rest(p);
    }
    if (word !== 'port' && word !== 'portrange' && word !== 'host') return protocol;
    this.at++;
    const rest = this.object(word, 'either');
    return (p) => protocol(p) && rest(p);
  }

  private directed(side: 'src' | 'dst'): Filter {
    const word = this.words[this.at];
    const kind = word === 'host' || word === 'net' || word === 'port' || word === 'portrange' ? this.next() : 'host';
    return this.object(kind, side);
  }

  private object(kind: string, side: 'src' | 'dst' | 'either'): Filter {
    if (kind === 'port') {
      const n = this.number();
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

  /** `tcp[13] & 2 != 0`, `tcp[tcpflags] & (tcp-syn|tcp-fin) != 0`. */
  private octet(): Filter {
    const index = this.next().slice(1, -1).trim();
    const offset = index === 'tcpflags' ? 13 : Number(index);
    if (!Number.isInteger(offset) || offset < 0 || offset > 59) this.refuse(`tcp[${index}]`);
    let mask = 255;
    if (this.take('&')) mask = this.mask();
    const operator = this.next();
    const value = this.mask();
    const test = comparer(operator) ?? this.refuse(operator);
    return (p) => {
      if (p.kind !== Kind.TCP) return false;
      const header = p.payloadOffset - headerLength(p);
      return test(p.data[header + offset] & mask, value);
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
    const operator = this.words[this.at];
    const test = operator === undefined ? null : comparer(operator);
    if (test === null) return (p) => read(p).some((v) => v !== 0);
    this.at++;
    const word = this.next();
    const address = name.startsWith('ip') && (name.endsWith('addr') || name.endsWith('src') || name.endsWith('dst'));
    if (address) {
      const side = name.endsWith('src') ? 'src' : name.endsWith('dst') ? 'dst' : 'either';
      const wanted = IpAddress.tryParse(word) ?? this.refuse(word);
      const bits = wanted.family === 4 ? 32 : 128;
      return (p) => hasAddress(p, wanted, bits, side) === (operator === '==');
    }
    const value = Number(word);
    if (Number.isNaN(value)) this.refuse(word);
    return (p) => read(p).some((v) => test(v, value));
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
    throw new EstabError(
      'EINVAL',
      `the filter is not understood at "${word}"; write for example: tcp port 80 and host 10.0.0.1, or tcp.flags.syn==1`,
    );
  }
}

function comparer(operator: string): ((a: number, b: number) => boolean) | null {
  switch (operator) {
    case '==':
    case '=':
      return (a, b) => a === b;
    case '!=':
      return (a, b) => a !== b;
    case '>':
      return (a, b) => a > b;
    case '<':
      return (a, b) => a < b;
    case '>=':
      return (a, b) => a >= b;
    case '<=':
      return (a, b) => a <= b;
    default:
      return null;
  }
}

function padded(text: string): string {
  if (text.includes(':')) return text;
  const parts = text.split('.');
  while (parts.length < 4) parts.push('0');
  return parts.join('.');
}

function headerLength(p: Packet): number {
  // The text begins where the header ends; its length stands in the header itself, 20 to 60 octets before.
  for (let length = 20; length <= 60; length += 4) {
    const at = p.payloadOffset - length;
    if (p.data[at + 12] >>> 4 === length / 4 && p.data[at] * 256 + p.data[at + 1] === p.sourcePort) return length;
  }
  return 20;
}

function hasPort(p: Packet, n: number, side: 'src' | 'dst' | 'either'): boolean {
  if (p.kind !== Kind.TCP && p.kind !== Kind.UDP) return false;
  return (side !== 'dst' && p.sourcePort === n) || (side !== 'src' && p.destinationPort === n);
}

function hasAddress(p: Packet, wanted: IpAddress, bits: number, side: 'src' | 'dst' | 'either'): boolean {
  if (p.kind === Kind.NONE || p.family !== wanted.family) return false;
  const source = p.family === 4 ? IpAddress.v4(p.s3) : new IpAddress(p.s0, p.s1, p.s2, p.s3);
  const destination = p.family === 4 ? IpAddress.v4(p.d3) : new IpAddress(p.d0, p.d1, p.d2, p.d3);
  return (side !== 'dst' && source.inPrefix(wanted, bits)) || (side !== 'src' && destination.inPrefix(wanted, bits));
}

const tcpOnly =
  (read: (p: Packet) => number) =>
  (p: Packet): number[] =>
    p.kind === Kind.TCP ? [read(p)] : [];
const bit = (n: number): ((p: Packet) => number[]) => tcpOnly((p) => ((p.flags & n) !== 0 ? 1 : 0));

const FIELDS: Readonly<Record<string, (p: Packet) => number[]>> = {
  'tcp.flags': tcpOnly((p) => p.flags),
  'tcp.flags.fin': bit(1),
  'tcp.flags.syn': bit(2),
  'tcp.flags.reset': bit(4),
  'tcp.flags.push': bit(8),
  'tcp.flags.ack': bit(16),
  'tcp.flags.urg': bit(32),
  'tcp.flags.ece': bit(64),
  'tcp.flags.cwr': bit(128),
  'tcp.port': (p) => (p.kind === Kind.TCP ? [p.sourcePort, p.destinationPort] : []),
  'tcp.srcport': tcpOnly((p) => p.sourcePort),
  'tcp.dstport': tcpOnly((p) => p.destinationPort),
  'tcp.len': tcpOnly((p) => p.payloadLength),
  'tcp.window_size_value': tcpOnly((p) => p.window),
  'udp.port': (p) => (p.kind === Kind.UDP ? [p.sourcePort, p.destinationPort] : []),
  'ip.addr': () => [],
  'ip.src': () => [],
  'ip.dst': () => [],
  'ipv6.addr': () => [],
  'ipv6.src': () => [],
  'ipv6.dst': () => [],
  'ip.ttl': (p) => (p.kind !== Kind.NONE && p.family === 4 ? [p.ttl] : []),
  'ip.id': (p) => (p.kind !== Kind.NONE && p.family === 4 ? [p.ipId] : []),
  'ip.len': (p) => (p.kind !== Kind.NONE && p.family === 4 ? [p.ipLength] : []),
};
