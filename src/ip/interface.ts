/**
 * A network interface as IP sees it: its MTU, its medium, its addresses, and which destinations are its own
 * (RFC 1122 section 3.2.1.3, RFC 4291 section 2.8).
 */

import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';
import { MIN_PMTU_V6 } from './pmtu.ts';
import { type Prefix, parsePrefix } from './routes.ts';

export interface InterfaceOptions {
  readonly name: string;
  /** Largest IP packet in bytes, 128 … 65535; IPv6 needs 1280. */
  readonly mtu: number;
  /** `ip`: frames are bare IP packets; `ethernet`: they have a 14-byte header, and neighbours are found by ARP and ND. */
  readonly medium: 'ip' | 'ethernet';
  /** Six bytes, not a group address; needed for Ethernet. */
  readonly mac?: Uint8Array | null;
  /** `10.0.0.1/24`, `2001:db8::1/64`; without a length it is a host address. */
  readonly addresses?: readonly string[];
  /** Takes packets to any destination as its own: gateways that end other hosts' connections need it. */
  readonly acceptAny?: boolean;
  /** What the link does by itself: make (tx), verify (rx) TCP and UDP checksums. */
  readonly checksum?: { readonly tx: boolean; readonly rx: boolean };
}

/** An address of an interface, and the network it is in. */
export interface InterfaceAddress extends Prefix {
  /** The network's broadcast address (host bits all ones), null where there is none: IPv6, /31 and /32. */
  readonly broadcast: IpAddress | null;
}

/**
 * RFC 791 allows 68, but an MSS of 48 (tcp_min_snd_mss) and an ACK with all options need more, and nobody has less.
 */
const MIN_MTU = 128;
const MAX_MTU = 65_535;
const ALL_NODES = IpAddress.parse('ff02::1');
const ALL_HOSTS = IpAddress.parse('224.0.0.1');

export class Interface {
  /** Its number within the stack, 0 for the loopback. */
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  readonly ethernet: boolean;
  readonly loopback: boolean;
  /** Six bytes; zeros where there is no such thing. */
  readonly mac: Uint8Array;
  readonly acceptAny: boolean;
  readonly checksumTx: boolean;
  readonly checksumRx: boolean;
  readonly addresses: readonly InterfaceAddress[];
  /** Whether IPv6 may be spoken: an address of it, and the MTU it needs. */
  readonly hasV6: boolean;

  /** @throws EstabError EINVAL when an option makes no sense. */
  constructor(index: number, options: InterfaceOptions, loopback = false) {
    const { name, mtu, medium, mac = null, addresses = [], checksum } = options;
    if (!(Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU)) {
      throw new EstabError('EINVAL', `interface ${name}: MTU ${mtu} is not in ${MIN_MTU} … ${MAX_MTU}`);
    }
    if (medium === 'ethernet' && (mac === null || mac.length !== 6 || (mac[0] & 1) !== 0)) {
      throw new EstabError(
        'EINVAL',
        `interface ${name}: Ethernet needs a MAC address of six bytes that is no group address`,
      );
    }
    this.index = index;
    this.name = name;
    this.mtu = mtu;
    this.ethernet = medium === 'ethernet';
    this.loopback = loopback;
    this.mac = mac === null ? new Uint8Array(6) : mac.slice();
    this.acceptAny = options.acceptAny ?? false;
    this.checksumTx = checksum?.tx ?? false;
    this.checksumRx = checksum?.rx ?? false;
    const own = addresses.map((text) => interfaceAddress(name, text, loopback));
    this.hasV6 = own.some((a) => a.address.family === 6);
    if (this.hasV6 && mtu < MIN_PMTU_V6) {
      throw new EstabError('EINVAL', `interface ${name}: IPv6 needs an MTU of ${MIN_PMTU_V6}, this one has ${mtu}`);
    }
    const linkLocal = own.some((a) => a.address.family === 6 && a.address.isLinkLocal);
    if (this.hasV6 && this.ethernet && !linkLocal) own.push(linkLocalAddress(this.mac));
    this.addresses = own;
  }

  /** Whether the destination, given as words, is the broadcast address of one of the interface's networks, or of all. */
  isBroadcast(w0: number, w1: number, w2: number, w3: number): boolean {
    if ((w0 | w1) !== 0 || w2 !== 0xffff) return false;
    if (w3 === -1) return true;
    for (const { broadcast } of this.addresses) if (broadcast !== null && broadcast.w3 === w3) return true;
    return false;
  }

  /** Whether we listen to the multicast group: all hosts, all nodes, the solicited-node groups of our addresses. */
  inGroup(w0: number, w1: number, w2: number, w3: number): boolean {
    if ((w0 | w1) === 0 && w2 === 0xffff) return w3 === ALL_HOSTS.w3;
    if (w0 === ALL_NODES.w0 && (w1 | w2) === 0 && w3 === 1) return true;
    if (w0 !== ALL_NODES.w0 || w1 !== 0 || w2 !== 1 || w3 >>> 24 !== 0xff) return false;
    return this.addresses.some((a) => a.address.family === 6 && ((a.address.w3 ^ w3) & 0xff_ffff) === 0);
  }

  /**
   * The interface's own address to speak from: one in the network of `towards` if there is such, else the first of
   * scope and family (a small part of RFC 6724: same scope, then longest match). Null when it has none.
   */
  sourceFor(towards: IpAddress): IpAddress | null {
    let best: IpAddress | null = null;
    let bestScore = -1;
    for (const { address, length } of this.addresses) {
      if (address.family !== towards.family) continue;
      const sameScope = address.isLinkLocal === towards.isLinkLocal;
      const score = (sameScope ? 1000 : 0) + (address.inPrefix(towards, length) ? length + 1 : 0);
      if (score > bestScore) {
        best = address;
        bestScore = score;
      }
    }
    return best;
  }
}

function interfaceAddress(name: string, text: string, loopback: boolean): InterfaceAddress {
  const { address, length } = parsePrefix(text);
  const misplaced = address.isLoopback && !loopback;
  if (address.isUnspecified || address.isMulticast || address.isLimitedBroadcast || misplaced) {
    throw new EstabError('EINVAL', `interface ${name}: ${text} cannot be a host's address`);
  }
  const broadcast =
    address.family === 4 && length < 31 && !address.isLoopback ? IpAddress.v4(address.w3 | (-1 >>> length)) : null;
  if (broadcast?.equals(address)) {
    throw new EstabError(
      'EINVAL',
      `interface ${name}: ${text} is its network's broadcast address; choose another host`,
    );
  }
  return { address, length, broadcast };
}

/** fe80::/64 with the modified EUI-64 of the MAC address, RFC 4291 appendix A. */
function linkLocalAddress(mac: Uint8Array): InterfaceAddress {
  const high = ((mac[0] ^ 2) << 24) | (mac[1] << 16) | (mac[2] << 8) | 0xff;
  const low = (0xfe << 24) | (mac[3] << 16) | (mac[4] << 8) | mac[5];
  return { address: new IpAddress(0xfe80_0000, 0, high, low), length: 64, broadcast: null };
}
