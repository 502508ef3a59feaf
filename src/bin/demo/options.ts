/** The demo's options: read, checked, and complained about in one line that says what to do. */

import { IpAddress } from '../../wire/address.ts';

/** A misuse: reported in one line, exit code 2. */
export class Misuse extends Error {}

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

export type Format = 'ladder' | 'tcpdump' | 'json';

/** What a run depends on; the same values give the same bytes. */
export interface DemoOptions {
  readonly seed: number;
  /** Probability that a segment is lost, each way. */
  readonly loss: number;
  /** One way, in milliseconds. */
  readonly delayMs: number;
  /** Bit/s each way; null: no limit. */
  readonly rate: number | null;
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Initial sequence numbers; null: as RFC 6528 chooses them. */
  readonly clientIsn: number | null;
  readonly serverIsn: number | null;
  /** What both ends name in their SYNs; null: what the MTU of 1500 gives. */
  readonly mss: number | null;
  /** Receive buffer of both ends in octets; null: the scenario's or the stack's own. */
  readonly window: number | null;
  /** Maximum segment lifetime in milliseconds; null: the stack's own. */
  readonly mslMs: number | null;
  readonly ipv6: boolean;
  readonly format: Format;
  readonly absolute: boolean;
  /** Where the capture goes; null: a file named after the scenario. */
  readonly pcap: string | null;
}

/** What commander hands over. */
export interface RawOptions {
  readonly seed?: string | undefined;
  readonly loss?: string | undefined;
  readonly delay?: string | undefined;
  readonly rate?: string | undefined;
  readonly client?: string | undefined;
  readonly server?: string | undefined;
  readonly clientIsn?: string | undefined;
  readonly serverIsn?: string | undefined;
  readonly mss?: string | undefined;
  readonly window?: string | undefined;
  readonly msl?: string | undefined;
  readonly ipv6?: boolean | undefined;
  readonly format?: string | undefined;
  readonly absolute?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly pcap?: string | undefined;
}

const DEFAULT_ADDRESSES = {
  4: { client: '10.0.0.1', server: '10.0.0.2' },
  6: { client: '[2001:db8::1]', server: '[2001:db8::2]' },
} as const;
const DEFAULT_CLIENT_PORT = 49_152;
/** Of the stories whose text is no HTTP: readers of captures take what goes to port 80 for that. */
const DEFAULT_SERVER_PORT = 7788;

/** Octets of IP and TCP header before the text. */
const HEADERS = { 4: 40, 6: 60 } as const;
/** Linux takes no MSS below 88; an IPv6 link carries at least 1280 octets. */
const LEAST_MSS = { 4: 88, 6: 1220 } as const;
const MOST_MTU = 65_535;
/** rmem_max. */
const MOST_WINDOW = 4_194_304;

/**
 * @param serverPort the story's own, where --server does not say.
 * @throws Misuse
 */
export function readOptions(raw: RawOptions, serverPort: number = DEFAULT_SERVER_PORT): DemoOptions {
  const given = [raw.client, raw.server].filter((text) => text !== undefined);
  const ipv6 = raw.ipv6 === true || given.some((text) => text.startsWith('['));
  const family = ipv6 ? 6 : 4;
  const client = endpoint(
    '--client',
    raw.client ?? `${DEFAULT_ADDRESSES[family].client}:${DEFAULT_CLIENT_PORT}`,
    family,
  );
  const server = endpoint('--server', raw.server ?? `${DEFAULT_ADDRESSES[family].server}:${serverPort}`, family);
  if (client.address.equals(server.address)) {
    throw new Misuse(`--client and --server are both ${client.address}; give the two hosts different addresses`);
  }
  return {
    seed: number('--seed', raw.seed ?? '1', 0, 0xffff_ffff, 'a whole number'),
    loss: probability(raw.loss ?? '0'),
    delayMs: time('--delay', raw.delay ?? '10', 1, 0, 60_000),
    rate: raw.rate === undefined ? null : rate(raw.rate),
    client,
    server,
    clientIsn: raw.clientIsn === undefined ? null : isn('--client-isn', raw.clientIsn),
    serverIsn: raw.serverIsn === undefined ? null : isn('--server-isn', raw.serverIsn),
    mss: raw.mss === undefined ? null : mss(raw.mss, family),
    window: raw.window === undefined ? null : number('--window', raw.window, 1024, MOST_WINDOW, 'octets'),
    mslMs: raw.msl === undefined ? null : time('--msl', raw.msl, 1000, 1, 240_000),
    ipv6,
    format: format(raw),
    absolute: raw.absolute === true,
    pcap: raw.pcap ?? null,
  };
}

function format(raw: RawOptions): Format {
  if (raw.json === true) {
    if (raw.format !== undefined) throw new Misuse('--json and --format exclude each other; choose one');
    return 'json';
  }
  const name = raw.format ?? 'ladder';
  if (name === 'ladder' || name === 'tcpdump') return name;
  throw new Misuse(`--format ${name}: there is no such format; write ladder or tcpdump`);
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
function endpoint(option: string, text: string, family: 4 | 6): Endpoint {
  const example = `${DEFAULT_ADDRESSES[family].server}:80`;
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) throw new Misuse(`${option} ${text}: write ADDRESS:PORT, as in ${example}`);
  const name = match[1] ?? match[2];
  const address = IpAddress.tryParse(name);
  if (address === null) throw new Misuse(`${option} ${text}: "${name}" is no IP address; write one as in ${example}`);
  if (address.family !== family) {
    throw new Misuse(`${option} ${text}: the run is over IPv${family}; give both hosts addresses like ${example}`);
  }
  if (address.isMulticast || address.isUnspecified || address.isLoopback || address.isLimitedBroadcast) {
    throw new Misuse(`${option} ${text}: no host can have this address; use one as in ${example}`);
  }
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) throw new Misuse(`${option} ${text}: ports go from 1 to 65535`);
  return { address, port };
}

function number(option: string, text: string, least: number, most: number, what: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Misuse(`${option} ${text}: give ${what} from ${least} to ${most}`);
}

function isn(option: string, text: string): number {
  return number(option, text, 0, 0xffff_ffff, 'a sequence number');
}

function mss(text: string, family: 4 | 6): number {
  return number('--mss', text, LEAST_MSS[family], MOST_MTU - HEADERS[family], 'octets');
}

/** `0.05` or `5%`. */
function probability(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (value >= 0 && value <= 1) return value;
  throw new Misuse(`--loss ${text}: give a probability from 0 to 1, or percent as in 5%`);
}

/** `ms`, `s` and `min` say the unit; a plain number counts in `unit` milliseconds. */
function time(option: string, text: string, unit: number, least: number, most: number): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min)?$/.exec(text);
  const scale = { ms: 1, s: 1000, min: 60_000 }[match?.[2] ?? ''] ?? unit;
  const value = match === null ? Number.NaN : Number(match[1]) * scale;
  if (value >= least && value <= most) return value;
  const example = unit === 1 ? '10 or 10ms' : '30 or 30s';
  throw new Misuse(`${option} ${text}: give a time as in ${example}, from ${least} ms to ${most / 1000} s`);
}

/** `1000000`, `500k`, `10M`, `1G`: bit/s. */
function rate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kMG]?)(?:bit(?:\/s)?)?$/.exec(text);
  const scale = { '': 1, k: 1e3, M: 1e6, G: 1e9 }[match?.[2] ?? ''] ?? 1;
  const value = match === null ? Number.NaN : Number(match[1]) * scale;
  if (value >= 1000 && value <= 1e12) return value;
  throw new Misuse(`--rate ${text}: give bit/s as in 500k, 10M or 1G, at least 1k`);
}
