/** What `estab get` was asked to do: read, checked, and complained about in one line that says what to do. */

import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { IpAddress } from '../../wire/address.ts';
import { Misuse, readOptions } from '../demo/options.ts';
import type { DeviceOptions } from '../serve/network.ts';

export interface GetOptions {
  readonly urls: readonly URL[];
  /** The device of a run among real servers; null for the embedded network. */
  readonly tun: DeviceOptions | null;
  /** Name servers given; empty for those of the ground. */
  readonly dns: readonly string[];
  /** `name:port` → addresses, in place of a name server's. */
  readonly resolve: ReadonlyMap<string, readonly string[]>;
  /** PEM of the authorities to trust instead of the usual ones. */
  readonly authorities: string | null;
  /** Go on with certificates that are no good. */
  readonly insecure: boolean;
  /** The embedded network has IPv6 addresses. */
  readonly ipv6: boolean;
  /** Redirects followed, one after the other. */
  readonly redirects: number;
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
  readonly tun?: string;
  readonly address?: readonly string[];
  readonly peer?: readonly string[];
  readonly mtu?: string;
  readonly sysctl?: readonly string[];
  readonly dns?: readonly string[];
  readonly resolve?: readonly string[];
  readonly cacert?: string;
  readonly insecure?: boolean;
  readonly ipv6?: boolean;
  readonly redirects?: string;
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
  x25519: 'X25519',
  x448: 'X448',
  'p-256': 'P-256',
  'p-384': 'P-384',
  'p-521': 'P-521',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  ffdhe2048: 'ffdhe2048',
  ffdhe3072: 'ffdhe3072',
  ffdhe4096: 'ffdhe4096',
  ffdhe6144: 'ffdhe6144',
  ffdhe8192: 'ffdhe8192',
};

/** @throws Misuse */
export function readGetOptions(urls: readonly string[], raw: RawGetOptions): GetOptions {
  const { seed, loss, delayMs } = readOptions({ seed: raw.seed, loss: raw.loss, delay: raw.delay });
  const plain = raw.tls === false;
  if (plain && raw.dhe !== undefined)
    throw new Misuse('--dhe and --no-tls exclude each other; without TLS no key is agreed on');
  refuseMixture(raw);
  return {
    urls: urls.map((text) => readUrl(text, plain)),
    seed,
    loss,
    delayMs,
    ipv6: raw.ipv6 === true,
    tun: deviceOf(raw),
    dns: (raw.dns ?? []).map(nameServer),
    resolve: new Map((raw.resolve ?? []).map(resolved)),
    authorities: raw.cacert === undefined ? null : authoritiesIn(raw.cacert),
    insecure: raw.insecure === true,
    redirects: Math.floor(between('--redirects', raw.redirects ?? '10', 0, 50, 'a number')),
    group: raw.dhe === undefined ? null : groupNamed(raw.dhe),
    http1: raw.http1 === true,
    timeoutMs: 1000 * between('--timeout', raw.timeout ?? '5', 0.1, 600, 'seconds'),
    connections: Math.floor(between('--connections', raw.connections ?? '2', 1, 32, 'a number')),
    json: raw.json === true,
    html: raw.html ?? null,
    pcap: raw.pcap ?? null,
  };
}

const OF_THE_EMBEDDED = ['seed', 'loss', 'delay', 'ipv6'] as const;
const OF_THE_DEVICE = ['address', 'peer', 'mtu', 'sysctl', 'dns'] as const;

/** @throws Misuse for what belongs to the other ground. */
function refuseMixture(raw: RawGetOptions): void {
  const given = (name: keyof RawGetOptions): boolean => {
    const value = raw[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  };
  if (raw.tun === undefined) {
    const alien = OF_THE_DEVICE.find(given);
    if (alien !== undefined) throw new Misuse(`--${alien} is for a TUN device, and none is named; give --tun as well`);
    return;
  }
  const alien = OF_THE_EMBEDDED.find(given);
  if (alien === undefined) return;
  const instead = alien === 'ipv6' ? '; give --address fd00::2/64' : '';
  throw new Misuse(`--${alien} is of the embedded network, --tun goes to real servers; leave one out${instead}`);
}

function deviceOf({ tun, address = [], peer = [], mtu, sysctl = [] }: RawGetOptions): DeviceOptions | null {
  return tun === undefined ? null : { tun, address, peer, sysctl, ...(mtu === undefined ? {} : { mtu }) };
}

function nameServer(text: string): string {
  const [, host = text] = /^(?:\[(.*)\]|([^:]*)):\d{1,5}$/.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (IpAddress.tryParse(host) !== null) return text;
  throw new Misuse(`--dns ${text}: name servers go by their addresses; write 10.7.0.1 or 10.7.0.1:5353`);
}

/** curl's `name:port:address[,address]`, IPv6 addresses in brackets or without. */
function resolved(text: string): [where: string, addresses: string[]] {
  const match = /^([^:[\]]+):(\d{1,5}):(.+)$/.exec(text);
  const addresses = (match?.[3] ?? '').split(',').map((part) => part.replace(/^\[(.*)\]$/, '$1'));
  if (match === null || addresses.some((address) => IpAddress.tryParse(address) === null)) {
    throw new Misuse(`--resolve ${text}: write name:port:address, as in shop.example:443:10.7.0.1`);
  }
  return [`${match[1].toLowerCase()}:${Number(match[2])}`, addresses];
}

function authoritiesIn(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate');
    createSecureContext({ ca: pem });
    return pem;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new Misuse(`--cacert ${file}: ${code ?? message}; name a file with certificates in PEM form`);
  }
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
