/**
 * The run in plain words. Every sentence is worked out from the record; what did not happen is not said, and what went
 * otherwise than usual is said as it went.
 */

import { type Seq, seqGe, seqToUint32 } from '../../base/seq.ts';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts';
import { count, duration, inWords, thousands } from './paint.ts';
import { type EndName, otherEnd, type Sent } from './record.ts';
import { type Happening, ownSegments, type Run, type Stay, staysOf } from './run.ts';
import { has, segmentEnd } from './segment-facts.ts';

const ENDS = ['client', 'server'] as const;

/** Opening, closing, TIME-WAIT, what was agreed, what was carried: a paragraph each, where there is something to say. */
export function summary(run: Run): string[] {
  return [opening(run), closing(run), timeWait(run), agreement(run), totals(run)].filter((text) => text !== null);
}

// -- opening

export function opening(run: Run): string | null {
  const syns = ownSegments(run).filter((sent) => has(sent.facts, SYN));
  const openers = ENDS.filter((end) => syns.some((sent) => sent.from === end && !has(sent.facts, ACK)));
  if (openers.length === 0) return null;
  const established = ENDS.map((end) => firstStay(run, end, 'ESTABLISHED'));
  const [client, server] = established;
  if (client === null && server === null) return notOpened(run, syns, openers[0]);
  if (client === null || server === null) {
    const believer = client === null ? 'server' : 'client';
    return `Half opened: the ${believer} reached ESTABLISHED after ${duration((client ?? server)!.from)}, the ${otherEnd(believer)} never did.`;
  }
  const last = Math.max(client.from, server.from);
  const used = [...syns.filter((sent) => sent.time <= last), ...completing(run, syns)];
  const first = syns[0].time;
  const times = `${duration(client.from - first)} until the client could send, ${duration(server.from - first)} until the server could`;
  if (openers.length === 2) return bothOpened(used.length, syns, times);
  return [`Opened in ${inWords(used.length)} segments: ${times}.`, whyThree(syns, openers[0]), retries(syns, used)]
    .filter((text) => text !== '')
    .join(' ');
}

/** The segment without a SYN that took an end to ESTABLISHED. */
function completing(run: Run, syns: readonly Sent[]): Sent[] {
  return ownSegments(run).filter(
    (sent) => !syns.includes(sent) && sent.arrival?.after === 'ESTABLISHED' && sent.arrival.before === 'SYN-RECEIVED',
  );
}

function whyThree(syns: readonly Sent[], opener: EndName): string {
  const own = lastSyn(syns, opener);
  const other = lastSyn(syns, otherEnd(opener));
  if (own === null || other === null) return '';
  const numbers = `${opener} ${seqToUint32(own)}, ${otherEnd(opener)} ${seqToUint32(other)}`;
  return (
    `Each side said its own first number (${numbers}) and heard it repeated, plus one. ` +
    `Two numbers and two acknowledgments make three segments, since the ${otherEnd(opener)}'s number and its answer to the ${opener}'s travel together.`
  );
}

function bothOpened(segments: number, syns: readonly Sent[], times: string): string {
  const answers = syns.filter((sent) => has(sent.facts, ACK)).length;
  return (
    `Opened by both sides at once, in ${inWords(segments)} segments: ${times}. ` +
    `${count(syns.length - answers, 'SYN')} and ${count(answers, 'SYN-ACK')}: each side sent its SYN before it saw the other's and had to answer that one too, so nothing could travel together. One connection came of it, not two.`
  );
}

function retries(syns: readonly Sent[], used: readonly Sent[]): string {
  const lost = used.filter((sent) => sent.lost !== null);
  if (used.length <= 3 && lost.length === 0) return '';
  const extra = used.length - 3;
  const what = lost.map((sent) => `${sent.from}'s ${has(sent.facts, SYN) ? synName(sent) : 'ACK'}`).join(', ');
  const why = lost.length === 0 ? '' : ` The wire lost ${lost.length === 1 ? 'the' : 'these:'} ${what}.`;
  const waited = syns.filter((sent, i) => syns.findIndex((other) => same(other, sent)) < i).length;
  if (extra <= 0) return why.trim();
  return `${capital(inWords(extra))} more than usual, ${waited === 0 ? 'none' : inWords(waited)} of them sent again after a timeout.${why}`;
}

function synName(sent: Sent): string {
  return has(sent.facts, ACK) ? 'SYN-ACK' : 'SYN';
}

function same(a: Sent, b: Sent): boolean {
  return a.from === b.from && a.facts.seq === b.facts.seq && a.facts.flags === b.facts.flags;
}

function notOpened(run: Run, syns: readonly Sent[], opener: EndName): string {
  const told = run.happenings.find((happening) => happening.what === 'closed' && happening.end === opener);
  const tries = syns.filter((sent) => sent.from === opener).length;
  const asked = `Not opened: the ${opener} sent ${count(tries, 'SYN')}`;
  if (told?.error === 'ECONNREFUSED') {
    return `${asked}, the ${otherEnd(opener)} answered with a RST, and the application was told ECONNREFUSED after ${duration(told.time - syns[0].time)}.`;
  }
  if (told === undefined) return `${asked}, and nothing had come of it when the story ended.`;
  return `${asked} and gave up after ${duration(told.time - syns[0].time)}; the application was told ${told.error ?? 'that it was closed'}.`;
}

// -- closing

interface Fins {
  readonly first: Sent;
  readonly second: Sent | null;
}

/** The first FIN of each side, the earlier one first; null when nobody sent one. */
export function finsOf(run: Run): Fins | null {
  const fins = ENDS.map((end) => ownSegments(run, end).find((sent) => has(sent.facts, FIN))).filter(
    (sent) => sent !== undefined,
  );
  if (fins.length === 0) return null;
  fins.sort((a, b) => a.order - b.order);
  return { first: fins[0], second: fins[1] ?? null };
}

/** Both FINs were on their way at once: neither sender knew of the other's. */
export function finsCrossed({ first, second }: Fins): boolean {
  return second !== null && (first.arrival === null || second.order < first.arrival.order);
}

export function closing(run: Run): string | null {
  if (opening(run) === null || !ENDS.some((end) => firstStay(run, end, 'ESTABLISHED'))) return null;
  const reset = resetOf(run);
  const fins = finsOf(run);
  if (fins === null) {
    if (reset !== null) return `Ended by a RST, without any FIN. ${reset}`;
    return stillOpen(run);
  }
  const parts = fins.second === null ? [halfClosed(fins.first)] : [orderly(run, fins, fins.second)];
  if (reset !== null) parts.push(`It then ended with a RST. ${reset}`);
  const again = finRetries(run);
  if (again !== '') parts.push(again);
  return parts.join(' ');
}

function stillOpen(run: Run): string {
  const [client, server] = ENDS.map((end) => run.record.state(end));
  const states = client === server ? `both ends are ${client}` : `the client is ${client}, the server ${server}`;
  const gaveUp = run.happenings.find((happening) => happening.what === 'closed' && happening.error !== null);
  if (gaveUp !== undefined) return `Nobody closed: the ${gaveUp.end} gave up with ${gaveUp.error}; ${states}.`;
  return `Nobody closed: ${states} when the picture ends.`;
}

function halfClosed(fin: Sent): string {
  return `The ${fin.from} closed its direction; the ${otherEnd(fin.from)} never closed the other.`;
}

function orderly(run: Run, fins: Fins, second: Sent): string {
  const { first } = fins;
  const who = `${capital(first.from)} first`;
  if (finsCrossed(fins)) {
    return (
      `Closed by both sides at once: the two FINs crossed, the ${first.from}'s ${duration(second.time - first.time)} before the ${second.from}'s. ` +
      'Each side had to acknowledge a FIN that came while its own was still unanswered (CLOSING), so it took four segments: two FINs, two ACKs.'
    );
  }
  const answer = ownSegments(run, second.from).find(
    (sent) => sent.order > (first.arrival?.order ?? first.order) && seqGe(sent.facts.ack, segmentEnd(first.facts)),
  );
  if (answer === second || answer === undefined) {
    return (
      `Closed in three segments. ${who}. The ${second.from}'s application closed as soon as it was told, before the ACK of the ${first.from}'s FIN ` +
      'had left, so one segment carried both that ACK and its own FIN.'
    );
  }
  const later = second.time - answer.time;
  const wait = later > 0 ? `${duration(later)} later` : 'only after that ACK had left';
  return (
    `Closed in four segments. ${who}. TCP closes each direction by itself: the ${second.from} acknowledged the FIN at once, but its application ` +
    `closed ${wait}, so its ACK and its own FIN went apart.`
  );
}

function finRetries(run: Run): string {
  const again = ENDS.flatMap((end) => {
    const fins = ownSegments(run, end).filter((sent) => has(sent.facts, FIN));
    return fins.length > 1 ? [`the ${end}'s FIN was sent ${times(fins.length)}`] : [];
  });
  return again.length === 0 ? '' : `${capital(again.join(', '))}, since no answer came in time.`;
}

/** Who sent the RST that ended an established connection, and what the other application heard. */
function resetOf(run: Run): string | null {
  const reset = ownSegments(run).find(
    (sent) => has(sent.facts, RST) && (sent.arrival?.after === 'CLOSED' || sent.sender.after === 'CLOSED'),
  );
  if (reset === undefined) return null;
  const other = otherEnd(reset.from);
  const told = run.happenings.find(
    (happening): happening is Happening => happening.what === 'closed' && happening.end === other,
  );
  const heard = told?.error ? `; the application there was told ${told.error}` : '';
  const fate = reset.lost === null ? `ended the ${other}'s connection at once, without an answer${heard}` : 'was lost';
  return `The ${reset.from} sent it at ${duration(reset.time)}: it ${fate}. A RST is never acknowledged, and leaves nobody in TIME-WAIT.`;
}

// -- TIME-WAIT

export function timeWait(run: Run): string | null {
  const stays = staysOf(run.record).filter((stay) => stay.state === 'TIME-WAIT');
  if (stays.length === 0) return null;
  if (stays.length === 2 && stays[0].end !== stays[1].end) {
    return `Both ends keep TIME-WAIT, ${stayLength(run, stays[0])}: each sent its ACK last as far as it knows.`;
  }
  const [stay] = stays;
  return (
    `The ${stay.end} keeps TIME-WAIT ${stayLength(run, stay)}: it sent the last ACK, so it must be there to repeat it if that was lost, ` +
    'and must outlive old duplicates of this connection. The other end is free at once.'
  );
}

function stayLength(run: Run, stay: Stay): string {
  if (stay.until === null) return `(2 MSL are ${duration(run.timeWaitMs)}; it was still there at the end)`;
  const stayed = stay.until - stay.from;
  const planned = Math.abs(stayed - run.timeWaitMs) < 1;
  if (planned) return `for ${duration(stayed)} (2 MSL; --msl)`;
  const why = stayed > run.timeWaitMs ? 'a FIN that came again started the clock anew' : 'it was cut short';
  return `for ${duration(stayed)} (2 MSL are ${duration(run.timeWaitMs)}; ${why})`;
}

// -- what was agreed

export function agreement(run: Run): string | null {
  const statuses = ENDS.map((end) => run.outcomes.find((outcome) => outcome.end === end && outcome.status !== null));
  const [client, server] = statuses.map((outcome) => outcome?.status ?? null);
  const syns = ownSegments(run).filter((sent) => has(sent.facts, SYN));
  const parts: string[] = [];
  const named = ENDS.map((end) => syns.findLast((sent) => sent.from === end)?.facts ?? null);
  if (named[0] !== null && named[1] !== null) {
    const mss = named.map((facts) => facts?.options.mss ?? null);
    if (mss[0] !== null && mss[1] !== null) {
      const both =
        mss[0] === mss[1] ? `MSS ${mss[0]} each way` : `MSS ${mss[0]} to the client, ${mss[1]} to the server`;
      const text =
        client === null
          ? ''
          : ` (${thousands(client.sndMss)} B of text${client.timestamps ? ' beside the timestamps' : ''})`;
      parts.push(both + text);
    }
    parts.push(windows(named));
  }
  if (client !== null && server !== null) {
    parts.push(extras(client, server));
    const rtts = [client.srttMs, server.srttMs];
    if (rtts[0] !== null && rtts[1] !== null) {
      parts.push(`RTT as the client measured it ${duration(rtts[0])}, as the server did ${duration(rtts[1])}`);
    } else if (rtts[0] !== null) parts.push(`RTT as the client measured it ${duration(rtts[0])}`);
  }
  const said = parts.filter((part) => part !== '');
  return said.length === 0 ? null : `Agreed: ${said.join(' · ')}.`;
}

type Named = readonly (Sent['facts'] | null)[];

function windows([client, server]: Named): string {
  const scale = (facts: Sent['facts'] | null): number | null => facts?.options.windowScale ?? null;
  const scales = [scale(client), scale(server)];
  const first = `first windows ${thousands(client!.window)} B (client), ${thousands(server!.window)} B (server)`;
  if (scales[0] === null || scales[1] === null) return `${first}, unscaled`;
  const factors =
    scales[0] === scales[1] ? `× ${2 ** scales[0]}` : `× ${2 ** scales[0]} (client), × ${2 ** scales[1]} (server)`;
  return `${first}, later ones count ${factors}`;
}

function extras(
  client: { sack: boolean; timestamps: boolean },
  server: { sack: boolean; timestamps: boolean },
): string {
  const on = [
    client.sack && server.sack ? 'SACK' : '',
    client.timestamps && server.timestamps ? 'timestamps' : '',
  ].filter((text) => text !== '');
  return on.length === 0 ? 'neither SACK nor timestamps' : on.join(' and ');
}

// -- what was carried

export function totals(run: Run): string {
  const segments = run.record.segments.length;
  const lost = run.record.segments.filter((sent) => sent.lost !== null).length;
  const again = [...run.remarks.values()].filter((remark) => remark.kind === 'again' || remark.kind === 'needless');
  const needless = again.filter((remark) => remark.kind === 'needless').length;
  const up = received(run, 'server');
  const down = received(run, 'client');
  const resent = again.length === 0 ? '' : `, ${thousands(again.length)} sent again`;
  const vain = needless === 0 ? '' : ` (${needless === again.length ? 'all' : needless} needlessly)`;
  return `${thousands(up)} B up, ${thousands(down)} B down in ${count(segments, 'segment')}, ${lost} lost${resent}${vain}.`;
}

/** Octets the application at `end` was given. */
function received(run: Run, end: EndName): number {
  return run.outcomes.reduce((sum, outcome) => sum + (outcome.end === end ? outcome.receivedOctets : 0), 0);
}

// -- small things

export function firstStay(run: Run, end: EndName, state: Stay['state']): Stay | null {
  return staysOf(run.record).find((stay) => stay.end === end && stay.state === state) ?? null;
}

function lastSyn(syns: readonly Sent[], end: EndName): Seq | null {
  return syns.findLast((sent) => sent.from === end)?.facts.seq ?? null;
}

export function times(value: number): string {
  return value === 1 ? 'once' : value === 2 ? 'twice' : `${inWords(value)} times`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
