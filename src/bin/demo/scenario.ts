/** What a scenario is: a story two hosts play, and the words that explain what is to be seen in it. */

import type { Settings } from '../../stack/settings-table.ts';
import type { DemoOptions } from './options.ts';
import type { Run } from './run.ts';
import type { Stage } from './stage.ts';
import type { Matter } from './summary.ts';

export interface Scenario {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  /** The server's port when the command does not say. */
  readonly port?: number;
  /** What this story needs set differently; the command's options win over it. */
  readonly settings?: Partial<Settings>;
  /** Receive buffer of each end where the story needs a small one. */
  readonly windows?: { readonly client?: number; readonly server?: number };
  /** The story is over at this time at the latest, ms; a day when left out. */
  readonly limitMs?: number;
  /** Sets the scene and the applications going; what follows follows from the protocol. */
  play(stage: Stage, options: DemoOptions): void;
  /** What the run shows, in plain words and true to the run: the first paragraphs of the summary. */
  explain(run: Run): string[];
  /** What the story is about: these matters are explained, others only answered. */
  readonly focus?: readonly Matter[];
  /** Whether nothing more is to be said: the usual words about opening and closing would not fit the story. */
  readonly explainsAll?: boolean;
}
