import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { IpAddress } from '../wire/address.ts';
import { AddressCache, AddressEntry } from './address-cache.ts';
import { KeyedHash } from './keyed-hash.ts';

const v4 = (n: number): IpAddress => IpAddress.v4(0x0a000000 + n);
const cacheOf = (capacity: number): AddressCache<AddressEntry> =>
  new AddressCache<AddressEntry>(capacity, new KeyedHash(new SeededRandom(1)));

describe('AddressCache', () => {
  it('finds what was added, by address of either family', () => {
    const cache = cacheOf(8);
    const a = new AddressEntry(v4(1));
    const b = new AddressEntry(IpAddress.parse('2001:db8::1'));
    cache.add(a);
    cache.add(b);
    expect(cache.get(IpAddress.parse('10.0.0.1'))).toBe(a);
    expect(cache.get(IpAddress.parse('2001:db8::1'))).toBe(b);
    expect(cache.get(IpAddress.parse('2001:db8::2'))).toBeNull();
    // ::10.0.0.1 has the same last word as 10.0.0.1 but is another address.
    expect(cache.get(IpAddress.parse('::10.0.0.1'))).toBeNull();
  });

  it('forgets the least recently used entry when it is full', () => {
    const cache = cacheOf(3);
    const entries = [1, 2, 3, 4].map((n) => new AddressEntry(v4(n)));
    for (const entry of entries.slice(0, 3)) expect(cache.add(entry)).toBeNull();
    cache.touch(entries[0]);
    expect(cache.add(entries[3])).toBe(entries[1]);
    expect(cache.get(v4(2))).toBeNull();
    expect(cache.get(v4(1))).toBe(entries[0]);
    expect(cache.size).toBe(3);
    const order: string[] = [];
    for (let e = cache.oldest(); e !== null; e = e.newer) order.push(e.address.toString());
    expect(order).toEqual(['10.0.0.3', '10.0.0.1', '10.0.0.4']);
  });

  it('stays right under ten thousand adds, touches and deletes', () => {
    const cache = cacheOf(100);
    const random = new SeededRandom(2);
    const model = new Map<number, AddressEntry>();
    for (let step = 0; step < 10_000; step++) {
      const n = random.nextUint32() % 200;
      const found = cache.get(v4(n));
      expect(found).toBe(model.get(n) ?? null);
      if (found !== null && step % 3 === 0) {
        cache.delete(found);
        model.delete(n);
      } else if (found !== null) {
        cache.touch(found);
      } else {
        const entry = new AddressEntry(v4(n));
        const evicted = cache.add(entry);
        if (evicted !== null) model.delete((evicted.address.w3 - 0x0a000000) | 0);
        model.set(n, entry);
      }
      expect(cache.size).toBe(model.size);
    }
  });
});
