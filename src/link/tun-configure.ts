/**
 * Brings a TUN interface up and gives the kernel its addresses on it, with iproute2. What is already as it should be is
 * left alone, so that a device prepared by an administrator needs no rights.
 */
import { spawnSync } from 'node:child_process';
import { EstabError } from '../base/errors.ts';
import { IpAddress } from '../wire/address.ts';

/** One address of the stack, with the address that the kernel has at the other end of the TUN. */
export interface TunAddress {
  /** The stack's address with its prefix length: `10.7.0.2/24`. */
  local: string;
  /** The kernel's address. */
  peer: string;
}

interface LinkInfo {
  flags: string[];
  addr_info: { local?: string; address?: string; prefixlen: number }[];
}

/**
 * Sets the interface `name` up with the kernel's end of each address: on the stack's prefix, or as a point-to-point
 * pair when `local` has no prefix to share (/32, /128).
 * @throws EstabError EINVAL (addresses of two families, or not in one prefix), ENOTSUP (no `ip` command), EPERM, EIO.
 */
export function configureTun(name: string, addresses: readonly TunAddress[]): void {
  const wanted = addresses.map(parsePair);
  const now = linkInfo(name);
  // Up first: a down interface gets no route to the far end of an IPv6 point-to-point pair, not even later.
  if (!now.flags.includes('UP')) ip(name, ['link', 'set', name, 'up']);
  for (const { local, peer, length } of wanted) {
    const point = length === (local.family === 4 ? 32 : 128);
    const there = now.addr_info.some((info) => info.local === peer.toString());
    if (there) continue;
    const text = point ? [peer.toString(), 'peer', `${local}/${length}`] : [`${peer}/${length}`];
    // Nobody else is on a TUN: duplicate address detection would only delay the first packet by a second.
    ip(name, ['address', 'add', ...text, 'dev', name, ...(local.family === 6 ? ['nodad'] : [])]);
  }
}

/**
 * The address to give the kernel when the user names only the stack's: the first host address of the prefix, or the
 * second when the stack has the first. `10.7.0.2/24` gives `10.7.0.1`.
 * @throws EstabError EINVAL when the prefix has no room for two (/31 aside, where it is the other one).
 */
export function defaultPeer(local: string): string {
  const { address, length } = parsePrefix(local);
  const bits = address.family === 4 ? 32 : 128;
  if (length >= bits) {
    throw new EstabError('EINVAL', `${local} leaves no room for the kernel's address; give it with --peer`);
  }
  const words = [address.w0, address.w1, address.w2, address.w3];
  const hostBits = bits - length;
  for (let i = 3, left = hostBits; left > 0; i--, left -= 32) {
    words[i] = left >= 32 ? 0 : (words[i] ?? 0) & (-1 << left);
  }
  const own = address.w3;
  const base = words[3] ?? 0;
  const first = hostBits === 1 ? base : base | 1;
  words[3] = first === own ? (hostBits === 1 ? base | 1 : base | 2) : first;
  return new IpAddress(words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0).toString();
}

function parsePrefix(text: string): { address: IpAddress; length: number } {
  const [head = '', tail, ...rest] = text.split('/');
  const address = IpAddress.tryParse(head);
  const length = tail === undefined || !/^\d{1,3}$/.test(tail) ? -1 : Number(tail);
  if (address === null || rest.length > 0 || length < 0 || length > (address.family === 4 ? 32 : 128)) {
    throw new EstabError(
      'EINVAL',
      `"${text}" is no address with a prefix length; write it like 10.7.0.2/24 or fd00::2/64`,
    );
  }
  return { address, length };
}

function parsePair(pair: TunAddress): { local: IpAddress; peer: IpAddress; length: number } {
  const { address: local, length } = parsePrefix(pair.local);
  const peer = IpAddress.tryParse(pair.peer);
  if (peer === null) throw new EstabError('EINVAL', `"${pair.peer}" is no IP address`);
  if (peer.family !== local.family) {
    throw new EstabError('EINVAL', `${pair.peer} and ${pair.local} are not of one family; give a peer of the same`);
  }
  if (peer.equals(local))
    throw new EstabError('EINVAL', `${pair.peer} is the stack's own address; the kernel needs another`);
  const pointToPoint = length === (local.family === 4 ? 32 : 128);
  if (!pointToPoint && !local.inPrefix(peer, length)) {
    throw new EstabError(
      'EINVAL',
      `${pair.peer} is not in the network of ${pair.local}, so neither end would find the other; choose one that is, or give the stack a /${local.family === 4 ? 32 : 128}`,
    );
  }
  return { local, peer, length };
}

function linkInfo(name: string): LinkInfo {
  const output = ip(name, ['-json', 'address', 'show', 'dev', name]);
  const [info] = JSON.parse(output) as LinkInfo[];
  if (info === undefined) throw new EstabError('ENODEV', `there is no interface ${name}`);
  return info;
}

function ip(name: string, args: readonly string[]): string {
  const result = spawnSync('ip', args, { encoding: 'utf8' });
  if (result.error !== undefined) {
    throw new EstabError('ENOTSUP', `${name} cannot be configured without the command ip; install iproute2`);
  }
  if (result.status === 0) return result.stdout;
  const reason = result.stderr.trim();
  const permission = /not permitted|denied/i.test(reason);
  throw new EstabError(
    permission ? 'EPERM' : 'EIO',
    `"ip ${args.join(' ')}" failed (${reason}); run that as root first`,
  );
}
