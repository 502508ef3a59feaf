/** Who is there, in the words of `ss -tin`: one line an endpoint, one more with what TCP knows about a connection. */

import type { Time } from '../base/time.ts';
import type { TcpStatus } from '../tcp/status.ts';
import type { IpAddress } from '../wire/address.ts';
import { Connection } from './connection.ts';
import { ANY_PORT, type Endpoint, EndpointKind } from './endpoint.ts';
import { Listener } from './listener.ts';

/** `ss`'s names, which are shorter than the RFC's. */
const STATES: Readonly<Record<string, string>> = {
  LISTEN: 'LISTEN',
  'SYN-SENT': 'SYN-SENT',
  'SYN-RECEIVED': 'SYN-RECV',
  ESTABLISHED: 'ESTAB',
  'FIN-WAIT-1': 'FIN-WAIT-1',
  'FIN-WAIT-2': 'FIN-WAIT-2',
  'CLOSE-WAIT': 'CLOSE-WAIT',
  CLOSING: 'CLOSING',
  'LAST-ACK': 'LAST-ACK',
  'TIME-WAIT': 'TIME-WAIT',
  CLOSED: 'UNCONN',
};

/** One endpoint, as a line of ss has it. */
export interface SocketRow {
  /** In ss's spelling: `ESTAB`, `SYN-RECV`, `LISTEN` … */
  readonly state: string;
  /** Octets not read and not acknowledged; of a listener its accept queue and its backlog, as in ss. */
  readonly recvQ: number;
  readonly sendQ: number;
  readonly local: string;
  readonly peer: string;
  /** The words of `ss -i`; empty for what is no connection. */
  readonly details: string;
  /** The same as numbers; null for what is no connection. */
  readonly tcp: TcpStatus | null;
}

const HEADER = ['State', 'Recv-Q', 'Send-Q', 'Local Address:Port', 'Peer Address:Port'];

/** Rows as ss prints them, header first, with a line of details below each connection. */
export function socketTable(rows: readonly SocketRow[]): string[] {
  const lines = rows.map(({ state, recvQ, sendQ, local, peer }) => [state, String(recvQ), String(sendQ), local, peer]);
  const widths = HEADER.map((name, column) => Math.max(name.length, ...lines.map((cells) => cells[column].length)));
  const print = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
    return padded.join('  ').trimEnd();
  };
  const details = rows.map((row) => (row.details === '' ? [] : [`\t ${row.details}`]));
  return [print(HEADER), ...lines.flatMap((cells, i) => [print(cells), ...details[i]])];
}

export function socketRow(endpoint: Endpoint, now: Time): SocketRow {
  const none = { recvQ: 0, sendQ: 0, details: '', tcp: null };
  const local = at(endpoint.local, endpoint.localPort);
  if (endpoint instanceof Listener) {
    const peer = endpoint.local.family === 4 ? '0.0.0.0:*' : '[::]:*';
    return { ...none, state: 'LISTEN', recvQ: endpoint.waiting, sendQ: endpoint.backlog, local, peer };
  }
  const peer = at(endpoint.remote, endpoint.remotePort);
  if (!(endpoint instanceof Connection)) {
    return { ...none, state: endpoint.kind === EndpointKind.TIME_WAIT ? 'TIME-WAIT' : 'UNCONN', local, peer };
  }
  const { state, readable, unacknowledged } = endpoint;
  const tcp = endpoint.status();
  const queues = { recvQ: readable, sendQ: unacknowledged };
  return { state: STATES[state], ...queues, local, peer, details: facts(endpoint, tcp, now), tcp };
}

/** What `ss -i` says, in its order, as far as there is something to say. */
function facts(connection: Connection, status: TcpStatus, now: Time): string {
  const words: string[] = [];
  const say = (name: string, value: number): void => {
    if (value > 0) words.push(`${name}:${value}`);
  };
  const ago = (name: string, at: Time | null): void => {
    if (at !== null) words.push(`${name}:${Math.max(Math.round(now - at), 0)}`);
  };
  if (status.timestamps) words.push('ts');
  if (status.sack) words.push('sack');
  if (status.ecn) words.push('ecn');
  words.push(String(connection.getOption('TCP_CONGESTION')));
  if (status.sndWscale > 0 || status.rcvWscale > 0) words.push(`wscale:${status.sndWscale},${status.rcvWscale}`);
  words.push(`rto:${Math.round(status.rtoMs)}`);
  say('backoff', status.unanswered);
  if (status.srttMs !== null) words.push(`rtt:${milliseconds(status.srttMs)}/${milliseconds(status.rttvarMs ?? 0)}`);
  words.push(`mss:${status.sndMss}`, `pmtu:${status.pathMtu}`, `advmss:${status.announcedMss}`);
  words.push(`cwnd:${Math.floor(status.cwnd / status.sndMss)}`);
  if (status.ssthresh < 0x7fffffff) words.push(`ssthresh:${Math.floor(status.ssthresh / status.sndMss)}`);
  say('bytes_sent', status.bytesSent);
  say('bytes_retrans', status.bytesRetransmitted);
  say('bytes_acked', status.bytesAcked);
  say('bytes_received', status.bytesReceived);
  say('segs_out', status.segsOut);
  say('segs_in', status.segsIn);
  say('data_segs_out', status.dataSegsOut);
  say('data_segs_in', status.dataSegsIn);
  if (status.srttMs !== null && status.srttMs > 0) {
    words.push(`send ${Math.round((status.cwnd * 8 * 1000) / status.srttMs)}bps`);
  }
  ago('lastsnd', status.lastSentAt);
  ago('lastrcv', status.lastReceivedAt);
  ago('lastack', status.lastAckAt);
  say('unacked', Math.ceil(status.inFlight / status.sndMss));
  if (status.retransmits > 0) words.push(`retrans:${status.unanswered}/${status.retransmits}`);
  say('notsent', status.unsent);
  words.push(`rcv_space:${status.receiveBuffer}`);
  if (status.minRttMs !== null) words.push(`minrtt:${milliseconds(status.minRttMs)}`);
  words.push(`snd_wnd:${status.sndWnd}`, `rcv_wnd:${status.rcvWnd}`);
  return words.join(' ');
}

/** `29.4`, without zeros that say nothing, as ss prints them. */
function milliseconds(value: number): string {
  return String(Number(value.toFixed(3)));
}

function at(address: IpAddress, port: number): string {
  const number = port === ANY_PORT ? '*' : String(port);
  return address.family === 6 ? `[${address}]:${number}` : `${address}:${number}`;
}
