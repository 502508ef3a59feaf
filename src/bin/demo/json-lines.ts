/** The run as JSON, one object a line: numbers absolute, states as the RFC spells them. */

import { seqToUint32 } from '../../base/seq.ts';
import { URG } from '../../wire/tcp.ts';
import type { Line, SegmentLine } from './lines.ts';
import { otherEnd } from './record.ts';
import { flagLetters, has, type SegmentFacts } from './segment-facts.ts';

/** Notes are for readers of the drawing and have no line here. */
export function jsonLines(lines: readonly Line[]): string[] {
  return lines.filter((line) => line.kind !== 'note').map((line) => JSON.stringify(objectOf(line)));
}

function objectOf(line: Exclude<Line, { kind: 'note' }>): object {
  const states = { clientState: line.client, serverState: line.server };
  const t = seconds(line.time);
  switch (line.kind) {
    case 'segment':
      return { t, ...segmentObject(line), ...states };
    case 'arrival':
      return {
        t,
        from: null,
        cause: `the ${otherEnd(line.sent.from)} receives what was sent at ${seconds(line.sent.time)} s`,
        ...states,
      };
    case 'change':
      return { t, from: null, cause: `${line.end}: ${line.cause}`, ...states };
  }
}

function segmentObject({ sent }: SegmentLine): object {
  const { facts } = sent;
  return {
    from: sent.from,
    flags: flagLetters(facts.flags),
    seq: seqToUint32(facts.seq),
    ack: seqToUint32(facts.ack),
    len: facts.text.length,
    win: facts.window,
    ...(has(facts, URG) ? { urg: facts.urgentPointer } : {}),
    options: optionsObject(facts),
    ...(sent.lost === null ? {} : { lost: true }),
    ...(sent.copy ? { copy: true } : {}),
    ...(sent.stray === null ? {} : { injected: sent.stray }),
    ...(sent.damaged ? { damaged: true } : {}),
  };
}

function optionsObject({ options }: SegmentFacts): object {
  const { sack, ...rest } = options;
  if (sack === undefined) return rest;
  return { ...rest, sack: sack.map(([left, right]) => [seqToUint32(left), seqToUint32(right)]) };
}

/** Milliseconds to seconds, to the microsecond: 10.1 ms is 0.0101 and not 0.010100000000000001. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1_000_000;
}
