/** What is said of a host of the embedded network: its addresses, its names, its wire. */

import type { ZoneOptions } from '../dns/zone.ts';
import type { Link } from '../link/link.ts';
import type { WireOptions } from '../sim/wire.ts';
import { applySetting, defaultSettings } from '../stack/settings.ts';
import type { Settings } from '../stack/settings-table.ts';
import { IpAddress } from '../wire/address.ts';

/** A host, and its wire: `delayMs`, `jitterMs`, `rate`, `loss`, `reorder`, … each way. */
export interface HostDeclaration extends WireOptions {
  /** One, or several of both families. */
  readonly address: string | readonly string[];
  /** Full names that lead to these addresses (A, AAAA, and back by PTR). */
  readonly names?: readonly string[];
  /** This host is a name server: for all declared names, or for zones of its own. */
  readonly zones?: 'names' | readonly ZoneOptions[];
  readonly settings?: Settings;
  /** Settings under their Linux names, `tcp_fin_timeout=30`: on top of the defaults, or of `settings`. */
  readonly sysctl?: readonly string[];
  /** Wraps its link, to watch or to record what passes: `(link) => teeLink(link, sink)`. */
  readonly wrap?: (link: Link) => Link;
}

/** @throws EstabError EINVAL for text that is no address. */
export function addressesOf({ address }: HostDeclaration): IpAddress[] {
  return [address].flat().map((text) => IpAddress.parse(text as string));
}

/** The settings of a host; null for the defaults. @throws EstabError EINVAL for a setting that makes no sense. */
export function settingsOf({ settings, sysctl = [] }: HostDeclaration): Settings | null {
  if (sysctl.length === 0) return settings ?? null;
  const own = { ...(settings ?? defaultSettings()) };
  for (const setting of sysctl) applySetting(own, setting);
  return own;
}
