/** docs/explain.schema.json holds for what the analysis gives, and refuses what it must. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Analyser, FINDING_KINDS } from '../../src/analyse/index.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import { collection, collectionFiles, readCollection } from '../captures.ts';
import { NO_COLLECTION } from '../unless.ts';

type Schema = { [key: string]: unknown };
const root = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'explain.schema.json'), 'utf8'),
) as Schema;

/** The keywords the schema uses; the first violation as text, null when there is none. */
function violation(schema: Schema, value: unknown, path: string): string | null {
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.replace('#/$defs/', '');
    return violation((root.$defs as Record<string, Schema>)[name], value, path);
  }
  if (Array.isArray(schema.oneOf)) {
    const fits = schema.oneOf.filter((s: Schema) => violation(s, value, path) === null);
    return fits.length === 1 ? null : `${path}: fits ${fits.length} of the alternatives`;
  }
  if (Array.isArray(schema.enum) && !schema.enum.includes(value))
    return `${path}: ${JSON.stringify(value)} is not among them`;
  if (schema.type !== undefined) {
    const types = [schema.type].flat() as string[];
    if (!types.some((type) => isOfType(type, value)))
      return `${path}: ${JSON.stringify(value)} is no ${types.join(' or ')}`;
  }
  if (typeof schema.minimum === 'number' && (value as number) < schema.minimum)
    return `${path}: below ${schema.minimum}`;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = violation((schema.items ?? {}) as Schema, value[i], `${path}[${i}]`);
      if (found !== null) return found;
    }
  } else if (value !== null && typeof value === 'object')
    return inObject(schema, value as Record<string, unknown>, path);
  return null;
}

function inObject(schema: Schema, value: Record<string, unknown>, path: string): string | null {
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  for (const name of (schema.required ?? []) as string[]) if (!(name in value)) return `${path}.${name} is missing`;
  for (const [name, child] of Object.entries(value)) {
    const known: unknown = properties[name] ?? schema.additionalProperties;
    if (known === false) return `${path}.${name} is not in the schema`;
    const found = violation((known ?? {}) as Schema, child, `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (type === 'array') return Array.isArray(value);
  return typeof value === type && value !== null;
}

function report(bytes: Uint8Array): unknown {
  const analyser = new Analyser();
  const reader = new CaptureReader(analyser);
  reader.push(bytes);
  return JSON.parse(JSON.stringify(analyser.finish('x', reader.end())));
}

describe('docs/explain.schema.json', () => {
  it('lists every kind of finding', () => {
    const { finding } = root.$defs as { finding: { properties: { kind: { enum: string[] } } } };
    expect(finding.properties.kind.enum).toEqual([...FINDING_KINDS]);
  });

  it('describes the report of every fixture', () => {
    const directory = join(import.meta.dirname, '..', 'fixtures', 'captures');
    for (const name of readdirSync(directory).filter((n) => /\.pcap(\.gz)?$/.test(n))) {
      const bytes = readFileSync(join(directory, name));
      expect(violation(root, report(name.endsWith('.gz') ? gunzipSync(bytes) : bytes), name)).toBeNull();
    }
    expect(violation(root, report(new Uint8Array(0)), 'empty')).toBeNull();
  });

  it('describes the report of every capture of the collection', ({ skip }) => {
    skip(collection === null, NO_COLLECTION);
    for (const name of collectionFiles()) expect(violation(root, report(readCollection(name)), name)).toBeNull();
  });

  it('refuses a report with a field too many, one too few, or another kind', () => {
    const good = report(new Uint8Array(0)) as Record<string, unknown>;
    expect(violation(root, { ...good, extra: 1 }, '')).toMatch(/extra/);
    expect(violation(root, { ...good, packets: 1.5 }, '')).toMatch(/packets/);
    expect(violation(root, { ...good, findings: [{ kind: 'weather' }] }, '')).toMatch(/kind|missing/);
  });
});
