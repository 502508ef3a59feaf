/** Stories that end with a RST: nobody listens, one side gives up, one side has forgotten everything. */

import { ACK, RST, SYN } from '../../../wire/tcp.ts';
import { filler } from '../filler.ts';
import { moment, thousands } from '../paint.ts';
import { ownSegments, type Run } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { has } from '../segment-facts.ts';

export const refused: Scenario = {
  name: 'refused',
  about: 'nobody listens on the port: a RST is the answer',
  play(stage) {
    stage.client.connect();
  },
  explain(run) {
    const reset = ownSegments(run, 'server').find((sent) => has(sent.facts, RST));
    if (reset === undefined) return ['No RST came back.'];
    return [
      'The server has no connection and no listener to give the SYN to; it keeps nothing and answers with a RST that acknowledges the SYN ' +
        '(sequence number 0, ACK of the number after the SYN), which proves to the client that it answers this very SYN. The server was never in any state but CLOSED.',
    ];
  },
};

export const abort: Scenario = {
  name: 'abort',
  about: 'one side gives up: a RST, and nothing is waited for',
  play(stage) {
    stage.server.listen((conversation) => {
      conversation.onText = () => conversation.write(filler(6000));
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => conversation.write('everything, please\n');
    conversation.onText = () => conversation.abort();
  },
  explain(run) {
    const reset = ownSegments(run).find((sent) => has(sent.facts, RST));
    if (reset === undefined) return [];
    const told = run.happenings.find((happening) => happening.what === 'closed' && happening.end === 'server');
    const heard = told?.error ? `; its application was told ${told.error}, so it can tell this from a normal end` : '';
    const wasted = ownSegments(run, 'server').filter((sent) => sent.facts.text.length > 0 && sent.order < reset.order);
    const octets = wasted.reduce((sum, sent) => sum + sent.facts.text.length, 0);
    return [
      `The client's application had enough and aborted at ${moment(reset.time)}: CLOSED at once, no FIN, no TIME-WAIT. The server had sent ${thousands(octets)} B by then and was CLOSED when the RST came${heard}. ` +
        'Aborting is for errors: what is still unread or under way is thrown away on both sides.',
    ];
  },
};

export const halfOpen: Scenario = {
  name: 'half-open',
  about: 'one side crashes and forgets; the other finds out',
  play(stage) {
    const { server, client } = stage;
    const ticker: { tick: () => void } = { tick: () => {} };
    server.listen((conversation) => {
      conversation.onText = () => {};
      ticker.tick = () => conversation.write('news\n');
    });
    const first = client.connect();
    first.onOpened = () => first.write('subscribe\n');
    stage.at(200, () => stage.title('The client crashes and restarts; the server has news for it (figure 10)'));
    stage.at(200, () => client.crash());
    stage.at(400, () => client.restart());
    stage.at(600, () => ticker.tick());
    stage.at(1000, () => {
      const second = client.connect();
      second.onOpened = () => second.write('subscribe\n');
    });
    stage.at(1400, () => stage.title('It crashes again, restarts and calls again from the same port (figure 9)'));
    stage.at(1400, () => client.crash());
    stage.at(1600, () => client.restart());
    stage.at(1800, () => {
      const third = client.connect();
      third.onOpened = () => third.write('subscribe\n');
    });
  },
  explain(run) {
    const resets = ownSegments(run, 'client').filter((sent) => has(sent.facts, RST));
    const challenge = ownSegments(run, 'server').find((sent) => answersSyn(run, sent));
    const words = [
      'A crash says nothing, so after it the server still believes in the connection: it is half open. It is found out as soon as anybody sends anything.',
    ];
    if (resets.length > 0)
      words.push(
        `The restarted client knows no such connection and answers with a RST (${when(resets)}); the server believes it, for its number fits.`,
      );
    if (challenge !== undefined) {
      words.push(
        `In the second half the client itself calls, from the same port: its SYN hits a connection that is open, so the server neither believes nor refuses it but repeats what it knows ` +
          `(an ACK, at ${moment(challenge.time)}). The client is in SYN-SENT and that ACK acknowledges nothing of its own: RST. Now the server is free, and the SYN that comes again opens the connection.`,
      );
    }
    return [words.join(' ')];
  },
  explainsAll: true,
};

function when(resets: readonly { time: number }[]): string {
  return resets.map((sent) => `at ${moment(sent.time)}`).join(' and ');
}

/** A bare ACK sent the moment a SYN arrived. */
function answersSyn(run: Run, sent: { facts: Parameters<typeof has>[0]; time: number }): boolean {
  if (!has(sent.facts, ACK) || has(sent.facts, SYN) || sent.facts.text.length > 0) return false;
  return ownSegments(run, 'client').some(
    (other) => has(other.facts, SYN) && !has(other.facts, ACK) && other.arrival?.time === sent.time,
  );
}
