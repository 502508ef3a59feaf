/** Captures analysed side by side: a worker for each processor, each taking the next file when it is done with one. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FlowRow } from '../analyse/flow-row.ts';

/** The connections of one file, and what was wrong with it. */
export interface Analysed {
  rows: FlowRow[];
  problem: string | null;
}

/** What a worker is told, and what it answers. */
export interface Job {
  index: number;
  file: string;
}
export type Answer = Analysed & { index: number };

/** Workers load compiled files, which a run from source has not got. */
export const hasWorkers = !import.meta.url.endsWith('.ts');

/** In the order of the files, however the workers finish; `finished` is told how many are done. */
export async function analyseSideBySide(
  files: readonly string[],
  finished: (count: number) => void,
): Promise<Analysed[]> {
  const results: Analysed[] = [];
  let next = 0;
  let count = 0;
  const settle = (index: number, result: Analysed): void => {
    results[index] = result;
    finished(++count);
  };
  /** Takes files until there are none, or until its worker is gone with one. */
  const work = (): Promise<void> =>
    new Promise((end) => {
      const worker = new Worker(new URL('./flows-worker.js', import.meta.url));
      let current = -1;
      const take = (): void => {
        if (next === files.length) void worker.terminate().then(() => end());
        else {
          current = next++;
          worker.postMessage({ index: current, file: files[current] } satisfies Job);
        }
      };
      worker.on('message', ({ index, rows, problem }: Answer) => {
        settle(index, { rows, problem });
        take();
      });
      // Out of memory, say: that file is lost, the others are not.
      worker.on('error', (error) => {
        settle(current, { rows: [], problem: `it could not be analysed: ${error.message}` });
        end();
      });
      take();
    });
  const keepWorking = async (): Promise<void> => {
    while (next < files.length) await work();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, keepWorking));
  return results;
}
