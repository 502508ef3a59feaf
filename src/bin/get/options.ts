/** What `estab get` was asked to do: read, checked, and complained about in one line that says what to do. */

import { Misuse, readOptions } from '../demo/options.ts';

export interface GetOptions {
  readonly urls: readonly URL[];
  readonly seed: number;
  /** Probability that a packet is lost, on each server's wire, each way. */
  readonly loss: number;
  /** One way, milliseconds. */
  readonly delayMs: number;
  /** What OpenSSL calls the group both ends are held to; null: they choose. */
  readonly group: string | null;
  readonly http1: boolean;
  /** Without an answer for so long, a step is given up; milliseconds. */
  readonly timeoutMs: number;
  /** Connections to one origin, HTTP/1.1. */
  readonly connections: number;
  readonly json: boolean;
  readonly html: string | null;
  readonly pcap: string | null;
}

/** What commander hands over. */
export interface RawGetOptions {
  readonly tls?: boolean;
  readonly dhe?: string;
  readonly http1?: boolean;
  readonly seed?: string;
  readonly loss?: string;
  readonly delay?: string;
  readonly timeout?: string;
  readonly connections?: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly pcap?: string;
}

/** The names people know the groups by, and OpenSSL's. */
const GROUPS: Readonly<Record<string, string>> = {
  ...{ x25519: 'X25519', x448: 'X448', 'p-256': 'P-256', 'p-384': 'P-384', 'p-521': 'P-521' },
  ...{ secp256r1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' },
  ...{ ffdhe2048: 'ffdhe2048', ffdhe3072: 'ffdhe3072', ffdhe4096: 'ffdhe4096', ffdhe6144: 'ffdhe6144' },
  ffdhe8192: 'ffdhe8192',
};

/** @throws Misuse */
export function readGetOptions(urls: readonly string[], raw: RawGetOptions): GetOptions {
  const { seed, loss, delayMs } = readOptions({
    ...(raw.seed === undefined ? {} : { seed: raw.seed }),
    ...(raw.loss === undefined ? {} : { loss: raw.loss }),
    ...(raw.delay === undefined ? {} : { delay: raw.delay }),
  });
  const plain = raw.tls === false;
  if (plain && raw.dhe !== undefined)
    throw new Misuse('--dhe and --no-tls exclude each other; without TLS no key is agreed on');
  return {
    urls: urls.map((text) => readUrl(text, plain)),
    ...{ seed, loss, delayMs },
    group: raw.dhe === undefined ? null : groupNamed(raw.dhe),
    http1: raw.http1 === true,
    timeoutMs: 1000 * between('--timeout', raw.timeout ?? '5', 0.1, 600, 'seconds'),
    connections: Math.floor(between('--connections', raw.connections ?? '2', 1, 32, 'a number')),
    json: raw.json === true,
    html: raw.html ?? null,
    pcap: raw.pcap ?? null,
  };
}

/** A URL, or a name that https:// is put in front of. */
function readUrl(text: string, plain: boolean): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(whole)) throw new Misuse(`"${text}" is no URL; write one as in https://shop.example/`);
  const url = new URL(whole);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Misuse(`"${text}": ${url.protocol.slice(0, -1)} is not spoken here; write an http or https URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Misuse(`"${url.host}": names and passwords in URLs are not sent; leave them out`);
  }
  url.hash = '';
  if (plain && url.protocol === 'https:') url.protocol = 'http:';
  return url;
}

function groupNamed(text: string): string {
  const group = GROUPS[text.toLowerCase()];
  if (group !== undefined) return group;
  const names = 'X25519, X448, P-256, P-384, P-521, ffdhe2048, ffdhe3072, ffdhe4096, ffdhe6144, ffdhe8192';
  throw new Misuse(`--dhe ${text}: there is no such group; choose one of ${names}`);
}

function between(option: string, text: string, least: number, most: number, what: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Misuse(`${option} ${text}: give ${what} from ${least} to ${most}`);
}
