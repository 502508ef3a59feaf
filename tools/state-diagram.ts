/** The state diagram of RFC 9293 (its figure 5), drawn from transitions that were seen to happen. */

import type { StateName } from '../src/tcp/index.ts';
import type { Transition } from './transitions.ts';

interface Arrow {
  readonly from: StateName;
  readonly to: StateName;
  readonly labels: Set<string>;
}

/** One arrow between two states, whatever number of events lead over it. */
function arrows(transitions: readonly Transition[]): Arrow[] {
  const found = new Map<string, Arrow>();
  for (const { from, to, event, controls, impossible } of transitions) {
    if (from === to || impossible || event.short === '') continue;
    const key = `${from} ${to}`;
    const arrow = found.get(key) ?? { from, to, labels: new Set<string>() };
    arrow.labels.add(controls === '' ? event.short : `${event.short} / ${controls}`);
    found.set(key, arrow);
  }
  return [...found.values()];
}

const id = (state: StateName): string => state.replaceAll('-', '_');

function mermaid(all: readonly Arrow[]): string {
  const used = [...new Set(all.flatMap(({ from, to }) => [from, to]))];
  const names = used.map((state) => `  state "${state}" as ${id(state)}`);
  const lines = all.map(({ from, to, labels }) => `  ${id(from)} --> ${id(to)}: ${[...labels].join('<br>')}`);
  return ['```mermaid', 'stateDiagram-v2', ...names, ...lines, '```'].join('\n');
}

function table(all: readonly Arrow[]): string {
  const rows = all.map(({ from, to, labels }) => `| ${from} | ${to} | ${[...labels].join('; ')} |`);
  return ['| from | to | event / reply |', '|---|---|---|', ...rows].join('\n');
}

export function drawDiagram(transitions: readonly Transition[]): string {
  const orderly = arrows(transitions.filter(({ event }) => event.violent !== true));
  const violent = arrows(transitions.filter(({ event }) => event.violent === true));
  return `# The states of a connection

Written by \`npm run transitions\`; do not edit. Every arrow is a transition the engine made in the run that writes
[the table of all states and events](../test/conformance/transitions.txt), labelled \`event / what is sent\`. Compare
figure 5 of RFC 9293.

## Opening and closing

${mermaid(orderly)}

## Resets, aborts, timeouts, errors

${table(violent)}
`;
}
