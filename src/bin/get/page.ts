/** The waterfall as one HTML page that stands alone: no script, no font, no picture from anywhere else. */

import { escapeXml } from '../../analyse/svg.ts';
import { duration } from '../demo/paint.ts';
import { flowKey } from './recorder.ts';
import { type ConnectionRecord, endpointText, type PageRecord, type RequestRecord } from './records.ts';
import { groundText, packetsText } from './report.ts';
import type { Result } from './session.ts';
import { pathOf, secretsText, sizeText } from './step-lines.ts';
import { type Phase, phasesOf } from './waterfall.ts';

const STYLE = `
:root { color-scheme: light dark; --text: #1f2328; --faint: #59636e; --back: #fff; --rule: #d1d9e0; --band: #f6f8fa;
  --queued: #d1d9e0; --dns: #1b7c83; --tcp: #bc4c00; --tls: #8250df; --waiting: #54aeff; --receiving: #1a7f37; --bad: #c62828 }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --faint: #9198a1; --back: #0d1117; --rule: #30363d;
  --band: #161b22; --queued: #3d444d; --dns: #39c5cf; --tcp: #f0883e; --tls: #a371f7; --waiting: #1f6feb;
  --receiving: #3fb950; --bad: #ff7b72 } }
body { margin: 2rem auto; max-width: 1100px; padding: 0 1rem; font: 14px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back) }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere }
.faint { color: var(--faint) } .bad { color: var(--bad) }
.fall { display: grid; grid-template-columns: minmax(9rem, 20rem) 1fr 5rem 5rem 3rem; gap: 0 .75rem; font-size: 13px }
.fall > div { padding: 3px 0; border-bottom: 1px solid var(--rule); white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.num { text-align: right; font-variant-numeric: tabular-nums }
.track { position: relative; min-width: 12rem } .track span { position: absolute; top: 5px; height: 13px; min-width: 2px }
.track b { position: absolute; font-weight: 400; font-size: 12px }
.track i { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--rule) }
.queued { background: var(--queued) } .dns { background: var(--dns) } .tcp { background: var(--tcp) } .tls { background: var(--tls) }
.waiting { background: var(--waiting) } .receiving { background: var(--receiving) }
.legend span { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 14px; vertical-align: -1px }
details { border: 1px solid var(--rule); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer } table { border-collapse: collapse; margin: .6rem 0 } td { padding: 2px 12px 2px 0; vertical-align: top }
code { font: 12px ui-monospace, monospace; overflow-wrap: anywhere } .ladder { overflow-x: auto }`;

const NAMES: Readonly<Record<Phase['kind'], string>> = {
  queued: 'queued',
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  waiting: 'until the first byte',
  receiving: 'receiving',
};

export function htmlPage(result: Result): string {
  const where = escapeXml(groundText(result.options, result.ground, ', '));
  const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`;
  return (
    `${head}<title>The life of a request</title><style>${STYLE}</style></head><body><h1>The life of a request</h1>` +
    `<p class="faint">Over ${where}. ${packetsText(result)}.</p>` +
    result.pages.map(pageSection).join('') +
    `<h2>Connections</h2>${result.connections.map((connection) => connectionSection(connection, result)).join('')}` +
    `</body></html>\n`
  );
}

function pageSection(page: PageRecord): string {
  const ends = page.requests.map(({ endedAt }) => endedAt ?? 0);
  const total = Math.max(1, Math.max(...ends) - page.startedAt);
  const since = (time: number | null): string =>
    time === null ? 'never' : duration(Math.round(time - page.startedAt));
  const legend = Object.entries(NAMES).map(([kind, name]) => `<span class="${kind}"></span>${name}`);
  const rows = page.requests.map((request) => requestRow(request, page, total));
  const failures = page.requests.flatMap(({ failure }) =>
    failure === null ? [] : [`Failed at ${failure.step}: ${failure.message}`],
  );
  return (
    `<h2>${escapeXml(page.url)}</h2>` +
    `<p>First byte ${since(page.firstByteAt)} · DOM ${since(page.domAt)} · load ${since(page.loadAt)}</p>` +
    [...new Set(failures)].map((text) => `<p class="bad">${escapeXml(text)}</p>`).join('') +
    `<div class="fall">${rulerRow(page, total)}${rows.join('')}</div><p class="faint legend">${legend.join('')}</p>`
  );
}

/** Round numbers of milliseconds, and where DOM and load stand (the thin lines in the rows below). */
function rulerRow(page: PageRecord, total: number): string {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, total / 5)));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= total / 6) ?? 10) * power;
  const labels: string[] = [];
  for (let ms = 0; ms < total * 0.95; ms += step) {
    labels.push(`<b style="left:${((100 * ms) / total).toFixed(2)}%">${ms}${ms === 0 ? ' ms' : ''}</b>`);
  }
  return `<div class="faint">${page.requests.length} requests</div><div class="track faint">${labels.join('')}</div><div></div><div></div><div></div>`;
}

function requestRow(request: RequestRecord, page: PageRecord, total: number): string {
  const percent = (ms: number): string => `${((100 * ms) / total).toFixed(2)}%`;
  const bars = phasesOf(request).map(({ kind, from, until }) => {
    const title = `${NAMES[kind]} ${duration(Math.round((until - from) * 10) / 10)}`;
    return `<span class="${kind}" title="${title}" style="left:${percent(from - page.startedAt)};width:${percent(until - from)}"></span>`;
  });
  const marks = [page.domAt, page.loadAt].flatMap((time) =>
    time === null ? [] : [`<i style="left:${percent(time - page.startedAt)}"></i>`],
  );
  const { status, endedAt, connection, octets } = request;
  const bad = status === null || status >= 400;
  const took = endedAt === null ? 'failed' : duration(Math.round(endedAt - request.queuedAt));
  const name = escapeXml(pathOf(request));
  return (
    `<div class="${bad ? 'bad' : ''}" title="${escapeXml(request.url)}">${name}${bad && status !== null ? ` (${status})` : ''}</div>` +
    `<div class="track">${marks.join('')}${bars.join('')}</div><div class="num">${sizeText(octets)}</div>` +
    `<div class="num">${took}</div><div class="num">c${connection?.id ?? '–'}</div>`
  );
}

function connectionSection(connection: ConnectionRecord, result: Result): string {
  const { id, host, address, port, localPort, protocol, requests, ending } = connection;
  const ladder = result.endings.get(flowKey(connection))?.ladder ?? '';
  const what = requests === 0 ? '' : `${protocol}, ${requests} ${requests === 1 ? 'request' : 'requests'} · `;
  const rows = factsOf(connection).map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`);
  return (
    `<details><summary><b>c${id}</b> ${escapeXml(host)} :${localPort} → ${endpointText(address, port)} · ${what}${ending}</summary>` +
    `<table>${rows.join('')}</table><div class="ladder">${ladder}</div></details>`
  );
}

function factsOf({ dns, tcp, tls }: ConnectionRecord): [name: string, value: string][] {
  const rows: [string, string][] = [];
  const took = ({ from, until }: { from: number; until: number }): string =>
    ` in ${duration(Math.round((until - from) * 10) / 10)}`;
  if (dns !== null) {
    const asked = dns.cached ? ', known already' : ` (ttl ${dns.ttl}) from ${dns.server}${took(dns)}`;
    const how = dns.server === null ? ', as --resolve says' : asked;
    rows.push(['DNS', `${escapeXml(dns.name)} → ${dns.addresses.join(', ')}${how}`]);
  }
  if (tcp !== null)
    rows.push(['TCP', `${tcp.segments} segments${took(tcp)}${tcp.mss === null ? '' : `, mss ${tcp.mss}`}`]);
  if (tls === null) return rows;
  const agreed = [tls.version, tls.group ?? 'group not seen', tls.cipher, tls.alpn].filter((part) => part !== null);
  rows.push(
    ['TLS', `${agreed.join(' · ')}${took(tls)}`],
    ['Certificates', tls.resumed ? 'none: resumed with a ticket' : tls.chain.map(escapeXml).join(' ← ')],
  );
  if (tls.clientPublic !== null) rows.push(['Client’s public value', `<code>${tls.clientPublic}</code>`]);
  if (tls.serverPublic !== null) rows.push(['Server’s public value', `<code>${tls.serverPublic}</code>`]);
  if (tls.distrust !== null) rows.push(['Trust', `none (${escapeXml(tls.distrust)}), taken all the same`]);
  rows.push(['Secrets', `The same on both ends: ${secretsText(tls)}`]);
  return rows;
}
