/** Answers in the shapes that `dns.resolve…` gives them. */

import type { CaaData, DnsRecord, MxData, NaptrData, QuestionType, SoaData, SrvData } from '../message.ts';

/** The queries of a channel, by the type of record they ask for. */
export const QUERIES: Readonly<Record<string, QuestionType>> = {
  queryAny: 'ANY',
  queryA: 'A',
  queryAaaa: 'AAAA',
  queryCaa: 'CAA',
  queryCname: 'CNAME',
  queryMx: 'MX',
  queryNs: 'NS',
  queryTxt: 'TXT',
  querySrv: 'SRV',
  queryPtr: 'PTR',
  queryNaptr: 'NAPTR',
  querySoa: 'SOA',
};

/** What `dns` hands to the program for these records. */
export function resultOf(type: QuestionType, records: readonly DnsRecord[]): unknown {
  if (type === 'ANY') return records.map(withType);
  const all = records.map(shaped);
  return type === 'SOA' ? all[0] : all;
}

/** As resolveAny gives it: each record says what it is. */
function withType(record: DnsRecord): unknown {
  const { type, ttl } = record;
  const value = shaped(record);
  if (type === 'A' || type === 'AAAA') return { address: value, ttl, type };
  if (type === 'TXT') return { entries: value, type };
  return typeof value === 'object' ? { ...value, type } : { value, type };
}

function shaped({ type, data }: DnsRecord): unknown {
  switch (type) {
    case 'SRV': {
      const { target, port, priority, weight } = data as SrvData;
      return { name: target, port, priority, weight };
    }
    case 'MX': {
      const { exchange, preference } = data as MxData;
      return { exchange, priority: preference };
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = data as SoaData;
      return { nsname: mname, hostmaster: rname, serial, refresh, retry, expire, minttl: minimum };
    }
    case 'CAA': {
      const { flags, tag, value } = data as CaaData;
      return { critical: flags, [tag]: value };
    }
    case 'NAPTR': {
      const { flags, services, regexp, replacement, order, preference } = data as NaptrData;
      return { flags, service: services, regexp, replacement, order, preference };
    }
    default:
      return data;
  }
}
