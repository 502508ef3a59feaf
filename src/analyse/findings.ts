/** Facts about one connection put into plain sentences, each with its frames, how sure it is, and the RFC section. */

import type { Facts } from './facts.ts';
import { lossFindings, pathFindings } from './findings-delivery.ts';
import { closeFindings, oddFindings } from './findings-ending.ts';
import { handshakeFindings, strayFindings } from './findings-opening.ts';
import { timingFindings, windowFindings } from './findings-pace.ts';
import type { Finding } from './report.ts';
import type { Say } from './say.ts';
import { duration } from './words.ts';

export function connectionFindings(f: Facts): Finding[] {
  const findings: Finding[] = [];
  const say: Say = (kind, confidence, rfc, indexes, text) => {
    const frames =
      indexes.length === 0
        ? []
        : [...new Set(indexes.filter((i) => i >= 0).map((i) => f.trace.frame(i)))].sort((a, b) => a - b);
    findings.push({ kind, text, frames, confidence, rfc });
  };
  handshakeFindings(f, say);
  if (!f.plain) {
    strayFindings(f, say);
    lossFindings(f, say);
  }
  pathFindings(f, say);
  if (!f.plain) windowFindings(f, say);
  timingFindings(f, say);
  closeFindings(f, say);
  oddFindings(f, say);
  if (isClean(f, findings)) {
    const seconds = f.trace.time(f.trace.n - 1) - f.trace.time(0);
    say('clean', 'proven', null, [], `Nothing went wrong: opened, used and closed in ${duration(seconds)}.`);
  }
  return findings;
}

/** Kinds that are a way of doing it, or of capturing it, not a fault. */
const HARMLESS = new Set(['fast-open', 'window-full', 'idle', 'captured-twice']);

function isClean(f: Facts, findings: Finding[]): boolean {
  const opened = f.handshake.kind === 'complete' || f.handshake.kind === 'fast-open';
  return opened && f.close.kind === 'fin-both' && findings.every((x) => HARMLESS.has(x.kind));
}
