/**
 * `localhost` is always known (RFC 6761 section 6.3): where the machine's resolver does not have it, or not in the
 * family asked for, the loopback addresses of our own host stand in.
 */

import dns from 'node:dns';

type Callback = (error: NodeJS.ErrnoException | null, address: string | dns.LookupAddress[], family?: number) => void;

/** As `dns.lookup`, for the name localhost. */
export function lookupLocalhost(name: string, options: dns.LookupOptions, callback: Callback): void {
  // Looked up through the module, so that a program's own dns.lookup is asked.
  dns.lookup(name, options, (error, ...found) => {
    if (error?.code !== 'ENOTFOUND') callback(error, ...(found as [never, number]));
    else answer(options, callback);
  });
}

function answer({ family, all }: dns.LookupOptions, callback: Callback): void {
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ].filter((one) => !family || one.family === family || family === `IPv${one.family}`);
  if (all === true) callback(null, addresses);
  else callback(null, addresses[0].address, addresses[0].family);
}
