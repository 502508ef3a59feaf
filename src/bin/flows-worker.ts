/** A worker of `estab flows`: takes files, answers with rows. */

import { parentPort } from 'node:worker_threads';
import { flowRows } from '../analyse/flow-row.ts';
import { analyseFile } from './explain.ts';
import type { Answer, Job } from './flows-pool.ts';

parentPort?.on('message', async ({ index, file }: Job) => {
  let answer: Answer;
  try {
    const { report } = await analyseFile(file);
    answer = { index, rows: flowRows(report), problem: report.problem };
  } catch (error) {
    answer = { index, rows: [], problem: (error as Error).message };
  }
  parentPort?.postMessage(answer);
});
