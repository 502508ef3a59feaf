/** What only shows across connections: floods, scans, storms, and many of a kind as one line. */

import type { Outcome } from './outcome.ts';
import type { Finding } from './report.ts';
import { duration, largest, list, plural, smallest } from './words.ts';

/** Half-open attempts from which on a flood is considered, and the share of them all, and the rate a second. */
const FLOOD_ATTEMPTS = 50;
const FLOOD_RATE = 20;
/** Ports tried on one host (or hosts on one port) by one source that make a scan. */
const SCAN_TARGETS = 10;

export interface Across {
  findings: Finding[];
  /** Connections that are part of a flood or scan: what they did one by one is not worth a line. */
  involved: Set<Outcome>;
}

export function findAcross(connections: Outcome[]): Across {
  const findings: Finding[] = [];
  const flooded = findFloods(connections, findings);
  const scanned = findScans(connections, findings);
  groupRefusals(connections, findings, scanned);
  groupUnanswered(connections, findings, flooded, scanned);
  findStorms(connections, findings);
  return { findings, involved: new Set([...flooded, ...scanned]) };
}

function isIncomplete(c: Outcome): boolean {
  return c.handshake === 'half-open' || c.handshake === 'unanswered';
}

function groupBy(connections: Outcome[], key: (c: Outcome) => string): Map<string, Outcome[]> {
  const groups = new Map<string, Outcome[]>();
  for (const c of connections) {
    const k = key(c);
    const group = groups.get(k);
    if (group === undefined) groups.set(k, [c]);
    else group.push(c);
  }
  return groups;
}

function findFloods(connections: Outcome[], findings: Finding[]): Set<Outcome> {
  const involved = new Set<Outcome>();
  if (connections.filter(isIncomplete).length < FLOOD_ATTEMPTS) return involved;
  const until = connections.reduce((latest, c) => Math.max(latest, c.start + c.duration), 0);
  for (const group of groupBy(connections, (c) => `${c.server.address}|${c.server.port}`).values()) {
    const honest = honestClients(group);
    const open = group.filter((c) => isIncomplete(c) && !honest.has(c.client.address));
    if (open.length < FLOOD_ATTEMPTS) continue;
    const start = smallest(open.map((c) => c.start));
    const end = largest(open.map((c) => c.start));
    const rate = open.length / Math.max(end - start, 0.001);
    const sources = new Set(open.map((c) => `${c.client.address} ${c.client.port}`)).size;
    const addresses = new Set(open.map((c) => c.client.address)).size;
    if (rate < FLOOD_RATE) continue;
    for (const c of open) involved.add(c);
    const { server } = group[0];
    findings.push({
      kind: 'syn-flood',
      text:
        `SYN flood on ${server.address}:${server.port}: ${plural(open.length, 'SYN')} in ${duration(end - start)}, about ` +
        `${Number(rate.toPrecision(2))} SYN/s, ${plural(sources, 'source')} (${plural(addresses, 'address', 'addresses')}), ` +
        `none completed. ${defence(open, until)} ${victims(
          group.filter((c) => honest.has(c.client.address)),
          start,
        )}`,
      frames: open.slice(0, 8).map((c) => c.firstFrame),
      confidence: addresses > 0.5 * open.length || rate > 100 ? 'proven' : 'likely',
      rfc: 'RFC 4987',
    });
  }
  return involved;
}

/** Whether the backlog filled, or cookies answered beyond it: from who was answered, and whose answer was repeated. */
function defence(open: Outcome[], until: number): string {
  const answered = open.filter((c) => c.handshake === 'half-open');
  const repeated = answered.filter((c) => c.retransmitted > 0).length;
  const silent = open.length - answered.length;
  if (answered.length === 0) return 'No SYN was answered: the backlog was full, or a filter dropped them.';
  if (silent > 0.1 * open.length) {
    return `The backlog filled: ${plural(answered.length, 'SYN')} answered, ${silent} dropped without an answer.`;
  }
  // Who keeps state repeats its SYN-ACK a second later (RFC 6298 section 2.1), where the capture lasts that long.
  const watched = answered.filter((c) => until - c.start > 1.5);
  const forgotten = watched.filter((c) => c.retransmitted === 0).length;
  if (watched.length > 0 && forgotten > 0.5 * watched.length) {
    return `The server kept answering; ${answered.length - repeated} of its SYN-ACKs were sent once and never repeated, so it kept no state for them (SYN cookies).`;
  }
  return repeated > 0
    ? `The server answered all of them and repeated ${repeated} SYN-ACKs: its backlog held them.`
    : 'The server answered all of them.';
}

/** Addresses that completed a connection, or that tried again as a real client does when it gets no answer. */
function honestClients(group: Outcome[]): Set<string> {
  const honest = new Set<string>();
  for (const c of group) {
    const persistent = c.handshake === 'unanswered' && c.packets > 1;
    if (!isIncomplete(c) || persistent) honest.add(c.client.address);
  }
  return honest;
}

function victims(attempts: Outcome[], start: number): string {
  const during = attempts.filter((c) => c.start + c.duration >= start);
  const complete = during.filter((c) => !isIncomplete(c));
  const failed = during.filter(isIncomplete);
  const late = complete.filter((c) => c.late);
  if (during.length === 0) return 'No legitimate client is in the capture.';
  if (failed.length === 0 && late.length === 0) {
    return `${plural(complete.length, 'legitimate connection')} completed: clients unaffected.`;
  }
  const who = list([...new Set([...failed, ...late].map((c) => c.client.address))], 4);
  const slow = late.length > 0 ? `, ${late.length} of them late` : '';
  return `Of ${plural(during.length, 'legitimate attempt')} ${complete.length} completed${slow}, ${failed.length} got nowhere (${who}).`;
}

function findScans(connections: Outcome[], findings: Finding[]): Set<Outcome> {
  const involved = new Set<Outcome>();
  if (connections.filter((c) => c.handshake !== 'complete').length < 0.3 * SCAN_TARGETS) return involved;
  // Who opened everything it tried does not probe.
  const suspects = new Set(connections.filter((c) => c.handshake !== 'complete').map((c) => c.client.address));
  const suspicious = connections.filter((c) => suspects.has(c.client.address));
  const pairs = groupBy(suspicious, (c) => `${c.client.address}|${c.server.address}`);
  for (const group of pairs.values()) {
    const ports = new Set(group.map((c) => c.server.port));
    if (ports.size < SCAN_TARGETS || !looksLikeProbing(group)) continue;
    for (const c of group) involved.add(c);
    const opened = (c: Outcome): boolean => c.handshake === 'complete' || (c.handshake === 'half-open' && c.answered);
    const open = [...new Set(group.filter(opened).map((c) => c.server.port))].sort((a, b) => a - b);
    const refused = group.filter((c) => c.handshake === 'refused').length;
    const silent = group.filter((c) => c.handshake === 'unanswered').length;
    const { client, server } = group[0];
    findings.push({
      kind: 'port-scan',
      text:
        `Port scan by ${client.address} on ${server.address}: ${plural(ports.size, 'port')}, ${open.length} open` +
        `${open.length > 0 ? ` (${list(open, 12)})` : ''}, ${refused} refused${silent > 0 ? `, ${silent} silent` : ''}.`,
      frames: group.slice(0, 8).map((c) => c.firstFrame),
      confidence: 'proven',
      rfc: null,
    });
  }
  sweeps(suspicious, findings, involved);
  return involved;
}

/** Tried, and left without saying anything: no text in nine of ten. */
function looksLikeProbing(group: Outcome[]): boolean {
  const mute = group.filter((c) => c.mute || c.handshake === 'refused').length;
  const closed = group.filter((c) => c.handshake !== 'complete').length;
  return mute >= 0.7 * group.length && closed >= 0.3 * group.length;
}

function sweeps(connections: Outcome[], findings: Finding[], involved: Set<Outcome>): void {
  for (const group of groupBy(connections, (c) => `${c.client.address}|:${c.server.port}`).values()) {
    const hosts = new Set(group.map((c) => c.server.address));
    if (hosts.size < SCAN_TARGETS || !looksLikeProbing(group)) continue;
    for (const c of group) involved.add(c);
    const { client, server } = group[0];
    const open = group.filter((c) => c.handshake === 'complete').length;
    findings.push({
      kind: 'host-sweep',
      confidence: 'proven',
      rfc: null,
      frames: group.slice(0, 8).map((c) => c.firstFrame),
      text: `Sweep by ${client.address}: port ${server.port} tried on ${plural(hosts.size, 'host')}, open on ${open}.`,
    });
  }
}

function groupRefusals(connections: Outcome[], findings: Finding[], scanned: Set<Outcome>): void {
  const refused = connections.filter((c) => c.handshake === 'refused' && !scanned.has(c));
  if (refused.length === 0) return;
  const targets = [...new Set(refused.map((c) => `${c.server.address}:${c.server.port}`))];
  findings.push({
    kind: 'refused',
    text: `Port closed: a reset answered the SYN in ${plural(refused.length, 'connection')} (${list(targets, 4)}).`,
    frames: refused.slice(0, 8).map((c) => c.lastFrame),
    confidence: 'proven',
    rfc: 'RFC 9293 3.10.7.1',
  });
}

function groupUnanswered(
  connections: Outcome[],
  findings: Finding[],
  flooded: Set<Outcome>,
  scanned: Set<Outcome>,
): void {
  const silent = connections.filter((c) => c.handshake === 'unanswered' && !flooded.has(c) && !scanned.has(c));
  if (silent.length < 2) return;
  const targets = [...new Set(silent.map((c) => `${c.server.address}:${c.server.port}`))];
  findings.push({
    kind: 'unanswered',
    text: `${plural(silent.length, 'connection attempt')} got no answer (${list(targets, 4)}).`,
    frames: silent.slice(0, 8).map((c) => c.firstFrame),
    confidence: 'proven',
    rfc: 'RFC 9293 3.8.3',
  });
}

/** Many connections that retransmit within the same second share a cause on the way. */
function findStorms(connections: Outcome[], findings: Finding[]): void {
  const losing = connections.filter((c) => c.handshake === 'complete' && c.lost >= 3);
  const complete = connections.filter((c) => c.handshake === 'complete').length;
  if (losing.length < 5 || losing.length < 0.3 * complete) return;
  findings.push({
    kind: 'retry-storm',
    text: `${losing.length} of ${plural(complete, 'connection')} lost and repeated segments at the same time: what they share on the way is overloaded or broken.`,
    frames: losing.slice(0, 8).map((c) => c.firstFrame),
    confidence: 'likely',
    rfc: null,
  });
}
