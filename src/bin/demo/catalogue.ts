/** All stories by name. */

import type { Scenario } from './scenario.ts';
import { fourWayClose, halfClose, lostLastAck, simultaneousClose } from './scenarios/closing.ts';
import { keepalive, reordering, retransmission, urgent, zeroWindow } from './scenarios/flowing.ts';
import { http } from './scenarios/http.ts';
import { lostSyn, lostSynAck, simultaneousOpen, threeWayHandshake } from './scenarios/opening.ts';
import { abort, halfOpen, refused } from './scenarios/refusing.ts';
import { oldDuplicateSyn, twoWayHandshake } from './scenarios/strays.ts';

/** In the order of a connection's life. */
export const SCENARIOS: readonly Scenario[] = [
  http,
  threeWayHandshake,
  fourWayClose,
  halfClose,
  simultaneousOpen,
  simultaneousClose,
  lostSyn,
  lostSynAck,
  lostLastAck,
  oldDuplicateSyn,
  twoWayHandshake,
  refused,
  abort,
  halfOpen,
  zeroWindow,
  retransmission,
  urgent,
  keepalive,
  reordering,
];

/** Not two hosts but many, so not a ladder but a table: played by flood.ts. */
export const FLOOD_STORY = {
  name: 'syn-flood',
  about: 'a backlog full of SYNs from nowhere, and SYN cookies',
} as const;

export function scenarioNamed(name: string): Scenario | null {
  return SCENARIOS.find((scenario) => scenario.name === name) ?? null;
}

/** Name and line of each: one line a story. */
export function catalogue(): string[] {
  const all = [...SCENARIOS, FLOOD_STORY];
  const column = Math.max(...all.map((entry) => entry.name.length)) + 2;
  return all.map(({ name, about }) => `${name.padEnd(column)}${about}`);
}

/** The story whose name is nearest to what was typed, by the pairs of letters they share; null when none is near. */
export function nearestName(typed: string): string | null {
  const asked = pairs(typed);
  let best: { name: string; score: number } | null = null;
  for (const { name } of [...SCENARIOS, FLOOD_STORY]) {
    const own = pairs(name);
    const shared = asked.filter((pair) => own.includes(pair)).length;
    const score = (2 * shared) / (asked.length + own.length);
    if (score > (best?.score ?? 0.3)) best = { name, score };
  }
  return best?.name ?? null;
}

function pairs(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2).toLowerCase());
}
