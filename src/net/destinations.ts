/** Rules that choose destinations: `10.0.0.0/8`, `fd00::1`, `example.org`, `*.example.org:443`, `[fd00::1]:80`, `*:80`. */

import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';

interface Rule {
  /** The last port part, null for any. */
  readonly port: number | null;
  /** An address or prefix; null for a rule about names. */
  readonly prefix: { readonly address: IpAddress; readonly length: number } | null;
  /** Lower case; `*` alone is any destination, `*.` in front any name below. */
  readonly name: string;
}

/** Whether a connection is chosen: by the address it goes to, or by the name the program asked for. */
export type Chooser = (address: string, port: number, name: string | null) => boolean;

/** @throws EstabError EINVAL for a rule that makes no sense. */
export function chooser(rules: readonly string[]): Chooser {
  const parsed = rules.map(parseRule);
  return (address, port, name) => {
    const destination = IpAddress.tryParse(address);
    return parsed.some((rule) => matches(rule, destination, port, name));
  };
}

/** Whether the rules choose a name, whatever its port; without a rule about names they choose all. */
export function nameChooser(rules: readonly string[]): (name: string) => boolean {
  const parsed = rules.map(parseRule).filter(({ prefix }) => prefix === null);
  return (name) => parsed.length === 0 || parsed.some((rule) => matches({ ...rule, port: null }, null, 0, name));
}

function parseRule(text: string): Rule {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)|([^[\]]+?))(?::(\d{1,5}|\*))?$/.exec(text.trim());
  // Without brackets an IPv6 address has its colons to itself.
  const whole = IpAddress.tryParse(text.split('/')[0].trim()) === null ? null : text.trim();
  const host = whole ?? match?.[1] ?? match?.[2] ?? '';
  const port = whole !== null || match?.[4] === undefined || match[4] === '*' ? null : Number(match[4]);
  const [head, tail, ...rest] = host.split('/');
  const address = IpAddress.tryParse(head);
  if (address === null) {
    if (/^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/i.test(host) && portIsGood(port)) {
      return { port, prefix: null, name: host.toLowerCase() };
    }
    throw nonsense(text);
  }
  const bits = address.family === 4 ? 32 : 128;
  const length = tail === undefined ? bits : /^\d{1,3}$/.test(tail) ? Number(tail) : -1;
  if (rest.length > 0 || length < 0 || length > bits || !portIsGood(port)) throw nonsense(text);
  return { port, prefix: { address, length }, name: '' };
}

function portIsGood(port: number | null): boolean {
  return port === null || (port >= 1 && port <= 65_535);
}

function nonsense(text: string): EstabError {
  return new EstabError(
    'EINVAL',
    `"${text}" chooses no destination; write an address (10.0.0.0/8, [fd00::1]:80) or a name (example.org, *.org:443)`,
  );
}

function matches(rule: Rule, destination: IpAddress | null, port: number, name: string | null): boolean {
  if (rule.port !== null && rule.port !== port) return false;
  if (rule.prefix !== null) {
    const { address, length } = rule.prefix;
    return destination !== null && destination.family === address.family && destination.inPrefix(address, length);
  }
  if (rule.name === '*') return true;
  const asked = name?.toLowerCase().replace(/\.$/, '') ?? '';
  return rule.name.startsWith('*.') ? asked.endsWith(rule.name.slice(1)) : asked === rule.name;
}
