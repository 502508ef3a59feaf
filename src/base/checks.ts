/** What callers get wrong, told as Node tells it: its classes, codes and words. */

type ErrorClass = new (message: string) => Error;

/** `TypeError [CODE]: message`, as Node makes them. */
export function nodeError(Class: ErrorClass, code: string, message: string): Error & { code: string } {
  return Object.assign(new Class(message), { code });
}

/** How Node describes what it was given. */
function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `Received an instance of ${name}` : 'Received an object';
  }
  const text =
    typeof value === 'string' ? `'${value.length > 28 ? `${value.slice(0, 25)}...` : value}'` : String(value);
  return `Received type ${typeof value} (${text})`;
}

export function argumentType(name: string, expected: string, value: unknown): Error {
  const kind = name.includes('.') ? 'property' : 'argument';
  return nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" ${kind} must be ${expected}. ${received(value)}`);
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw argumentType(name, 'of type function', value);
}

export function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw argumentType(name, 'of type number', value);
}

/** A port as node takes it: a number or digits, 0 (or `least`) … 65535. */
export function checkPort(value: unknown, name = 'Port', least: 0 | 1 = 0): number {
  const isText = typeof value === 'string' && value.trim() !== '';
  const port = isText || typeof value === 'number' ? Number(value) : Number.NaN;
  if (Number.isInteger(port) && port >= least && port <= 65_535) return port;
  throw nodeError(
    RangeError,
    'ERR_SOCKET_BAD_PORT',
    `${name} should be ${least === 0 ? '>=' : '>'} 0 and < 65536. ${received(value)}.`,
  );
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw argumentType(name, 'of type boolean', value);
}

/** A whole number from `least` to what an int32 holds. */
export function checkInteger(name: string, value: unknown, least: number): void {
  checkNumber(name, value);
  const most = 2 ** 31 - 1;
  const out = (must: string): Error => {
    const message = `The value of "${name}" is out of range. It must be ${must}. Received ${value}`;
    return nodeError(RangeError, 'ERR_OUT_OF_RANGE', message);
  };
  if (!Number.isInteger(value)) throw out('an integer');
  if ((value as number) < least || (value as number) > most) throw out(`>= ${least} && <= ${most}`);
}

/** An argument or property that node does not take, as it shows it. */
export function argumentValue(name: string, value: unknown, reason = 'is invalid'): Error {
  const kind = name.includes('.') ? 'property' : 'argument';
  const message = `The ${kind} '${name}' ${reason}. Received ${shown(value)}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

/** One of a few values. */
export function checkOneOf(name: string, value: unknown, allowed: readonly (string | number)[]): void {
  if (allowed.some((one) => one === value)) return;
  const list = allowed.map(shown).join(', ');
  throw argumentValue(name, value, `must be one of: ${list}`);
}

/** Simple values as node inspects them. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${shown(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

export function checkString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw argumentType(name, 'of type string', value);
}

export function checkSignal(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && 'aborted' in value) return;
  throw argumentType(name, 'an instance of AbortSignal', value);
}

/** Milliseconds for a timer: no NaN, nothing negative; above what timers can, the most they can. */
export function checkDuration(name: string, value: unknown): number {
  checkNumber(name, value);
  const duration = value as number;
  if (!(duration >= 0 && Number.isFinite(duration))) {
    const message = `The value of "${name}" is out of range. It must be a non-negative finite number. Received ${duration}`;
    throw nodeError(RangeError, 'ERR_OUT_OF_RANGE', message);
  }
  return Math.min(duration, 2 ** 31 - 1);
}
