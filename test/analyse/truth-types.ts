/** The form in which the truth about a capture is written down. */

import type { Counts } from '../../src/analyse/index.ts';

export interface Truth {
  connections?: number;
  handshake?: string;
  close?: string;
  firstCloser?: string | null;
  timeWait?: string | null;
  /** Which end the capture was taken at. */
  at?: 'client' | 'server' | 'middle';
  /** Kinds that must be found, and kinds that must not. */
  must: string[];
  mustNot?: string[];
  counts?: Partial<Counts>;
  /** A text the findings must contain. */
  says?: RegExp[];
}

export const NOTHING = {
  lost: 0,
  retransmitted: 0,
  needless: 0,
  reordered: 0,
  networkDuplicates: 0,
  capturedTwice: 0,
  captureGaps: 0,
};
export const COMPLETE = { handshake: 'complete', close: 'fin-both' };
/** What loss alone does not bring about. */
export const LOSS = ['reordering', 'needless-retransmission', 'network-duplicate', 'captured-twice'];
