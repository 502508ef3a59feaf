/**
 * `ESTAB_DEBUG=handshake,data,tls,dns,timers`: what happens on the hosts of a Node program, on standard error, as it
 * happens. One line each: milliseconds since the program began, the category, the host's name if it has one, what.
 */

import { eventWords } from './event-words.ts';
import type { EventKind, HostEvent, SegmentEvent } from './events.ts';
import type { Consumer } from './watch.ts';

/** Which kinds of events a category looks at; a segment belongs to one, or with a FIN to two. */
const CATEGORIES = {
  handshake: ['segment', 'state'],
  data: ['segment'],
  tls: ['tls'],
  dns: ['dns'],
  timers: ['timer'],
  drops: ['drop'],
} as const satisfies Record<string, readonly EventKind[]>;

type Category = keyof typeof CATEGORIES;

const KNOWN = Object.keys(CATEGORIES) as Category[];
const WIDTH = Math.max(...KNOWN.map((category) => category.length));

interface NodeProcess {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stderr?: { write(text: string): unknown };
}

let complainedOf = '';

/** Who prints what the environment asks for; null when it asks for nothing, or there is none. */
export function debugFromEnvironment(): Consumer | null {
  const { process } = globalThis as { process?: NodeProcess };
  const asked = process?.env?.ESTAB_DEBUG ?? '';
  if (asked === '' || process?.stderr === undefined) return null;
  const { stderr } = process;
  const { categories, unknown } = readCategories(asked);
  if (unknown !== null && complainedOf !== asked) {
    stderr.write(`estab: ESTAB_DEBUG: "${unknown}" is no category; known are ${KNOWN.join(', ')}, all\n`);
    complainedOf = asked;
  }
  return categories.size === 0 ? null : printer(categories, (line) => stderr.write(`${line}\n`));
}

function readCategories(text: string): { categories: Set<Category>; unknown: string | null } {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.includes('all')) return { categories: new Set(KNOWN), unknown: null };
  const unknown = words.find((word) => !Object.hasOwn(CATEGORIES, word)) ?? null;
  return { categories: new Set(KNOWN.filter((category) => words.includes(category))), unknown };
}

function printer(categories: ReadonlySet<Category>, write: (line: string) => void): Consumer {
  const kinds = new Set<EventKind>([...categories].flatMap((category) => CATEGORIES[category]));
  return {
    kinds,
    push(event): void {
      const category = categoriesOf(event).find((one) => categories.has(one));
      if (category === undefined) return;
      const host = event.host === '' ? '' : `${event.host}  `;
      write(`${event.time.toFixed(3).padStart(11)} ${category.padEnd(WIDTH)}  ${host}${eventWords(event)}`);
    },
  };
}

function categoriesOf(event: HostEvent): readonly Category[] {
  if (event.kind === 'segment') return segmentCategories(event);
  return KNOWN.filter((category) => (CATEGORIES[category] as readonly EventKind[]).includes(event.kind));
}

/** Text, and the acknowledgments of an open connection, are data; all else opens, closes, refuses or resets. */
function segmentCategories({ flags, length, state, relative }: SegmentEvent): readonly Category[] {
  const turns = /[SFR]/.test(flags);
  const third = length === 0 && relative?.seq === 1 && relative.ack === 1;
  if (length > 0) return turns ? ['handshake', 'data'] : ['data'];
  return turns || third || state !== 'ESTABLISHED' ? ['handshake'] : ['data'];
}
