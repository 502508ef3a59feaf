/**
 * What really happened in the captures of test/fixtures/captures: what the wire between the two kernels did, and what
 * the kernels counted.
 */

import type { Counts } from '../../src/analyse/index.ts';

export interface Truth {
  connections?: number;
  handshake?: string;
  close?: string;
  firstCloser?: string | null;
  timeWait?: string | null;
  /** Which end the capture was taken at. */
  at?: 'client' | 'server';
  /** Kinds that must be found, and kinds that must not. */
  must: string[];
  mustNot?: string[];
  counts?: Partial<Counts>;
  /** A text the findings must contain. */
  says?: RegExp[];
}

const NOTHING = {
  lost: 0,
  retransmitted: 0,
  needless: 0,
  reordered: 0,
  networkDuplicates: 0,
  capturedTwice: 0,
  captureGaps: 0,
};
const FIN = { handshake: 'complete', close: 'fin-both', firstCloser: 'client', timeWait: 'client' };
const LOSS = ['reordering', 'needless-retransmission', 'network-duplicate', 'captured-twice'];

export const TRUTH: Record<string, Truth> = {
  'g01-client-closes.pcap': { ...FIN, at: 'client', must: ['clean'], counts: NOTHING },
  'g03-half-close.pcap': {
    ...{
      ...FIN,
      at: 'client',
      must: ['half-close'],
      mustNot: ['loss'],
      counts: { ...NOTHING, retransmitted: 1, needless: 1, tailProbes: 1 },
    },
    says: [/60,003 bytes after the client's FIN/],
  },
  'g05-simultaneous-open.pcap': {
    ...{ close: 'fin-both', handshake: 'simultaneous-open', firstCloser: 'client', must: ['simultaneous-open'] },
    ...{ mustNot: ['loss', 'needless-retransmission'], counts: NOTHING },
  },
  'g06-refused.pcap': {
    ...{
      connections: 3,
      handshake: 'refused',
      close: 'rst',
      firstCloser: 'server',
      must: ['refused'],
      mustNot: ['port-scan'],
    },
    says: [/reset answered the SYN in 3 connections/],
  },
  'g08-synack-lost.pcap': {
    ...FIN,
    must: ['synack-lost'],
    mustNot: ['needless-retransmission'],
    counts: { lost: 1, retransmitted: 3 },
  },
  'g10-loss-sack-sender.pcap': {
    ...{
      ...FIN,
      at: 'client',
      must: ['loss'],
      mustNot: LOSS,
      counts: { ...NOTHING, lost: 9, retransmitted: 9, timeouts: 0 },
    },
    says: [/9 segments of the client lost.*0 timeouts.*both copies/],
  },
  'g12-reorder.pcap': {
    ...{ ...FIN, at: 'server', must: ['reordering', 'needless-retransmission'], mustNot: ['loss'] },
    ...{ counts: { ...NOTHING, reordered: 16, retransmitted: 1, needless: 1 }, says: [/16 segments/, /DSACK/] },
  },
  'g14-zero-window.pcap': {
    ...{
      ...FIN,
      at: 'client',
      must: ['zero-window'],
      mustNot: ['loss', 'keepalive'],
      says: [/did not read for 3\.\d+ s/],
    },
    counts: { ...NOTHING, zeroWindows: 3, windowProbes: 3, keepAlives: 0, retransmitted: 1, needless: 1 },
  },
  'g17-rto-backoff.pcap': {
    ...{ ...FIN, at: 'client', must: ['rto-backoff', 'outage'], says: [/from the client to the server/] },
    counts: { lost: 10, lostAcks: 5, retransmitted: 10, needless: 5, timeouts: 8, tailProbes: 2 },
  },
  'g20-syn-flood-cookies.pcap': {
    ...{ connections: 606, must: ['syn-flood'], mustNot: ['port-scan'] },
    says: [/600 SYNs.*600 sources/, /SYN cookies/, /6 legitimate connections completed: clients unaffected/],
  },
  'g22-connect-scan.pcap': {
    connections: 42,
    must: ['port-scan'],
    mustNot: ['syn-flood'],
    says: [/by 10\.77\.0\.1.*42 ports, 3 open \(22, 80, 443\), 39 refused/],
  },
  'g24-ecn-ce.pcap': {
    ...FIN,
    at: 'client',
    must: ['ecn'],
    mustNot: ['loss'],
    counts: NOTHING,
    says: [/ECE.*CWR.*nothing lost/],
  },
  'g26-pmtu-icmp.pcap': {
    ...{ close: 'fin-both', firstCloser: 'client', at: 'client', must: ['path-mtu', 'capture-gap'], mustNot: ['loss'] },
    ...{ counts: { lost: 0, retransmitted: 15, captureGaps: 1 }, says: [/Path MTU 1200/] },
  },
  'g27-nagle-delack.pcap': {
    ...FIN,
    at: 'client',
    must: ['nagle-delayed-ack'],
    mustNot: ['loss'],
    counts: NOTHING,
    says: [/^7 stalls/],
  },
  'g29-midstream.pcap': {
    handshake: 'mid-stream',
    close: 'fin-both',
    firstCloser: 'client',
    must: ['mid-stream'],
    counts: NOTHING,
  },
  'g31-challenge-ack.pcap': {
    ...{
      ...FIN,
      connections: 1,
      at: 'server',
      must: ['challenge-ack'],
      mustNot: ['injected-reset', 'port-reuse', 'abort'],
    },
    counts: { ...NOTHING, challengeAcks: 1 },
  },
  'lab-server-closes.pcap.gz': { ...FIN, firstCloser: 'server', timeWait: 'server', must: ['clean'], counts: NOTHING },
  'lab-simclose.pcap.gz': {
    ...FIN,
    firstCloser: 'both',
    timeWait: 'both',
    must: ['simultaneous-close'],
    counts: NOTHING,
  },
  'lab-lost-syn.pcap.gz': {
    ...FIN,
    must: ['loss'],
    mustNot: ['synack-lost'],
    counts: { ...NOTHING, lost: 1, retransmitted: 1 },
  },
  'lab-lost-last-ack.pcap.gz': {
    ...FIN,
    must: ['ack-loss'],
    mustNot: ['loss'],
    counts: { lost: 1, lostAcks: 1, retransmitted: 1 },
  },
  'lab-lost-fin.pcap.gz': { ...FIN, must: ['loss'], counts: { ...NOTHING, lost: 1, retransmitted: 1 } },
  'lab-loss-send.pcap.gz': {
    ...FIN,
    at: 'client',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 8, retransmitted: 8 },
  },
  'lab-loss-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 8, retransmitted: 8 },
  },
  'lab-loss-nosack-send.pcap.gz': {
    ...FIN,
    at: 'client',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 8, retransmitted: 8 },
  },
  'lab-loss-nosack-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 8, retransmitted: 8 },
  },
  'lab-loss-nots-send.pcap.gz': {
    ...FIN,
    at: 'client',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 8, retransmitted: 8 },
  },
  'lab-loss-nots-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 8, retransmitted: 8 },
  },
  'lab-random-loss-send.pcap.gz': {
    ...FIN,
    at: 'client',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 19, retransmitted: 19 },
  },
  'lab-random-loss-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['loss'],
    mustNot: LOSS,
    counts: { ...NOTHING, lost: 21, retransmitted: 21 },
  },
  'lab-tail-loss.pcap.gz': { ...FIN, at: 'client', must: ['loss'], counts: { ...NOTHING, lost: 1, retransmitted: 1 } },
  'lab-tail-loss-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['loss'],
    counts: { ...NOTHING, lost: 1, retransmitted: 1 },
  },
  'lab-ack-loss.pcap.gz': { ...FIN, must: [], mustNot: ['loss', 'reordering'], counts: { retransmitted: 0, lost: 0 } },
  'lab-dup-send.pcap.gz': {
    ...FIN,
    at: 'client',
    must: ['network-duplicate'],
    mustNot: ['loss', 'needless-retransmission'],
    counts: { ...NOTHING, networkDuplicates: 12 },
  },
  'lab-dup-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['network-duplicate'],
    mustNot: ['loss', 'needless-retransmission'],
    counts: { ...NOTHING, networkDuplicates: 12 },
  },
  'lab-reorder-send.pcap.gz': {
    ...FIN,
    at: 'client',
    must: ['reordering', 'needless-retransmission'],
    mustNot: ['loss'],
    counts: { ...NOTHING, reordered: 16, retransmitted: 1, needless: 1 },
  },
  'lab-reorder-recv.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['reordering', 'needless-retransmission'],
    mustNot: ['loss'],
    counts: { ...NOTHING, reordered: 16, retransmitted: 1, needless: 1 },
  },
  'lab-spurious-rto-recv.pcap.gz': {
    at: 'server',
    must: ['reordering', 'needless-retransmission'],
    mustNot: ['loss'],
    counts: { lost: 0, reordered: 10, retransmitted: 10, needless: 10 },
  },
  'lab-corrupt.pcap.gz': {
    ...FIN,
    at: 'server',
    must: ['corruption'],
    mustNot: LOSS,
    counts: { ...NOTHING, corrupted: 5, lost: 5, retransmitted: 5 },
  },
  'lab-abort.pcap.gz': {
    handshake: 'complete',
    close: 'rst',
    firstCloser: 'client',
    timeWait: null,
    must: ['abort'],
    mustNot: ['injected-reset', 'unread-data-reset'],
    counts: NOTHING,
  },
  'lab-unread.pcap.gz': {
    handshake: 'complete',
    close: 'rst',
    firstCloser: 'server',
    timeWait: null,
    must: ['unread-data-reset'],
    mustNot: ['injected-reset', 'abort'],
    counts: NOTHING,
  },
  'lab-keepalive-dead.pcap.gz': {
    handshake: 'complete',
    close: 'rst',
    must: ['keepalive-dead'],
    mustNot: ['loss', 'abort'],
    counts: { keepAlives: 3, retransmitted: 0 },
  },
  'lab-keepalive.pcap.gz': {
    ...FIN,
    must: ['keepalive'],
    mustNot: ['loss', 'zero-window'],
    counts: { ...NOTHING, keepAlives: 3, windowProbes: 0 },
  },
  'lab-inject-exact-a.pcap.gz': { connections: 1, must: ['injected-reset'], mustNot: ['challenge-ack'] },
  'lab-inject-exact-b.pcap.gz': { connections: 1, must: ['injected-reset'], mustNot: ['challenge-ack'] },
  'lab-inject-blind.pcap.gz': {
    connections: 1,
    must: ['challenge-ack'],
    mustNot: ['injected-reset', 'port-reuse'],
    counts: { challengeAcks: 1 },
  },
  'lab-half-open.pcap.gz': { handshake: 'complete', close: 'rst', must: ['half-open'], mustNot: ['abort'] },
  'lab-unanswered.pcap.gz': {
    handshake: 'unanswered',
    close: 'none',
    firstCloser: null,
    must: ['unanswered'],
    counts: { retransmitted: 3 },
  },
  'lab-port-reuse.pcap.gz': { connections: 2, must: ['abort', 'refused'] },
  'lab-tfo.pcap.gz': { connections: 2, must: ['fast-open'], counts: NOTHING },
  'lab-urgent.pcap.gz': { ...FIN, must: ['urgent'], mustNot: ['loss'], counts: NOTHING },
  'lab-flood-nocookies.pcap.gz': {
    must: ['syn-flood'],
    mustNot: ['port-scan'],
    says: [/400 SYNs.*backlog filled/, /10\.77\.0\.1/],
  },
};
