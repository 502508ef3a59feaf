/**
 * What happened in the captures of test/analyse/lab, of which each shows from one place what is easily taken for something
 * else: copies lost before the capture, probes and resets that were not heard of, late copies, black holes.
 */

import { COMPLETE, LOSS, NOTHING, type Truth } from './truth-types.ts';

const BY_CLIENT = { ...COMPLETE, firstCloser: 'client', timeWait: 'client' };
const RESET = { handshake: 'complete', close: 'rst', timeWait: null };

export const LAB_TRUTH: Record<string, Truth> = {
  'lab-zero-window-b.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'server', must: ['zero-window'], mustNot: ['loss', 'keepalive'] },
    counts: { ...NOTHING, windowProbes: 3, keepAlives: 0, retransmitted: 1, needless: 1, tailProbes: 1 },
  },
  'lab-zero-window-update-lost-m.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'middle', must: ['zero-window'], mustNot: ['loss', 'keepalive'] },
    counts: { ...NOTHING, windowProbes: 3, keepAlives: 0, retransmitted: 1, needless: 1, tailProbes: 1 },
  },
  'lab-zero-window-nots-m.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'middle', must: ['zero-window', 'needless-retransmission'], mustNot: ['loss', 'ack-loss'] },
    counts: { ...NOTHING, retransmitted: 3, needless: 3, tailProbes: 3, windowProbes: 3 },
  },
  'lab-clean-slow-reader-a.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'client', must: ['zero-window'], mustNot: ['loss'], counts: NOTHING },
    says: [/window was closed 3 times/],
  },
  'lab-clean-typing-m.pcap.gz': { ...BY_CLIENT, at: 'middle', must: ['clean'], counts: NOTHING },
  'lab-keepalive-dead-m.pcap.gz': {
    ...{ ...RESET, firstCloser: 'client', at: 'middle', must: ['keepalive-dead'], mustNot: ['keepalive', 'abort'] },
    counts: { keepAlives: 3, lost: 0 },
  },
  'lab-half-open-m.pcap.gz': {
    ...{
      ...RESET,
      firstCloser: 'server',
      must: ['half-open', 'abort'],
      mustNot: ['unread-data-reset'],
      counts: NOTHING,
    },
    says: [/did not hear of the server's reset/],
  },
  'lab-half-open-keepalive-a.pcap.gz': {
    ...{ ...RESET, firstCloser: 'server', at: 'client', must: ['half-open'], mustNot: ['keepalive', 'abort'] },
    counts: { ...NOTHING, keepAlives: 1 },
  },
  'lab-half-open-reconnect-a.pcap.gz': {
    ...{ connections: 2, must: ['abort', 'half-open', 'port-reuse'], mustNot: ['loss', 'unanswered', 'challenge-ack'] },
    says: [/still held an earlier connection of these ports/],
  },
  'lab-lost-third-ack-quiet-b.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'server', must: ['ack-loss'], mustNot: ['synack-lost', 'loss'] },
    counts: { lost: 1, lostAcks: 1, retransmitted: 1 },
  },
  'lab-loss-retransmission-b.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'server', must: ['loss'], mustNot: LOSS },
    counts: { ...NOTHING, lost: 3, retransmitted: 3 },
    says: [/2 further copies never came this far/],
  },
  'lab-tail-loss-two-b.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'server', must: ['loss'], mustNot: LOSS, counts: { ...NOTHING, lost: 2, retransmitted: 2 } },
  },
  'lab6-spurious-rto-nots-m.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'middle', must: ['reordering', 'needless-retransmission'], mustNot: ['loss', 'ack-loss'] },
    counts: { ...NOTHING, retransmitted: 10, needless: 10, reordered: 10 },
  },
  'lab-outage-b.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'server', must: ['loss'], mustNot: LOSS, counts: { ...NOTHING, lost: 5, retransmitted: 5 } },
  },
  'lab-random-loss-m.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'middle', must: ['loss'], mustNot: LOSS },
    counts: { ...NOTHING, lost: 15, retransmitted: 15, timeouts: 0 },
  },
  'lab-loss-nosack-b.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'server', must: ['loss', 'needless-retransmission'], mustNot: ['reordering', 'ack-loss'] },
    counts: { ...NOTHING, lost: 8, retransmitted: 21, needless: 13 },
  },
  'lab-spurious-rto-a.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'client', must: ['reordering', 'needless-retransmission'], mustNot: ['loss', 'ack-loss'] },
    counts: { ...NOTHING, reordered: 10, retransmitted: 10, needless: 10, timeouts: 0 },
  },
  'lab-inject-a-same-ttl-a.pcap.gz': {
    ...RESET,
    at: 'client',
    must: ['injected-reset'],
    mustNot: ['abort'],
    counts: NOTHING,
  },
  'lab-inject-overlap-b.pcap.gz': {
    ...{ handshake: 'complete', at: 'server', must: ['overlap', 'injected-data'] },
    ...{ mustNot: ['needless-retransmission', 'network-duplicate', 'ack-loss'], counts: NOTHING },
  },
  'lab-pmtu-blackhole-a.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'client', must: ['path-mtu', 'rto-backoff'], mustNot: [...LOSS, 'loss', 'outage'] },
    counts: { ...NOTHING, lost: 14, retransmitted: 21, timeouts: 4 },
    says: [/black hole: 14 packets/],
  },
  'lab-pmtu-icmp-m.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'middle', must: ['path-mtu'], mustNot: ['loss'], says: [/Path MTU 1300/] },
    counts: { ...NOTHING, retransmitted: 15 },
  },
  'lab-gap-one-b.pcap.gz': {
    ...{ ...RESET, firstCloser: 'client', at: 'server', must: ['capture-gap'], mustNot: ['loss'] },
    counts: { ...NOTHING, captureGaps: 1 },
  },
  'lab-syn-scan-b.pcap.gz': {
    ...{ connections: 40, must: ['port-scan'], mustNot: ['syn-flood'] },
    says: [/by 10\.77\.0\.66.*40 ports, 3 open \(22, 80, 443\), 37 refused/],
  },
  'lab6-loss-a.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'client', must: ['loss'], mustNot: LOSS, counts: { ...NOTHING, lost: 8, retransmitted: 8 } },
  },
  'lab6-reorder-m.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'middle', must: ['reordering'], mustNot: ['loss', 'ack-loss'] },
    counts: { ...NOTHING, reordered: 16, retransmitted: 1, needless: 1 },
  },
  'lab6-inject-b-m.pcap.gz': {
    ...RESET,
    must: ['injected-reset'],
    mustNot: ['abort', 'challenge-ack'],
    counts: NOTHING,
  },
  'lab6-pmtu-icmp-a.pcap.gz': {
    ...{ ...BY_CLIENT, at: 'client', must: ['path-mtu'], mustNot: ['loss'], says: [/packet too big/] },
    counts: { ...NOTHING, retransmitted: 15 },
  },
  'lab6-server-closes-m.pcap.gz': {
    ...{ ...COMPLETE, firstCloser: 'server', timeWait: 'server', at: 'middle', must: ['needless-retransmission'] },
    ...{ mustNot: ['ack-loss', 'loss'], counts: { ...NOTHING, retransmitted: 1, needless: 1, tailProbes: 1 } },
  },
};
