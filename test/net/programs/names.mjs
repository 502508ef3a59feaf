/** Names in all the ways that programs ask for them, by ESM named imports too. */
import { lookup, promises, Resolver, resolve, resolve4 } from 'node:dns';
import dns, { lookup as lookupSoon, resolveMx, resolveSrv, resolveTxt, reverse } from 'node:dns/promises';
import { get } from 'node:http';
import { promisify } from 'node:util';

const show = (what, value) => console.log(what, JSON.stringify(value));
const failing = (asked) =>
  asked.then(
    () => 'found',
    ({ message, code, errno, syscall, hostname }) => ({ message, code, errno, syscall, hostname }),
  );

show('lookup', await promisify(lookup)('shop.example'));
show('all', await lookupSoon('shop.example', { all: true }));
show('v4 first', await promises.lookup('shop.example', { order: 'ipv4first', verbatim: undefined }));
show('family', await lookupSoon('shop.example', { family: 4 }));
show('localhost', await lookupSoon('localhost', 4));
show('resolve4', await promisify(resolve4)('shop.example', { ttl: true }));
show('resolve', await promisify(resolve)('shop.example', 'AAAA'));
show('srv', await resolveSrv('_http._tcp.shop.example'));
show('mx', await resolveMx('shop.example'));
show('txt', await resolveTxt('shop.example'));
show('alias', await dns.resolveCname('www.shop.example'));
show('reverse', await reverse('203.0.113.10'));
show('servers', dns.getServers());
const own = new Resolver();
own.setServers(['10.0.0.54']);
show('own', await promisify(own.resolve4.bind(own))('other.example'));
show('no such name', await failing(lookupSoon('nobody.example')));
show('no such record', await failing(dns.resolveTxt('other.example')));
show(
  'cancelled',
  await failing(
    new Promise((yes, no) => {
      const slow = new Resolver();
      slow.setServers(['10.0.0.99']);
      slow.resolve4('shop.example', (error, found) => (error ? no(error) : yes(found)));
      slow.cancel();
    }),
  ),
);
const text = (url) =>
  new Promise((yes, no) => {
    get(url, { agent: false }, (response) => response.on('data', (part) => yes(String(part)))).on('error', no);
  });
show('http', await text('http://shop.example/'));
show('fetch', await (await fetch('http://www.shop.example/')).text());
process.exit();
