/** How the connection was opened: in how many segments, why so many, and what was lost on the way. */

import { seqAdd, seqToUint32 } from '../../../base/seq.ts';
import { ACK, RST, SYN } from '../../../wire/tcp.ts';
import { capital, count, duration, inWords } from '../paint.ts';
import { type EndName, otherEnd, type Sent } from '../record.ts';
import { firstStay, ownSegments, type Run } from '../run.ts';
import { has } from '../segment-facts.ts';
import type { Said } from '../summary.ts';

const ENDS = ['client', 'server'] as const;
const USUAL = 3;

/** Null when nobody sent a SYN. */
export function opening(run: Run): Said | null {
  const syns = openingSyns(run);
  const openers = ENDS.filter((end) => syns.some((sent) => sent.from === end && !has(sent.facts, ACK)));
  if (openers.length === 0) return null;
  const [client, server] = ENDS.map((end) => firstStay(run, end, 'ESTABLISHED'));
  if (client === null && server === null) return notOpened(run, syns, openers[0]);
  if (client === null || server === null) return oneSided(run, client === null ? 'server' : 'client', syns);
  const last = Math.max(client.from, server.from);
  const used = [...syns.filter((sent) => sent.time <= last), ...completing(run)];
  const first = syns[0].time;
  const times = `${duration(client.from - first)} until the client could send, ${duration(server.from - first)} until the server could`;
  if (openers.length === 2) return bothOpened(used.length, syns, times);
  const answer = [`Opened in ${inWords(used.length)} segments: ${times}.`, retries(syns, used)];
  return { answer: answer.filter((text) => text !== '').join(' '), why: whyThree(syns, openers[0]) };
}

/** SYNs and those SYN-ACKs that answer one of them: what was said to strays does not count. */
function openingSyns(run: Run): Sent[] {
  const syns = ownSegments(run).filter((sent) => has(sent.facts, SYN));
  const asked = syns.filter((sent) => !has(sent.facts, ACK));
  return syns.filter(
    (sent) =>
      !has(sent.facts, ACK) ||
      asked.some((other) => other.from !== sent.from && seqAdd(other.facts.seq, 1) === sent.facts.ack),
  );
}

/** The segment without a SYN that took an end to ESTABLISHED, and those before it that were lost trying. */
function completing(run: Run): Sent[] {
  const own = ownSegments(run).filter((sent) => !has(sent.facts, SYN));
  const last = own.find((sent) => sent.arrival?.after === 'ESTABLISHED' && sent.arrival.before === 'SYN-RECEIVED');
  if (last === undefined) return [];
  return own.filter((sent) => sent.from === last.from && sent.order <= last.order && !has(sent.facts, RST));
}

function whyThree(syns: readonly Sent[], opener: EndName): string {
  const own = syns.findLast((sent) => sent.from === opener);
  const other = syns.findLast((sent) => sent.from === otherEnd(opener));
  if (own === undefined || other === undefined) return '';
  const numbers = `${opener} ${seqToUint32(own.facts.seq)}, ${otherEnd(opener)} ${seqToUint32(other.facts.seq)}`;
  return (
    `Each side said its own first number (${numbers}) and heard it acknowledged, plus one. ` +
    `Two numbers and two acknowledgments make three segments, since the ${otherEnd(opener)}'s number and its answer to the ${opener}'s travel together.`
  );
}

function bothOpened(segments: number, syns: readonly Sent[], times: string): Said {
  const answers = syns.filter((sent) => has(sent.facts, ACK)).length;
  return {
    answer: `Opened by both sides at once, in ${inWords(segments)} segments: ${times}.`,
    why:
      `${capital(count(syns.length - answers, 'SYN'))} and ${count(answers, 'SYN-ACK')}: each side sent its SYN before it saw the other's and had to answer that one too, ` +
      'so nothing could travel together. One connection came of it, not two.',
  };
}

function retries(syns: readonly Sent[], used: readonly Sent[]): string {
  const extra = used.length - USUAL;
  if (extra <= 0) return '';
  const lost = used.filter((sent) => sent.lost !== null);
  const again = syns.filter((sent, i) => syns.findIndex((other) => isSame(other, sent)) < i).length;
  const why = again === 0 ? '' : `, ${inWords(again)} sent again`;
  const names = lost.map((sent) => `the ${sent.from}'s ${nameOf(sent)}`);
  const wire = names.length === 0 ? '' : ` The wire lost ${names.join(', ')}.`;
  return `That is ${inWords(extra)} more than usual${why}.${wire}`;
}

function nameOf({ facts }: Sent): string {
  if (!has(facts, SYN)) return facts.text.length > 0 ? 'first text' : 'ACK';
  return has(facts, ACK) ? 'SYN-ACK' : 'SYN';
}

function isSame(a: Sent, b: Sent): boolean {
  return a.from === b.from && a.facts.seq === b.facts.seq && a.facts.flags === b.facts.flags;
}

function oneSided(run: Run, believer: EndName, syns: readonly Sent[]): Said {
  const since = firstStay(run, believer, 'ESTABLISHED')!.from - syns[0].time;
  const other = otherEnd(believer);
  return {
    answer: `Opened on one side only: the ${believer} was ESTABLISHED after ${duration(since)}, the ${other} never was.`,
    why: '',
  };
}

function notOpened(run: Run, syns: readonly Sent[], opener: EndName): Said {
  const told = run.happenings.find((happening) => happening.what === 'closed' && happening.end === opener);
  const tries = syns.filter((sent) => sent.from === opener).length;
  const asked = `Not opened: the ${opener} sent ${count(tries, 'SYN')}`;
  if (told === undefined) return { answer: `${asked}, and nothing had come of it when the picture ends.`, why: '' };
  const after = duration(told.time - syns[0].time);
  if (told.error === 'ECONNREFUSED') {
    const refusal = `the ${otherEnd(opener)} answered with a RST`;
    return { answer: `${asked}, ${refusal}, and the application was told ECONNREFUSED after ${after}.`, why: '' };
  }
  const heard = told.error ?? 'that it was closed';
  return { answer: `${asked} and gave up after ${after}; the application was told ${heard}.`, why: '' };
}
