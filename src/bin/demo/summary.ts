/**
 * The run in plain words. Every sentence is worked out from the record; what did not happen is not said, and what went
 * otherwise than usual is said as it went.
 */

import type { Run } from './run.ts';
import { agreement, totals } from './summary/agreement.ts';
import { closing, timeWait } from './summary/closing.ts';
import { opening } from './summary/opening.ts';

/** What there is to say of one matter: the answer, and why it is so. */
export interface Said {
  readonly answer: string;
  readonly why: string;
}

export type Matter = 'opening' | 'closing' | 'agreement';

/**
 * What a story is about gets a paragraph of its own, with reasons; the rest is answered in one.
 * @param focus what the story is about.
 */
export function summary(run: Run, focus: readonly Matter[]): string[] {
  const paragraphs: string[] = [];
  const brief: string[] = [];
  const say = (said: Said | null, matter: Matter): void => {
    if (said === null) return;
    if (focus.includes(matter)) paragraphs.push([said.answer, said.why].filter((text) => text !== '').join(' '));
    else brief.push(said.answer);
  };
  say(opening(run), 'opening');
  say(closing(run), 'closing');
  say(timeWait(run), 'closing');
  const agreed = focus.includes('agreement') ? agreement(run) : null;
  if (agreed !== null) paragraphs.push(agreed);
  brief.push(totals(run));
  return [...paragraphs, brief.join(' ')];
}
