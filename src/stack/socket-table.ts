/** Who is there, in the words of `ss -tin`: one line an endpoint, one more with what TCP knows about a connection. */

import type { IpAddress } from '../wire/address.ts';
import { Connection } from './connection.ts';
import { ANY_PORT, type Endpoint, EndpointKind } from './endpoint.ts';
import { Listener } from './listener.ts';
import type { Stack } from './stack.ts';

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

/** The table, header first. Recv-Q and Send-Q of a listener are its accept queue and its backlog, as in ss. */
export function socketTable(stack: Stack): string[] {
  const rows = stack.endpoints().map(describe);
  const table = [
    { cells: ['State', 'Recv-Q', 'Send-Q', 'Local Address:Port', 'Peer Address:Port'], details: '' },
    ...rows,
  ];
  const widths = table[0].cells.map((_, column) => Math.max(...table.map(({ cells }) => cells[column].length)));
  return table.flatMap(({ cells, details }) => {
    const line = cells.map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
    const text = line.join('  ').trimEnd();
    return details === '' ? [text] : [text, `\t ${details}`];
  });
}

function describe(endpoint: Endpoint): { cells: string[]; details: string } {
  const local = at(endpoint.local, endpoint.localPort);
  if (endpoint instanceof Listener) {
    const peer = endpoint.local.family === 4 ? '0.0.0.0:*' : '[::]:*';
    return { cells: ['LISTEN', String(endpoint.waiting), String(endpoint.backlog), local, peer], details: '' };
  }
  const peer = at(endpoint.remote, endpoint.remotePort);
  if (!(endpoint instanceof Connection)) {
    const state = endpoint.kind === EndpointKind.TIME_WAIT ? 'TIME-WAIT' : 'UNCONN';
    return { cells: [state, '0', '0', local, peer], details: '' };
  }
  const { state, readable, unacknowledged } = endpoint;
  return {
    cells: [STATES[state], String(readable), String(unacknowledged), local, peer],
    details: facts(endpoint),
  };
}

/** What `ss -i` says, as far as there is something to say. */
function facts(connection: Connection): string {
  const status = connection.status();
  const words = ['reno'];
  if (status.timestamps) words.push('ts');
  if (status.sack) words.push('sack');
  if (status.ecn) words.push('ecn');
  if (status.sndWscale > 0 || status.rcvWscale > 0) words.push(`wscale:${status.sndWscale},${status.rcvWscale}`);
  words.push(`rto:${Math.round(status.rtoMs)}`);
  if (status.srttMs !== null) words.push(`rtt:${status.srttMs.toFixed(3)}/${(status.rttvarMs ?? 0).toFixed(3)}`);
  words.push(`mss:${status.sndMss}`, `cwnd:${Math.floor(status.cwnd / status.sndMss)}`);
  if (status.ssthresh < 0x7fffffff) words.push(`ssthresh:${Math.floor(status.ssthresh / status.sndMss)}`);
  if (status.inFlight > 0) words.push(`unacked:${Math.ceil(status.inFlight / status.sndMss)}`);
  if (status.unsent > 0) words.push(`notsent:${status.unsent}`);
  if (status.retransmits > 0) words.push(`retrans:0/${status.retransmits}`);
  words.push(`snd_wnd:${status.sndWnd}`, `rcv_wnd:${status.rcvWnd}`);
  return words.join(' ');
}

function at(address: IpAddress, port: number): string {
  const number = port === ANY_PORT ? '*' : String(port);
  return address.family === 6 ? `[${address}]:${number}` : `${address}:${number}`;
}
