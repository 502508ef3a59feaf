/** Stories about opening: the usual three segments, both sides at once, and what a lost segment does to them. */

import { ACK, SYN } from '../../../wire/tcp.ts';
import { duration, times } from '../paint.ts';
import { type EndName, otherEnd } from '../record.ts';
import { firstStay, ownSegments, type Run } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { has, type SegmentFacts } from '../segment-facts.ts';

export const threeWayHandshake: Scenario = {
  name: 'three-way-handshake',
  focus: ['opening', 'agreement'],
  about: 'SYN, SYN-ACK, ACK: two hosts agree to be connected',
  play(stage) {
    stage.server.listen(() => {});
    stage.client.connect();
  },
  explain(run) {
    const client = firstStay(run, 'client', 'ESTABLISHED');
    const server = firstStay(run, 'server', 'ESTABLISHED');
    if (client === null || server === null) return [];
    return [
      `The client knows after ${duration(client.from)} that the server hears it and will talk; the server knows the same of the client ` +
        `after ${duration(server.from)}, when the third segment tells it that its own number arrived.`,
    ];
  },
};

export const simultaneousOpen: Scenario = {
  name: 'simultaneous-open',
  focus: ['opening', 'agreement'],
  about: 'both sides open at once: four segments, one connection',
  play(stage) {
    stage.client.connect();
    stage.after(stage.options.delayMs / 3, () => stage.server.connect());
  },
  explain(run) {
    const ends = (['client', 'server'] as const).filter((end) => firstStay(run, end, 'SYN-RECEIVED') !== null);
    if (ends.length < 2) return ['The SYNs did not cross this time.'];
    return [
      'Neither side listens. Each sends a SYN, then gets one: it goes from SYN-SENT to SYN-RECEIVED, answers with a SYN-ACK of its old number, ' +
        "and is ESTABLISHED when the other's SYN-ACK comes.",
    ];
  },
};

export const lostSyn: Scenario = {
  name: 'lost-syn',
  focus: ['opening'],
  about: 'the first SYN is lost: a timer sends it again',
  play(stage) {
    stage.lose('client', isSyn);
    stage.server.listen(() => {});
    stage.client.connect();
  },
  explain: (run) => [
    'Nobody knows of a lost SYN: the server never heard of the client, and the client only notices that no answer comes. ' +
      repeated(run, 'client', isSyn),
  ],
};

export const lostSynAck: Scenario = {
  name: 'lost-synack',
  focus: ['opening'],
  about: 'the SYN-ACK is lost: who asks again?',
  play(stage) {
    stage.lose('server', isSynAck);
    stage.server.listen(() => {});
    stage.client.connect();
  },
  explain: (run) => [
    'The server is in SYN-RECEIVED, the client still in SYN-SENT, and each waits for the other; whose timer strikes first asks again. ' +
      `${repeated(run, 'client', isSyn)} ${repeated(run, 'server', isSynAck)} A SYN that comes again with the same number is the same request, so there is one connection.`.trim(),
  ],
};

function repeated(run: Run, end: EndName, kind: (facts: SegmentFacts) => boolean): string {
  const sent = ownSegments(run, end).filter((segment) => kind(segment.facts));
  const name = kind === isSyn ? 'SYN' : 'SYN-ACK';
  if (sent.length < 2) return `The ${end} sent ${sent.length === 0 ? 'no' : 'one'} ${name}.`;
  const [first, second] = sent;
  const same = sent.every((segment) => segment.facts.seq === first.facts.seq);
  return (
    `The ${end} sent its ${name} ${times(sent.length)}, ${same ? 'always with the same number, ' : ''}` +
    `the second ${duration(second.time - first.time)} after the first, ${because(run, end, second.time)}.`
  );
}

/** A SYN-ACK may come again since the timer struck or since the SYN came again. */
function because(run: Run, end: EndName, time: number): string {
  const asked = ownSegments(run, otherEnd(end)).some((sent) => sent.arrival?.time === time);
  return asked ? "in answer to the other's SYN that had come again" : 'when its timer struck';
}

export function isSyn(facts: SegmentFacts): boolean {
  return has(facts, SYN) && !has(facts, ACK);
}

export function isSynAck(facts: SegmentFacts): boolean {
  return has(facts, SYN | ACK);
}
