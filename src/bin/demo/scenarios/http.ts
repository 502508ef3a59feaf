/** The main job: a request and its response over one connection, opened and closed. */

import { FIN, SYN } from '../../../wire/tcp.ts';
import type { Conversation } from '../conversation.ts';
import { duration } from '../paint.ts';
import { ownSegments, type Run } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { has } from '../segment-facts.ts';

const BODY = Array.from(
  { length: 60 },
  (_, i) => `<li>line ${i + 1}: every octet of this page has a number</li>\n`,
).join('');
const PAGE = `<!doctype html>\n<title>estab</title>\n<ul>\n${BODY}</ul>\n`;
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 10.0.0.2\r\nUser-Agent: estab\r\nAccept: text/html\r\n\r\n';

export const http: Scenario = {
  name: 'http',
  port: 80,
  focus: ['opening', 'closing', 'agreement'],
  about: 'an HTTP request and its response (what runs without a name)',
  play(stage) {
    stage.server.listen((conversation) => {
      // As HTTP servers do: a response's last segment is not to wait for the ACK of the one before (Nagle).
      conversation.noDelay();
      answerWhenAsked(conversation);
      conversation.onPeerClosed = () => conversation.close();
    });
    const conversation = stage.client.connect();
    conversation.onOpened = () => conversation.write(REQUEST);
    let received = '';
    conversation.onText = (text) => {
      received += text;
      if (isWhole(received)) conversation.close();
    };
  },
  explain(run) {
    const carried = ownSegments(run).filter((sent) => sent.facts.text.length > 0);
    const answered = carried.findLast((sent) => sent.from === 'server')?.arrival?.time;
    if (answered === undefined) return ['The request was never answered; what stopped it stands below.'];
    return [`Request and response took ${duration(answered)} from the first SYN, ${overhead(run)}.`];
  },
};

/** Segments without a single octet of text: what opening, closing and acknowledging cost. */
function overhead(run: Run): string {
  const all = ownSegments(run);
  const bare = all.filter((sent) => sent.facts.text.length === 0);
  const control = bare.filter((sent) => has(sent.facts, SYN) || has(sent.facts, FIN)).length;
  return `${all.length - bare.length} segments of text among ${all.length}; ${control} of the others open or close, the rest only acknowledge`;
}

function answerWhenAsked(conversation: Conversation): void {
  let request = '';
  conversation.onText = (text) => {
    request += text;
    if (!request.endsWith('\r\n\r\n')) return;
    request = '';
    conversation.write(RESPONSE);
  };
}

function isWhole(response: string): boolean {
  const head = response.indexOf('\r\n\r\n');
  const length = /content-length: (\d+)/i.exec(response);
  return head >= 0 && length !== null && response.length >= head + 4 + Number(length[1]);
}
