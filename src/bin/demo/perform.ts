/** Plays a scenario and gathers what came of it. */

import { linesOf } from './lines.ts';
import type { DemoOptions } from './options.ts';
import { remarksOf } from './remarks.ts';
import type { Run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';

/** Whatever still goes on after a day is not waited for. */
const DAY_MS = 86_400_000;

export function perform(scenario: Scenario, options: DemoOptions): Run {
  const stage = new Stage(options, scenario);
  scenario.play(stage, options);
  stage.run(scenario.limitMs ?? DAY_MS);
  const { record, happenings } = stage;
  return {
    options,
    record,
    lines: linesOf(record),
    remarks: remarksOf(record),
    happenings,
    outcomes: stage.outcomes,
    timeWaitMs: stage.timeWaitMs,
  };
}
