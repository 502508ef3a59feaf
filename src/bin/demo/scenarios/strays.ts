/** Stories of an old duplicate SYN: why three segments, and what two would do. */

import { seqAdd, seqToUint32 } from '../../../base/seq.ts';
import { ACK, RST, SYN } from '../../../wire/tcp.ts';
import { duration, thousands, times } from '../paint.ts';
import type { Sent } from '../record.ts';
import { ownSegments, type Run, staysOf } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { has, segmentFacts } from '../segment-facts.ts';
import { isSyn } from './opening.ts';

/** How far behind the client's number of today the stray's is. */
const OLD_BY = 1_000_000;

export const oldDuplicateSyn: Scenario = {
  name: 'old-duplicate-syn',
  about: 'a SYN of long ago arrives first: the client disowns it',
  play(stage) {
    const { delayMs } = stage.options;
    stage.server.listen(() => {});
    stage.hold('client', isSyn, 0, 3 * delayMs);
    stage.client.connect();
    stage.at(delayMs / 5, () => {
      const today = ownSyn(stage.record.segments);
      if (today !== undefined) stage.straySyn(seqAdd(today.facts.seq, -OLD_BY));
    });
  },
  explain(run) {
    const stray = run.record.segments.find((sent) => sent.stray !== null);
    const reset = ownSegments(run, 'client').find((sent) => has(sent.facts, RST));
    const answer = ownSegments(run, 'server').find(
      (sent) => stray !== undefined && has(sent.facts, SYN | ACK) && sent.facts.ack === seqAdd(stray.facts.seq, 1),
    );
    if (stray === undefined || answer === undefined) return ['The old duplicate came to nothing this time.'];
    const words = [
      `An old duplicate (SYN ${seqToUint32(stray.facts.seq)}) overtakes today's SYN. The server cannot know and answers it; but the client sees an ACK of ${seqToUint32(answer.facts.ack)}, a number it did not send today`,
    ];
    if (reset !== undefined) {
      const back = staysOf(run.record).some(
        (stay) => stay.end === 'server' && stay.state === 'SYN-RECEIVED' && stay.next === 'LISTEN',
      );
      words.push(
        `, and says so with a RST that carries exactly that number, so that the server believes it${back ? ' and goes back to LISTEN' : ''}. No application heard of any of this; then today's SYN is dealt with as usual.`,
      );
    } else words.push('.');
    return [words.join('')];
  },
};

function ownSyn(segments: readonly Sent[]): Sent | undefined {
  return segments.find((sent) => sent.from === 'client' && sent.stray === null && isSyn(sent.facts));
}

const GREETING = `220 server ready\r\n${'Welcome. '.repeat(40)}\r\n`;

export const twoWayHandshake: Scenario = {
  name: 'two-way-handshake',
  about: 'an experiment: what goes wrong with two segments',
  limitMs: 3_600_000,
  play(stage) {
    stage.client.crash();
    stage.server.listen((conversation) => conversation.write(GREETING));
    stage.title('Two segments: the server takes the SYN for the whole opening');
    // The harness hands the server the third segment it does not wait for, as soon as its SYN-ACK is out.
    let acts = 0;
    stage.onSent = (sent) => {
      if (acts > 0 || sent.from !== 'server' || !has(sent.facts, SYN | ACK)) return;
      acts++;
      const facts = segmentFacts(sent.frame)!;
      stage.forgeAck(facts.ack, seqAdd(facts.seq, 1));
    };
    stage.straySyn(stage.randomSeq());
    stage.whenQuiet(() => {
      stage.title('Three segments: the same old SYN again, and a server that waits for the third');
      stage.straySyn(stage.randomSeq());
    });
  },
  explain(run) {
    const border = run.record.entries.findLast((entry) => entry.kind === 'note' && entry.title)?.order ?? 0;
    const [two, three] = [act(run, (order) => order < border), act(run, (order) => order >= border)];
    return [
      `Both times the same thing arrives: an old duplicate SYN of a client that is long gone. ${told(two, 'With two segments')} ${told(three, 'With three')}`,
      'That is what the third segment is for: a SYN proves nothing about today. Only when the client repeats the number the server has just made up does the server know that ' +
        'somebody is there, now, who wants this connection. (The two-segment server is ours, made to believe by a forged third segment; the protocol itself is unchanged.)',
    ];
  },
  explainsAll: true,
};

interface Act {
  readonly segments: readonly Sent[];
  readonly established: boolean;
  readonly heldMs: number;
  readonly told: number;
}

function act(run: Run, within: (order: number) => boolean): Act {
  const segments = ownSegments(run, 'server').filter((sent) => within(sent.order));
  const from = segments[0]?.time ?? 0;
  const until = segments.at(-1)?.time ?? from;
  const stays = staysOf(run.record).filter((stay) => stay.end === 'server' && stay.from >= from && stay.from <= until);
  const last = stays.findLast((stay) => stay.state === 'ESTABLISHED' || stay.state === 'SYN-RECEIVED');
  return {
    segments,
    established: stays.some((stay) => stay.state === 'ESTABLISHED'),
    heldMs: (last?.until ?? until) - from,
    told: run.happenings.filter(
      (happening) => happening.what === 'opened' && happening.time >= from && happening.time <= until,
    ).length,
  };
}

function told(one: Act, name: string): string {
  const texts = one.segments.filter((sent) => sent.facts.text.length > 0);
  const octets = Math.max(0, ...texts.map((sent) => sent.facts.text.length));
  if (one.established) {
    return (
      `${name} the server is ESTABLISHED at once, its application is given a connection, and sends ${thousands(octets)} B of text, ${times(texts.length)} over, to nobody. ` +
      `It gives up and frees the connection only after ${duration(one.heldMs)}.`
    );
  }
  return (
    `${name} it stays in SYN-RECEIVED, sends its SYN-ACK ${times(one.segments.length)} without a single octet of text, and drops the request after ${duration(one.heldMs)}; ` +
    `${one.told === 0 ? 'no application heard of it' : 'the application heard of it'}.`
  );
}
