/** What an authoritative server knows: zones of records, and the answer to a question (RFC 1034 section 4.3.2). */

import { EstabError } from '../base/errors.ts';
import {
  checkName,
  type DnsRecord,
  type Message,
  Rcode,
  type RecordType,
  type Reply,
  type SoaData,
} from './message.ts';

export interface ZoneOptions {
  /** `example`, `shop.example`, `2.0.192.in-addr.arpa` */
  readonly origin: string;
  /** Of records that name none, and for how long "there is none" may be remembered; 300 seconds if left out. */
  readonly ttl?: number;
  readonly records: readonly (Omit<DnsRecord, 'ttl'> & { readonly ttl?: number })[];
}

const MOST_ALIASES = 8;

export class Zone {
  readonly origin: string;
  private readonly soa: DnsRecord;
  private readonly records = new Map<string, DnsRecord[]>();

  /** @throws EstabError EINVAL for a name that is none, or lies outside the zone. */
  constructor({ origin, ttl = 300, records }: ZoneOptions) {
    this.origin = mustBeName(origin);
    const data: SoaData = {
      mname: `ns.${this.origin}`,
      rname: `hostmaster.${this.origin}`,
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: ttl,
    };
    this.soa = { name: this.origin, type: 'SOA', ttl, data };
    for (const record of records) {
      const name = mustBeName(record.name);
      if (!this.holds(name)) {
        throw new EstabError('EINVAL', `"${name}" is not in the zone ${this.origin}; declare it in a zone of its own`);
      }
      const own = this.records.get(name) ?? [];
      own.push({ ...record, name, ttl: record.ttl ?? ttl });
      this.records.set(name, own);
    }
  }

  holds(name: string): boolean {
    return name === this.origin || name.endsWith(`.${this.origin}`);
  }

  answer(question: string, type: string): Reply {
    const answers: DnsRecord[] = [];
    let name = question;
    while (answers.length <= MOST_ALIASES && this.holds(name)) {
      const own = name === this.origin ? [this.soa, ...(this.records.get(name) ?? [])] : this.records.get(name);
      const found = (own ?? []).filter((record) => type === 'ANY' || record.type === (type as RecordType));
      if (found.length > 0) return this.reply(Rcode.NOERROR, [...answers, ...found], []);
      const alias = own?.find((record) => record.type === 'CNAME');
      if (alias === undefined) {
        const exists = own !== undefined || this.hasBelow(name);
        return this.reply(exists ? Rcode.NOERROR : Rcode.NXDOMAIN, answers, [this.soa]);
      }
      answers.push(alias);
      name = (alias.data as string).toLowerCase().replace(/\.$/, '');
    }
    // The alias leads into another's zone: whoever asked goes there.
    return this.reply(Rcode.NOERROR, answers, []);
  }

  /** A name between two that exist does exist, without records of its own (RFC 8020). */
  private hasBelow(name: string): boolean {
    for (const other of this.records.keys()) if (other.endsWith(`.${name}`)) return true;
    return false;
  }

  private reply(rcode: number, answers: DnsRecord[], authorities: DnsRecord[]): Reply {
    return { rcode, authoritative: true, answers, authorities };
  }
}

/** The answer of whoever holds these zones. */
export function answerFrom(zones: readonly Zone[], query: Message): Reply {
  const say = (rcode: number): Reply => ({ rcode, authoritative: false, answers: [], authorities: [] });
  if (query.opcode !== 0) return say(Rcode.NOTIMP);
  const [question] = query.questions;
  if (query.questions.length !== 1) return say(Rcode.FORMERR);
  const name = question.name.toLowerCase();
  const holders = zones.filter((zone) => zone.holds(name)).sort((a, b) => b.origin.length - a.origin.length);
  if (holders.length === 0 || question.class !== 'IN') return say(Rcode.REFUSED);
  return holders[0].answer(name, question.type);
}

function mustBeName(text: string): string {
  const name = checkName(text);
  if (name === null) throw new EstabError('EINVAL', `"${text}" is no name; labels have 1 to 63 printable characters`);
  return name;
}
