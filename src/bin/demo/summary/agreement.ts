/** What the two ends agreed on in their SYNs, the round trip they measured, and what was carried. */

import type { TcpStatus } from '../../../tcp/status.ts';
import { SYN } from '../../../wire/tcp.ts';
import { count, duration, thousands } from '../paint.ts';
import type { EndName } from '../record.ts';
import { ownSegments, type Run } from '../run.ts';
import { has, type SegmentFacts } from '../segment-facts.ts';

/** MSS, windows, options, RTT; null without a SYN from both sides. */
export function agreement(run: Run): string | null {
  const syns = ownSegments(run).filter((sent) => has(sent.facts, SYN));
  const client = syns.findLast((sent) => sent.from === 'client')?.facts;
  const server = syns.findLast((sent) => sent.from === 'server')?.facts;
  if (client === undefined || server === undefined) return null;
  const statuses = { client: statusOf(run, 'client'), server: statusOf(run, 'server') };
  const parts = [mss(client, server, statuses.client), windows(client, server)];
  if (statuses.client !== null && statuses.server !== null) {
    parts.push(extras(statuses.client, statuses.server), roundTrip(statuses.client, statuses.server));
  }
  return `Agreed: ${parts.filter((part) => part !== '').join(' · ')}.`;
}

function statusOf(run: Run, end: EndName): TcpStatus | null {
  return run.outcomes.findLast((outcome) => outcome.end === end && outcome.status !== null)?.status ?? null;
}

function mss(client: SegmentFacts, server: SegmentFacts, status: TcpStatus | null): string {
  const [toClient, toServer] = [client.options.mss, server.options.mss];
  if (toClient === undefined || toServer === undefined) return '';
  const both =
    toClient === toServer ? `MSS ${toClient} each way` : `MSS ${toClient} to the client, ${toServer} to the server`;
  if (status === null || !status.timestamps) return both;
  return `${both} (${thousands(status.sndMss)} B of text, the timestamps take 12)`;
}

function windows(client: SegmentFacts, server: SegmentFacts): string {
  const first =
    client.window === server.window
      ? `windows of ${thousands(client.window)} B each at first`
      : `windows of ${thousands(client.window)} B (client) and ${thousands(server.window)} B (server) at first`;
  const scales = [client.options.windowScale, server.options.windowScale];
  if (scales[0] === undefined || scales[1] === undefined) return `${first}, never more than 65,535`;
  if (scales[0] === 0 && scales[1] === 0) return `${first}, never more than 65,535`;
  const [own, other] = scales.map((scale) => thousands(2 ** scale!));
  return own === other ? `${first}, then in units of ${own} B` : `${first}, then in units of ${own} B and ${other} B`;
}

function extras(client: TcpStatus, server: TcpStatus): string {
  const on = [
    client.sack && server.sack ? 'SACK' : '',
    client.timestamps && server.timestamps ? 'timestamps' : '',
  ].filter((text) => text !== '');
  return on.length === 0 ? 'neither SACK nor timestamps' : on.join(' and ');
}

function roundTrip(client: TcpStatus, server: TcpStatus): string {
  const said = [
    client.srttMs === null ? '' : `${duration(client.srttMs)} by the client's clock`,
    server.srttMs === null ? '' : `${duration(server.srttMs)} by the server's`,
  ].filter((text) => text !== '');
  return said.length === 0 ? '' : `round trip ${said.join(', ')}`;
}

/** Octets the applications were given, segments, losses. */
export function totals(run: Run): string {
  const { segments } = run.record;
  const unheard = segments.filter((sent) => sent.lost === 'nobody there').length;
  const lost = segments.filter((sent) => sent.lost !== null).length - unheard;
  const again = [...run.remarks.values()].filter((remark) => remark.kind === 'again' || remark.kind === 'needless');
  const needless = again.filter((remark) => remark.kind === 'needless').length;
  const parts = [
    `${thousands(received(run, 'server'))} B up, ${thousands(received(run, 'client'))} B down in ${count(segments.length, 'segment')}`,
    `${lost} lost`,
    ...(unheard === 0 ? [] : [`${unheard} to a host that was gone`]),
    ...(again.length === 0 ? [] : [`${again.length} sent again`]),
  ];
  const vain = needless === 0 ? '' : ` (${needless === again.length ? 'needlessly' : `${needless} needlessly`})`;
  return `${parts.join(', ')}${vain}.`;
}

/** Octets the application at `end` was given. */
function received(run: Run, end: EndName): number {
  return run.outcomes.reduce((sum, outcome) => sum + (outcome.end === end ? outcome.receivedOctets : 0), 0);
}
