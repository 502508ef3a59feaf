/** The network `estab get` lives in by default: a client, a name server, a shop, and hosts where something is wrong. */

import http from 'node:http';
import http2 from 'node:http2';
import tls from 'node:tls';
import { EmbeddedNetwork } from '../../embedded/index.ts';
import type { Link } from '../../link/link.ts';
import { Server } from '../../net/server.ts';
import type { WireEvent } from '../../sim/wire.ts';
import { Authority, type Identity } from './certificates.ts';
import type { Ground } from './ground.ts';
import type { GetOptions } from './options.ts';
import { PICTURES, SHOP, serve } from './site.ts';

/** Each host's address, as `--ipv6` or without it. */
const ADDRESSES = {
  client: ['10.0.0.1', 'fd00::1'],
  names: ['10.0.0.53', 'fd00::53'],
  shop: ['203.0.113.10', '2001:db8::10'],
  pictures: ['203.0.113.20', '2001:db8::20'],
  trouble: ['203.0.113.66', '2001:db8::66'],
  stalled: ['203.0.113.67', '2001:db8::67'],
  gone: ['203.0.113.68', '2001:db8::68'],
} as const;

/** What one can get, for `--list`. */
export const PLACES: readonly (readonly [url: string, what: string])[] = [
  [`https://${SHOP}/`, 'a page with two style sheets, two scripts and five images, two of them from another host'],
  [`https://${SHOP}/tea`, 'another page of the same shop'],
  [`https://${SHOP}/plain`, 'a page without anything else to fetch'],
  [`https://${SHOP}/missing`, 'a page that is not there: 404'],
  [`https://www.${SHOP}/old`, 'a page that has moved to another host: 301'],
  [`https://${SHOP}/circle`, 'a page that sends who asks for it back to it: 302 without end'],
  [`https://${SHOP}:8443/`, 'a port at which nothing listens'],
  ['https://nowhere.example/', 'a name that does not exist'],
  ['https://gone.example/', 'a name whose host does not answer'],
  ['https://stalled.example/', 'a server that takes the connection and says nothing'],
  ['https://silent.example/', 'a server that agrees on keys and then says nothing'],
  ['https://expired.example/', 'a certificate of last year'],
  ['https://wrong.example/', "another one's certificate"],
  ['https://self.example/', 'a certificate that nobody has signed'],
];

export async function buildInternet(
  options: GetOptions,
  watch: (link: Link) => Link,
  observe: (host: string, event: WireEvent) => void,
): Promise<Ground> {
  const { delayMs, loss, seed, ipv6 } = options;
  const wire = { delayMs, loss };
  const of = (host: keyof typeof ADDRESSES): string => ADDRESSES[host][ipv6 ? 1 : 0];
  const network = new EmbeddedNetwork({
    seed,
    observe,
    hosts: {
      client: { address: of('client'), wrap: watch },
      names: { address: of('names'), zones: 'names', ...wire },
      shop: { address: of('shop'), names: [SHOP, `www.${SHOP}`], ...wire },
      pictures: { address: of('pictures'), names: [PICTURES], ...wire },
      trouble: {
        address: of('trouble'),
        names: ['expired.example', 'wrong.example', 'self.example', 'silent.example'],
        ...wire,
      },
      stalled: { address: of('stalled'), names: ['stalled.example'], ...wire },
      gone: { address: of('gone'), names: ['gone.example'], loss: 1 },
    },
  });
  const authority = await Authority.create('estab');
  const shop = await authority.issue({ names: [SHOP, `www.${SHOP}`] });
  const identities: Readonly<Record<string, Identity>> = {
    [SHOP]: shop,
    [`www.${SHOP}`]: shop,
    [PICTURES]: await authority.issue({ names: [PICTURES] }),
    'silent.example': await authority.issue({ names: ['silent.example'] }),
    'expired.example': await authority.issue({ names: ['expired.example'], from: -400, until: -35 }),
    'wrong.example': shop,
    'self.example': await Authority.selfSigned(['self.example']),
  };
  const serverKeys = new Set<string>();
  for (const name of ['shop', 'pictures', 'trouble']) {
    const host = network.host(name);
    const secure = secureServer(identities, options, (line) => serverKeys.add(line));
    const plain = http.createServer(serve);
    // The names of a host that waits for ever are only told apart by what the client asks for.
    new Server(host, { noDelay: true }, (socket) => secure.emit('connection', socket)).listen(443);
    new Server(host, { noDelay: true }, (socket) => plain.emit('connection', socket)).listen(80);
  }
  const stalled = network.host('stalled');
  for (const port of [80, 443]) new Server(stalled, { allowHalfOpen: true }, (socket) => socket.resume()).listen(port);
  return {
    host: network.host('client'),
    device: 'embedded0',
    words: 'an embedded network',
    families: [ipv6 ? 6 : 4],
    nameServers: [of('names')],
    nameTimeoutMs: Math.max(200, 6 * delayMs),
    authorities: authority.root,
    leastTls: 'TLSv1.3',
    serverKeys,
    close: () => network.close(),
  };
}

/** One server for TLS with HTTP/2 and HTTP/1.1, whose certificate follows the name asked for. */
function secureServer(
  identities: Readonly<Record<string, Identity>>,
  options: GetOptions,
  keylog: (line: string) => void,
): http2.Http2SecureServer {
  const contextOf = ({ key, chain }: Identity): tls.SecureContext => tls.createSecureContext({ key, cert: chain });
  const contexts = new Map(Object.entries(identities).map(([name, identity]) => [name, contextOf(identity)]));
  const { key, chain } = identities[SHOP];
  const server = http2.createSecureServer(
    {
      key,
      cert: chain,
      allowHTTP1: true,
      minVersion: 'TLSv1.3',
      ...(options.group === null ? {} : { ecdhCurve: options.group }),
      SNICallback: (name, done) => done(null, contexts.get(name)),
    },
    (request, response) => {
      const host = ((request.headers[':authority'] as string | undefined) ?? request.headers.host ?? '').replace(
        /:\d+$/,
        '',
      );
      if (host === 'silent.example') return;
      serve(request as unknown as http.IncomingMessage, response as unknown as http.ServerResponse);
    },
  );
  server.on('keylog', (line) => keylog(line.toString('latin1').trim()));
  // A client that refuses the certificate, or leaves: its side tells what happened.
  server.on('tlsClientError', () => undefined);
  server.on('sessionError', () => undefined);
  return server;
}
