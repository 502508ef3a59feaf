/** The arguments of `lookup`: the forms they come in, and what is wrong with them, as node:dns tells it. */

import { argumentType, checkBoolean, checkFunction, checkNumber, checkOneOf, checkString } from '../base/checks.ts';
import type { LookupCallback, LookupOptions } from './lookup.ts';

export interface LookupArguments {
  readonly options: LookupOptions;
  readonly callback: LookupCallback;
}

const FAMILIES = [0, 4, 6];
const ORDERS = ['verbatim', 'ipv4first', 'ipv6first'];

/** `(hostname, callback)`, `(hostname, family, callback)` and `(hostname, options, callback)` as the last of them. */
export function lookupArguments([hostname, given, last]: readonly unknown[], count: number): LookupArguments {
  if (hostname) checkString('hostname', hostname);
  if (typeof given === 'function') return { options: {}, callback: given as LookupCallback };
  if (typeof given === 'number') {
    checkFunction('callback', last);
    checkOneOf('family', given, FAMILIES);
    return { options: { family: given }, callback: last as LookupCallback };
  }
  if (given !== undefined && typeof given !== 'object') {
    checkFunction('callback', count === 2 ? given : last);
    throw argumentType('options', 'of type object or integer', given);
  }
  checkFunction('callback', last);
  const options = (given ?? {}) as LookupOptions & { hints?: unknown; verbatim?: unknown };
  checkOptions(options);
  const verbatim = options.verbatim === true && options.order === undefined;
  return { options: verbatim ? { ...options, order: 'verbatim' } : options, callback: last as LookupCallback };
}

function checkOptions(options: LookupOptions & { hints?: unknown; verbatim?: unknown }): void {
  const { hints, family, all, verbatim, order } = options;
  if (hints !== undefined && hints !== null) checkNumber('options.hints', hints);
  if (family !== undefined && family !== null && family !== 'IPv4' && family !== 'IPv6') {
    checkOneOf('options.family', family, FAMILIES);
  }
  if (all !== undefined && all !== null) checkBoolean('options.all', all);
  if (verbatim !== undefined && verbatim !== null) checkBoolean('options.verbatim', verbatim);
  if (order !== undefined && order !== null) checkOneOf('options.order', order, ORDERS);
}
