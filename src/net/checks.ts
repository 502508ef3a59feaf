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
