/**
 * What all parts of a host share: its settings, counters, secrets, interfaces, addresses and routes. Parts know this
 * and one another's interfaces; who calls whom is put together in stack.ts.
 */

import type { Counters } from '../base/counters.ts';
import { EstabError } from '../base/errors.ts';
import type { RandomSource } from '../base/random.ts';
import type { Time } from '../base/time.ts';
import { SynCookies } from '../crypto/cookie.ts';
import { IsnGenerator } from '../crypto/isn.ts';
import { type CounterName, counterName, hostCounters } from '../ip/counters.ts';
import { Interface, type InterfaceOptions } from '../ip/interface.ts';
import { KeyedHash } from '../ip/keyed-hash.ts';
import { PathMtu } from '../ip/pmtu.ts';
import { parsePrefix, type Route, Routes } from '../ip/routes.ts';
import type { TcpConfig } from '../tcp/config.ts';
import { IpAddress } from '../wire/address.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings-table.ts';
import { toTcpConfig } from './tcp-config.ts';
import type { StackTrace } from './trace.ts';

export interface CoreOptions {
  /** Secret bits: keys of sequence numbers, cookies, ports, hash tables. A CSPRNG on a real host. */
  readonly secret: RandomSource;
  /** Public bits: IP identifications, jitter. */
  readonly random: RandomSource;
  /** As `defaultSettings` and `applySetting` made them. */
  readonly settings?: Settings;
  readonly trace?: StackTrace | null;
  /** Who chooses initial sequence numbers, for demonstrations and tests; as RFC 6528 has it if left out. */
  readonly isns?: IsnGenerator;
}

const LOOPBACK_MTU = 65_535;
const LOOPBACK_V4 = parsePrefix('127.0.0.0/8');
const MAPPED = 0xffff;

export class Core {
  readonly settings: Settings;
  readonly tcpConfig: TcpConfig;
  readonly counters: Counters<CounterName>;
  readonly random: RandomSource;
  readonly secret: RandomSource;
  readonly keyed: KeyedHash;
  readonly isns: IsnGenerator;
  readonly cookies: SynCookies;
  readonly pmtu: PathMtu;
  readonly routes = new Routes<Interface>();
  /** By number; the loopback is the first. */
  readonly interfaces: Interface[] = [];
  readonly loopback: Interface;
  /** Who watches the host at work; may come and go. */
  trace: StackTrace | null;
  /** The latest time a caller has told. */
  now: Time = 0;
  /** The interface the last frame came in by. */
  arriving: Interface;
  /** It was sent to a group of hosts on the link. */
  arrivedByGroup = false;
  /** Its buffer is ours to keep. */
  arrivedOwned = false;
  private readonly own = new Map<number, IpAddress[]>();
  private readonly loopbackRoute: Route<Interface>;

  constructor(options: CoreOptions) {
    this.settings = options.settings ?? defaultSettings();
    this.tcpConfig = toTcpConfig(this.settings);
    this.counters = hostCounters();
    this.random = options.random;
    this.secret = options.secret;
    this.trace = options.trace ?? null;
    this.keyed = new KeyedHash(options.secret);
    this.isns = options.isns ?? new IsnGenerator(options.secret);
    this.cookies = new SynCookies(options.secret);
    this.pmtu = new PathMtu(this.keyed);
    this.loopback = this.addInterface(
      { name: 'lo', mtu: LOOPBACK_MTU, medium: 'ip', addresses: ['127.0.0.1/8', '::1/128'] },
      true,
    );
    this.arriving = this.loopback;
    this.loopbackRoute = { prefix: LOOPBACK_V4, via: null, device: this.loopback, source: null };
  }

  addInterface(options: InterfaceOptions, loopback = false): Interface {
    if (this.interfaces.some((other) => other.name === options.name)) {
      throw new EstabError('EINVAL', `there is an interface ${options.name} already; choose another name`);
    }
    const iface = new Interface(this.interfaces.length, options, loopback);
    this.interfaces.push(iface);
    for (const { address, length } of iface.addresses) {
      this.addOwn(address);
      this.routes.add({ prefix: { address, length }, via: null, device: iface, source: null });
    }
    return iface;
  }

  /** Whether packets are sent so that routers tell when they are too big: not with ip_no_pmtu_disc 1 or 2. */
  get discoversPathMtu(): boolean {
    const mode = this.settings.ip_no_pmtu_disc;
    return mode === 0 || mode === 3;
  }

  /** Counts the drop of what is being processed, and tells who watches. */
  drop(reason: number): void {
    this.counters.increment(reason);
    if (this.trace !== null) this.trace.dropped(this.now, this.arriving, counterName(reason));
  }

  /** Our own address equal to these words, null when it is not ours. All of 127.0.0.0/8 is. */
  ownAddress(w0: number, w1: number, w2: number, w3: number): IpAddress | null {
    const list = this.own.get(w3);
    if (list !== undefined) {
      for (const a of list) if (a.w0 === w0 && a.w1 === w1 && a.w2 === w2) return a;
    }
    return isLoopbackV4(w0, w1, w2, w3) ? IpAddress.v4(w3) : null;
  }

  isOwn(address: IpAddress): boolean {
    return this.ownAddress(address.w0, address.w1, address.w2, address.w3) !== null;
  }

  /**
   * The way to a destination; ourselves are reached over the loopback. Null: there is none.
   * @param scope the interface that a link-local IPv6 address is meant on; only that link knows it (RFC 4007).
   */
  route(destination: IpAddress, scope: Interface | null = null): Route<Interface> | null {
    if (this.isOwn(destination)) return this.loopbackRoute;
    if (scope !== null && isScoped(destination)) {
      return { prefix: LOOPBACK_V4, via: null, device: scope, source: null };
    }
    const route = this.routes.lookup(destination);
    if (route !== null || !(destination.isLimitedBroadcast || destination.isMulticast)) return route;
    // Link-wide destinations need no route: the first real interface is as good as any.
    const first = this.interfaces[1];
    return first === undefined ? null : { prefix: LOOPBACK_V4, via: null, device: first, source: null };
  }

  /** The address to speak from towards a destination over a route. */
  sourceFor(route: Route<Interface>, destination: IpAddress): IpAddress | null {
    if (route.device === this.loopback) return destination;
    if (route.source !== null) return route.source;
    // The gateway's network is ours for IPv4; an IPv6 gateway is link-local, and says nothing about the right scope.
    const towards = route.via !== null && destination.family === 4 ? route.via : destination;
    return route.device.sourceFor(towards);
  }

  private addOwn(address: IpAddress): void {
    const list = this.own.get(address.w3);
    if (list === undefined) this.own.set(address.w3, [address]);
    else if (!list.some((known) => known.equals(address))) list.push(address);
  }
}

/** fe80::/10: an address that every link has its own of. */
function isScoped(address: IpAddress): boolean {
  return address.family === 6 && address.isLinkLocal;
}

/** 127.0.0.0/8 as words. */
export function isLoopbackV4(w0: number, w1: number, w2: number, w3: number): boolean {
  return (w0 | w1) === 0 && w2 === MAPPED && w3 >>> 24 === 127;
}

/** 0.0.0.0 or :: as words. */
export function isUnspecified(w0: number, w1: number, w2: number, w3: number): boolean {
  return (w0 | w1 | w3) === 0 && (w2 === 0 || w2 === MAPPED);
}

/** 224.0.0.0/4 or ff00::/8 as words. */
export function isMulticast(w0: number, w1: number, w2: number, w3: number): boolean {
  if ((w0 | w1) === 0 && w2 === MAPPED) return w3 >>> 28 === 0xe;
  return w0 >>> 24 === 0xff;
}
