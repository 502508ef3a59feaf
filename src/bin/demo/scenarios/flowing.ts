/** Stories of an open connection: a closed window, losses, overtaking, urgent text, long silence. */

import { seqToUint32 } from '../../../base/seq.ts';
import { SYN, URG } from '../../../wire/tcp.ts';
import { filler } from '../filler.ts';
import { count, duration, inWords, moment, thousands, times } from '../paint.ts';
import type { EndName, Sent } from '../record.ts';
import type { RemarkKind } from '../remarks.ts';
import { ownSegments, type Run } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { has } from '../segment-facts.ts';

const DONE_MS = 100;
/** What a full segment carries with the usual MSS and timestamps. */
const FULL = 1448;

export const zeroWindow: Scenario = {
  name: 'zero-window',
  about: 'nobody reads: the window closes, is probed, opens again',
  windows: { client: 3 * FULL },
  play(stage) {
    stage.server.listen((conversation) => {
      conversation.write(filler(6 * FULL));
      conversation.onPeerClosed = () => conversation.close();
    });
    const conversation = stage.client.connect();
    conversation.pause();
    stage.at(2000, () => {
      stage.note("the client's application begins to read");
      conversation.resume();
    });
    conversation.onText = () => {
      if (conversation.received === 6 * FULL) stage.after(DONE_MS, () => conversation.close());
    };
  },
  explain(run) {
    const closed = remarked(run, 'window-closed')[0];
    const open = remarked(run, 'window-open')[0];
    const probes = remarked(run, 'probe');
    if (closed === undefined) return ['The window never closed in this run.'];
    const shut =
      open === undefined
        ? 'It stayed closed to the end.'
        : `It opened again ${duration(open.time - closed.time)} later, when the application began to read.`;
    const probed =
      probes.length === 0
        ? 'No probe was needed.'
        : `Meanwhile the server sent ${count(probes.length, 'probe')} of one octet (${gaps(probes)}), since the segment that opens the window carries no text, is not repeated, and could be lost: without probes both would then wait for ever.`;
    return [
      `The client's application did not read, so its buffer filled and at ${moment(closed.time)} it said: window 0. That stops the sender without losing anything. ${shut} ${probed}`,
    ];
  },
};

export const retransmission: Scenario = {
  name: 'retransmission',
  about: 'two losses: duplicate ACKs find one, the timer the other',
  play(stage) {
    stage.lose('server', (facts) => facts.text.length > 0, 3);
    stage.lose('server', (facts) => facts.text.length > 0 && facts.text.length < 400);
    stage.server.listen((conversation) => {
      // The last words are asked for on their own: a segment with others behind it would be missed by duplicate ACKs.
      let asked = 0;
      conversation.onText = () => conversation.write(asked++ === 0 ? filler(9 * FULL) : 'last words '.repeat(20));
      conversation.onPeerClosed = () => conversation.close();
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => conversation.write('send nine segments\n');
    conversation.onText = () => {
      if (conversation.received === 9 * FULL) conversation.write('and last words\n');
      if (conversation.received >= 9 * FULL + 220) conversation.close();
    };
  },
  explain(run) {
    const lost = ownSegments(run, 'server').filter((sent) => sent.lost !== null && sent.facts.text.length > 0);
    const words = lost.map((sent) => recovery(run, sent)).filter((text) => text !== '');
    return words.length === 0 ? ['Nothing was lost.'] : [words.join(' ')];
  },
};

/** How the loss of one segment was found and mended. */
function recovery(run: Run, lost: Sent): string {
  const again = ownSegments(run, lost.from).find(
    (sent) => sent.order > lost.order && sent.facts.seq === lost.facts.seq,
  );
  if (again === undefined) return '';
  const name = `The segment sent at ${moment(lost.time)} (${thousands(lost.facts.text.length)} B) was lost.`;
  const asking = ownSegments(run).filter(
    (sent) =>
      sent.from !== lost.from &&
      sent.order > lost.order &&
      sent.order < again.order &&
      run.remarks.get(sent)?.kind === 'duplicate-ack',
  );
  const sooner = `${duration(again.time - lost.time)} after the first`;
  if (asking.length > 0) {
    return `${name} Those behind it arrived, and for each the receiver repeated the ACK of what it still missed: ${inWords(asking.length)} duplicate ${asking.length === 1 ? 'ACK' : 'ACKs'} told the sender, which sent it again ${sooner}.`;
  }
  return `${name} Nothing followed it, so nothing could make the receiver ask for it: only the timer noticed, and it went again ${sooner}.`;
}

export const reordering: Scenario = {
  name: 'reordering',
  about: 'segments overtake each other and are put in order again',
  play(stage) {
    stage.hold('server', (facts) => facts.text.length > 0, 2, 3);
    stage.hold('server', (facts) => facts.text.length > 0, 5, 4);
    stage.server.listen((conversation) => {
      conversation.onText = () => {
        for (let i = 0; i < 7; i++) stage.after(i * 2, () => conversation.write(filler(FULL)));
      };
      conversation.onPeerClosed = () => conversation.close();
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => conversation.write('send seven segments\n');
    conversation.onText = () => {
      if (conversation.received >= 7 * FULL) stage.after(DONE_MS, () => conversation.close());
    };
  },
  explain(run) {
    const texts = ownSegments(run, 'server').filter((sent) => sent.facts.text.length > 0 && sent.arrival !== null);
    const overtaken = texts.filter((sent) =>
      texts.some((other) => other.order > sent.order && other.arrival!.order < sent.arrival!.order),
    );
    const asking = ownSegments(run, 'client').filter((sent) => sent.facts.options.sack !== undefined).length;
    const again = [...run.remarks.values()].filter(
      (remark) => remark.kind === 'again' || remark.kind === 'needless',
    ).length;
    const mistaken =
      again === 0
        ? 'Three duplicate ACKs in a row would have made the sender take the delay for a loss; there were fewer, so it sent nothing twice.'
        : `The sender took the delay for a loss ${times(again)}.`;
    return [
      `${count(overtaken.length, 'segment was', 'segments were')} overtaken on the way; none was lost. The receiver kept what came early, repeated the ACK of what it still missed ` +
        `(${times(asking)}, with a SACK block that says what it has beyond), and handed everything to its application in order when the gap was filled. ${mistaken}`,
    ];
  },
};

export const urgent: Scenario = {
  name: 'urgent',
  about: 'urgent text: a pointer into the stream, nothing more',
  play(stage) {
    stage.server.listen((conversation) => {
      conversation.onUrgent = () => stage.note("the server's application is told: urgent text is on its way");
      conversation.onPeerClosed = () => conversation.close();
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => {
      conversation.write('a long job\n');
      stage.after(DONE_MS, () => conversation.writeUrgent('interrupt!'));
      stage.after(2 * DONE_MS, () => conversation.write('and on\n'));
      stage.after(3 * DONE_MS, () => conversation.close());
    };
  },
  explain(run) {
    const marked = ownSegments(run, 'client').filter((sent) => has(sent.facts, URG));
    if (marked.length === 0) return ['No segment carried the URG flag.'];
    const [{ facts }] = marked;
    const told = run.happenings.filter((happening) => happening.what === 'urgent').length;
    return [
      `${count(marked.length, 'segment')} carried URG. The pointer (${facts.urgentPointer}) counts from that segment's own sequence number (${seqToUint32(facts.seq)}) to the octet behind the urgent ones. ` +
        `The ${facts.text.length} octets themselves travel in line with all the others and are read in their place; the application was told ${times(told)} that they are coming. ` +
        'Few programs use it (telnet is one), middleboxes clear it, and new ones should not.',
    ];
  },
};

const IDLE_S = 60;
const PROBE_S = 5;
const PROBES = 4;

export const keepalive: Scenario = {
  name: 'keepalive',
  about: 'a silent connection is probed; a dead peer is found out',
  settings: { tcp_keepalive_time: IDLE_S, tcp_keepalive_intvl: PROBE_S, tcp_keepalive_probes: PROBES },
  limitMs: 600_000,
  play(stage) {
    stage.server.listen((conversation) => conversation.keepAlive());
    const conversation = stage.client.connect();
    conversation.onOpened = () => conversation.write('hello\n');
    stage.at(1.5 * IDLE_S * 1000, () => stage.title("The client's machine loses its power"));
    stage.at(1.5 * IDLE_S * 1000, () => stage.client.crash());
  },
  explain(run) {
    const probes = remarked(run, 'keep-alive');
    const crash = run.happenings.find((happening) => happening.what === 'crash')?.time ?? Number.POSITIVE_INFINITY;
    const before = probes.filter((sent) => sent.time < crash).length;
    const told = run.happenings.find((happening) => happening.what === 'closed' && happening.end === 'server');
    const end =
      told?.error == null || told.time < crash
        ? ''
        : ` The server gave up ${duration(told.time - crash)} after the crash: RST into the void, ${told.error} to the application.`;
    return [
      `A connection costs nothing while nobody talks, so a dead peer looks like a silent one. The server asked for keep-alives: after ${IDLE_S} s of silence (7,200 s unless set) it sends ` +
        `a segment whose number was acknowledged long ago, which must be answered. ${count(before, 'probe')} answered, ${probes.length - before} not.${end}`,
    ];
  },
};

function remarked(run: Run, kind: RemarkKind, end?: EndName): Sent[] {
  return ownSegments(run, end).filter((sent) => run.remarks.get(sent)?.kind === kind && !has(sent.facts, SYN));
}

/** `after 200 ms, then 400 ms, 800 ms`. */
function gaps(probes: readonly Sent[]): string {
  const between = probes.slice(1).map((probe, i) => duration(probe.time - probes[i].time));
  return between.length === 0 ? `at ${moment(probes[0].time)}` : `the gaps grew: ${between.join(', ')}`;
}
