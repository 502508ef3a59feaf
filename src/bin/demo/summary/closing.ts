/** How the connection was closed: by whom first, in how many segments and why, and who keeps TIME-WAIT. */

import { seqGe } from '../../../base/seq.ts';
import { FIN, RST } from '../../../wire/tcp.ts';
import { capital, duration, moment, times } from '../paint.ts';
import { type Arrival, otherEnd, type Sent } from '../record.ts';
import { firstStay, ownSegments, type Run, type Stay, staysOf } from '../run.ts';
import { has, segmentEnd } from '../segment-facts.ts';
import type { Said } from '../summary.ts';

const ENDS = ['client', 'server'] as const;

interface Fins {
  readonly first: Sent;
  readonly second: Sent | null;
  /** The first time that the first one, or a repetition of it, arrived; null when none ever did. */
  readonly heard: Arrival | null;
}

/** The first FIN of each side, the one sent earlier first; null when nobody sent one. */
export function finsOf(run: Run): Fins | null {
  const fins = ENDS.map((end) => ownSegments(run, end).find((sent) => has(sent.facts, FIN))).filter(
    (sent) => sent !== undefined,
  );
  if (fins.length === 0) return null;
  fins.sort((a, b) => a.order - b.order);
  const [first, second] = fins;
  const arrived = ownSegments(run, first.from).filter((sent) => has(sent.facts, FIN) && isHeard(sent));
  const arrivals = arrived.map((sent) => sent.arrival!).sort((a, b) => a.order - b.order);
  return { first, second: second ?? null, heard: arrivals[0] ?? null };
}

function isHeard(sent: Sent): boolean {
  return sent.arrival !== null && !sent.damaged;
}

/** The second side sent its FIN before it had heard of the first one's. */
export function finsCrossed({ second, heard }: Fins): boolean {
  return second !== null && (heard === null || second.order < heard.order);
}

/** Null when no connection was opened. */
export function closing(run: Run): Said | null {
  if (ENDS.every((end) => firstStay(run, end, 'ESTABLISHED') === null)) return null;
  const fins = finsOf(run);
  const reset = resetOf(run);
  if (fins === null) {
    if (reset === null) return { answer: stillOpen(run), why: '' };
    return {
      answer: `Ended by a RST, without any FIN. ${reset}`,
      why: 'A RST is never acknowledged, and leaves nobody in TIME-WAIT.',
    };
  }
  const said = fins.second === null ? halfClosed(fins.first) : orderly(run, fins, fins.second);
  const extras = [said.answer, finRetries(run), reset === null ? '' : `It ended with a RST. ${reset}`];
  return { answer: extras.filter((text) => text !== '').join(' '), why: said.why };
}

function stillOpen(run: Run): string {
  const [client, server] = ENDS.map((end) => run.record.state(end));
  const states = client === server ? `both ends are ${client}` : `the client is ${client}, the server ${server}`;
  const gaveUp = run.happenings.find((happening) => happening.what === 'closed' && happening.error !== null);
  if (gaveUp !== undefined) return `Nobody closed: the ${gaveUp.end} gave up with ${gaveUp.error}; ${states}.`;
  return `Nobody closed: ${states} when the picture ends.`;
}

function halfClosed(fin: Sent): Said {
  return { answer: `The ${fin.from} closed its direction; the ${otherEnd(fin.from)} never closed the other.`, why: '' };
}

function orderly(run: Run, fins: Fins, second: Sent): Said {
  const { first } = fins;
  if (finsCrossed(fins)) return bothClosed(first, second);
  const who = `${first.from} first`;
  const answer = ownSegments(run, second.from).find(
    (sent) => sent.order > (fins.heard ?? first).order && seqGe(sent.facts.ack, segmentEnd(first.facts)),
  );
  if (answer === second || answer === undefined) {
    return {
      answer: `Closed in three segments, ${who}.`,
      why:
        `The ${second.from}'s application closed as soon as it was told, before the ACK of the ${first.from}'s FIN had left, ` +
        'so one segment carried both that ACK and its own FIN.',
    };
  }
  const later = second.time - answer.time;
  const wait = later > 0 ? `closed ${duration(later)} later` : 'closed only when that ACK had left';
  return {
    answer: `Closed in four segments, ${who}.`,
    why:
      `Each direction is closed by itself: the ${second.from} acknowledged the FIN at once, but its application, which may have had more to send, ` +
      `${wait}, so its ACK and its own FIN went apart.`,
  };
}

function bothClosed(first: Sent, second: Sent): Said {
  const gap = second.time - first.time;
  const when =
    gap === 0 ? 'sent at the same moment' : `the ${first.from}'s sent ${duration(gap)} before the ${second.from}'s`;
  return {
    answer: `Closed by both sides at once, in four segments: the two FINs crossed, ${when}.`,
    why: 'Each side had to acknowledge a FIN that came while its own was still unanswered (CLOSING): two FINs, two ACKs.',
  };
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
  const ended = (sent: Sent): boolean => sent.arrival?.after === 'CLOSED' || sent.sender.after === 'CLOSED';
  const reset = ownSegments(run).find((sent) => has(sent.facts, RST) && ended(sent));
  if (reset === undefined) return null;
  const other = otherEnd(reset.from);
  const when = `The ${reset.from} sent it at ${moment(reset.time)}`;
  if (reset.lost === 'nobody there') return `${when}; nobody was there to hear it.`;
  if (reset.lost !== null) return `${when}, but it was lost.`;
  const told = run.happenings.find((happening) => happening.what === 'closed' && happening.end === other);
  const heard = told?.error == null ? '' : `; the application there was told ${told.error}`;
  return `${when}: it ended the ${other}'s connection at once${heard}.`;
}

/** Null when nobody was in TIME-WAIT. */
export function timeWait(run: Run): Said | null {
  const stays = staysOf(run.record).filter((stay) => stay.state === 'TIME-WAIT');
  if (stays.length === 0) return null;
  const [stay] = stays;
  if (stays.some((other) => other.end !== stay.end)) {
    return {
      answer: `Both ends keep TIME-WAIT ${stayLength(run, stay)}.`,
      why: "Neither can know whether its ACK of the other's FIN arrived, so both stay to repeat it.",
    };
  }
  return {
    answer: `The ${stay.end} keeps TIME-WAIT ${stayLength(run, stay)}.`,
    why:
      'It sent the last ACK, so it must be there to repeat it if that was lost, and it lets old duplicates of this connection die out before a new one can have the same ports. ' +
      `The ${otherEnd(stay.end)} was free as soon as that ACK came.`,
  };
}

function stayLength(run: Run, stay: Stay): string {
  if (stay.until === null) return `(2 MSL, ${duration(run.timeWaitMs)}; it is still there when the picture ends)`;
  const stayed = stay.until - stay.from;
  if (Math.abs(stayed - run.timeWaitMs) < 1) return `for ${duration(stayed)} (2 MSL, see --msl)`;
  const why = stayed > run.timeWaitMs ? 'a FIN that came again started the clock anew' : 'it was cut short';
  return `for ${duration(stayed)} (2 MSL are ${duration(run.timeWaitMs)}; ${why})`;
}
