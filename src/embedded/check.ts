/** What makes sense of a declared network: every mistake gets a message that says where and what would do. */

import { EstabError } from '../base/errors.ts';

type Check = (value: unknown) => string | null;

/** What {@link HostDeclaration} may hold; null for what other parts check. */
const HOST_FIELDS: Readonly<Record<string, Check | null>> = {
  address: null,
  names: null,
  zones: null,
  settings: null,
  sysctl: null,
  wrap: null,
  verdict: null,
  delayMs: atLeast(0, 'milliseconds'),
  jitterMs: atLeast(0, 'milliseconds'),
  rate: atLeast(1, 'bits a second'),
  queueBytes: atLeast(1, 'bytes'),
  queuePackets: atLeast(1, 'packets'),
  loss: probability,
  duplicate: probability,
  burstLoss: fields({ enter: probability, leave: probability, lossIn: optional(probability) }),
  reorder: fields({ probability, extraMs: atLeast(0, 'milliseconds') }),
  corrupt: fields({ probability, bytes: optional(atLeast(1, 'octets')) }),
  blackholes: (value) => (Array.isArray(value) ? null : 'is no list of { from, until }'),
};

/** @throws EstabError EINVAL that names the host and the field. */
export function checkHost(name: string, declaration: unknown, alsoKnown: readonly string[] = []): void {
  if (typeof declaration !== 'object' || declaration === null || Array.isArray(declaration)) {
    throw new EstabError('EINVAL', `host "${name}" is declared by no object; write { address: '10.0.0.1' }`);
  }
  for (const [field, value] of Object.entries(declaration)) {
    if (alsoKnown.includes(field) || value === undefined) continue;
    if (!Object.hasOwn(HOST_FIELDS, field)) {
      const known = [...Object.keys(HOST_FIELDS), ...alsoKnown].join(', ');
      throw new EstabError('EINVAL', `host "${name}": there is no "${field}"; known are ${known}`);
    }
    const problem = HOST_FIELDS[field]?.(value) ?? null;
    if (problem !== null) throw new EstabError('EINVAL', `host "${name}": ${field} ${problem}`);
  }
}

function atLeast(least: number, unit: string): Check {
  return (value) => {
    const isGood = typeof value === 'number' && Number.isFinite(value) && value >= least;
    return isGood ? null : `${JSON.stringify(value)} is no number of ${unit} from ${least} on`;
  };
}

function probability(value: unknown): string | null {
  const isGood = typeof value === 'number' && value >= 0 && value <= 1;
  return isGood ? null : `${JSON.stringify(value)} is no probability; give 0 … 1`;
}

function optional(check: Check): Check {
  return (value) => (value === undefined ? null : check(value));
}

function fields(checks: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return `is no object of ${Object.keys(checks).join(', ')}`;
    for (const [name, check] of Object.entries(checks)) {
      const problem = check((value as Record<string, unknown>)[name]);
      if (problem !== null) return `${name} ${problem}`;
    }
    return null;
  };
}
