/** The zones that hosts' declared names make: forward by the last label, and the reverse of every address. */

import { reverseName } from '../dns/resolver.ts';
import type { ZoneOptions } from '../dns/zone.ts';
import type { IpAddress } from '../wire/address.ts';
import { addressesOf, type HostDeclaration } from './declaration.ts';

type Records = ZoneOptions['records'][number][];

export function zonesOf(hosts: Readonly<Record<string, HostDeclaration>>): ZoneOptions[] {
  const zones = new Map<string, Records>();
  const add = (origin: string, record: Records[number]): void => {
    const records = zones.get(origin) ?? [];
    records.push(record);
    zones.set(origin, records);
  };
  for (const declaration of Object.values(hosts)) {
    const { names = [] } = declaration;
    for (const address of addressesOf(declaration)) {
      for (const name of names) add(topOf(name), addressRecord(name, address));
      if (names.length > 0) add(reverseZone(address), { name: reverseName(address), type: 'PTR', data: names[0] });
    }
  }
  return [...zones].map(([origin, records]) => ({ origin, records }));
}

function addressRecord(name: string, address: IpAddress): Records[number] {
  return { name, type: address.family === 4 ? 'A' : 'AAAA', data: address.toString() };
}

function topOf(name: string): string {
  return name.replace(/\.$/, '').split('.').at(-1)!;
}

function reverseZone(address: IpAddress): string {
  return address.family === 4 ? 'in-addr.arpa' : 'ip6.arpa';
}
