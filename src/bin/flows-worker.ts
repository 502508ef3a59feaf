/** A worker of `estab flows`: takes file names, answers with rows. */

import { parentPort } from 'node:worker_threads';
import { flowRows } from '../analyse/flow-row.ts';
import { analyseFile } from './explain.ts';

parentPort?.on('message', async (file: string) => {
  try {
    const { report } = await analyseFile(file);
    parentPort?.postMessage({ file, rows: flowRows(report), problem: report.problem });
  } catch (error) {
    parentPort?.postMessage({ file, rows: [], problem: (error as Error).message });
  }
});
