/** What the embedded web serves: a shop of several pages with styles, scripts and images, and a host for its pictures. */

import type { IncomingMessage, ServerResponse } from 'node:http';

interface Page {
  readonly type: string;
  readonly body: string | Uint8Array;
}

export const SHOP = 'shop.example';
export const PICTURES = 'img.shop.example';

const css = (size: number, head: string): Page => ({
  type: 'text/css',
  body: padded(head, size, (i) => `.c${i}{margin:${i % 9}px}\n`),
});
const script = (size: number, head: string): Page => ({
  type: 'text/javascript',
  body: padded(head, size, (i) => `export const f${i} = (x) => x + ${i};\n`),
});

/** The pages by their path; `scheme` is that of the request, so that a page without TLS stays without it. */
export function pageAt(host: string, path: string, scheme: string): Page | null {
  const pictures = `${scheme}://${PICTURES}`;
  if (host === PICTURES) return PICTURE_FILES[path] ?? null;
  if (path === '/') return document('A shop', HOME(pictures));
  if (path === '/tea') return document('Tea', TEA(pictures));
  if (path === '/plain') return document('A page without anything else', '<p>Nothing more to fetch.</p>');
  return SHOP_FILES[path] ?? null;
}

const HOME = (pictures: string): string => `
  <img src="/logo.svg" alt="logo"><h1>Tea and cups</h1><p><a href="/tea">All our teas</a></p>
  <img src="${pictures}/cup.bmp" alt="a cup"><img src="${pictures}/pot.bmp" alt="a pot">
  <img src="/banner.svg" alt="banner">${filler('p', 60)}`;
const TEA = (pictures: string): string => `
  <img src="/logo.svg" alt="logo"><h1>Teas</h1><img src="${pictures}/leaf.bmp" alt="a leaf">${filler('li', 90)}`;

const SHOP_FILES: Readonly<Record<string, Page>> = {
  '/app.css': css(9000, 'body{font:16px sans-serif;background:url(/paper.svg)}\n'),
  '/print.css': css(1200, '@media print{nav{display:none}}\n'),
  '/app.js': script(24_000, "console.log('shop');\n"),
  '/cart.js': script(6000, "console.log('cart');\n"),
  '/logo.svg': svg(1800),
  '/banner.svg': svg(12_000),
  '/paper.svg': svg(2500),
};
const PICTURE_FILES: Readonly<Record<string, Page>> = {
  '/cup.bmp': bitmap(120, 90),
  '/pot.bmp': bitmap(100, 100),
  '/leaf.bmp': bitmap(160, 120),
};

/** Paths that lead on. */
const MOVED: Readonly<Record<string, { readonly status: number; readonly to: (scheme: string) => string }>> = {
  '/old': { status: 301, to: (scheme) => `${scheme}://${SHOP}/tea` },
  '/circle': { status: 302, to: () => '/circle' },
};

/** Answers a request of HTTP/1.1 or HTTP/2. */
export function serve(request: IncomingMessage, response: ServerResponse): void {
  const { headers } = request;
  const authority = (headers[':authority'] as string | undefined) ?? headers.host ?? '';
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  const path = (request.url ?? '/').replace(/\?.*$/, '');
  const moved = MOVED[path];
  if (moved !== undefined) {
    response.writeHead(moved.status, { location: moved.to(scheme), 'content-length': 0, server: 'estab' }).end();
    return;
  }
  const page = pageAt(authority.replace(/:\d+$/, ''), path, scheme);
  const { type, body } = page ?? { type: 'text/plain', body: 'There is no such page.\n' };
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(page === null ? 404 : 200, {
    'content-type': type,
    'content-length': bytes.length,
    server: 'estab',
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function document(title: string, body: string): Page {
  const head = `<meta charset="utf-8"><title>${title}</title>
  <link rel="stylesheet" href="/app.css"><link rel="stylesheet" href="/print.css" media="print">
  <script src="/app.js" defer></script><script src="/cart.js" async></script>`;
  const whole = title.includes('without') ? `<meta charset="utf-8"><title>${title}</title>` : head;
  return {
    type: 'text/html; charset=utf-8',
    body: `<!doctype html><html lang="en"><head>${whole}</head><body>${body}</body></html>\n`,
  };
}

function filler(tag: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `<${tag}>Line ${i + 1} of what a page is long for.</${tag}>`).join(
    '\n',
  );
}

function padded(head: string, size: number, line: (i: number) => string): string {
  let text = head;
  for (let i = 0; text.length < size; i++) text += line(i);
  return text;
}

function svg(size: number): Page {
  const head = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">\n';
  const body = padded(head, size, (i) => `<circle cx="${(i * 7) % 64}" cy="${(i * 13) % 64}" r="${1 + (i % 5)}"/>\n`);
  return { type: 'image/svg+xml', body: `${body}</svg>\n` };
}

/** An uncompressed picture, 24 bits a pixel: the one format that needs no library. */
function bitmap(width: number, height: number): Page {
  const row = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let i = 54; i < bytes.length; i++) bytes[i] = (i * 31) ^ (i >> 7);
  return { type: 'image/bmp', body: bytes };
}
