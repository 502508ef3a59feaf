/**
 * Which of several addresses to try first: RFC 6724 section 6, without what needs mobile or temporary addresses, or a
 * policy of somebody's own. A stable sort: where no rule speaks, the name server's order stays.
 */

import { IpAddress } from '../wire/address.ts';

/** Rows of the policy table (section 2.1), longest prefix first. */
const POLICY: readonly (readonly [prefix: IpAddress, length: number, precedence: number, label: number])[] = [
  [IpAddress.parse('::1'), 128, 50, 0],
  [IpAddress.parse('::'), 96, 1, 3],
  [IpAddress.parse('2001::'), 32, 5, 5],
  [IpAddress.parse('2002::'), 16, 30, 2],
  [IpAddress.parse('3ffe::'), 16, 1, 12],
  [IpAddress.parse('fec0::'), 10, 1, 11],
  [IpAddress.parse('fc00::'), 7, 3, 13],
];
const OF_IPV4 = { precedence: 35, label: 4 };
const OF_IPV6 = { precedence: 40, label: 1 };

const LINK_SCOPE = 2;
const GLOBAL_SCOPE = 14;

interface Candidate {
  readonly address: IpAddress;
  /** The address we would speak from; null: there is no way there. */
  readonly source: IpAddress | null;
}

/** @param sourceFor the address we would speak from to a destination; null when there is no way to it. */
export function orderDestinations(
  addresses: readonly IpAddress[],
  sourceFor: (destination: IpAddress) => IpAddress | null,
): IpAddress[] {
  const candidates = addresses.map((address) => ({ address, source: sourceFor(address) }));
  return candidates.sort(compare).map(({ address }) => address);
}

/** Below 0: `a` goes first. */
function compare(a: Candidate, b: Candidate): number {
  // Rule 1: avoid unusable destinations.
  if (a.source === null || b.source === null) return Number(a.source === null) - Number(b.source === null);
  const yes = (wanted: boolean): number => (wanted ? 0 : 1);
  const scopes = [scope(a.address), scope(b.address)];
  return (
    // Rule 2: prefer matching scope.
    yes(scopes[0] === scope(a.source)) - yes(scopes[1] === scope(b.source)) ||
    // Rule 5: prefer matching label.
    yes(policy(a.address).label === policy(a.source).label) - yes(policy(b.address).label === policy(b.source).label) ||
    // Rule 6: prefer higher precedence.
    policy(b.address).precedence - policy(a.address).precedence ||
    // Rule 8: prefer smaller scope.
    scopes[0] - scopes[1] ||
    // Rule 9: the longest prefix in common with the source; of IPv6 alone, IPv4 addresses say nothing about distance.
    commonPrefix(b) - commonPrefix(a)
  );
}

function policy(address: IpAddress): { precedence: number; label: number } {
  if (address.family === 4) return OF_IPV4;
  const row = POLICY.find(([prefix, length]) => address.inPrefix(prefix, length));
  return row === undefined ? OF_IPV6 : { precedence: row[2], label: row[3] };
}

/** Private IPv4 addresses are global here (section 3.2): what they reach is the routes' business. */
function scope(address: IpAddress): number {
  return address.isLinkLocal || address.isLoopback ? LINK_SCOPE : GLOBAL_SCOPE;
}

function commonPrefix({ address, source }: Candidate): number {
  if (source === null || address.family === 4) return 0;
  let length = 0;
  // The rest names the interface, not the network.
  while (length < 64 && address.inPrefix(source, length + 1)) length++;
  return length;
}
