/** The golden table of transitions, and the diagram made from the same run, say what the engine does. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawDiagram } from '../../tools/state-diagram.ts';
import { allTransitions, DIAGRAM_FILE, TABLE_FILE, writeTable } from '../../tools/transitions.ts';
import { STATES } from './states.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const transitions = allTransitions();

test("the table of transitions is the engine's; after a change that is meant: npm run transitions, and read the diff", () => {
  expect(writeTable(transitions)).toBe(read(TABLE_FILE));
});

test('the state diagram is drawn from the same run', () => {
  expect(drawDiagram(transitions)).toBe(read(DIAGRAM_FILE));
});

test('every state is tried with every event, and every arrow of figure 5 is there', () => {
  const kinds = new Set(transitions.map(({ event }) => event.name));
  const places = new Set(transitions.map(({ place }) => place));
  expect(places.size).toBe(STATES.length + 1);
  expect(transitions.length).toBe(kinds.size * places.size);
  const seen = new Set(transitions.map(({ from, to }) => `${from} > ${to}`));
  for (const arrow of [
    'CLOSED > LISTEN',
    'CLOSED > SYN-SENT',
    'LISTEN > CLOSED',
    'LISTEN > SYN-SENT',
    'LISTEN > SYN-RECEIVED',
    'SYN-SENT > CLOSED',
    'SYN-SENT > SYN-RECEIVED',
    'SYN-SENT > ESTABLISHED',
    'SYN-RECEIVED > LISTEN',
    'SYN-RECEIVED > ESTABLISHED',
    'SYN-RECEIVED > FIN-WAIT-1',
    'ESTABLISHED > FIN-WAIT-1',
    'ESTABLISHED > CLOSE-WAIT',
    'FIN-WAIT-1 > FIN-WAIT-2',
    'FIN-WAIT-1 > CLOSING',
    'FIN-WAIT-1 > TIME-WAIT',
    'FIN-WAIT-2 > TIME-WAIT',
    'CLOSING > TIME-WAIT',
    'CLOSE-WAIT > LAST-ACK',
    'LAST-ACK > CLOSED',
    'TIME-WAIT > CLOSED',
  ]) {
    expect(seen).toContain(arrow);
  }
});
