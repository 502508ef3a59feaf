/** Text that only has to be there. */

const LINE = 'every octet has a number, and every number is acknowledged; ';

/** So many octets of it. */
export function filler(length: number): string {
  return LINE.repeat(Math.ceil(length / LINE.length)).slice(0, length);
}
