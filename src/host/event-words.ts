/** Events in words, one line each: the ladder's words for segments, the RFC's for the rest. */

import { groupName } from '../wire/tls-hello.ts';
import type { DnsEvent, HostEvent, SegmentEvent, TimerEvent, TlsEvent } from './events.ts';

/** `10.0.0.1:49152 ──▶ 10.0.0.2:80  [S] seq 1139332404 win 65535 mss 1460 ws 10 sack ts  SYN-SENT` */
export function eventWords(event: HostEvent): string {
  switch (event.kind) {
    case 'segment':
      return `${ends(event, event.direction === 'sent')}  ${segmentWords(event)}  ${event.state ?? ''}`.trimEnd();
    case 'state':
      return `${ends(event)}  ${event.from} → ${event.to}`;
    case 'timer':
      return `${ends(event)}  ${timerWords(event)}`;
    case 'drop':
      return `${event.interface}  dropped: ${event.reason}`;
    case 'data':
      return `${ends(event, event.direction === 'written')}  ${event.direction} len ${event.length}`;
    case 'tls':
      return `${ends(event, event.direction === 'sent')}  ${tlsWords(event)}`;
    case 'dns':
      return dnsWords(event);
  }
}

/** `[P.] seq 1:101 ack 1 len 100 win 512` */
export function segmentWords({ flags, seq, ack, relative, window, length, options }: SegmentEvent): string {
  const first = relative?.seq ?? seq;
  const acknowledged = relative === null ? ack : relative.ack;
  const words = [`[${flags || 'none'}]`, length > 0 ? `seq ${first}:${first + length}` : `seq ${first}`];
  if (acknowledged !== null) words.push(`ack ${acknowledged}`);
  if (length > 0) words.push(`len ${length}`);
  words.push(`win ${window}`);
  if (options.mss !== undefined) words.push(`mss ${options.mss}`);
  if (options.windowScale !== undefined) words.push(`ws ${options.windowScale}`);
  if (options.sackPermitted) words.push('sack');
  for (const [left, right] of options.sack ?? []) words.push(`sack ${left}:${right}`);
  // Those of every later segment would only be noise.
  if (options.timestamps !== undefined && options.mss !== undefined) words.push('ts');
  return words.join(' ');
}

/** Without a direction, what concerns the connection as such. */
function ends({ local, remote }: { local: string; remote: string }, out: boolean | null = null): string {
  return `${local} ${out === null ? '───' : out ? '──▶' : '◀──'} ${remote}`;
}

function timerWords({ timer, state, retransmits, rtoMs }: TimerEvent): string {
  const detail = timer === 'retransmission' ? ` (RTO ${Math.round(rtoMs)} ms, ${retransmits} before)` : '';
  return `${timer} timer expired${detail}  ${state}`;
}

const VERSIONS: Readonly<Record<number, string>> = { 769: '1.0', 770: '1.1', 771: '1.2', 772: '1.3' };

function tlsWords({ message: { name, length, hello, alert } }: TlsEvent): string {
  const words = [`${name} len ${length}`];
  if (alert !== null) words.push(alert);
  if (hello !== null) {
    const { serverName, versions, cipher, shares, alpn } = hello;
    if (serverName !== null) words.push(serverName);
    if (versions.length > 0) words.push(`versions ${versions.map((one) => VERSIONS[one] ?? one).join(' ')}`);
    if (cipher !== 0) words.push(`cipher 0x${cipher.toString(16).padStart(4, '0')}`);
    if (shares.length > 0) words.push(`shares ${shares.map(({ group }) => groupName(group)).join(' ')}`);
    if (alpn.length > 0) words.push(`alpn ${alpn.join(' ')}`);
  }
  return words.join(', ');
}

function dnsWords({ what, name, type, server, over, rcode, records, reason }: DnsEvent): string {
  const question = `${name}${type === null ? '' : ` ${type}?`}`;
  if (what === 'asked') return `${question}  asked of ${server} over ${over}`;
  if (what !== 'answered') return `${question}  ${what} by ${server}: ${reason}`;
  const answer = records.length > 0 ? records.join(', ') : (rcode ?? '');
  return `${question}  → ${answer} from ${server} over ${over}`;
}
