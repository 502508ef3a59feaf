/** `host:port` in text, as people and the sockets write it. */

import { EstabError } from '../base/errors.ts';

/** `10.0.0.1:80`, `[fd00::1]:80` or `shop.example:80` in two. @throws EstabError EINVAL for anything else */
export function endpoint(text: string): { address: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null)
    throw new EstabError('EINVAL', `"${text}" is no host and port; write shop.example:80 or [fd00::1]:80`);
  return { address: match[1] ?? match[2], port: Number(match[3]) };
}
