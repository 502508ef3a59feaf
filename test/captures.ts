/**
 * Where the tests find captures: the project's own fixtures, and a larger collection that is read where it lies
 * (ESTAB_CAPTURES, or beside the checkout) because not all of it may be copied here.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const beside = join(import.meta.dirname, '..', '..', 'shared', 'captures');

/** The collection's folder, null where there is none. */
export const collection: string | null = [process.env.ESTAB_CAPTURES, beside].find((p) => p && existsSync(p)) ?? null;

/** Names of the captures there. */
export function collectionFiles(): string[] {
  if (collection === null) return [];
  return readdirSync(collection).filter((name) => /\.(pcap|pcapng)(\.gz)?$/.test(name));
}

/** A capture's bytes, unpacked. */
export function readCollection(name: string): Uint8Array {
  const bytes = readFileSync(join(collection ?? '', name));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}
