/** Stories about closing: each direction by itself, one long before the other, both at once, the last ACK lost. */

import { FIN } from '../../../wire/tcp.ts';
import { duration, inWords, thousands } from '../paint.ts';
import { firstStay, ownSegments } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { has } from '../segment-facts.ts';
import { finsCrossed, finsOf } from '../summary/closing.ts';

/** How long the server's application thinks before it closes too. */
const THINKING_MS = 20;

export const fourWayClose: Scenario = {
  name: 'four-way-close',
  focus: ['closing'],
  about: 'FIN, ACK, FIN, ACK: each direction is closed by itself',
  play(stage) {
    stage.server.listen((conversation) => {
      conversation.onPeerClosed = () => stage.after(THINKING_MS, () => conversation.close());
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => stage.after(THINKING_MS, () => conversation.close());
  },
  explain(run) {
    const fins = finsOf(run);
    if (fins?.second == null) return [];
    return [
      `A FIN says "I have nothing more to send", not "goodbye": after the ${fins.first.from}'s FIN the ${fins.second.from} could still have sent for as long as it liked ` +
        `(here it took ${duration(Math.max(0, fins.second.time - (fins.heard ?? fins.first).time))} to close too). A FIN takes a sequence number, as a SYN does, so it is acknowledged and repeated like text.`,
    ];
  },
};

export const halfClose: Scenario = {
  name: 'half-close',
  focus: ['closing'],
  about: 'the client closes its direction and goes on reading',
  play(stage) {
    stage.server.listen((conversation) => {
      conversation.onPeerClosed = () => {
        const lines = ['alpha', 'beta', 'gamma'];
        lines.forEach((line, i) => {
          stage.after((i + 1) * 2 * THINKING_MS, () => conversation.write(`${line}\n`.repeat(20)));
        });
        stage.after((lines.length + 1) * 2 * THINKING_MS, () => conversation.close());
      };
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => {
      conversation.write('list everything\n');
      conversation.close();
    };
  },
  explain(run) {
    const fins = finsOf(run);
    if (fins === null || fins.first.from !== 'client') return [];
    const after = ownSegments(run, 'server').filter(
      (sent) => sent.facts.text.length > 0 && sent.order > (fins.heard ?? fins.first).order,
    );
    const octets = after.reduce((sum, sent) => sum + sent.facts.text.length, 0);
    const stay = firstStay(run, 'client', 'FIN-WAIT-2');
    const waited = stay === null || stay.until === null ? '' : `, ${duration(stay.until - stay.from)} in FIN-WAIT-2`;
    return [
      `The client sent its FIN behind its request: "that was all". The server then sent ${thousands(octets)} B in ${inWords(after.length)} segments into the half that was still open` +
        `${waited}; the client acknowledged them and closed nothing more, since it had nothing left to close.`,
    ];
  },
};

export const simultaneousClose: Scenario = {
  name: 'simultaneous-close',
  focus: ['closing'],
  about: 'both sides close at once: the FINs cross',
  play(stage) {
    const { delayMs } = stage.options;
    const moment = 3 * (delayMs + 10);
    stage.server.listen((conversation) => stage.at(moment + delayMs / 2, () => conversation.close()));
    const conversation = stage.client.connect();
    stage.at(moment, () => conversation.close());
  },
  explain(run) {
    const fins = finsOf(run);
    if (fins === null || !finsCrossed(fins)) return ['The FINs did not cross this time.'];
    const waiting = (['client', 'server'] as const).filter((end) => firstStay(run, end, 'TIME-WAIT') !== null).length;
    return [
      'A FIN that arrives while the own one is not acknowledged yet leads to CLOSING, and the ACK of the own one from there to TIME-WAIT. ' +
        (waiting === 2
          ? 'No one closed second, so no one is spared the wait: both sides keep TIME-WAIT.'
          : `${inWords(waiting)} of the two went through TIME-WAIT.`),
    ];
  },
};

export const lostLastAck: Scenario = {
  name: 'lost-last-ack',
  focus: ['closing'],
  about: 'the ACK of the last FIN is lost: what TIME-WAIT is for',
  play(stage) {
    stage.lose('client', () => stage.record.state('client') === 'TIME-WAIT');
    stage.server.listen((conversation) => {
      conversation.onPeerClosed = () => stage.after(THINKING_MS, () => conversation.close());
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => stage.after(THINKING_MS, () => conversation.close());
  },
  explain(run) {
    const fins = ownSegments(run, 'server').filter((sent) => has(sent.facts, FIN));
    const wait = firstStay(run, 'client', 'TIME-WAIT');
    const last = firstStay(run, 'server', 'LAST-ACK');
    if (fins.length < 2 || wait === null || last === null) return [];
    const closed =
      last.until === null
        ? 'and was not yet answered when the story ended'
        : `and was CLOSED after ${duration(last.until - last.from)} in LAST-ACK`;
    return [
      `The server cannot tell a lost ACK from a lost FIN, so it sent its FIN again after ${duration(fins[1].time - fins[0].time)}, ${closed}. ` +
        'The client was in TIME-WAIT, still knew the connection, and repeated its ACK. Had it forgotten everything at once, its answer to that FIN would have been a RST, ' +
        'the sign of something broken where all had gone well.',
    ];
  },
};
