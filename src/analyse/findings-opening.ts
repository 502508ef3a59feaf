/** How the connection was opened, and what came in its name without being part of it, in words. */

import type { Facts } from './facts.ts';
import { name, other, type Say } from './say.ts';
import type { Side } from './trace.ts';
import { duration, list, plural } from './words.ts';

export function handshakeFindings(f: Facts, say: Say): void {
  const { handshake: h, trace: t } = f;
  const server = other(h.client);
  const port = t.flow.sides[server].port;
  if (h.oneSided) {
    const seen = t.flow.sides[h.client].packets > 0 ? 'client' : 'server';
    say(
      'one-sided',
      'proven',
      null,
      [0],
      `Only the ${seen}'s packets are in the capture; it acknowledges a peer that is not. What that one did is not known.`,
    );
  }
  if (t.flow.strayOf !== 0) {
    say(
      'old-duplicate-syn',
      'likely',
      'RFC 9293 3.5, figure 9',
      [...h.syns, ...h.synAcks, h.reset],
      `An old SYN reached the server before the one of connection ${t.flow.strayOf}: the server answered it, the client's reset took that back, and the other connection went on.`,
    );
    return;
  }
  switch (h.kind) {
    case 'simultaneous-open':
      say(
        'simultaneous-open',
        'proven',
        'RFC 9293 3.5',
        [...h.syns, ...h.synAcks],
        `Simultaneous open: both sides sent a SYN before they had seen the other's; the SYN-ACKs repeat the SYNs' numbers as they must.`,
      );
      break;
    case 'split':
      say(
        'split-handshake',
        'proven',
        'RFC 9293 3.5',
        [...h.syns, ...h.synAcks, h.ack],
        'Split handshake: the server answered the SYN with a SYN of its own instead of a SYN-ACK, which turns the roles around and fools some filters.',
      );
      break;
    case 'refused':
      say(
        'refused',
        'proven',
        'RFC 9293 3.10.7.1',
        [h.syns[0], h.reset],
        `Refused: a reset answered the SYN, port ${port} is closed.`,
      );
      break;
    case 'unanswered':
      unansweredFinding(f, say);
      break;
    case 'half-open':
      say(
        'half-open',
        'likely',
        'RFC 9293 3.5',
        [...h.syns, ...h.synAcks],
        `The server's SYN-ACK${h.synAcks.length > 1 ? ` (sent ${h.synAcks.length} times)` : ''} was never acknowledged: the connection stayed half open.`,
      );
      break;
    case 'mid-stream':
      say(
        'mid-stream',
        'proven',
        null,
        [0],
        'The capture began in the middle of the connection: no handshake is in it, so window scale and who opened are not known for sure.',
      );
      break;
    case 'fast-open':
      say(
        'fast-open',
        'proven',
        'RFC 7413',
        [h.syns[0]],
        `TCP fast open: the SYN carried a cookie and ${plural(h.fastOpenBytes, 'byte')} of text.`,
      );
      break;
  }
  if (h.stale >= 0) {
    say(
      'half-open',
      'proven',
      'RFC 9293 3.5.1',
      [...h.syns, h.stale, ...h.synAcks],
      `The ${name(f, t.side[h.stale] as Side)} still held an earlier connection of these ports (half-open): it answered the SYN with an ACK in that one's numbers, the reset this drew ended the old one, and the SYN was sent again.`,
    );
  }
  const cookie = t.flow.sides[h.client].syn?.cookie ?? -1;
  if (h.kind !== 'fast-open' && cookie >= 0) {
    const granted = (t.flow.sides[server].syn?.cookie ?? -1) > 0;
    say(
      'fast-open',
      'proven',
      'RFC 7413',
      [h.syns[0]],
      `TCP fast open: the client ${cookie === 0 ? 'asked for a cookie' : 'showed a cookie'}${granted ? ' and was given one' : ''}.`,
    );
  }
  if (h.lostSyns > 0) {
    const waited = t.time(h.synAcks[0]) - t.time(h.syns[0]);
    say(
      'loss',
      t.flow.sides[h.client].syn?.timestamps ? 'proven' : 'likely',
      'RFC 6298 2.1',
      h.syns,
      `${plural(h.lostSyns, 'SYN')} lost on the way: the answer came ${duration(waited)} after the first.`,
    );
  }
  if (h.lostSynAcks > 0) {
    const waited = t.time(h.ack >= 0 ? h.ack : h.synAcks[0]) - t.time(h.syns[0]);
    say(
      'synack-lost',
      'proven',
      'RFC 6298 2.1',
      [...h.syns, ...h.synAcks],
      `${plural(h.lostSynAcks, 'SYN-ACK')} lost before the client: the SYN-ACK was retransmitted and the handshake took ${duration(waited)}${h.hiddenRepeats > 0 ? '; the first one seen still echoes the timestamp of the first SYN' : ''}.`,
    );
  }
  if (h.lostAcks > 0) {
    say(
      'ack-loss',
      'likely',
      'RFC 9293 3.5',
      [...h.synAcks, h.ack],
      `${plural(h.lostAcks, 'acknowledgment')} of the SYN-ACK did not arrive: the server sent it again, though the client had not asked again.`,
    );
  }
}

function unansweredFinding(f: Facts, say: Say): void {
  const { handshake: h, trace: t } = f;
  const icmp = t.flow.icmp?.[0];
  const span = t.time(h.syns.at(-1)!) - t.time(h.syns[0]);
  const tries = h.syns.length === 1 ? 'One SYN' : `${h.syns.length} SYNs over ${duration(span)}`;
  const why =
    icmp === undefined ? '' : `; an ICMP error (type ${icmp.type}, code ${icmp.code}) came back in frame ${icmp.frame}`;
  say('unanswered', 'proven', 'RFC 9293 3.8.3', h.syns, `${tries}, no answer${why}.`);
  const waits = h.syns.slice(1).map((i, n) => t.time(i) - t.time(h.syns[n]));
  if (waits.length > 1 && waits.at(-1)! >= 1.5 * waits[0]) {
    const said = list(waits.map((s) => duration(s)));
    say('rto-backoff', 'proven', 'RFC 6298 5.5', h.syns, `The SYN was repeated after ${said}: exponential back-off.`);
  }
}

const INJECTED = {
  reset: ['injected-reset', 'Reset'],
  syn: ['injected-syn', 'SYN'],
  text: ['injected-data', 'Text'],
} as const;

export function strayFindings(f: Facts, say: Say): void {
  const { trace: t } = f;
  const challenged = f.strays.filter((s) => s.challenge >= 0 || (s.what === 'syn' && s.survived));
  const survived = challenged.filter((s) => s.survived || !s.deadly);
  if (survived.length > 0) {
    const resets = survived.filter((s) => s.what === 'reset').length;
    const syns = survived.length - resets;
    const what = [resets > 0 ? plural(resets, 'reset') : '', syns > 0 ? plural(syns, 'SYN') : '']
      .filter(Boolean)
      .join(' and ');
    const acks = survived.filter((s) => s.challenge >= 0).length;
    const odd = survived.find((s) => s.ttl !== null);
    const clue = odd?.ttl
      ? `, with a hop count of ${odd.ttl.found} where that side's packets have ${odd.ttl.usual}`
      : '';
    const answered = acks > 0 ? `answered by ${plural(acks, 'challenge ACK')}` : 'ignored';
    say(
      'challenge-ack',
      odd ? 'proven' : 'likely',
      'RFC 5961 3, 4',
      survived.flatMap((s) => [s.index, s.challenge]),
      `${what} in the window with a wrong number${clue}: ${answered}; the connection survived.`,
    );
  }
  for (const s of f.strays) {
    if (survived.includes(s)) continue;
    const clues: string[] = [];
    if (s.ttl !== null) clues.push(`hop count ${s.ttl.found} instead of ${s.ttl.usual}`);
    if (s.idOutOfLine) clues.push(`IP identification ${t.ipId(s.index)} out of line`);
    if (s.survived && s.what !== 'text')
      clues.push(`the ${name(f, t.side[s.index] as Side)} itself went on afterwards`);
    const effect = s.deadly ? 'it killed the connection' : 'the connection went on';
    const [kind, what] = INJECTED[s.what];
    say(
      kind,
      clues.length > 1 ? 'proven' : 'likely',
      'RFC 5961 3',
      [s.index],
      `${what} in the ${name(f, t.side[s.index] as Side)}'s name, not from its hand (${clues.join(', ') || 'number out of line'}): ${effect}.`,
    );
  }
}
